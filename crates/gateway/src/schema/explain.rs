//! Words for a fault: what was given, what is accepted, what was probably meant.
//!
//! Everything quoted is bounded in length and free of control characters, since both the schema and
//! the input were written by others.

use serde_json::{Map, Value};

use super::keywords::{is_type, one_line, required, type_names, type_of};

/// Characters of a value that is quoted, and of a name.
const MAX_QUOTED: usize = 80;
/// Accepted values in a list, and in a list within a sentence about something else.
const MAX_LISTED: usize = 20;
const MAX_LISTED_BRIEFLY: usize = 8;
/// How alike two texts must be, from 0 to 1, before one is offered for the other.
const ALIKE: f64 = 0.6;

/// A value as it was given, in a few words.
pub(super) fn given(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("a list of {}", count(items.len(), "item")),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => format!("\"{}\"", one_line(text, MAX_QUOTED)),
        plain => plain.to_string(),
    }
}

/// A name from the schema or the input, in backquotes.
pub(super) fn name(name: &str) -> String {
    format!("`{}`", one_line(name, MAX_QUOTED))
}

/// `1 item`, `2 items`.
pub(super) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The accepted values of an enum, some of them if there are many.
pub(super) fn listed(values: &[&Value]) -> String {
    list(values, MAX_LISTED)
}

fn list(values: &[&Value], max: usize) -> String {
    let shown: Vec<String> = values.iter().take(max).map(|value| given(value)).collect();
    let more = values.len().saturating_sub(max);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// What a schema accepts, as a noun: an integer from 1 to 4, an object with such and such keys.
pub(super) fn accepted(schema: &Map<String, Value>) -> String {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        // Leaving a property out says the same as null, and saying less is clearer.
        let values: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
        return format!("one of {}", list(&values, MAX_LISTED_BRIEFLY));
    }
    if let Some(value) = schema.get("const") {
        return given(value);
    }
    if let Some(branches) = schema.get("anyOf").and_then(Value::as_array) {
        return any_of(branches.iter().filter_map(Value::as_object));
    }
    let kinds: Vec<String> = type_names(schema)
        .filter(|kind| *kind != "null")
        .map(|kind| match kind {
            "object" => object(schema),
            "array" => match schema.get("items").and_then(Value::as_object) {
                Some(items) if items.contains_key("type") && !items.contains_key("anyOf") => {
                    format!("a list, each item {}", accepted(items))
                }
                _ => "a list".to_owned(),
            },
            "integer" => format!("an integer{}", bounds(schema)),
            "number" => format!("a number{}", bounds(schema)),
            "boolean" => "true or false".to_owned(),
            "string" => "a string".to_owned(),
            other => other.to_owned(),
        })
        .collect();
    if kinds.is_empty() { "any value".to_owned() } else { kinds.join(" or ") }
}

/// What one of several schemas accepts.
pub(super) fn any_of<'a>(branches: impl Iterator<Item = &'a Map<String, Value>>) -> String {
    let mut accepts: Vec<String> = branches
        .filter(|branch| {
            type_names(branch).any(|kind| kind != "null") || !branch.contains_key("type")
        })
        .map(accepted)
        .take(MAX_LISTED_BRIEFLY)
        .collect();
    accepts.dedup();
    accepts.join(", or ")
}

fn object(schema: &Map<String, Value>) -> String {
    let properties = schema.get("properties").and_then(Value::as_object);
    let mut names: Vec<&str> = required(schema).collect();
    for name in properties.into_iter().flat_map(Map::keys) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    if names.is_empty() {
        return "an object".to_owned();
    }
    let more = if names.len() > MAX_LISTED_BRIEFLY { ", …" } else { "" };
    let names: Vec<String> = names.iter().take(MAX_LISTED_BRIEFLY).map(|word| name(word)).collect();
    format!("an object with {}{more}", names.join(", "))
}

fn bounds(schema: &Map<String, Value>) -> String {
    let bound = |word: &str| schema.get(word).filter(|bound| bound.is_number());
    let low = bound("minimum").map(|low| ("from", low));
    let low = low.or_else(|| bound("exclusiveMinimum").map(|low| ("above", low)));
    let high = bound("maximum").map(|high| ("to", high));
    let high = high.or_else(|| bound("exclusiveMaximum").map(|high| ("below", high)));
    match (low, high) {
        (Some((from, low)), Some((to, high))) => format!(" {from} {low} {to} {high}"),
        (Some(("above", low)), None) => format!(" above {low}"),
        (Some((_, low)), None) => format!(" of at least {low}"),
        (None, Some(("below", high))) => format!(" below {high}"),
        (None, Some((_, high))) => format!(" of at most {high}"),
        (None, None) => String::new(),
    }
}

/// How to send `value` so that `schema` accepts it, where only the wrapping is wrong: a number or an
/// object written as a string, a number where fal wants a string, one item where fal wants a list.
pub(super) fn rewrapped(value: &Value, schema: &Map<String, Value>) -> Option<String> {
    if schema.contains_key("enum") || schema.contains_key("const") {
        return None;
    }
    let wants = |kind: &str| type_names(schema).any(|wanted| is_type(kind, wanted));
    if let Value::String(text) = value {
        // Beyond this length a hint that quotes it helps nobody, and parsing it costs.
        let inner: Option<Value> = (text.len() <= 4_096)
            .then(|| serde_json::from_str(&text.trim().to_ascii_lowercase()).ok())
            .flatten();
        if let Some(inner) = inner.filter(|inner| !inner.is_null() && wants(type_of(inner))) {
            return Some(match inner {
                Value::Array(_) => "send the list itself, not a string that holds it".to_owned(),
                Value::Object(_) => "send the object itself, not a string that holds it".to_owned(),
                plain => format!("send {plain}, not {}", given(value)),
            });
        }
    }
    if (value.is_number() || value.is_boolean()) && wants("string") {
        return Some(format!("send \"{value}\", not {value}"));
    }
    let item = schema.get("items").and_then(Value::as_object)?;
    let fits = type_names(item).any(|wanted| is_type(type_of(value), wanted));
    (wants("array") && fits).then(|| "send a list with this as its one item".to_owned())
}

/// The candidate most like `text`, if any is like it at all. Case and punctuation count for little.
pub(super) fn nearest<'a>(
    text: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    // Similarity is quadratic in length, and no name or enum value is this long.
    if text.is_empty() || text.len() > 200 {
        return None;
    }
    let wanted = letters(text);
    candidates
        .filter(|candidate| candidate.len() <= 200)
        .map(|candidate| (alike(&wanted, &letters(candidate)), candidate))
        .filter(|(alike, _)| *alike >= ALIKE)
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, candidate)| candidate)
}

fn alike(wanted: &str, candidate: &str) -> f64 {
    let alike = strsim::normalized_damerau_levenshtein(wanted, candidate);
    // `hd` for `square_hd`: the distance is long, the intent is clear.
    let part = wanted.len() >= 2 && candidate.contains(wanted);
    if part { alike.max(0.65) } else { alike }
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}
