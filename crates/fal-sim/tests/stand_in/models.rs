//! `GET /v1/models` and the documents behind it.

use fal_sim::{Config, Host, Models, Sim, UNKNOWN_KEY};
use serde_json::{Value, json};

use crate::outputs::catalogue;
use crate::support::{Ask, Reply, instant, start};

async fn list(sim: &Sim, query: &str) -> Reply {
    Ask::get(format!("{}/v1/models?{query}", sim.host_url(Host::Api))).send().await
}

fn ids(page: &Value) -> Vec<&str> {
    page["models"].as_array().unwrap().iter().map(|m| m["endpoint_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_page_holds_a_hundred_models_and_the_cursor_is_the_next_number() {
    let sim = start(Config { models: Models::Generated(250), ..Config::default() }).await;
    let first = list(&sim, "").await.json();
    assert_eq!(ids(&first).len(), 100);
    assert_eq!((&first["next_cursor"], &first["has_more"]), (&json!("Mg"), &json!(true)));
    let last = list(&sim, "cursor=Mw").await.json();
    assert_eq!((&last["next_cursor"], &last["has_more"]), (&json!(null), &json!(false)));
    assert_eq!(list(&sim, "limit=500").await.json()["models"].as_array().unwrap().len(), 100);

    let mut all: Vec<String> = catalogue(&sim)
        .await
        .iter()
        .map(|card| card["endpoint_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(all.len(), 250);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 250);
}

#[tokio::test]
async fn a_card_has_the_fields_that_are_always_there_and_others_only_where_they_say_something() {
    let sim = instant().await;
    let always = [
        "display_name",
        "category",
        "description",
        "status",
        "tags",
        "updated_at",
        "is_favorited",
        "thumbnail_url",
        "model_url",
        "date",
        "highlighted",
        "pinned",
    ];
    let sometimes = [
        "thumbnail_animated_url",
        "github_url",
        "license_type",
        "group",
        "kind",
        "training_endpoint_ids",
        "inference_endpoint_ids",
        "stream_url",
        "duration_estimate",
    ];
    let mut seen = Vec::new();
    for card in catalogue(&sim).await {
        let metadata = card["metadata"].as_object().unwrap();
        for name in always {
            assert!(metadata.contains_key(name), "{card} {name}");
        }
        for (name, value) in metadata {
            assert!(
                always.contains(&name.as_str()) || sometimes.contains(&name.as_str()),
                "{name}"
            );
            if sometimes.contains(&name.as_str()) {
                assert!(!value.is_null() && value != &json!([]) && value != "", "{card}");
                seen.push(name.clone());
            }
        }
    }
    for name in sometimes {
        assert!(seen.iter().any(|other| other == name), "no model has {name}");
    }
}

#[tokio::test]
async fn favourites_are_null_without_a_key_and_a_boolean_with_one() {
    let sim = instant().await;
    let url = format!("{}/v1/models?limit=1", sim.host_url(Host::Api));
    let favorited = |reply: Reply| reply.json()["models"][0]["metadata"]["is_favorited"].clone();
    assert_eq!(favorited(Ask::get(&url).send().await), Value::Null);
    assert_eq!(favorited(Ask::get(&url).demo().send().await), json!(false));
    assert_eq!(Ask::get(&url).key(UNKNOWN_KEY).send().await.status, 401);
}

#[tokio::test]
async fn a_thumbnail_opens() {
    let sim = instant().await;
    let page = list(&sim, "limit=1").await.json();
    let url = page["models"][0]["metadata"]["thumbnail_url"].as_str().unwrap();
    assert_eq!(Ask::get(url).send().await.header("content-type"), Some("image/png"));
}

#[tokio::test]
async fn search_looks_into_name_description_and_category() {
    let sim = instant().await;
    let by_name = list(&sim, "q=NANO%20banana").await.json();
    assert_eq!(ids(&by_name), ["fal-ai/nano-banana-2/edit", "fal-ai/nano-banana-2"]);
    let by_category = list(&sim, "category=training").await.json();
    assert_eq!(ids(&by_category), ["fal-ai/flux-lora-fast-training"]);
    let deprecated = list(&sim, "status=deprecated").await.json();
    assert!(ids(&deprecated).contains(&"fal-ai/fast-sdxl"));
    let both = list(&sim, "status=active&q=fast%20sdxl").await.json();
    assert_eq!(ids(&both), [""; 0]);
}

#[tokio::test]
async fn every_category_has_a_model() {
    let sim = instant().await;
    let mut categories: Vec<String> = catalogue(&sim)
        .await
        .iter()
        .map(|card| card["metadata"]["category"].as_str().unwrap().to_owned())
        .collect();
    categories.sort();
    categories.dedup();
    assert_eq!(categories.len(), 25, "{categories:?}");
}

#[tokio::test]
async fn one_unknown_id_makes_a_whole_batch_not_found() {
    let sim = instant().await;
    let good = list(&sim, "endpoint_id=fal-ai/flux/dev&endpoint_id=fal-ai/whisper").await.json();
    assert_eq!(ids(&good), ["fal-ai/flux/dev", "fal-ai/whisper"]);
    let bad = list(&sim, "endpoint_id=fal-ai/flux/dev&endpoint_id=no/where").await;
    assert_eq!(bad.status, 404);
    assert_eq!(bad.json()["error"]["type"], "not_found");
    // Listed as deprecated, and yet not found.
    let lost = list(&sim, "endpoint_id=sim-labs/darkroom/v1/preview").await;
    assert_eq!(lost.status, 404);
}

#[tokio::test]
async fn documents_can_be_expanded_ten_at_a_time_and_one_expansion_fails() {
    let sim = instant().await;
    let page = list(&sim, "expand=openapi-3.0&limit=50").await.json();
    assert_eq!(ids(&page).len(), 10);
    assert_eq!(page["models"][0]["openapi"]["openapi"], "3.0.4");
    let failed = list(&sim, "expand=openapi-3.0&endpoint_id=sim-labs/partner/turbo/image-to-video");
    let failed = failed.await;
    assert_eq!(failed.status, 200);
    assert_eq!(failed.json()["models"][0]["openapi"]["error"]["code"], "expansion_failed");
}

#[tokio::test]
async fn calls_without_a_key_are_limited_more_tightly() {
    let sim = start(Config { anonymous_rate_limit: Some(2), ..Config::default() }).await;
    for _ in 0..2 {
        assert_eq!(list(&sim, "limit=1").await.status, 200);
    }
    let reply = list(&sim, "limit=1").await;
    assert_eq!(reply.status, 429);
    assert!(reply.header("retry-after").unwrap().parse::<u64>().unwrap() <= 61);
    let error = json!({ "type": "rate_limited", "message": "Rate limit exceeded" });
    assert_eq!(reply.json(), json!({ "error": error }));
    let url = format!("{}/v1/models?limit=1", sim.host_url(Host::Api));
    assert_eq!(Ask::get(url).demo().send().await.status, 200);
}

#[tokio::test]
async fn a_document_has_the_envelope_that_clients_read() {
    let sim = instant().await;
    let id = "fal-ai/flux/schnell";
    let url =
        format!("{}/api/openapi/queue/openapi.json?endpoint_id={id}", sim.host_url(Host::Web));
    let document = Ask::get(url).send().await.json();
    assert_eq!(document["openapi"], "3.0.4");
    assert_eq!(document["info"]["title"], "Queue OpenAPI for fal-ai/flux/schnell");
    assert_eq!(document["info"]["x-fal-metadata"]["endpointId"], id);
    assert_eq!(document["servers"], json!([{ "url": "https://queue.fal.run" }]));
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 4);
    let reference = "#/components/schemas/FluxSchnellInput";
    let body = &document["paths"][format!("/{id}")]["post"]["requestBody"];
    assert_eq!(body["content"]["application/json"]["schema"]["$ref"], reference);
    let input = &document["components"]["schemas"]["FluxSchnellInput"];
    assert_eq!(input["x-fal-order-properties"][0], "num_inference_steps");
    assert_eq!(input["required"], json!(["prompt"]));
    assert!(document["components"]["schemas"]["ImageSize"].is_object());

    let text = Ask::get(format!("{}/models/{id}/llms.txt", sim.host_url(Host::Web))).send().await;
    assert!(text.text().contains("| `prompt` | string | yes |"), "{}", text.text());
    let none =
        Ask::get(format!("{}/models/no/where/llms.txt", sim.host_url(Host::Web))).send().await;
    assert_eq!(none.status, 404);
}

#[tokio::test]
async fn the_documents_have_the_faults_of_real_ones() {
    let sim = instant().await;
    let mut found = String::new();
    for card in catalogue(&sim).await {
        let id = card["endpoint_id"].as_str().unwrap();
        let url =
            format!("{}/api/openapi/queue/openapi.json?endpoint_id={id}", sim.host_url(Host::Web));
        found.push_str(Ask::get(url).send().await.text());
    }
    for fault in [
        r#""anyOf":[{"type":"integer"},{"type":"null"}]"#,
        r##""allOf":[{"$ref":"#/components/schemas/ImageSize"}]"##,
        r#""nullable":true"#,
        r#""exclusiveMinimum":0"#,
        r#""default":"false""#,
        r##""$ref":"#/components/schemas/TrajectoryPoint""##,
        r#""prefixItems""#,
        r#""const""#,
    ] {
        assert!(found.contains(fault), "{fault}");
    }
    assert!(!found.contains(r#""TrajectoryPoint":"#));
}
