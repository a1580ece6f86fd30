//! A model's OpenAPI document, made from its declaration in the envelope that fal uses for every
//! model (docs page "Agent surfaces").

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::built_in::{Declaration, Library, fields};
use super::template::CDN;

const REF: &str = "#/components/schemas/";

/// The whole document.
pub(super) fn document(library: &Library, model: &Declaration) -> Value {
    let id = &model.id;
    let (input_name, output_name) = (pascal(id) + "Input", pascal(id) + "Output");
    let input = object(&input_name, &model.input, |name| {
        model.fields.get(name).or_else(|| library.fields.get(name))
    });
    let output = object(&output_name, &model.output, |name| library.outputs.get(name));

    let mut schemas = Map::new();
    schemas.insert("QueueStatus".to_owned(), queue_status());
    let mut wanted = BTreeSet::new();
    references(&input, &mut wanted);
    references(&output, &mut wanted);
    schemas.insert(input_name.clone(), input);
    schemas.insert(output_name.clone(), output);
    // A helper that the library lacks stays a dangling reference, as some of fal's are.
    while let Some(name) = wanted.pop_first() {
        if let (false, Some(helper)) = (schemas.contains_key(&name), library.schemas.get(&name)) {
            references(helper, &mut wanted);
            schemas.insert(name, with_order(helper));
        }
    }
    json!({
        "openapi": "3.0.4",
        "info": {
            "title": format!("Queue OpenAPI for {id}"),
            "version": "1.0.0",
            "description": format!("The OpenAPI schema for the {id} queue."),
            "x-fal-metadata": {
                "endpointId": id,
                "category": model.category,
                "thumbnailUrl": format!("{CDN}{}", super::card::thumbnail(id)),
                "playgroundUrl": format!("https://fal.ai/models/{id}"),
                "documentationUrl": format!("https://fal.ai/models/{id}/api"),
            },
        },
        "components": {
            "securitySchemes": { "apiKeyAuth": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "Fal Key",
            } },
            "schemas": schemas,
        },
        "paths": paths(id, &input_name, &output_name),
        "servers": [{ "url": "https://queue.fal.run" }],
        "security": [{ "apiKeyAuth": [] }],
    })
}

fn object<'a>(title: &str, list: &str, find: impl Fn(&str) -> Option<&'a Value>) -> Value {
    let mut order = Vec::new();
    let mut required = Vec::new();
    let mut properties = Vec::new();
    for field in fields(list) {
        let mut schema = find(field.library_name).cloned().unwrap_or_else(|| json!({}));
        if let (Some(text), Some(map)) = (field.default, schema.as_object_mut()) {
            let default = serde_json::from_str(text).unwrap_or_else(|_| json!(text));
            map.insert("default".to_owned(), default);
        }
        if field.is_nullable {
            schema = nullable(schema);
        }
        order.push(field.name);
        if field.is_required {
            required.push(field.name);
        }
        properties.push((field.name.to_owned(), schema));
    }
    // The order in the JSON is not the display order: readers must use the extension.
    properties.sort_by(|a, b| b.0.cmp(&a.0));
    let properties: Map<String, Value> = properties.into_iter().collect();
    let mut schema = json!({
        "title": title,
        "type": "object",
        "properties": properties,
        "x-fal-order-properties": order,
    });
    if let (false, Some(map)) = (required.is_empty(), schema.as_object_mut()) {
        map.insert("required".to_owned(), json!(required));
    }
    schema
}

/// The same schema as `anyOf [T, null]`, with what describes it outside.
fn nullable(schema: Value) -> Value {
    let Value::Object(inner) = schema else {
        return schema;
    };
    let (outer, inner): (Map<_, _>, Map<_, _>) = inner.into_iter().partition(|(key, _)| {
        matches!(key.as_str(), "title" | "description" | "default" | "examples" | "ui" | "x-fal")
    });
    let mut schema = Map::new();
    schema.insert("anyOf".to_owned(), json!([inner, { "type": "null" }]));
    schema.extend(outer);
    Value::Object(schema)
}

fn with_order(helper: &Value) -> Value {
    let mut helper = helper.clone();
    let order: Vec<String> = helper
        .get("properties")
        .and_then(Value::as_object)
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default();
    if let Some(map) = helper.as_object_mut() {
        map.insert("x-fal-order-properties".to_owned(), json!(order));
    }
    helper
}

fn references(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str) {
                found.insert(name.trim_start_matches(REF).to_owned());
            }
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// `fal-ai/flux/schnell` is `FluxSchnell`.
fn pascal(id: &str) -> String {
    let rest = id.split_once('/').map_or(id, |(_, rest)| rest);
    let words = rest.split(|letter: char| !letter.is_ascii_alphanumeric());
    words
        .filter_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
        })
        .collect()
}

fn queue_status() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let open = |description: &str| json!({ "type": "object", "description": description, "additionalProperties": true });
    json!({
        "type": "object",
        "properties": {
            "status": { "type": "string", "enum": ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"] },
            "request_id": text("The request id."),
            "response_url": text("The response url."),
            "status_url": text("The status url."),
            "cancel_url": text("The cancel url."),
            "logs": open("The logs."),
            "metrics": open("The metrics."),
            "queue_position": { "type": "integer", "description": "The queue position." },
        },
        "required": ["status", "request_id"],
    })
}

fn paths(id: &str, input: &str, output: &str) -> Value {
    let request_id = json!({
        "name": "request_id",
        "in": "path",
        "required": true,
        "schema": { "type": "string", "description": "Request ID" },
    });
    let logs = json!({
        "name": "logs",
        "in": "query",
        "required": false,
        "schema": { "type": "number", "description": "`1` to include the logs, `0` to leave them out." },
    });
    let answer = |description: &str, schema: Value| {
        json!({ "200": {
            "description": description,
            "content": { "application/json": { "schema": schema } },
        } })
    };
    let reference = |name: &str| json!({ "$ref": format!("{REF}{name}") });
    let success = json!({ "type": "object", "properties": { "success": {
        "type": "boolean",
        "description": "Whether the request was cancelled.",
    } } });
    let mut paths = Map::new();
    paths.insert(
        format!("/{id}/requests/{{request_id}}/status"),
        json!({ "get": {
            "parameters": [request_id, logs],
            "responses": answer("The request status.", reference("QueueStatus")),
        } }),
    );
    paths.insert(
        format!("/{id}/requests/{{request_id}}/cancel"),
        json!({ "put": {
            "parameters": [request_id],
            "responses": answer("The request was cancelled.", success),
        } }),
    );
    paths.insert(
        format!("/{id}"),
        json!({ "post": {
            "requestBody": {
                "required": true,
                "content": { "application/json": { "schema": reference(input) } },
            },
            "responses": answer("The request status.", reference("QueueStatus")),
        } }),
    );
    paths.insert(
        format!("/{id}/requests/{{request_id}}"),
        json!({ "get": {
            "parameters": [request_id],
            "responses": answer("Result of the request.", reference(output)),
        } }),
    );
    Value::Object(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schema_names_are_the_id_without_its_owner() {
        assert_eq!(pascal("fal-ai/flux/schnell"), "FluxSchnell");
        assert_eq!(pascal("fal-ai/nano-banana-2/edit"), "NanoBanana2Edit");
        assert_eq!(pascal("fal-ai/flux-pro/v1.1-ultra"), "FluxProV11Ultra");
    }
}
