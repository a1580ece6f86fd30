//! `get_pricing`: what models cost this caller, and nobody else's prices.

use fal_sim::{DEMO_KEY, Fault, FaultKind, NO_SCOPE_KEY, Operation, PRIVATE_KEY, PRIVATE_MODEL};
use serde_json::{Value, json};
use tests::{Era, Outcome, Rig};

const FLUX: &str = "fal-ai/flux/schnell";
const KLING: &str = "fal-ai/kling-video/v3/pro/text-to-video";

async fn prices(rig: &Rig, endpoint_id: &str) -> Value {
    let arguments = json!({"endpoint_id": endpoint_id});
    rig.call(Era::Modern, "get_pricing", arguments).await.into_value()
}

async fn priced_for(rig: &Rig, key: &str, endpoint_id: &str) -> Outcome {
    let call = rig.tool(Era::Modern, "get_pricing", json!({"endpoint_id": endpoint_id}));
    Outcome::of(&call.bearer(key).send().await)
}

fn flux() -> Value {
    json!({"endpoint_id": FLUX, "unit_price": 0.003, "unit": "megapixels", "currency": "USD"})
}

fn kling() -> Value {
    json!({"endpoint_id": KLING, "unit_price": 0.168, "unit": "seconds", "currency": "USD"})
}

#[tokio::test]
async fn one_model_s_price_is_its_unit_and_what_one_costs() {
    let rig = Rig::start().await;
    assert_eq!(prices(&rig, FLUX).await, json!({"prices": [flux()], "not_found": []}));
}

#[tokio::test]
async fn several_models_are_priced_in_one_question_in_the_order_of_asking() {
    let rig = Rig::start().await;
    let found = prices(&rig, &format!("{KLING}, {FLUX} ,")).await;
    assert_eq!(found, json!({"prices": [kling(), flux()], "not_found": []}));
    assert_eq!(rig.sim.ledger().calls(Operation::Pricing), 1);
}

#[tokio::test]
async fn fifty_models_are_priced_and_fifty_one_are_refused_before_anything_is_asked() {
    let rig = Rig::start().await;
    let many = |count: usize| -> String {
        let ids: Vec<String> = (0..count).map(|number| format!("fal-ai/none-{number}")).collect();
        ids.join(",")
    };
    let found = prices(&rig, &many(50)).await;
    assert_eq!(found["not_found"].as_array().map(Vec::len), Some(50));
    let asked = rig.sim.ledger().calls(Operation::Pricing);
    for (ids, problem) in [
        (many(51), "`endpoint_id` names 51 ids: expected 1 to 50"),
        (" , ".to_owned(), "`endpoint_id` names 0 ids: expected 1 to 50"),
    ] {
        let outcome = rig.call(Era::Modern, "get_pricing", json!({"endpoint_id": ids})).await;
        assert_eq!(outcome.error("invalid_arguments")["problems"], json!([problem]));
    }
    assert_eq!(rig.sim.ledger().calls(Operation::Pricing), asked);
}

#[tokio::test]
async fn an_id_without_a_price_does_not_fail_the_others() {
    let rig = Rig::start().await;
    let found = prices(&rig, &format!("{FLUX},fal-ai/no-such/model,{KLING}")).await;
    let expected = json!({"prices": [flux(), kling()], "not_found": ["fal-ai/no-such/model"]});
    assert_eq!(found, expected);
    let none = prices(&rig, "fal-ai/no-such/model").await;
    assert_eq!(none, json!({"prices": [], "not_found": ["fal-ai/no-such/model"]}));
}

#[tokio::test]
async fn calls_and_units_are_estimated_over_all_models_that_have_a_price() {
    let rig = Rig::start().await;
    for (amount, total, words) in [
        (json!({"calls": 10}), 1.71, "10 calls of each model"),
        (json!({"units": 2.5}), 0.4275, "2.5 units of each model"),
    ] {
        let mut arguments = json!({"endpoint_id": format!("{FLUX},fal-ai/no-such/model,{KLING}")});
        arguments.as_object_mut().unwrap().extend(amount.as_object().unwrap().clone());
        let found = rig.call(Era::Modern, "get_pricing", arguments).await.into_value();
        let estimate = &found["estimate"];
        let difference = estimate["total_cost"].as_f64().unwrap() - total;
        assert!(difference.abs() < 1e-9, "{estimate}");
        assert_eq!((&estimate["currency"], &estimate["for"]), (&json!("USD"), &json!(words)));
    }
    let nothing = json!({"endpoint_id": "fal-ai/no-such/model", "calls": 3});
    let found = rig.call(Era::Modern, "get_pricing", nothing).await.into_value();
    assert!(found.get("estimate").is_none(), "{found}");
}

#[tokio::test]
async fn what_a_key_was_told_is_asked_again_by_no_call_of_that_key() {
    let rig = Rig::start().await;
    let first = prices(&rig, &format!("{FLUX},fal-ai/no-such/model")).await;
    let asked = rig.sim.ledger().calls(Operation::Pricing);
    assert_eq!(prices(&rig, &format!("{FLUX},fal-ai/no-such/model")).await, first);
    assert_eq!(prices(&rig, FLUX).await["prices"], json!([flux()]));
    assert_eq!(rig.sim.ledger().calls(Operation::Pricing), asked);
    prices(&rig, &format!("{FLUX},{KLING}")).await;
    let last = rig.asked().pop().unwrap();
    assert_eq!(last.query.unwrap(), format!("endpoint_id={}", KLING.replace('/', "%2F")));
}

/// The stand-in's prices differ between accounts in one way: only its owner has one of a private
/// model, and one key may see none.
#[tokio::test]
async fn no_key_ever_sees_what_another_was_told() {
    let rig = Rig::start().await;
    let both = format!("{FLUX},{PRIVATE_MODEL}");
    for _ in 0..2 {
        let stranger = priced_for(&rig, DEMO_KEY, &both).await.into_value();
        assert_eq!(stranger["not_found"], json!([PRIVATE_MODEL]));
        let owner = priced_for(&rig, PRIVATE_KEY, &both).await.into_value();
        assert_eq!(owner["prices"][1]["unit_price"], 0.02, "{owner}");
        priced_for(&rig, NO_SCOPE_KEY, FLUX).await.error("scope_missing");
    }
}

#[tokio::test]
async fn each_key_s_prices_are_asked_for_under_that_key() {
    let rig = Rig::start().await;
    for key in [DEMO_KEY, PRIVATE_KEY, DEMO_KEY, PRIVATE_KEY] {
        assert_eq!(priced_for(&rig, key, FLUX).await.value()["prices"], json!([flux()]));
    }
    let asked = rig.asked();
    assert_eq!(asked.len(), 2, "once for each key");
    assert!(asked.iter().all(|request| request.authorization.as_deref() == Some("Key")));
}

#[tokio::test]
async fn prices_that_cannot_be_had_are_an_error_that_is_not_remembered() {
    let rig = Rig::start().await;
    let down = Fault::new(FaultKind::Ingress { status: 503 });
    rig.sim.faults().add(down.on(Operation::Pricing));
    let outcome = rig.call(Era::Modern, "get_pricing", json!({"endpoint_id": FLUX})).await;
    let next = outcome.error("ingress")["next_step"].as_str().unwrap();
    assert!(next.starts_with("fal cannot be reached right now."), "{next}");
    rig.sim.faults().clear();
    assert_eq!(prices(&rig, FLUX).await["prices"], json!([flux()]));
}
