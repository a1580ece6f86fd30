//! Every model's schema as a caller gets it, and its example against the model's own document: read
//! by a validator that shares nothing with the gateway's reading of schemas.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use fal_sim::Models;
use flate2::read::GzDecoder;
use futures_util::{StreamExt as _, stream};
use http::Method;
use serde_json::{Value, json};
use tests::{Era, Rig};

use crate::shown;

/// A copy of fal's own catalogue, where it lies beside the repository.
pub(crate) const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/fal");
/// Calls under way at the same time.
const AT_ONCE: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_model_of_the_stand_in_has_a_flat_schema_and_an_example_that_is_valid() {
    let rig = Rig::start().await;
    let ids = ids_found_in(&rig).await;
    let seen = check_all(&rig, ids).await;
    assert!(seen.checked >= 40, "{seen:?}");
    // One model of the stand-in names a schema that its document lacks, as it happens at fal.
    assert_eq!(seen.unsound, ["fal-ai/wan-move"]);
    // One model of the stand-in is listed and has no document, as it happens at fal.
    assert_eq!(seen.without_document, ["sim-labs/darkroom/v1/preview"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_model_of_fal_s_catalogue_has_a_flat_schema_and_an_example_that_is_valid() {
    let schemas = Path::new(SHARED).join("model-openapi.1290.ndjson.gz");
    let catalog = Path::new(SHARED).join("models.2026.ndjson.gz");
    if !schemas.exists() {
        return shown::skipped(SHARED);
    }
    let ids = ids_in(&schemas);
    assert_eq!(ids.len(), 1_290);
    let files = Models::Files { catalog: Some(catalog), schemas: Some(schemas) };
    let sim = fal_sim::Config { models: files, ..fal_sim::Config::default() };
    let rig = Rig::with(sim, |_| ()).await;
    let seen = check_all(&rig, ids).await;
    assert_eq!(seen.checked, 1_290);
    assert_eq!(seen.without_document, [""; 0]);
    assert_eq!(seen.unsound, [""; 0], "documents that no input passes");
}

/// A job of each model: its example is accepted, it ends, and what it made can be downloaded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_model_of_the_stand_in_runs_on_its_own_example() {
    let rig = Rig::start().await;
    let mut runs = stream::iter(ids_found_in(&rig).await)
        .map(async |id| {
            let arguments = json!({"endpoint_id": id});
            let schema = rig.call(Era::Modern, "get_model_schema", arguments).await;
            if schema.is_error() {
                return 0;
            }
            let arguments = json!({"endpoint_id": id, "input": schema.value()["example_input"]});
            let run = rig.call(Era::Legacy, "run_model", arguments).await.into_value();
            assert_eq!(run["status"], "completed", "{run}");
            for medium in run["media"].as_array().into_iter().flatten() {
                let url = medium["url"].as_str().unwrap();
                let file = rig.plain(Method::GET, "/").to(url).send().await;
                assert!(file.status == 200 && !file.body.is_empty(), "{id}: {medium}");
            }
            1
        })
        .buffer_unordered(AT_ONCE);
    let mut ran = 0;
    while let Some(run) = runs.next().await {
        ran += run;
    }
    assert!(ran >= 40, "{ran} models ran");
    assert_eq!(rig.sim.ledger().submits().len(), ran);
}

/// Every model that a search finds, the deprecated ones too.
async fn ids_found_in(rig: &Rig) -> Vec<String> {
    let mut ids = Vec::new();
    for status in ["active", "deprecated"] {
        let arguments = json!({"limit": 100, "status": status});
        let page = rig.call(Era::Modern, "search_models", arguments).await.into_value();
        assert_eq!(page["has_more"], false);
        let models = page["models"].as_array().unwrap();
        ids.extend(models.iter().map(|model| model["endpoint_id"].as_str().unwrap().to_owned()));
    }
    ids
}

/// The ids of a file of documents.
pub(crate) fn ids_in(schemas: &PathBuf) -> Vec<String> {
    let file = std::fs::File::open(schemas).unwrap();
    let lines = BufReader::new(GzDecoder::new(file)).lines();
    lines
        .map(|line| {
            let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
            line["endpoint_id"].as_str().unwrap().to_owned()
        })
        .collect()
}

/// What a pass over many models came to.
#[derive(Debug, Default)]
struct Seen {
    checked: usize,
    without_document: Vec<String>,
    /// Models whose own document is no schema at all.
    unsound: Vec<String>,
}

async fn check_all(rig: &Rig, ids: Vec<String>) -> Seen {
    let mut checks = stream::iter(ids)
        .map(async |id| {
            let verdict = check(rig, &id).await;
            (id, verdict)
        })
        .buffer_unordered(AT_ONCE);
    let mut seen = Seen::default();
    let mut failed = Vec::new();
    while let Some((id, verdict)) = checks.next().await {
        match verdict {
            Verdict::Valid => seen.checked += 1,
            Verdict::WithoutDocument => seen.without_document.push(id),
            Verdict::Unsound => {
                seen.checked += 1;
                seen.unsound.push(id);
            }
            Verdict::Wrong(problem) => failed.push(format!("{id}: {problem}")),
        }
    }
    assert_eq!(failed, [""; 0]);
    seen
}

enum Verdict {
    Valid,
    WithoutDocument,
    Unsound,
    Wrong(String),
}

async fn check(rig: &Rig, id: &str) -> Verdict {
    let outcome = rig.call(Era::Modern, "get_model_schema", json!({"endpoint_id": id})).await;
    let url = format!("{}/web/api/openapi/queue/openapi.json?endpoint_id={id}", rig.sim_url());
    let document = rig.plain(Method::GET, "/").to(url).send().await;
    if document.status != 200 {
        assert!(outcome.is_error(), "{id}");
        return Verdict::WithoutDocument;
    }
    let schema = outcome.value();
    let shown = schema.to_string();
    if shown.contains("\"$ref\"") {
        return Verdict::Wrong("a $ref is shown".to_owned());
    }
    if schema["input_schema"]["type"] != "object" {
        return Verdict::Wrong("the input is not an object".to_owned());
    }
    let Some(validator) = validator(id, &document.json()) else { return Verdict::Unsound };
    let problems: Vec<String> = validator
        .iter_errors(&schema["example_input"])
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    if problems.is_empty() { Verdict::Valid } else { Verdict::Wrong(problems.join("; ")) }
}

/// A validator of a model's input as its own document has it.
fn validator(id: &str, document: &Value) -> Option<jsonschema::Validator> {
    let body = &document["paths"][format!("/{id}")]["post"]["requestBody"];
    let input = &body["content"]["application/json"]["schema"];
    let schema = json!({"allOf": [input], "components": document["components"]});
    jsonschema::draft202012::new(&schema).ok()
}
