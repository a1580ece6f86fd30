//! Every model's document and output, over the whole catalogue.

use std::path::PathBuf;

use fal_sim::{Config, Host, Models, PRIVATE_KEY, Sim};
use serde_json::{Map, Value, json};

use crate::support::{Ask, instant, start};

/// Every listed model's card, page after page.
pub(crate) async fn catalogue(sim: &Sim) -> Vec<Value> {
    let mut cards = Vec::new();
    let mut cursor = String::new();
    loop {
        let url = format!("{}/v1/models?{cursor}", sim.host_url(Host::Api));
        let page = Ask::get(url).key(PRIVATE_KEY).send().await.json();
        cards.extend(page["models"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("cursor={next}"),
            None => return cards,
        }
    }
}

/// The smallest input that a document's input schema asks for.
fn smallest_input(document: &Value, id: &str) -> Value {
    let schema = &document["paths"][format!("/{id}")]["post"]["requestBody"]["content"]["application/json"]
        ["schema"];
    smallest(document, schema)
}

fn smallest(document: &Value, schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return smallest(document, &document["components"]["schemas"][name]);
    }
    for keyword in ["anyOf", "allOf", "oneOf"] {
        if let Some(first) = schema[keyword].as_array().and_then(|branches| branches.first()) {
            return smallest(document, first);
        }
    }
    if let Some(first) = schema["enum"].as_array().and_then(|options| options.first()) {
        return first.clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let fields = required.iter().map(|name| {
                let name = name.as_str().unwrap();
                (name.to_owned(), smallest(document, &schema["properties"][name]))
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Some("array") => {
            let count = schema["minItems"].as_u64().unwrap_or(1);
            (0..count).map(|_| smallest(document, &schema["items"])).collect()
        }
        Some("integer" | "number") => {
            schema["minimum"].as_f64().map_or(json!(1), |n| json!(n.max(1.0)))
        }
        Some("boolean") => json!(true),
        _ => json!("https://example.com/some/input"),
    }
}

/// Where an output differs from its own schema. A schema that cannot be compiled is no judge.
fn differences(document: &Value, id: &str, output: &Value) -> Vec<String> {
    let path = format!("/{id}/requests/{{request_id}}");
    let schema = &document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
        ["schema"];
    let whole = json!({ "allOf": [schema], "components": document["components"] });
    let options = jsonschema::draft202012::options().should_validate_formats(false);
    let Ok(validator) = options.build(&whole) else { return Vec::new() };
    validator
        .iter_errors(output)
        .map(|error| format!("{id}: {error} at {}", error.instance_path()))
        .collect()
}

async fn run(sim: &Sim, id: &str, input: &Value) -> crate::support::Reply {
    let url = format!("{}/{id}", sim.host_url(Host::Run));
    Ask::post(url, input.to_string()).key(PRIVATE_KEY).send().await
}

#[tokio::test]
async fn every_model_accepts_its_smallest_input_and_answers_by_its_own_schema() {
    let sim = instant().await;
    let mut checked = 0;
    for card in catalogue(&sim).await {
        let id = card["endpoint_id"].as_str().unwrap();
        let url =
            format!("{}/v1/models?endpoint_id={id}&expand=openapi-3.0", sim.host_url(Host::Api));
        let found = Ask::get(url).key(PRIVATE_KEY).send().await;
        if found.status == 404 {
            assert_eq!(card["metadata"]["status"], "deprecated", "{id}");
            continue;
        }
        let document = &found.json()["models"][0]["openapi"];
        if document["error"]["code"] == "expansion_failed" {
            continue;
        }
        let input = smallest_input(document, id);
        let reply = run(&sim, id, &input).await;
        assert_eq!(reply.status, 200, "{id} {input} {}", reply.text());
        assert_eq!(differences(document, id, &reply.json()), [""; 0]);
        checked += 1;
    }
    assert!(checked > 40, "{checked}");
}

#[tokio::test]
async fn real_documents_can_be_loaded_and_every_output_follows_its_own_schema() {
    let shared = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/fal"));
    let schemas = shared.join("model-openapi.1290.ndjson.gz");
    let catalog = shared.join("models.2026.ndjson.gz");
    if !schemas.exists() || !catalog.exists() {
        skip("the dumps of fal's own documents are not here");
        return;
    }
    let models = Models::Files { catalog: Some(catalog), schemas: Some(schemas) };
    let config = Config { models, speed: f64::INFINITY, ..Config::default() };
    let sim = start(config).await;
    let (mut checked, mut refused, mut different) = (0, Vec::new(), Vec::new());
    for card in catalogue(&sim).await {
        let id = card["endpoint_id"].as_str().unwrap();
        let web = sim.host_url(Host::Web);
        let document =
            Ask::get(format!("{web}/api/openapi/queue/openapi.json?endpoint_id={id}")).send().await;
        if document.status == 404 {
            assert_eq!(document.text(), "null");
            continue;
        }
        let document = document.json();
        let reply = run(&sim, id, &smallest_input(&document, id)).await;
        checked += 1;
        if reply.status == 200 {
            assert_eq!(reply.header("content-type"), Some("application/json"), "{id}");
            different.extend(differences(&document, id, &reply.json()));
        } else {
            refused.push(format!("{id}: {}", reply.text()));
        }
    }
    assert!(checked > 1_000, "{checked}");
    // The smallest input is a guess; a few models want more than their required fields say.
    assert!(refused.len() * 50 < checked, "{} of {checked}: {refused:#?}", refused.len());
    assert!(different.is_empty(), "{} of {checked}: {different:#?}", different.len());
}

#[expect(clippy::print_stderr, reason = "a test that did not run must not look as if it had")]
fn skip(reason: &str) {
    eprintln!("SKIPPED: {reason}");
}
