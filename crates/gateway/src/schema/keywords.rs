//! The JSON Schema words that survive flattening, and the few facts about them the other files share.

use serde_json::{Map, Value, json};

/// Which editor fal's own site shows for a property (`image`, `audio`, …). Kept until the example is
/// built, never shown.
pub(super) const EDITOR: &str = "x-editor";

/// Every word that is kept, in the order in which a schema is written.
pub(super) const KEYWORDS: [&str; 29] = [
    "type",
    "title",
    "description",
    "enum",
    "const",
    "default",
    "examples",
    "format",
    "pattern",
    "minimum",
    "exclusiveMinimum",
    "maximum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "items",
    "prefixItems",
    "minProperties",
    "maxProperties",
    "required",
    "properties",
    "additionalProperties",
    "anyOf",
    "deprecated",
    EDITOR,
];

/// Calls `visit` with every schema directly inside `node`.
pub(super) fn for_each_child(
    node: &mut Map<String, Value>,
    visit: &mut dyn FnMut(&mut Map<String, Value>),
) {
    for (keyword, value) in node.iter_mut() {
        match (keyword.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                properties.values_mut().filter_map(Value::as_object_mut).for_each(&mut *visit);
            }
            ("items" | "additionalProperties", Value::Object(child)) => visit(child),
            ("anyOf" | "prefixItems", Value::Array(children)) => {
                children.iter_mut().filter_map(Value::as_object_mut).for_each(&mut *visit);
            }
            _ => {}
        }
    }
}

/// The names in `type`, of which there may be none, one or several.
pub(super) fn type_names(node: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let (one, many) = match node.get("type") {
        Some(Value::String(name)) => (Some(name.as_str()), None),
        Some(Value::Array(names)) => (None, Some(names.iter().filter_map(Value::as_str))),
        _ => (None, None),
    };
    one.into_iter().chain(many.into_iter().flatten())
}

/// The JSON Schema type of a value; a number without a fraction is an `integer`.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.as_f64().is_some_and(|n| n.fract() == 0.0) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether a value of type `actual` is one of type `wanted`.
pub(super) fn is_type(actual: &str, wanted: &str) -> bool {
    actual == wanted || (actual == "integer" && wanted == "number")
}

/// The names in `required`.
pub(super) fn required(node: &Map<String, Value>) -> impl Iterator<Item = &str> {
    node.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The schema of one property.
pub(super) fn property<'a>(
    node: &'a Map<String, Value>,
    name: &str,
) -> Option<&'a Map<String, Value>> {
    node.get("properties")?.get(name)?.as_object()
}

/// Whether `null` is among what the schema describes.
pub(super) fn admits_null(node: &Map<String, Value>) -> bool {
    if let Some(branches) = node.get("anyOf").and_then(Value::as_array) {
        return branches.iter().any(|branch| branch.as_object().is_none_or(admits_null));
    }
    let typed = !node.contains_key("type") || type_names(node).any(|name| name == "null");
    let listed = match (node.get("enum"), node.get("const")) {
        (Some(Value::Array(values)), _) => values.contains(&Value::Null),
        (None, Some(value)) => value.is_null(),
        _ => true,
    };
    typed && listed
}

/// Adds `null` to what the schema describes, in place.
pub(super) fn admit_null(node: &mut Map<String, Value>) {
    if admits_null(node) {
        return;
    }
    if let Some(Value::Array(branches)) = node.get_mut("anyOf") {
        branches.push(json!({"type": "null"}));
    }
    add_type(node, "null");
    if let Some(value) = node.remove("const") {
        node.insert("enum".to_owned(), json!([value]));
    }
    if let Some(Value::Array(values)) = node.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
}

/// Widens `type`, if there is one, to admit `name` too.
pub(super) fn add_type(node: &mut Map<String, Value>, name: &str) {
    match node.get_mut("type") {
        Some(Value::Array(names)) if !names.iter().any(|known| known == name) => {
            names.push(json!(name));
        }
        Some(Value::String(known)) if known != name => {
            let widened = json!([known, name]);
            node.insert("type".to_owned(), widened);
        }
        _ => {}
    }
}

/// `text` with control characters and runs of white space made single spaces, and at most `max`
/// characters of it.
pub(super) fn one_line(text: &str, max: usize) -> String {
    let mut line = String::with_capacity(text.len().min(max));
    let mut chars = 0;
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    for word in words.filter(|word| !word.is_empty()) {
        if chars > 0 {
            line.push(' ');
            chars += 1;
        }
        for c in word.chars() {
            if chars >= max {
                line.push('…');
                return line;
            }
            line.push(c);
            chars += 1;
        }
    }
    line
}
