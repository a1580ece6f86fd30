//! The description as a document: a well-formed OpenAPI in which nothing is left unsaid or unused.

use std::collections::HashSet;

use openapi_contract::{Contract, Operation};
use serde_json::Value;

use crate::support::{DOCUMENT, described, operation, resolve};

/// Calls `visit` for every value of the description, examples aside, with its JSON pointer.
fn walk<'a>(value: &'a Value, at: &str, visit: &mut impl FnMut(&str, &'a Value)) {
    visit(at, value);
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter().filter(|(key, _)| *key != "example") {
                let key = key.replace('~', "~0").replace('/', "~1");
                walk(value, &format!("{at}/{key}"), visit);
            }
        }
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                walk(item, &format!("{at}/{position}"), visit);
            }
        }
        _ => {}
    }
}

fn has_text(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_str).is_some_and(|text| !text.is_empty())
}

#[test]
fn the_document_is_openapi_3_1_with_the_dialect_that_the_checker_compiles() {
    assert_eq!(DOCUMENT["openapi"], "3.1.0");
    assert_eq!(DOCUMENT["jsonSchemaDialect"], "https://json-schema.org/draft/2020-12/schema");
    assert!(has_text(&DOCUMENT["info"], "title") && has_text(&DOCUMENT["info"], "version"));
}

#[test]
fn every_schema_compiles() {
    Contract::fal().unwrap();
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let mut used = HashSet::new();
    walk(&DOCUMENT, "", &mut |_, value| {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            resolve(value);
            used.insert(reference.to_owned());
        }
    });
    for kind in ["schemas", "headers", "responses", "parameters"] {
        for name in DOCUMENT["components"][kind].as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(used.contains(&reference), "{reference} is not used");
        }
    }
}

#[test]
fn every_operation_has_an_id_of_its_own_a_text_and_described_answers() {
    let mut ids = HashSet::new();
    for (id, operation) in described() {
        assert!(ids.insert(id), "{id} is there twice");
        for key in ["summary", "description"] {
            assert!(has_text(operation, key), "{id} has no {key}");
        }
        assert!(operation["security"].is_array(), "{id} does not say who may call it");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.contains_key("200"), "{id} cannot succeed");
        for (status, response) in responses {
            let response = resolve(response);
            assert!(has_text(response, "description"), "{id} {status}");
            for (media_type, content) in response["content"].as_object().unwrap() {
                assert!(content.get("schema").is_some(), "{id} {status} {media_type}");
                assert!(content.get("example").is_some(), "{id} {status} {media_type}");
            }
        }
    }
    for which in Operation::ALL {
        assert!(ids.remove(which.id()), "{which:?}");
    }
    assert_eq!(ids, HashSet::from(["getJobResponse"]));
}

#[test]
fn every_path_names_its_server_and_all_its_parameters() {
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        assert!(has_text(&item["servers"][0], "url"), "{path}");
        let parameters = item.get("parameters").and_then(Value::as_array);
        let mut named: Vec<String> = parameters
            .into_iter()
            .flatten()
            .map(|parameter| format!("{{{}}}", resolve(parameter)["name"].as_str().unwrap()))
            .collect();
        let mut wanted: Vec<String> =
            path.split('/').filter(|segment| segment.starts_with('{')).map(str::to_owned).collect();
        named.sort();
        wanted.sort();
        assert_eq!(named, wanted, "{path}");
    }
}

#[test]
fn every_parameter_header_and_schema_is_described() {
    for kind in ["schemas", "headers", "parameters"] {
        for (name, component) in DOCUMENT["components"][kind].as_object().unwrap() {
            assert!(has_text(component, "description"), "{kind} {name}");
            if kind != "schemas" {
                let schema = component.get("schema").or_else(|| component.get("content"));
                assert!(schema.is_some(), "{kind} {name}");
            }
        }
    }
    for (id, operation) in described() {
        let parameters = operation.get("parameters").and_then(Value::as_array);
        for parameter in parameters.into_iter().flatten() {
            assert!(has_text(resolve(parameter), "description"), "{id} {parameter}");
        }
    }
}

#[test]
fn an_object_of_fals_own_says_what_properties_it_has_and_allows_no_others() {
    // The model's input, output and document are the model's own; the last are the checker's words.
    let open = [
        "/components/schemas/JobHandle",
        "/components/schemas/ModelDocument",
        "/components/schemas/ModelErrorEntry/properties/ctx",
        "/components/schemas/JobQueued/properties/metrics",
        "/components/schemas/JobRunning/properties/metrics",
        "/requestBody/content/application~1json/schema",
        "/x-last-event",
    ];
    walk(&DOCUMENT, "", &mut |at, value| {
        let object = value.get("type").is_some_and(|kind| kind == "object");
        let closed = ["additionalProperties", "unevaluatedProperties"]
            .iter()
            .any(|key| value.get(key) == Some(&Value::Bool(false)));
        // Where names are free, as in a map by endpoint id, the values are described.
        let is_map = value
            .get("additionalProperties")
            .is_some_and(|values| values.get("properties").is_some());
        if object && !closed && !is_map {
            assert!(open.iter().any(|part| at.contains(part)), "{at} is open");
        }
    });
}

#[test]
fn both_addresses_of_an_output_are_described_alike() {
    let newer = described().into_iter().find(|(id, _)| *id == "getJobResponse");
    let (_, newer) = newer.unwrap();
    let older = operation(Operation::Result);
    assert_eq!(newer["responses"], older["responses"]);
    assert_eq!(newer["security"], older["security"]);
}
