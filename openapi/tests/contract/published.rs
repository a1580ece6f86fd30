//! The description against what fal publishes, where a copy of that lies beside the repository:
//! the Platform API's own document, a real page of the catalogue, the models' own documents.
//!
//! The data is fal's and is not part of this repository; without it these tests say so and pass.

use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use http::HeaderMap;
use jsonschema::Draft;
use openapi_contract::Operation;
use serde_json::{Value, json};

use crate::support::{CONTRACT, operation, resolve, set};

/// The operations that fal's document and ours both describe.
const BOTH: [(Operation, &str, &str); 4] = [
    (Operation::ListModels, "get", "/models"),
    (Operation::ListRequests, "get", "/models/requests/by-endpoint"),
    (Operation::GetPricing, "get", "/models/pricing"),
    (Operation::EstimatePricing, "post", "/models/pricing/estimate"),
];

fn published(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/fal")).join(name);
    if path.exists() {
        return Some(path);
    }
    skip(name);
    None
}

#[expect(clippy::print_stderr, reason = "a skipped check must be seen")]
fn skip(name: &str) {
    eprintln!("SKIPPED: fal's own {name} is not here to compare with");
}

fn published_json(name: &str) -> Option<Value> {
    let text = fs::read(published(name)?).expect("a readable file");
    Some(serde_json::from_slice(&text).expect("a JSON file"))
}

fn published_lines(name: &str) -> Option<Vec<Value>> {
    let packed = fs::read(published(name)?).expect("a readable file");
    let mut text = String::new();
    let mut unpacked = GzDecoder::new(packed.as_slice());
    unpacked.read_to_string(&mut text).expect("a gzip file");
    let lines = text.lines().map(|line| serde_json::from_str(line).expect("a JSON line"));
    Some(lines.collect())
}

/// The parameters of an operation; it may have none.
fn parameters(operation: &Value) -> &[Value] {
    let parameters = operation.get("parameters").and_then(Value::as_array);
    parameters.map(Vec::as_slice).unwrap_or_default()
}

/// The examples of a body, in either of the two places that OpenAPI has for them.
fn examples(content: &Value) -> Vec<&Value> {
    let named = content.get("examples").and_then(Value::as_object);
    let named = named.into_iter().flat_map(|examples| examples.values());
    let examples: Vec<&Value> =
        content.get("example").into_iter().chain(named.map(|example| &example["value"])).collect();
    assert!(!examples.is_empty(), "no example in {content}");
    examples
}

/// Asserts that a body passes a schema of fal's own.
fn passes(schema: &Value, body: &Value) {
    let validator = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .build(schema)
        .expect("fal's schema is one");
    let errors: Vec<String> = validator.iter_errors(body).map(|e| e.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
}

fn check(which: Operation, body: &Value) -> Result<(), Vec<String>> {
    let mut headers = HeaderMap::new();
    set(&mut headers, "content-type", "application/json");
    CONTRACT.check_response(which, 200, &headers, body.to_string().as_bytes())
}

/// The types that a schema lets through; all where it does not say.
fn types(schema: &Value) -> Vec<String> {
    let schema = resolve(schema);
    for key in ["anyOf", "oneOf"] {
        if let Some(branches) = schema.get(key).and_then(Value::as_array) {
            return branches.iter().flat_map(types).collect();
        }
    }
    match schema.get("type") {
        Some(Value::String(name)) => vec![name.clone()],
        Some(Value::Array(names)) => {
            names.iter().map(|name| name.as_str().expect("a type's name").to_owned()).collect()
        }
        _ => ["array", "boolean", "integer", "null", "number", "object", "string"]
            .map(str::to_owned)
            .to_vec(),
    }
}

/// Asserts that all that fal requires is described here, and as something fal could send.
fn assert_compatible(theirs: &Value, ours: &Value, at: &str) {
    let ours = resolve(ours);
    let (their_types, our_types) = (types(theirs), types(ours));
    assert!(
        our_types.iter().any(|name| their_types.contains(name)),
        "{at}: {our_types:?} here, {their_types:?} there"
    );
    assert_eq!(
        their_types.iter().any(|name| name == "null"),
        our_types.iter().any(|name| name == "null"),
        "{at}: whether null is allowed"
    );
    for key in ["enum", "format", "minimum", "maximum"] {
        if let Some(limit) = theirs.get(key) {
            assert_eq!(ours.get(key), Some(limit), "{at}: {key}");
        }
    }
    let described = ours.get("properties").unwrap_or(&Value::Null);
    for (name, schema) in theirs.get("properties").and_then(Value::as_object).into_iter().flatten()
    {
        let ours =
            described.get(name).unwrap_or_else(|| panic!("{at}/{name} is not described here"));
        assert_compatible(schema, ours, &format!("{at}/{name}"));
    }
    for name in theirs.get("required").and_then(Value::as_array).into_iter().flatten() {
        let required = ours["required"].as_array().expect("required properties");
        assert!(required.contains(name), "{at}/{name} is not required here");
    }
    if let (Some(theirs), Some(ours)) = (theirs.get("items"), ours.get("items")) {
        assert_compatible(theirs, ours, &format!("{at}/-"));
    }
}

#[test]
fn the_platform_operations_have_the_parameters_that_fal_publishes() {
    let Some(platform) = published_json("platform-api.v1.openapi.json") else {
        return;
    };
    for (which, method, path) in BOTH {
        let theirs = parameters(&platform["paths"][path][method]);
        let ours = parameters(operation(which));
        let names = |parameters: &[Value]| {
            let mut names: Vec<String> = parameters
                .iter()
                .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
                .collect();
            names.sort();
            names
        };
        assert_eq!(names(ours), names(theirs), "{path}");
        for their in theirs {
            let at = format!("{path} {}", their["name"]);
            let our = ours.iter().find(|our| our["name"] == their["name"]).unwrap();
            for key in ["in", "required", "style", "explode"] {
                assert_eq!(our.get(key), their.get(key), "{at}: {key}");
            }
            assert_eq!(our["schema"].get("default"), their["schema"].get("default"), "{at}");
            assert_compatible(&their["schema"], &our["schema"], &at);
        }
    }
}

#[test]
fn the_platform_answers_have_every_property_that_fal_publishes() {
    let Some(platform) = published_json("platform-api.v1.openapi.json") else {
        return;
    };
    for (which, method, path) in BOTH {
        let theirs = platform["paths"][path][method]["responses"].as_object().unwrap();
        for (status, their) in theirs {
            let our = resolve(&operation(which)["responses"][status]);
            let schema =
                |response: &Value| response["content"]["application/json"]["schema"].clone();
            let (their, our) = (schema(their), schema(our));
            if status == "200" {
                assert_compatible(&their, &our, path);
            } else {
                // Ours narrows the shared error shape to the one type that the status goes with.
                assert_compatible(&their, resolve(&json!({ "$ref": our["$ref"] })), path);
            }
        }
    }
}

/// The same bodies must pass fal's description and ours, or one of them is wrong.
#[test]
fn real_and_published_answers_pass_both_descriptions() {
    let Some(platform) = published_json("platform-api.v1.openapi.json") else {
        return;
    };
    for (which, method, path) in BOTH {
        let responses = &platform["paths"][path][method]["responses"];
        for (status, response) in responses.as_object().unwrap() {
            let content = &response["content"]["application/json"];
            for body in examples(content) {
                passes(&content["schema"], body);
                let mut headers = HeaderMap::new();
                set(&mut headers, "content-type", "application/json");
                let found = CONTRACT.check_response(
                    which,
                    status.parse().unwrap(),
                    &headers,
                    body.to_string().as_bytes(),
                );
                assert_eq!(found, Ok(()), "{path} {status}");
            }
        }
        let theirs = &responses["200"]["content"]["application/json"]["schema"];
        let ours = &resolve(&operation(which)["responses"]["200"])["content"]["application/json"];
        passes(theirs, &ours["example"]);
    }
    if let Some(page) = published_json("models.page1.2026-04-18.json") {
        let responses = &platform["paths"]["/models"]["get"]["responses"];
        passes(&responses["200"]["content"]["application/json"]["schema"], &page);
        assert_eq!(check(Operation::ListModels, &page), Ok(()));
    }
}

#[test]
fn published_questions_for_an_estimate_pass_both_descriptions() {
    let Some(platform) = published_json("platform-api.v1.openapi.json") else {
        return;
    };
    let theirs = &platform["paths"]["/models/pricing/estimate"]["post"]["requestBody"]["content"]["application/json"];
    let ours = &operation(Operation::EstimatePricing)["requestBody"]["content"]["application/json"];
    let mut headers = HeaderMap::new();
    set(&mut headers, "content-type", "application/json");
    set(&mut headers, "authorization", "Key id:secret");
    for body in examples(theirs).into_iter().chain(examples(ours)) {
        passes(&theirs["schema"], body);
        let text = body.to_string();
        let found =
            CONTRACT.check_request(Operation::EstimatePricing, "", &headers, text.as_bytes());
        assert_eq!(found, Ok(()), "{text}");
    }
}

#[test]
fn every_recorded_catalogue_entry_passes() {
    let Some(lines) = published_lines("models.2026.ndjson.gz") else {
        return;
    };
    let models: Vec<&Value> = lines.iter().map(|line| &line["model"]).collect();
    let page = json!({ "models": models, "next_cursor": null, "has_more": false });
    assert_eq!(check(Operation::ListModels, &page), Ok(()));
}

#[test]
fn every_recorded_model_document_passes() {
    if let Some(folder) = published("models") {
        for entry in fs::read_dir(folder).unwrap() {
            let document: Value =
                serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap();
            assert_eq!(check(Operation::ModelDocument, &document), Ok(()));
        }
    }
    let Some(lines) = published_lines("model-openapi.1290.ndjson.gz") else {
        return;
    };
    for line in &lines {
        let found = check(Operation::ModelDocument, &line["openapi"]);
        assert_eq!(found, Ok(()), "{}", line["endpoint_id"]);
    }
}
