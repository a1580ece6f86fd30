//! The website's host: a model's OpenAPI document and its `llms.txt`. No key is looked at.

use std::fmt::Write as _;

use http::StatusCode;
use serde_json::Value;

use crate::call::Call;
use crate::hosts::Host;
use crate::models::schema::Program;
use crate::models::{Fill, Model};
use crate::reply::{self, Answer};

/// `GET /api/openapi/queue/openapi.json?endpoint_id=…`: 404 with `null` for an id without a
/// document.
pub(crate) fn document(call: &Call<'_>) -> Answer {
    let id = call.parameter("endpoint_id").unwrap_or_default();
    let document = call.sim.catalog.find(&id, None).and_then(|model| model.document());
    match document {
        Some(document) => {
            let cdn = call.bases.base(Host::Cdn);
            let fill = Fill { cdn: &cdn, has_key: false };
            reply::json_bytes(StatusCode::OK, document.fill(fill))
        }
        None => reply::json_bytes(StatusCode::NOT_FOUND, "null"),
    }
}

/// `GET /models/{endpoint_id}/llms.txt`.
pub(crate) fn llms_text(call: &Call<'_>, endpoint_id: &str) -> Answer {
    match call.sim.catalog.find(endpoint_id, None) {
        Some(model) => reply::bytes(StatusCode::OK, "text/plain; charset=utf-8", describe(model)),
        None => reply::bytes(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "Not found"),
    }
}

fn describe(model: &Model) -> String {
    let id = &model.endpoint_id;
    let mut text = format!(
        "# {}\n\n> {}\n\n- Endpoint: `https://fal.run/{id}`\n- Model ID: `{id}`\n- Category: {}\n",
        model.name, model.description, model.category
    );
    if let Some(price) = &model.price {
        let (amount, unit) = (price.unit_price, &price.unit);
        // Writing to a text does not fail.
        let _: std::fmt::Result = writeln!(text, "- Price: ${amount} per {unit}");
    }
    let program = model.program();
    table(&mut text, "Input", program, program.input());
    table(&mut text, "Output", program, program.output());
    text
}

fn table(text: &mut String, title: &str, program: &Program, schema: Option<&Value>) {
    let Some(schema) = schema.and_then(|schema| program.resolve(schema)) else {
        return;
    };
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    let required = schema.get("required").and_then(Value::as_array);
    text.push_str("\n## ");
    text.push_str(title);
    text.push_str("\n\n| Field | Type | Required | Description |\n|---|---|---|---|\n");
    for (name, property) in properties {
        let word = |key: &str| property.get(key).and_then(Value::as_str).unwrap_or("");
        let is_required = required.is_some_and(|names| names.iter().any(|other| other == name));
        let (kind, description) = (word("type"), word("description"));
        let necessity = if is_required { "yes" } else { "no" };
        let _: std::fmt::Result =
            writeln!(text, "| `{name}` | {kind} | {necessity} | {description} |");
    }
}
