//! References, "or null", extensions and order: the shape of what is shown.

use serde_json::{Value, json};

use super::super::SchemaError;
use super::{ModelSchema, document, faults, model, model_with};

#[test]
fn references_are_inlined_and_siblings_win_over_what_they_name() {
    let input = json!({"type": "object", "properties": {
        "bare": {"$ref": "#/components/schemas/Size"},
        "told": {"$ref": "#/components/schemas/Size", "description": "Of the image."},
        "all": {"allOf": [{"$ref": "#/components/schemas/Size"}], "default": {"width": 2}},
    }});
    let size = json!({
        "title": "Size",
        "type": "object",
        "description": "A size.",
        "properties": {"width": {"type": "integer", "title": "Width"}},
    });
    let model = model_with(&input, &json!({"Size": size}));
    let width = json!({"width": {"type": "integer"}});
    assert_eq!(
        model.input_schema()["properties"],
        json!({
            "bare": {"type": "object", "description": "A size.", "properties": width},
            "told": {"type": "object", "description": "Of the image.", "properties": width},
            "all": {
                "type": "object",
                "description": "A size.",
                "default": {"width": 2},
                "properties": width,
            },
        })
    );
}

#[test]
fn a_schema_inside_itself_ends_in_a_description() {
    let input = json!({"properties": {"tree": {"$ref": "#/components/schemas/Node"}}});
    let node = json!({
        "type": "object",
        "properties": {"child": {"$ref": "#/components/schemas/Node"}},
    });
    let model = model_with(&input, &json!({"Node": node}));
    assert_eq!(
        model.input_schema().pointer("/properties/tree/properties/child"),
        Some(&json!({"description": "`Node` again, nested."}))
    );
    let deep = json!({"tree": {"child": {"child": {"child": 3}}}});
    assert_eq!(model.check(&deep).faults, []);
}

#[test]
fn definitions_that_multiply_stay_within_bounds() {
    let mut schemas = json!({"S12": {"type": "string"}});
    for level in 0..12 {
        let next = json!({"$ref": format!("#/components/schemas/S{}", level + 1)});
        schemas[format!("S{level}")] = json!({
            "type": "object",
            "properties": {"a": next, "b": next, "c": next, "d": next},
        });
    }
    let input = json!({"properties": {"top": {"$ref": "#/components/schemas/S0"}}});
    let model = model_with(&input, &schemas);
    assert!(model.input_schema().to_string().len() < 500_000);
    assert!(model.presentation(40_000).to_string().len() <= 40_000);
}

#[test]
fn a_schema_that_fal_does_not_define_accepts_anything_and_says_so() {
    let input = json!({"properties": {
        "path": {"type": "array", "items": {"$ref": "#/components/schemas/TrajectoryPoint"}},
    }});
    let model = model_with(&input, &json!({}));
    assert_eq!(
        model.input_schema().pointer("/properties/path/items"),
        Some(&json!({"description": "`TrajectoryPoint`, which fal does not define."}))
    );
    assert_eq!(model.check(&json!({"path": [{"x": 1}, "two"]})).faults, []);
    let note = "fal does not define `TrajectoryPoint`: anything is accepted there, and fal decides";
    assert_eq!(model.unsound(), [note]);
    assert_eq!(model.presentation(40_000)["notes"], json!([note]));
}

#[test]
fn a_whole_input_that_fal_does_not_define_accepts_any_object() {
    let mut document = document(&json!({}), &json!({}));
    document["components"]["schemas"].as_object_mut().unwrap().remove("TestInput");
    let model = ModelSchema::from_openapi("acme/test", &document).unwrap();
    assert_eq!(model.input_schema()["type"], "object");
    assert_eq!(model.example_input(), &json!({}));
    assert_eq!(model.check(&json!({"anything": 1})), super::Verdict::default());
}

#[test]
fn every_way_of_saying_or_null_becomes_one() {
    let model = model(
        &json!({
            "any": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}], "title": "Any"},
            "flag": {"type": "integer", "minimum": 1, "nullable": true},
            "list": {"type": ["integer", "null"], "minimum": 1},
            "choice": {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]},
            "two": {"oneOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
        }),
        &["any", "flag", "list", "choice", "two"],
    );
    let integer = json!({"type": ["integer", "null"], "minimum": 1});
    assert_eq!(
        model.input_schema()["properties"],
        json!({
            "any": integer,
            "flag": integer,
            "list": integer,
            "choice": {"type": ["string", "null"], "enum": ["a", null]},
            "two": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
        })
    );
    let nothing = json!({"any": null, "flag": null, "list": null, "choice": null, "two": null});
    assert_eq!(model.check(&nothing), super::Verdict::default());
}

#[test]
fn properties_come_in_display_order_without_extensions_or_repeated_titles() {
    let input = json!({
        "type": "object",
        "title": "AcmeTestInput",
        "x-fal-order-properties": ["prompt", "gone", "num_images"],
        "properties": {
            "late": {"type": "string", "title": "Late", "examples": []},
            "num_images": {"title": "Number of pictures", "type": "integer", "ge": 1},
            "prompt": {
                "ui": {"field": "textarea"},
                "x-fal": {"timeout": 20},
                "type": "string",
                "title": "Prompt",
                "description": "\n      What to\n      show.\n",
            },
        },
    });
    let model = model_with(&input, &json!({}));
    assert_eq!(
        model.input_schema().to_string(),
        json!({"type": "object", "properties": {
            "prompt": {"type": "string", "description": "What to show."},
            "num_images": {"type": "integer", "title": "Number of pictures"},
            "late": {"type": "string"},
        }})
        .to_string()
    );
}

#[test]
fn the_input_is_found_under_another_path_and_the_output_may_be_missing() {
    let plain = document(&json!({"properties": {"a": {"type": "string"}}}), &json!({}));
    let model = ModelSchema::from_openapi("other/id", &plain).unwrap();
    assert_eq!(model.input_schema().pointer("/properties/a/type"), Some(&json!("string")));
    assert_eq!(model.output_schema().pointer("/properties/seed/type"), Some(&json!("integer")));
    assert_eq!((model.name(), model.category()), ("other/id", Some("text-to-image")));

    let mut silent = plain;
    silent["paths"].as_object_mut().unwrap().retain(|path, _| path == "/acme/test");
    let model = ModelSchema::from_openapi("acme/test", &silent).unwrap();
    assert_eq!(model.output_schema(), &json!({}));
}

#[test]
fn what_is_not_a_description_of_an_input_is_an_error() {
    let read = |document: Value| ModelSchema::from_openapi("acme/test", &document).map(|_| ());
    let failed = json!({"error": {"code": "expansion_failed", "message": "no"}});
    assert_eq!(read(failed), Err(SchemaError::NotOpenApi));
    assert_eq!(read(Value::Null), Err(SchemaError::NotOpenApi));
    let without_body = json!({"paths": {"/acme/test": {"post": {}, "get": {}}}});
    assert_eq!(read(without_body), Err(SchemaError::NoInputSchema));
}

#[test]
fn an_example_is_made_up_from_names_formats_and_bounds() {
    let properties = json!({
        "prompt": {"type": "string"},
        "image_url": {"type": "string"},
        "source": {"type": "string", "ui": {"field": "audio"}},
        "clip_urls": {"type": "array", "minItems": 2, "items": {"type": "string", "_fal_ui_field": "video"}},
        "width": {"type": "integer", "minimum": 65, "multipleOf": 16, "maximum": 100},
        "strength": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.5},
        "code": {"type": "string", "minLength": 20, "maxLength": 20},
        "size": {"anyOf": [{"type": "object"}, {"type": "string", "enum": ["square", "wide"]}]},
        "loop": {"type": "boolean"},
        "point": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}]},
    });
    let names: Vec<&str> = properties.as_object().unwrap().keys().map(String::as_str).collect();
    let model = model(&properties, &names);
    assert_eq!(
        model.example_input(),
        &json!({
            "prompt": "A red fox in fresh snow at sunrise",
            "image_url": "https://example.com/image.png",
            "source": "https://example.com/audio.mp3",
            "clip_urls": ["https://example.com/video.mp4", "https://example.com/video.mp4"],
            "width": 80,
            "strength": 0.25,
            "code": "Hello from fal......",
            "size": "square",
            "loop": false,
            "point": [1, "Hello from fal"],
        })
    );
    assert_eq!(faults(&model.check(model.example_input())), <[String; 0]>::default());
    assert_eq!(model.unsound(), <[String; 0]>::default());
}

#[test]
fn an_example_prefers_what_fal_gives_and_holds_only_what_is_required() {
    let model = model(
        &json!({
            "prompt": {"type": "string", "examples": ["A harbour"], "default": "x"},
            "voice": {"type": "string", "enum": ["Anna", "Bob"]},
            "mode": {"const": "fast"},
            "seed": {"type": "integer", "default": 4},
            "free": {"type": "integer", "examples": [3]},
        }),
        &["mode", "voice", "prompt", "seed"],
    );
    let expected = json!({"prompt": "A harbour", "voice": "Anna", "mode": "fast", "seed": 4});
    assert_eq!(model.example_input().to_string(), expected.to_string());
}

#[test]
fn where_nothing_is_required_the_example_shows_one_input() {
    let properties =
        json!({"seed": {"type": "integer"}, "prompt": {"type": "string", "examples": ["A"]}});
    assert_eq!(model(&properties, &[]).example_input(), &json!({"prompt": "A"}));
}
