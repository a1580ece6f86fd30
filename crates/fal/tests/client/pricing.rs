//! Prices and estimates.

use fal::{Error, Estimate, Price, Prices, Quantities};
use openapi_contract::Operation;
use serde_json::{Value, json};

use crate::{
    answers::{self, Answer, answer},
    server::{Fal, KEY, endpoint, id, key, soon},
};

fn price(id: &str) -> Price {
    Price {
        endpoint_id: id.to_owned(),
        unit_price: 0.025,
        unit: "megapixels".to_owned(),
        currency: "USD".to_owned(),
    }
}

fn unpriced() -> Answer {
    answers::platform(Operation::GetPricing, 404, "not_found", "Resource not found")
}

#[tokio::test]
async fn prices_are_asked_for_in_one_call_with_the_caller_s_key() {
    let ids = [id("fal-ai/a"), id("fal-ai/b"), id("fal-ai/c")];
    let fal = Fal::answering([answers::prices(&["fal-ai/b", "fal-ai/a"])]).await;
    let prices = fal.client().pricing(&key(), &ids, soon()).await.unwrap();
    let expected = Prices {
        prices: vec![price("fal-ai/b"), price("fal-ai/a")],
        not_found: vec![id("fal-ai/c")],
    };
    assert_eq!(prices, expected);
    let line = "GET /v1/models/pricing?endpoint_id=fal-ai%2Fa&endpoint_id=fal-ai%2Fb\
                &endpoint_id=fal-ai%2Fc";
    assert_eq!(fal.lines(), [line]);
    let sent = fal.received()[0].header("authorization").map(str::to_owned);
    assert_eq!(sent, Some(format!("Key {KEY}")));
}

#[tokio::test]
async fn a_batch_with_an_id_without_a_price_is_asked_again_one_by_one() {
    let fal = Fal::scripted(|request, _| match request.query.as_str() {
        "endpoint_id=fal-ai%2Fa" => answers::prices(&["fal-ai/a"]),
        "endpoint_id=fal-ai%2Fc" => answers::prices(&["fal-ai/c"]),
        _ => unpriced(),
    })
    .await;
    let ids = [id("fal-ai/a"), id("fal-ai/b"), id("fal-ai/c")];
    let prices = fal.client().pricing(&key(), &ids, soon()).await.unwrap();
    let expected = Prices {
        prices: vec![price("fal-ai/a"), price("fal-ai/c")],
        not_found: vec![id("fal-ai/b")],
    };
    assert_eq!(prices, expected);
    assert_eq!(fal.received().len(), 4);
}

#[tokio::test]
async fn one_id_without_a_price_is_asked_for_once_and_none_not_at_all() {
    let fal = Fal::answering([unpriced()]).await;
    let prices = fal.client().pricing(&key(), &[endpoint()], soon()).await.unwrap();
    assert_eq!(prices, Prices { prices: Vec::new(), not_found: vec![endpoint()] });
    assert_eq!(fal.received().len(), 1);

    let none = fal.client().pricing(&key(), &[], soon()).await.unwrap();
    assert_eq!(none, Prices::default());
    assert_eq!(fal.received().len(), 1);
}

#[tokio::test]
async fn more_ids_than_fal_takes_are_asked_for_in_batches() {
    let ids: Vec<_> = (0..51).map(|n| id(&format!("fal-ai/m{n}"))).collect();
    let fal = Fal::answering([answers::prices(&[])]).await;
    let prices = fal.client().pricing(&key(), &ids, soon()).await.unwrap();
    assert_eq!(prices.not_found, ids);
    let sizes: Vec<_> =
        fal.received().iter().map(|request| request.query.matches("endpoint_id").count()).collect();
    assert_eq!(sizes, [50, 1]);
}

#[tokio::test]
async fn a_failure_is_not_mistaken_for_a_model_without_a_price() {
    let refused =
        answers::platform(Operation::GetPricing, 403, "authorization_error", "Access denied");
    let fal = Fal::scripted(move |request, _| match request.query.as_str() {
        "endpoint_id=fal-ai%2Fb" => refused.clone(),
        "endpoint_id=fal-ai%2Fa" => answers::prices(&["fal-ai/a"]),
        _ => unpriced(),
    })
    .await;
    let outcome = fal.client().pricing(&key(), &[id("fal-ai/a"), id("fal-ai/b")], soon()).await;
    assert!(matches!(outcome, Err(Error::ScopeMissing)), "{outcome:?}");
}

#[tokio::test]
async fn an_entry_that_is_no_price_counts_as_none() {
    let changed = |id: &str, name: &str, value: Value| {
        let mut price = answers::price(id);
        price[name] = value;
        price
    };
    let body = json!({"prices": [
        changed("fal-ai/a", "unit_price", json!(-0.1)),
        changed("fal-ai/b", "unit_price", json!("free")),
        changed("fal-ai/c", "currency", Value::Null),
        changed("fal-ai/d", "unit", json!("mega\u{1b}\npixels")),
        changed("fal-ai/e", "discount", json!(0.5)),
        changed("fal-ai/f", "unit_price", json!(0)),
        "fal-ai/g",
    ]});
    let fal = Fal::answering([answer(Operation::GetPricing, 200, &body)]).await;
    let ids = ["a", "b", "c", "d", "e", "f", "g"].map(|name| id(&format!("fal-ai/{name}")));
    let prices = fal.client().pricing(&key(), &ids, soon()).await.unwrap();
    let expected = Prices {
        prices: vec![
            Price { unit: "mega pixels".to_owned(), ..price("fal-ai/d") },
            price("fal-ai/e"),
            Price { unit_price: 0.0, ..price("fal-ai/f") },
        ],
        not_found: ["a", "b", "c", "g"].map(|name| id(&format!("fal-ai/{name}"))).to_vec(),
    };
    assert_eq!(prices, expected);
}

#[tokio::test]
async fn an_estimate_is_asked_for_by_calls_or_by_units() {
    let calls = Quantities::Calls([(id("fal-ai/b"), 2), (id("fal-ai/a"), 100)].into());
    let units = Quantities::Units([(id("fal-ai/a"), 1.5)].into());
    let cases = [
        (
            calls,
            "historical_api_price",
            json!({"estimate_type": "historical_api_price", "endpoints": {
                "fal-ai/a": {"call_quantity": 100}, "fal-ai/b": {"call_quantity": 2}}}),
        ),
        (
            units,
            "unit_price",
            json!({"estimate_type": "unit_price", "endpoints": {
                "fal-ai/a": {"unit_quantity": 1.5}}}),
        ),
    ];
    for (quantities, kind, expected) in cases {
        let fal = Fal::answering([answers::estimate(kind, 3.75)]).await;
        let estimate = fal.client().estimate(&key(), &quantities, soon()).await.unwrap();
        assert_eq!(estimate, Estimate { total_cost: 3.75, currency: "USD".to_owned() });
        assert_eq!(fal.lines(), ["POST /v1/models/pricing/estimate"]);
        let received = &fal.received()[0];
        assert_eq!(serde_json::from_slice::<Value>(&received.body).unwrap(), expected);
        assert_eq!(received.header("authorization"), Some(format!("Key {KEY}").as_str()));
    }
}

#[tokio::test]
async fn an_estimate_makes_nothing_and_is_repeated_like_a_read() {
    let broken = Answer::new(Operation::EstimatePricing, 500, String::new());
    let fal = Fal::answering([broken, answers::estimate("unit_price", 1.0)]).await;
    let quantities = Quantities::Units([(endpoint(), 40.0)].into());
    fal.client().estimate(&key(), &quantities, soon()).await.unwrap();
    let received = fal.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].body, received[1].body);
}
