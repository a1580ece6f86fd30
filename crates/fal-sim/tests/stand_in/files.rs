//! Models from files.

use std::io::Write as _;

use fal_sim::{Config, Host, Models, StartError};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::{Ask, start};

fn document(id: &str) -> Value {
    let schema = |name: &str| json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{name}") } } });
    json!({
        "openapi": "3.0.4",
        "info": { "x-fal-metadata": { "endpointId": id, "category": "text-to-image" } },
        "components": { "schemas": {
            "In": { "type": "object", "required": ["prompt"], "properties": { "prompt": { "type": "string" } } },
            "Out": { "type": "object", "required": ["image"], "properties": {
                "image": { "type": "object", "properties": { "url": { "type": "string" } } },
            } },
        } },
        "paths": {
            (format!("/{id}")): { "post": { "requestBody": { "content": schema("In") } } },
            (format!("/{id}/requests/{{request_id}}")): { "get": { "responses": { "200": { "content": schema("Out") } } } },
        },
    })
}

#[tokio::test]
async fn a_catalogue_and_documents_are_read_plain_or_gzipped_and_need_not_match() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = folder.path().join("catalog.ndjson");
    let metadata =
        json!({ "display_name": "Listed", "category": "vision", "license_type": "research" });
    let lines = [
        json!({ "provenance": "a test", "model": { "endpoint_id": "a/listed", "metadata": metadata } }),
        json!({ "model": { "endpoint_id": "a/bare" } }),
    ];
    std::fs::write(&catalog, format!("{}\n{}\n", lines[0], lines[1])).unwrap();
    let schemas = folder.path().join("schemas.ndjson.gz");
    let mut encoder = GzEncoder::new(std::fs::File::create(&schemas).unwrap(), Compression::fast());
    for id in ["a/listed", "b/unlisted"] {
        writeln!(encoder, "{}", json!({ "endpoint_id": id, "openapi": document(id) })).unwrap();
    }
    encoder.finish().unwrap();

    let models = Models::Files { catalog: Some(catalog), schemas: Some(schemas) };
    let sim = start(Config { models, speed: f64::INFINITY, ..Config::default() }).await;
    let page = Ask::get(format!("{}/v1/models", sim.host_url(Host::Api))).send().await.json();
    assert_eq!(page["models"].as_array().unwrap().len(), 2);
    assert_eq!(page["models"][0]["metadata"]["license_type"], "research");
    assert_eq!(page["models"][0]["metadata"]["is_favorited"], Value::Null);
    assert_eq!(page["models"][1], json!({ "endpoint_id": "a/bare" }));

    let web = sim.host_url(Host::Web);
    let get = |id: &str| Ask::get(format!("{web}/api/openapi/queue/openapi.json?endpoint_id={id}"));
    assert_eq!(get("b/unlisted").send().await.json(), document("b/unlisted"));
    let none = get("a/bare").send().await;
    assert_eq!((none.status.as_u16(), none.text()), (404, "null"));

    let run = |id: &str, input: &str| {
        Ask::post(format!("{}/{id}", sim.host_url(Host::Run)), input.to_owned()).demo()
    };
    let output = run("b/unlisted", r#"{"prompt":"x"}"#).send().await.json();
    assert_eq!(Ask::get(output["image"]["url"].as_str().unwrap()).send().await.status, 200);
    assert_eq!(run("a/listed", "{}").send().await.status, 422);
    assert_eq!(run("a/bare", "{}").send().await.status, 200);
}

#[tokio::test]
async fn a_whole_page_of_the_catalogue_is_a_catalogue_too() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = folder.path().join("page.json");
    let metadata = json!({ "display_name": "One", "category": "vision", "is_favorited": true });
    let models =
        json!([{ "endpoint_id": "a/one", "metadata": metadata }, { "endpoint_id": "a/two" }]);
    let page = json!({ "models": models, "next_cursor": null, "has_more": false });
    std::fs::write(&catalog, format!("{page:#}")).unwrap();
    let models = Models::Files { catalog: Some(catalog), schemas: None };
    let sim = start(Config { models, ..Config::default() }).await;
    let listed =
        Ask::get(format!("{}/v1/models", sim.host_url(Host::Api))).demo().send().await.json();
    assert_eq!(listed["models"].as_array().unwrap().len(), 2);
    // The favourites of whoever saved the page are nobody's here.
    assert_eq!(listed["models"][0]["metadata"]["is_favorited"], false);
}

#[tokio::test]
async fn a_bad_file_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let catalog = folder.path().join("bad.ndjson");
    std::fs::write(&catalog, "{\"endpoint_id\":\"a/b\"}\nnot json\n").unwrap();
    let models = Models::Files { catalog: Some(catalog), schemas: None };
    let error = fal_sim::start(Config { models, ..Config::default() }).await.unwrap_err();
    assert!(matches!(error, StartError::ParseModels { line: 2, .. }), "{error:?}");
    let missing = Models::Files { catalog: Some("/no/such/file".into()), schemas: None };
    let error = fal_sim::start(Config { models: missing, ..Config::default() }).await.unwrap_err();
    assert!(matches!(error, StartError::ReadModels { .. }), "{error:?}");
}
