//! Schemas that contradict themselves: the faulty rule goes, the others stay.

use serde_json::{Value, json};

use super::{faults, model};

/// A property, a value that must pass, a value that must still be refused, and the remark.
type Case = (Value, Value, Value, &'static str);

fn check_cases(cases: &[Case]) {
    for (property, passes, refused, remark) in cases {
        let model = model(&json!({"p": property}), &[]);
        let verdict = model.check(&json!({"p": passes}));
        assert_eq!(faults(&verdict), <[String; 0]>::default(), "{property}");
        assert_eq!(model.check(&json!({"p": refused})).faults.len(), 1, "{property}");
        let remarked = model.unsound().first().map_or("", String::as_str);
        assert_eq!(remarked, *remark, "{property}");
    }
}

#[test]
fn a_rule_that_contradicts_itself_does_not_refuse() {
    check_cases(&[
        (
            json!({"type": "integer", "minimum": 10, "maximum": 1}),
            json!(5),
            json!("x"),
            "`minimum` and `maximum` exclude each other and are not enforced",
        ),
        (
            json!({"type": "string", "minLength": 9, "maxLength": 2}),
            json!("four"),
            json!(4),
            "`minLength` and `maxLength` exclude each other and are not enforced",
        ),
        (
            json!({"type": "string", "pattern": "(unclosed"}),
            json!("anything"),
            json!(1),
            "a `pattern` is not one that can be checked",
        ),
        (
            json!({"type": "string", "pattern": "^(?!no)", "maxLength": 10}),
            json!("no"),
            json!("a text too long"),
            "a `pattern` is not one that can be checked",
        ),
        (
            json!({"type": "file", "minimum": "0", "maxLength": 3}),
            json!(-1),
            json!("long"),
            "a malformed `type` is ignored",
        ),
        (json!({"type": "integer", "enum": ["4", "8"]}), json!("4"), json!("5"), ""),
    ]);
}

#[test]
fn a_rule_that_fals_own_values_break_does_not_refuse_them() {
    check_cases(&[
        (
            json!({"type": "integer", "minimum": 1, "maximum": 4, "default": 8}),
            json!(6),
            json!(0),
            "`maximum` of `p` is loosened: a default or example of fal's own breaks it",
        ),
        (
            json!({"type": "string", "enum": ["a", "b"], "examples": ["c"]}),
            json!("c"),
            json!("d"),
            "`enum` of `p` is loosened: a default or example of fal's own breaks it",
        ),
        (
            json!({"type": "integer", "default": "4"}),
            json!("4"),
            json!([]),
            "`type` of `p` is loosened: a default or example of fal's own breaks it",
        ),
        (
            json!({"type": "array", "items": {"type": "object", "required": ["url"], "properties": {
                "url": {"type": "string"}, "id": {"type": "integer"},
            }}, "examples": [[{"id": 1}]]}),
            json!([{"id": 2}]),
            json!([{"id": "x"}]),
            "`required` of `p` is loosened: a default or example of fal's own breaks it",
        ),
        (
            json!({"type": "object", "properties": {
                "width": {"type": "integer", "minimum": 1024, "default": 512},
                "height": {"type": "integer"},
            }, "required": ["height"]}),
            json!({"width": 600, "height": 1}),
            json!({"width": 600}),
            "`minimum` of `p` is loosened: a default or example of fal's own breaks it",
        ),
        (
            json!({"anyOf": [{"type": "object"}, {"type": "string", "enum": ["a"]}], "default": 7}),
            json!(7),
            json!(8),
            "`anyOf` of `p` is loosened: a default or example of fal's own breaks it",
        ),
    ]);
}

#[test]
fn a_property_is_not_required_if_it_has_a_default_or_does_not_exist() {
    let model = model(&json!({"a": {"type": "integer", "default": 1}}), &["a", "b"]);
    assert_eq!(faults(&model.check(&json!({}))), <[String; 0]>::default());
    assert_eq!(model.unsound(), ["a `required` property has a default or is not described"]);
}

#[test]
fn the_example_passes_also_where_fals_own_values_do_not() {
    let none_fits =
        json!({"type": "integer", "minimum": 5, "maximum": 1, "default": 3, "enum": [0, 2]});
    let model = model(&json!({"p": none_fits}), &["p"]);
    assert_eq!(faults(&model.check(model.example_input())), <[String; 0]>::default());
}

#[test]
fn a_bound_in_the_older_form_is_exclusive() {
    let older = json!({"type": "number", "minimum": 0, "exclusiveMinimum": true, "maximum": 1, "exclusiveMaximum": false});
    let model = model(&json!({"p": older}), &[]);
    assert_eq!(
        model.input_schema().pointer("/properties/p"),
        Some(&json!({"type": "number", "exclusiveMinimum": 0, "maximum": 1}))
    );
    assert_eq!(model.check(&json!({"p": 0})).faults.len(), 1);
    assert_eq!(model.check(&json!({"p": 1})).faults.len(), 0);
    assert_eq!(model.unsound(), <[String; 0]>::default());
}
