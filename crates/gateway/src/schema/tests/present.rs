//! What is shown stays within the size that was asked for, and says what it left out.

use serde_json::{Map, Value, json};

use super::{ModelSchema, model};

/// A model with much of everything.
fn large_model() -> ModelSchema {
    let property = |n: usize| {
        let voices: Vec<String> = (0..60).map(|voice| format!("voice {voice} of {n}")).collect();
        json!({
            "type": "object",
            "description": "What it is for, told at great length. ".repeat(12),
            "examples": [{"voice": format!("voice 1 of {n}")}],
            "properties": {"voice": {"type": "string", "enum": voices, "description": "Who speaks."}},
        })
    };
    let properties: Map<String, Value> =
        (0..20).map(|n| (format!("speaker_{n}"), property(n))).collect();
    model(&Value::Object(properties), &["speaker_0"])
}

#[test]
fn a_small_model_is_shown_whole() {
    let model = model(&json!({"prompt": {"type": "string", "title": "Prompt"}}), &["prompt"]);
    assert_eq!(
        model.presentation(40_000),
        json!({
            "endpoint_id": "acme/test",
            "name": "acme/test",
            "category": "text-to-image",
            "input_schema": {
                "type": "object",
                "required": ["prompt"],
                "properties": {"prompt": {"type": "string"}},
            },
            "output_schema": {"type": "object", "properties": {"seed": {"type": "integer"}}},
            "example_input": {"prompt": "A red fox in fresh snow at sunrise"},
        })
    );
}

#[test]
fn every_limit_is_kept_and_detail_goes_in_a_fixed_order() {
    let model = large_model();
    let whole = model.presentation(usize::MAX);
    assert!(whole.get("notes").is_none());
    let mut notes_before = 0;
    for max in [40_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 300] {
        let shown = model.presentation(max);
        assert!(shown.to_string().chars().count() <= max, "{max}: {shown}");
        assert_eq!(shown["endpoint_id"], "acme/test");
        assert_eq!(shown["input_schema"]["type"], "object");
        let notes = shown["notes"].as_array().map_or(0, Vec::len);
        assert!(notes >= notes_before || notes == 1, "{max}: {shown}");
        notes_before = notes;
    }
}

#[test]
fn a_cut_enum_does_not_claim_that_other_values_are_refused() {
    let model = large_model();
    let shown = model.presentation(24_000);
    let voice = shown.pointer("/input_schema/properties/speaker_3/properties/voice").unwrap();
    assert_eq!(voice.get("enum"), None);
    assert_eq!(voice["examples"].as_array().unwrap().len(), 40);
    assert_eq!(
        voice["description"],
        "Who speaks. One of 60 values; the first 40 are the examples."
    );
    assert_eq!(model.check(&json!({"speaker_0": {"voice": "voice 59 of 0"}})).faults, []);
}

#[test]
fn examples_are_few_short_and_not_the_default() {
    let model = model(
        &json!({"p": {"type": "string", "default": "d", "examples": ["d", "x".repeat(400), "a", "b", "c"]}}),
        &[],
    );
    assert_eq!(
        model.input_schema().pointer("/properties/p"),
        Some(&json!({"type": "string", "default": "d", "examples": ["a", "b"]}))
    );
}

#[test]
fn the_estimate_of_memory_grows_with_the_schema() {
    let small = model(&json!({"p": {"type": "string"}}), &[]);
    assert!((500..5_000).contains(&small.bytes()), "{}", small.bytes());
    assert!(large_model().bytes() > 20 * small.bytes());
}
