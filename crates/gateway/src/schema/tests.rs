//! The documents the tests are written with, and what every test of a check needs.

mod catalogue;
mod check;
mod flatten;
mod present;
mod unsound;

use serde_json::{Value, json};

use super::{ModelSchema, Verdict};

/// A document in fal's envelope, with `input` as the input schema and `schemas` beside it.
fn document(input: &Value, schemas: &Value) -> Value {
    let mut schemas = schemas.clone();
    schemas["TestInput"] = input.clone();
    schemas["TestOutput"] = json!({
        "title": "Output",
        "type": "object",
        "properties": {"seed": {"type": "integer", "title": "Seed"}},
    });
    let body = |name: &str| {
        let target = format!("#/components/schemas/{name}");
        json!({"content": {"application/json": {"schema": {"$ref": target}}}})
    };
    json!({
        "openapi": "3.0.4",
        "info": {
            "title": "Queue OpenAPI for acme/test",
            "x-fal-metadata": {"endpointId": "acme/test", "category": "text-to-image"},
        },
        "components": {"schemas": schemas},
        "paths": {
            "/acme/test/requests/{request_id}": {"get": {"responses": {"200": body("TestOutput")}}},
            "/acme/test": {"post": {"requestBody": body("TestInput")}},
        },
    })
}

fn model_with(input: &Value, schemas: &Value) -> ModelSchema {
    ModelSchema::from_openapi("acme/test", &document(input, schemas)).unwrap()
}

/// A model whose input has these properties, of which `required` are required.
fn model(properties: &Value, required: &[&str]) -> ModelSchema {
    let input = json!({"type": "object", "properties": properties, "required": required});
    model_with(&input, &json!({}))
}

/// The faults as a caller reads them.
fn faults(verdict: &Verdict) -> Vec<String> {
    verdict.faults.iter().map(ToString::to_string).collect()
}
