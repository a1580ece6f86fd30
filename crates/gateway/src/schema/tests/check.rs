//! What is refused, what is only remarked on, and the words for it.

use serde_json::{Value, json};

use super::super::check::Fault;
use super::{ModelSchema, Verdict, faults, model};

/// The inputs most of fal's image models have.
fn image_model() -> ModelSchema {
    model(
        &json!({
            "prompt": {"type": "string", "maxLength": 20},
            "num_images": {"type": "integer", "minimum": 1, "maximum": 4, "default": 1},
            "guidance_scale": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 20},
            "width": {"type": "integer", "multipleOf": 8},
            "duration": {"type": "string", "enum": ["5", "10"]},
            "sync_mode": {"type": "boolean"},
            "seed": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "image_urls": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
            "image_size": {"anyOf": [
                {"type": "object", "properties": {
                    "width": {"type": "integer", "maximum": 100},
                    "height": {"type": "integer"},
                }},
                {"type": "string", "enum": ["square_hd", "square", "portrait_4_3"]},
            ]},
            "loras": {"type": "array", "items": {
                "type": "object",
                "required": ["path"],
                "properties": {"path": {"type": "string"}, "scale": {"type": "number"}},
            }},
        }),
        &["prompt"],
    )
}

/// The one fault of an input that is valid but for `name`.
fn fault_of(name: &str, value: Value) -> String {
    let mut input = json!({"prompt": "A fox"});
    input[name] = value;
    let verdict = image_model().check(&input);
    assert_eq!(verdict.faults.len(), 1, "{verdict:?}");
    verdict.faults[0].to_string()
}

fn accepts(name: &str, value: Value) -> Verdict {
    let mut input = json!({"prompt": "A fox"});
    input[name] = value;
    let verdict = image_model().check(&input);
    assert_eq!(faults(&verdict), <[String; 0]>::default());
    verdict
}

#[test]
fn a_valid_input_has_neither_faults_nor_warnings() {
    let input = json!({
        "prompt": "A fox",
        "num_images": 4.0,
        "guidance_scale": 3,
        "width": 64,
        "seed": null,
        "image_size": {"width": 100},
        "loras": [{"path": "a"}],
    });
    assert_eq!(image_model().check(&input), Verdict::default());
}

#[test]
fn a_missing_property_is_refused_and_a_misspelt_one_named() {
    let verdict = image_model().check(&json!({"promt": "A fox"}));
    let fault = Fault {
        path: "prompt".to_owned(),
        problem: "required, but missing (a string); `promt` was sent instead".to_owned(),
        nearest: Some("promt".to_owned()),
    };
    let warning = "`promt` is not an input of this model; did you mean `prompt`?";
    assert_eq!(verdict, Verdict { faults: vec![fault], warnings: vec![warning.to_owned()] });
    assert_eq!(
        fault_of("loras", json!([{"path": "a"}, {"scale": 1}])),
        "`loras[1].path`: required, but missing (a string)"
    );
}

#[test]
fn a_value_out_of_range_is_refused_with_the_bound() {
    let cases = [
        ("num_images", json!(9), "`num_images`: 9 is more than the maximum 4"),
        ("num_images", json!(0), "`num_images`: 0 is less than the minimum 1"),
        ("guidance_scale", json!(0), "`guidance_scale`: 0 is not above the limit 0"),
        ("guidance_scale", json!(20.5), "`guidance_scale`: 20.5 is not below the limit 20"),
        ("width", json!(99), "`width`: 99 is not a multiple of 8; the nearest is 96"),
        ("image_urls", json!(["a", "b", "c"]), "`image_urls`: 3 items given; at most 2 accepted"),
        ("prompt", json!("é".repeat(21)), "`prompt`: 21 characters given; at most 20 accepted"),
    ];
    for (name, value, expected) in cases {
        assert_eq!(fault_of(name, value), expected);
    }
}

#[test]
fn a_wrong_type_is_refused_with_the_way_to_send_it() {
    let cases = [
        (
            "num_images",
            json!("4"),
            "`num_images`: the string \"4\" is given; accepted: an integer from 1 to 4; send 4, not \"4\"",
        ),
        ("num_images", json!(1.5), "`num_images`: 1.5 is given; accepted: an integer from 1 to 4"),
        (
            "sync_mode",
            json!("True"),
            "`sync_mode`: the string \"True\" is given; accepted: true or false; send true, not \"True\"",
        ),
        ("prompt", json!(7), "`prompt`: 7 is given; accepted: a string; send \"7\", not 7"),
        ("prompt", json!(null), "`prompt`: null is given; accepted: a string"),
        (
            "image_urls",
            json!("a"),
            "`image_urls`: the string \"a\" is given; accepted: a list, each item a string; send a list with this as its one item",
        ),
        (
            "loras",
            json!("[]"),
            "`loras`: the string \"[]\" is given; accepted: a list, each item an object with `path`, `scale`; send the list itself, not a string that holds it",
        ),
        ("seed", json!("many"), "`seed`: the string \"many\" is given; accepted: an integer"),
    ];
    for (name, value, expected) in cases {
        assert_eq!(fault_of(name, value), expected);
    }
}

#[test]
fn a_value_that_is_not_listed_is_refused_with_the_list_and_the_nearest() {
    assert_eq!(
        fault_of("duration", json!("9")),
        "`duration`: \"9\" is not accepted; accepted: \"5\", \"10\""
    );
    assert_eq!(
        fault_of("duration", json!(5)),
        "`duration`: 5 is not accepted; accepted: \"5\", \"10\"; send \"5\", not 5"
    );
    let voices: Vec<String> = (0..30).map(|n| format!("voice-{n}")).collect();
    let model = model(&json!({"voice": {"type": "string", "enum": voices}}), &[]);
    let verdict = model.check(&json!({"voice": "Voice 29"}));
    assert_eq!(verdict.faults[0].nearest.as_deref(), Some("voice-29"));
    let problem = &verdict.faults[0].problem;
    assert!(problem.contains("\"voice-19\" and 10 more; did you mean \"voice-29\"?"), "{problem}");
}

#[test]
fn of_several_alternatives_the_one_that_was_meant_is_explained() {
    let cases = [
        (json!({"width": 101}), "`image_size.width`: 101 is more than the maximum 100"),
        (
            json!({"width": "9"}),
            "`image_size.width`: the string \"9\" is given; accepted: an integer of at most 100; send 9, not \"9\"",
        ),
        (
            json!("squre"),
            "`image_size`: \"squre\" is not accepted; accepted: \"square_hd\", \"square\", \"portrait_4_3\", or an object with `width`, `height`; did you mean \"square\"?",
        ),
        (
            json!(512),
            "`image_size`: 512 is given; accepted: an object with `width`, `height`, or one of \"square_hd\", \"square\", \"portrait_4_3\"",
        ),
    ];
    for (value, expected) in cases {
        assert_eq!(fault_of("image_size", value), expected);
    }
}

#[test]
fn null_for_what_may_be_left_out_is_a_warning() {
    let warning = "`num_images`: null is not described by the schema; leave it out instead";
    assert_eq!(accepts("num_images", json!(null)).warnings, [warning]);
    assert_eq!(accepts("image_size", json!({"width": null})).warnings, <[String; 0]>::default());
    assert_eq!(accepts("seed", json!(null)).warnings, <[String; 0]>::default());
}

#[test]
fn what_only_fal_can_judge_is_a_warning() {
    let model = model(
        &json!({
            "name": {"type": "string", "pattern": "^[a-z]+$"},
            "link": {"type": "string", "format": "uri"},
            "odd": {"type": "string", "format": "binary"},
            "tags": {"type": "array", "uniqueItems": true},
            "box": {"type": "object", "properties": {"x": {}}, "additionalProperties": false},
        }),
        &[],
    );
    let input = json!({
        "name": "A B", "link": "no link", "odd": "\u{1}", "tags": [1, 1], "box": {"y": 1}, "zzz": 1,
    });
    let verdict = model.check(&input);
    assert_eq!(faults(&verdict), <[String; 0]>::default());
    assert_eq!(
        verdict.warnings,
        [
            "`name`: \"A B\" does not match the pattern `^[a-z]+$`",
            "`link`: \"no link\" does not look like `uri`",
            "`tags`: the items should differ from each other",
            "`box`: `y` not described by the model's schema",
            "`zzz` is not an input of this model",
        ]
    );
}

#[test]
fn unknown_inputs_of_a_model_that_takes_any_are_remarked_on_only_if_misspelt() {
    let input = json!({
        "type": "object",
        "properties": {"temperature": {"type": "number"}},
        "additionalProperties": true,
    });
    let model = super::model_with(&input, &json!({}));
    let verdict = model.check(&json!({"temprature": 1, "top_p": 1}));
    let warning = "`temprature` is not an input of this model; did you mean `temperature`?";
    assert_eq!(verdict, Verdict { faults: vec![], warnings: vec![warning.to_owned()] });
}

#[test]
fn an_input_that_is_not_an_object_is_refused_as_a_whole() {
    let verdict = image_model().check(&json!("{\"prompt\": \"A fox\"}"));
    assert_eq!(
        faults(&verdict),
        [
            "`(root)`: \"{\"prompt\": \"A fox\"}\" is given; an object with the model's inputs is accepted"
        ]
    );
}

#[test]
fn what_is_quoted_is_bounded_and_on_one_line() {
    let noise = format!("a\u{1b}[31m\n{}", "b".repeat(5_000));
    let fault = fault_of("duration", json!(noise));
    assert!(fault.len() < 250 && !fault.contains(char::is_control), "{fault}");

    let mut input = json!({"prompt": noise});
    for n in 0..50 {
        input[format!("{noise}{n}")] = json!(n);
    }
    let verdict = image_model().check(&input);
    assert_eq!(verdict.warnings.len(), 10);
    assert!(verdict.warnings.iter().all(|warning| warning.len() < 250));
}

#[test]
fn ten_faults_are_told_and_the_others_counted() {
    let loras: Vec<Value> = (0..25).map(|_| json!({})).collect();
    let verdict = image_model().check(&json!({"prompt": "A fox", "loras": loras}));
    assert_eq!(verdict.faults.len(), 10);
    assert_eq!(verdict.faults[9].path, "loras[9].path");
    assert_eq!(verdict.warnings, ["15 more faults not listed"]);
}

#[test]
fn an_input_with_more_values_than_can_be_explained_is_left_to_fal() {
    let loras: Vec<Value> = (0..20_000).map(|_| json!({})).collect();
    let verdict = accepts("loras", json!(loras));
    assert_eq!(
        verdict.warnings,
        ["the input does not match the model's schema in full; fal decides"]
    );
}

#[test]
fn a_string_of_megabytes_is_measured_in_full() {
    let prompt = "x".repeat(3_000_000);
    assert_eq!(
        fault_of("prompt", json!(prompt)),
        "`prompt`: 3000000 characters given; at most 20 accepted"
    );
}
