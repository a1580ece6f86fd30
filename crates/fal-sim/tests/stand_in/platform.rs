//! Prices, one's own requests, and account facts.

use fal_sim::{Config, Host, PRIVATE_KEY, Sim};
use serde_json::{Value, json};

use crate::support::{Ask, instant, start, submit};

fn api(sim: &Sim, rest: &str) -> String {
    format!("{}/v1{rest}", sim.host_url(Host::Api))
}

#[tokio::test]
async fn prices_come_in_plural_units_and_an_unknown_id_is_not_found() {
    let sim = instant().await;
    let url = api(&sim, "/models/pricing?endpoint_id=fal-ai/flux/dev,fal-ai/nano-banana-2");
    let price = |id: &str, unit_price: f64, unit: &str| json!({ "endpoint_id": id, "unit_price": unit_price, "unit": unit, "currency": "USD" });
    let body = Ask::get(url).demo().send().await.json();
    let prices = json!([
        price("fal-ai/flux/dev", 0.025, "megapixels"),
        price("fal-ai/nano-banana-2", 0.08, "images"),
    ]);
    assert_eq!(body, json!({ "prices": prices, "next_cursor": null, "has_more": false }));

    let url = api(&sim, "/models/pricing?endpoint_id=fal-ai/flux/dev&endpoint_id=no/where");
    assert_eq!(Ask::get(url).demo().send().await.status, 404);
    assert_eq!(Ask::get(api(&sim, "/models/pricing")).demo().send().await.status, 400);
}

#[tokio::test]
async fn an_estimate_multiplies() {
    let sim = instant().await;
    let url = api(&sim, "/models/pricing/estimate");
    let body = json!({
        "estimate_type": "unit_price",
        "endpoints": { "fal-ai/flux/dev": { "unit_quantity": 50 } },
    });
    let reply = Ask::post(&url, body.to_string()).demo().send().await;
    let expected = json!({ "estimate_type": "unit_price", "total_cost": 1.25, "currency": "USD" });
    assert_eq!(reply.json(), expected);
    let wrong = json!({ "estimate_type": "unit_price", "endpoints": { "fal-ai/flux/dev": {} } });
    assert_eq!(Ask::post(&url, wrong.to_string()).demo().send().await.status, 400);
}

async fn requests(sim: &Sim, query: &str) -> Vec<Value> {
    let url = api(sim, &format!("/models/requests/by-endpoint?endpoint_id=fal-ai/flux/dev{query}"));
    let reply = Ask::get(url).demo().send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn ones_own_requests_are_found_again_newest_first() {
    let sim = start(Config::default()).await;
    let good = json!({ "prompt": "[sim:queue 0] [sim:slow 0]" });
    let first = submit(&sim, "fal-ai/flux/dev", &good).await;
    let failed = submit(
        &sim,
        "fal-ai/flux/dev",
        &json!({ "prompt": "[sim:queue 0] [sim:slow 0] [sim:fail internal_error]" }),
    )
    .await;
    let waiting = submit(&sim, "fal-ai/flux/dev", &json!({ "prompt": "[sim:queue 60]" })).await;
    submit(&sim, "fal-ai/whisper", &json!({})).await;

    let items = requests(&sim, "").await;
    let ids: Vec<&str> = items.iter().map(|item| item["request_id"].as_str().unwrap()).collect();
    assert_eq!(ids, [&waiting.request_id, &failed.request_id, &first.request_id]);
    assert_eq!(items[0]["ended_at"], Value::Null);
    assert_eq!(items[1]["status_code"], 500);
    assert_eq!(items[2]["status_code"], 200);

    assert_eq!(requests(&sim, "&status=success").await.len(), 1);
    assert_eq!(requests(&sim, "&status=error").await.len(), 1);
    assert_eq!(requests(&sim, "&status=user_error").await.len(), 0);
    assert_eq!(requests(&sim, "&limit=2").await.len(), 2);
    assert_eq!(requests(&sim, "&limit=2&cursor=Mg").await.len(), 1);
    assert_eq!(requests(&sim, "&end=2020-01-01").await.len(), 0);
    let one = requests(&sim, &format!("&request_id={}&expand=payloads", first.request_id)).await;
    assert_eq!(one[0]["json_input"], good);
    assert_eq!(one[0]["json_output"]["prompt"], good["prompt"]);

    let url = api(&sim, "/models/requests/by-endpoint?endpoint_id=fal-ai/flux/dev");
    let theirs = Ask::get(url).key(PRIVATE_KEY).send().await;
    assert_eq!(theirs.json()["items"], json!([]));
}

#[tokio::test]
async fn account_facts_are_told() {
    let sim = instant().await;
    let billing = Ask::get(api(&sim, "/account/billing?expand=credits")).demo().send().await;
    assert_eq!(billing.json()["credits"]["currency"], "USD");
    let meta = Ask::get(api(&sim, "/meta")).send().await;
    assert!(meta.json()["webhook_ip_ranges"].is_array());
}
