//! A model's document put to work: which of its schemas is the input and which the output, and
//! judging an input as the model's own app would.
//!
//! The documents have faults (dangling references, `nullable`, drafts mixed). A fault makes the
//! judgement milder, never stricter.

use bytes::Bytes;
use jsonschema::Validator;
use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use serde_json::{Map, Value, json};

const COMPONENTS: &str = "/components/schemas";

/// The runnable parts of a document.
#[derive(Debug)]
pub(crate) struct Program {
    /// `components.schemas`.
    components: Map<String, Value>,
    input: Option<Value>,
    output: Option<Value>,
    validator: Option<Validator>,
}

impl Program {
    /// Reads a document. Whatever is missing from it is not checked or not made.
    pub(super) fn new(endpoint_id: &str, mut document: Value) -> Self {
        let input = document
            .pointer("/paths")
            .and_then(|paths| paths.get(format!("/{endpoint_id}")))
            .and_then(|path| path.pointer("/post/requestBody/content/application~1json/schema"))
            .cloned();
        let output = document
            .pointer("/paths")
            .and_then(|paths| paths.get(format!("/{endpoint_id}/requests/{{request_id}}")))
            .and_then(|path| path.pointer("/get/responses/200/content/application~1json/schema"))
            .cloned();
        let components = match document.pointer_mut(COMPONENTS).map(Value::take) {
            Some(Value::Object(map)) => map,
            _ => Map::new(),
        };
        let validator = input.clone().and_then(|input| compile(input, &components));
        Self { components, input, output, validator }
    }

    /// The schema of the input, if there is one.
    pub(crate) fn input(&self) -> Option<&Value> {
        self.input.as_ref()
    }

    /// The schema of the output, if there is one.
    pub(crate) fn output(&self) -> Option<&Value> {
        self.output.as_ref()
    }

    /// Follows `$ref`s until there is none. None where one leads nowhere.
    pub(crate) fn resolve<'a>(&'a self, mut schema: &'a Value) -> Option<&'a Value> {
        for _ in 0..16 {
            let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
                return Some(schema);
            };
            schema = self.components.get(reference.rsplit('/').next()?)?;
        }
        None
    }

    /// The last part of the name of a referenced schema: `Image` for `#/components/schemas/Image`.
    pub(crate) fn name_of(schema: &Value) -> Option<&str> {
        schema.get("$ref")?.as_str()?.rsplit('/').next()
    }

    /// The `{"detail":[…]}` with which the model refuses an input, if it does.
    pub(super) fn refusal(&self, input: &[u8]) -> Option<Bytes> {
        let value: Value = match serde_json::from_slice(input) {
            Ok(value) => value,
            Err(error) => return Some(not_json(error.column())),
        };
        let validator = self.validator.as_ref()?;
        let mut details = Vec::new();
        for error in validator.iter_errors(&value) {
            describe(&error, &mut details);
        }
        (!details.is_empty()).then(|| Bytes::from(json!({ "detail": details }).to_string()))
    }
}

fn compile(input: Value, components: &Map<String, Value>) -> Option<Validator> {
    let mut components = components.clone();
    for schema in components.values_mut() {
        repair(schema);
    }
    let mut input = input;
    repair(&mut input);
    let mut wanted = Vec::new();
    for schema in components.values() {
        references(schema, &mut wanted);
    }
    references(&input, &mut wanted);
    for name in wanted {
        // A schema that is not defined allows everything.
        components.entry(name).or_insert_with(|| json!({}));
    }
    let whole = json!({ "allOf": [input], "components": { "schemas": components } });
    jsonschema::draft202012::options().should_validate_formats(false).build(&whole).ok()
}

fn references(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str) {
                found.extend(name.rsplit('/').next().map(str::to_owned));
            }
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// Turns what OpenAPI 3.0 says differently into what a JSON Schema validator understands, and
/// lets an optional property be null, as fal's apps do.
fn repair(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(repair),
        Value::Object(map) => {
            for keyword in ["exclusiveMinimum", "exclusiveMaximum"] {
                // A boolean was right in an earlier draft.
                if map.get(keyword).is_some_and(Value::is_boolean) {
                    map.remove(keyword);
                }
            }
            let required: Vec<String> = map
                .get("required")
                .and_then(Value::as_array)
                .map(|names| names.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect())
                .unwrap_or_default();
            for (key, value) in map.iter_mut() {
                match (key.as_str(), value) {
                    ("properties", Value::Object(properties)) => {
                        for (name, property) in properties.iter_mut() {
                            repair(property);
                            let nullable = property.get("nullable") == Some(&Value::Bool(true));
                            if nullable || !required.contains(name) {
                                *property = json!({ "anyOf": [property.take(), {"type": "null"}] });
                            }
                        }
                    }
                    ("default" | "examples" | "example" | "enum" | "const", _) => {}
                    (_, value) => repair(value),
                }
            }
        }
        _ => {}
    }
}

/// Says what is wrong in the way of the app framework that fal's models use.
fn describe(error: &ValidationError<'_>, details: &mut Vec<Value>) {
    use ValidationErrorKind as Kind;
    let (kind, msg, ctx) = match error.kind() {
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            return describe_branches(error, context, details);
        }
        Kind::Required { property } => {
            let mut loc = location(error);
            loc.push(property.clone());
            details.push(json!({
                "loc": loc,
                "msg": "Field required",
                "type": "missing",
                "input": error.instance().as_ref(),
            }));
            return;
        }
        Kind::Type { kind: TypeKind::Single(expected) } => {
            let (kind, noun) = type_error(&expected.to_string());
            (kind, format!("Input should be a valid {noun}"), None)
        }
        Kind::Enum { options } => literal(options.as_array().map_or(&[][..], Vec::as_slice)),
        Kind::Constant { expected_value } => literal(std::slice::from_ref(expected_value)),
        Kind::Minimum { limit } => {
            bound("greater_than_equal", "greater than or equal to", "ge", limit)
        }
        Kind::ExclusiveMinimum { limit } => bound("greater_than", "greater than", "gt", limit),
        Kind::Maximum { limit } => bound("less_than_equal", "less than or equal to", "le", limit),
        Kind::ExclusiveMaximum { limit } => bound("less_than", "less than", "lt", limit),
        Kind::MultipleOf { multiple_of } => {
            bound("multiple_of", "a multiple of", "multiple_of", &json!(multiple_of))
        }
        Kind::MinLength { limit } => (
            "string_too_short",
            format!("String should have at least {limit} characters"),
            Some(json!({ "min_length": limit })),
        ),
        Kind::MaxLength { limit } => (
            "string_too_long",
            format!("String should have at most {limit} characters"),
            Some(json!({ "max_length": limit })),
        ),
        Kind::MinItems { limit } => (
            "too_short",
            format!("List should have at least {limit} items"),
            Some(json!({ "min_length": limit, "field_type": "List" })),
        ),
        Kind::MaxItems { limit } => (
            "too_long",
            format!("List should have at most {limit} items"),
            Some(json!({ "max_length": limit, "field_type": "List" })),
        ),
        Kind::Pattern { pattern } => (
            "string_pattern_mismatch",
            format!("String should match pattern '{pattern}'"),
            Some(json!({ "pattern": pattern })),
        ),
        _ => ("value_error", "Value error".to_owned(), None),
    };
    let mut detail = json!({
        "loc": location(error),
        "msg": msg,
        "type": kind,
        "input": error.instance().as_ref(),
    });
    if let (Some(ctx), Some(map)) = (ctx, detail.as_object_mut()) {
        map.insert("ctx".to_owned(), ctx);
    }
    details.push(detail);
}

/// A value that fits no branch is wrong in the way of each branch, but for "null".
fn describe_branches(
    error: &ValidationError<'_>,
    branches: &[Vec<ValidationError<'static>>],
    details: &mut Vec<Value>,
) {
    let before = details.len();
    for branch in branches {
        let is_null_only = branch.iter().all(|error| match error.kind() {
            ValidationErrorKind::Type { kind: TypeKind::Single(expected) } => {
                expected.to_string() == "null"
            }
            _ => false,
        });
        if !is_null_only {
            for error in branch {
                describe(error, details);
            }
        }
    }
    if details.len() == before {
        details.push(json!({
            "loc": location(error),
            "msg": "Value error",
            "type": "value_error",
            "input": error.instance().as_ref(),
        }));
    }
}

fn location(error: &ValidationError<'_>) -> Vec<Value> {
    let path = error.instance_path().as_str().to_owned();
    let parts = path.split('/').skip(1).map(|part| match part.parse::<u64>() {
        Ok(index) => json!(index),
        Err(_) => json!(part.replace("~1", "/").replace("~0", "~")),
    });
    std::iter::once(json!("body")).chain(parts).collect()
}

fn type_error(expected: &str) -> (&'static str, &'static str) {
    match expected {
        "string" => ("string_type", "string"),
        "integer" => ("int_type", "integer"),
        "number" => ("float_type", "number"),
        "boolean" => ("bool_type", "boolean"),
        "array" => ("list_type", "list"),
        "object" => ("dict_type", "dictionary"),
        _ => ("none_required", "null"),
    }
}

fn literal(options: &[Value]) -> (&'static str, String, Option<Value>) {
    let quoted: Vec<String> = options
        .iter()
        .map(|option| {
            option.as_str().map_or_else(|| option.to_string(), |text| format!("'{text}'"))
        })
        .collect();
    let expected = match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.join(""),
    };
    let ctx = json!({ "expected": expected });
    ("literal_error", format!("Input should be {expected}"), Some(ctx))
}

fn bound(
    kind: &'static str,
    words: &str,
    name: &str,
    limit: &Value,
) -> (&'static str, String, Option<Value>) {
    (kind, format!("Input should be {words} {limit}"), Some(json!({ name: limit })))
}

fn not_json(column: usize) -> Bytes {
    let detail = json!({ "detail": [{
        "loc": ["body", column],
        "msg": "JSON decode error",
        "type": "json_invalid",
        "input": {},
    }] });
    Bytes::from(detail.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(input: &Value) -> Program {
        let reference = json!({ "$ref": "#/components/schemas/AInput" });
        let document = json!({
            "components": { "schemas": { "AInput": input } },
            "paths": { "/a/b": { "post": { "requestBody": { "content": {
                "application/json": { "schema": reference }
            } } } } },
        });
        Program::new("a/b", document)
    }

    fn types(program: &Program, input: &Value) -> Vec<String> {
        let Some(body) = program.refusal(input.to_string().as_bytes()) else {
            return Vec::new();
        };
        let body: Value = serde_json::from_slice(&body).unwrap();
        let details = body["detail"].as_array().unwrap();
        details.iter().map(|detail| detail["type"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn each_fault_of_an_input_is_named_as_the_apps_name_it() {
        let program = program(&json!({
            "type": "object",
            "required": ["prompt"],
            "properties": {
                "prompt": { "type": "string", "minLength": 2 },
                "n": { "type": "integer", "minimum": 1, "maximum": 4 },
                "s": { "type": "number", "exclusiveMinimum": 0 },
                "e": { "anyOf": [{ "type": "string", "enum": ["a", "b"] }, { "type": "null" }] },
            },
        }));
        assert_eq!(types(&program, &json!({})), ["missing"]);
        assert_eq!(types(&program, &json!({ "prompt": 5 })), ["string_type"]);
        assert_eq!(types(&program, &json!({ "prompt": null })), ["string_type"]);
        assert_eq!(types(&program, &json!({ "prompt": "x" })), ["string_too_short"]);
        assert_eq!(types(&program, &json!({ "prompt": "xx", "n": 0 })), ["greater_than_equal"]);
        assert_eq!(types(&program, &json!({ "prompt": "xx", "n": 9 })), ["less_than_equal"]);
        assert_eq!(types(&program, &json!({ "prompt": "xx", "s": 0 })), ["greater_than"]);
        assert_eq!(types(&program, &json!({ "prompt": "xx", "e": "c" })), ["literal_error"]);
        assert_eq!(types(&program, &json!({ "prompt": "xx", "n": null, "other": 1 })), [""; 0]);
    }

    #[test]
    fn an_unsound_schema_refuses_nothing() {
        let dangling = program(&json!({
            "type": "object",
            "properties": { "points": { "type": "array", "items": { "$ref": "#/components/schemas/Gone" } } },
        }));
        assert_eq!(types(&dangling, &json!({ "points": [1, "x", {}] })), [""; 0]);
        let broken = program(&json!({ "type": "no such type" }));
        assert_eq!(types(&broken, &json!({ "anything": 1 })), [""; 0]);
    }
}
