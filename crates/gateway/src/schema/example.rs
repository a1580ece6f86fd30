//! A minimal valid input: what a caller can copy and change.
//!
//! fal's own examples come first, then defaults, constants and enums; a value is made up only where
//! fal gives none.

use serde_json::{Map, Number, Value, json};

use super::keywords::{EDITOR, property, required, type_names};

/// Compact bytes of a value taken from fal's examples; some of them are whole songs or point clouds.
const MAX_EXAMPLE: usize = 2_000;
const MAX_DEPTH: usize = 12;
/// Items in a made-up list.
const MAX_ITEMS: u64 = 32;
/// Characters of a made-up text, however long the schema wants it.
const MAX_TEXT: usize = 4_000;

/// Every required property of `schema`, and nothing else. Where nothing is required the first
/// property for which fal gives an example is shown, since `{}` would teach a caller nothing.
pub(super) fn minimal(schema: &Map<String, Value>) -> Value {
    let example = object(schema, 0);
    let telling = || {
        let properties = schema.get("properties")?.as_object()?;
        properties.iter().find_map(|(name, schema)| {
            let shown = given(schema.as_object()?, &["examples"])?;
            Some(json!({name: shown}))
        })
    };
    if example.is_empty() { telling().unwrap_or_else(|| json!({})) } else { Value::Object(example) }
}

fn object(schema: &Map<String, Value>, depth: usize) -> Map<String, Value> {
    let names: Vec<&str> = required(schema).collect();
    let ordered = schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::keys)
        .map(String::as_str)
        .filter(|name| names.contains(name));
    let undescribed = names.iter().copied().filter(|name| property(schema, name).is_none());
    let nothing = Map::new();
    ordered
        .chain(undescribed)
        .map(|name| {
            let schema = property(schema, name).unwrap_or(&nothing);
            (name.to_owned(), value(name, schema, depth))
        })
        .collect()
}

fn value(name: &str, schema: &Map<String, Value>, depth: usize) -> Value {
    if let Some(value) = given(schema, &["examples", "default", "const", "enum"]) {
        return value;
    }
    if let Some(branches) = schema.get("anyOf").and_then(Value::as_array) {
        let branches = || branches.iter().filter_map(Value::as_object);
        let listed = branches().find(|branch| branch.contains_key("enum"));
        return listed
            .or_else(|| branches().find(|branch| type_names(branch).any(|name| name != "null")))
            .map_or(Value::Null, |branch| value(name, branch, depth));
    }
    let kind = type_names(schema).find(|kind| *kind != "null");
    match kind.or_else(|| schema.contains_key("properties").then_some("object")) {
        Some("object") if depth < MAX_DEPTH => Value::Object(object(schema, depth + 1)),
        Some("object") => json!({}),
        Some("array") => list(name, schema, depth),
        Some("boolean") => json!(false),
        Some("integer") => number(schema, true),
        Some("number") => number(schema, false),
        None if schema.get("type") == Some(&json!("null")) => Value::Null,
        _ => Value::String(text(name, schema)),
    }
}

/// The first value that fal itself gives under one of `words` and that is not too long to show.
fn given(schema: &Map<String, Value>, words: &[&str]) -> Option<Value> {
    // Some of fal's examples break the very schema that they stand in.
    let validator = jsonschema::validator_for(&Value::Object(schema.clone())).ok();
    let fits = |value: &&Value| {
        !value.is_null()
            && super::present::json_chars(value) <= MAX_EXAMPLE
            && validator.as_ref().is_none_or(|validator| validator.is_valid(value))
    };
    words.iter().find_map(|word| {
        let value = schema.get(*word)?;
        match (*word, value) {
            ("examples" | "enum", Value::Array(values)) => values.iter().find(fits),
            (_, value) => Some(value).filter(fits),
        }
        .cloned()
    })
}

fn list(name: &str, schema: &Map<String, Value>, depth: usize) -> Value {
    if depth >= MAX_DEPTH {
        return json!([]);
    }
    if let Some(places) = schema.get("prefixItems").and_then(Value::as_array) {
        let nothing = Map::new();
        let item = |place: &Value| value(name, place.as_object().unwrap_or(&nothing), depth + 1);
        return places.iter().map(item).collect();
    }
    let bound = |word: &str| schema.get(word).and_then(Value::as_u64);
    let count = bound("minItems").unwrap_or(1).max(1);
    let count = count.min(bound("maxItems").unwrap_or(MAX_ITEMS)).min(MAX_ITEMS);
    let item = match schema.get("items").and_then(Value::as_object) {
        Some(items) => value(name, items, depth + 1),
        None => Value::String(text(name, schema)),
    };
    (0..count).map(|_| item.clone()).collect()
}

fn number(schema: &Map<String, Value>, whole: bool) -> Value {
    let bound = |word: &str| schema.get(word).and_then(Value::as_f64);
    let step = bound("multipleOf").unwrap_or(if whole { 1.0 } else { 0.0 });
    let (above, below) = (bound("exclusiveMinimum"), bound("exclusiveMaximum"));
    // How far inside an exclusive bound to stay.
    let room = match (above.or(bound("minimum")), below.or(bound("maximum"))) {
        _ if step > 0.0 => step,
        (Some(low), Some(high)) => ((high - low) / 2.0).min(0.5),
        _ => 0.5,
    };
    let low = bound("minimum").or(above.map(|low| low + room));
    let high = bound("maximum").or(below.map(|high| high - room));
    let mut picked = match (low, high) {
        (Some(low), Some(high)) => low.max(1.0).min(high),
        (Some(low), None) => low.max(1.0),
        (None, Some(high)) => high.min(1.0),
        (None, None) => 1.0,
    };
    if step > 0.0 {
        picked = (picked / step).ceil() * step;
        if high.is_some_and(|high| picked > high) {
            picked -= step;
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and the value is whole")]
    let integer = picked as i64;
    if whole || picked.fract() == 0.0 {
        json!(integer)
    } else {
        Number::from_f64(picked).map_or(Value::Null, Value::Number)
    }
}

fn text(name: &str, schema: &Map<String, Value>) -> String {
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    let editor = schema.get(EDITOR).and_then(Value::as_str).unwrap_or_default();
    let name = name.to_ascii_lowercase();
    let made_up = match format {
        "date" => "2026-01-31".to_owned(),
        "date-time" => "2026-01-31T12:00:00Z".to_owned(),
        "time" => "12:00:00Z".to_owned(),
        "email" => "someone@example.com".to_owned(),
        "uuid" | "uuid4" => "00000000-0000-4000-8000-000000000000".to_owned(),
        "uri" | "url" => url(&name, editor),
        _ if !editor.is_empty() || name.contains("url") || name.contains("uri") => {
            url(&name, editor)
        }
        _ if name.contains("prompt") => "A red fox in fresh snow at sunrise".to_owned(),
        _ => "Hello from fal".to_owned(),
    };
    let bound = |word: &str| {
        let chars = schema.get(word).and_then(Value::as_u64)?;
        usize::try_from(chars).ok()
    };
    let low = bound("minLength").unwrap_or(0).min(MAX_TEXT);
    let high = bound("maxLength").unwrap_or(MAX_TEXT);
    let padding = low.saturating_sub(made_up.chars().count());
    made_up.chars().chain(std::iter::repeat_n('.', padding)).take(high).collect()
}

/// An address whose file has the kind that the property's editor or name asks for.
fn url(name: &str, editor: &str) -> String {
    const FILES: [(&str, &str); 16] = [
        ("mask", "mask.png"),
        ("zip", "data.zip"),
        ("archive", "data.zip"),
        ("data_url", "data.zip"),
        ("dataset", "data.zip"),
        ("lora", "weights.safetensors"),
        ("weights", "weights.safetensors"),
        ("video", "video.mp4"),
        ("audio", "audio.mp3"),
        ("voice", "audio.mp3"),
        ("speech", "audio.mp3"),
        ("mesh", "model.glb"),
        ("model", "model.glb"),
        ("pdf", "document.pdf"),
        ("webhook", "hook"),
        ("image", "image.png"),
    ];
    // The editor is fal's own statement, the name a guess.
    let file = [editor, name].iter().find_map(|hint| {
        let named = FILES.iter().find(|(word, _)| hint.contains(word));
        named.map(|(_, file)| *file)
    });
    format!("https://example.com/{}", file.unwrap_or("file"))
}
