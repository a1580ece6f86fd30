//! What is shown of a model: compact, and within the size a caller can take.

use std::io;

use serde_json::{Map, Value, json};

use super::ModelSchema;
use super::flatten::outline;
use super::keywords::{EDITOR, for_each_child, one_line};

/// Examples of one property that are kept, and characters of each. The whole of a first example may be
/// in the example input.
const MAX_EXAMPLES: usize = 2;
const MAX_EXAMPLE: usize = 300;
/// Characters of a description, and values of an enum, in the shorter form.
const SHORT_DESCRIPTION: usize = 160;
const SHORT_ENUM: usize = 40;
/// Remarks on a schema's own faults that are shown.
const MAX_REMARKS: usize = 5;

/// Removes what only helped to build the example and the rules, and what repeats itself.
pub(super) fn tidy(node: &mut Map<String, Value>) {
    node.shift_remove(EDITOR);
    let default = node.get("default").cloned();
    if let Some(Value::Array(examples)) = node.get_mut("examples") {
        examples.retain(|example| {
            Some(example) != default.as_ref() && json_chars(example) <= MAX_EXAMPLE
        });
        examples.truncate(MAX_EXAMPLES);
        if examples.is_empty() {
            node.shift_remove("examples");
        }
    }
    for_each_child(node, &mut tidy);
}

/// Characters of a value's compact JSON.
pub(super) fn json_chars(value: &Value) -> usize {
    let mut counter = Counter(0);
    // Writing to a counter cannot fail, and a value's keys are strings.
    serde_json::to_writer(&mut counter, value).map_or(0, |()| counter.0)
}

/// Counts the characters of the UTF-8 that is written to it.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// See [`ModelSchema::presentation`].
pub(super) fn presentation(model: &ModelSchema, max_chars: usize) -> Value {
    let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let mut shown = Shown {
        model,
        input: object(model.input_schema()),
        output: object(model.output_schema()),
        example: model.example_input().clone(),
        notes: model.unsound().iter().take(MAX_REMARKS).cloned().collect(),
    };
    let mut value = shown.value();
    for (shed, note) in STEPS {
        if json_chars(&value) <= max_chars {
            break;
        }
        shed(&mut shown);
        shown.notes.push((*note).to_owned());
        value = shown.value();
    }
    value
}

/// A way to say less, and the note that says so.
type Step = (fn(&mut Shown<'_>), &'static str);

/// What is left out, in this order, until the rest fits.
const STEPS: &[Step] = &[
    (|shown| shown.both(drop_examples), "examples are left out"),
    (|shown| drop_descriptions(&mut shown.output), "descriptions of the output are left out"),
    (|shown| shown.both(shorten_descriptions), "long descriptions are cut"),
    (|shown| shown.both(shorten_enums), "long lists of accepted values are cut"),
    (|shown| outline_below(&mut shown.output, 1), "nested outputs are outlined"),
    (|shown| outline_below(&mut shown.input, 2), "nested inputs are outlined"),
    (|shown| drop_descriptions(&mut shown.input), "descriptions of the input are left out"),
    (|shown| shown.output = outline(&shown.output), "the output is outlined"),
    (|shown| outline_below(&mut shown.input, 1), "nested inputs are outlined further"),
    (|shown| shown.input = outline(&shown.input), "the input is outlined"),
    (|shown| shown.example = json!({}), "the example is left out"),
    (|shown| shown.empty(), "the schemas are too long to be shown"),
];

struct Shown<'a> {
    model: &'a ModelSchema,
    input: Map<String, Value>,
    output: Map<String, Value>,
    example: Value,
    notes: Vec<String>,
}

impl Shown<'_> {
    fn value(&self) -> Value {
        let mut value = json!({
            "endpoint_id": self.model.endpoint_id(),
            "name": self.model.name(),
            "category": self.model.category(),
            "input_schema": self.input,
            "output_schema": self.output,
            "example_input": self.example,
        });
        if let Value::Object(value) = &mut value
            && !self.notes.is_empty()
        {
            value.insert("notes".to_owned(), json!(self.notes));
        }
        value
    }

    fn both(&mut self, shed: fn(&mut Map<String, Value>)) {
        shed(&mut self.input);
        shed(&mut self.output);
    }

    fn empty(&mut self) {
        self.input = Map::from_iter([("type".to_owned(), json!("object"))]);
        self.output = Map::new();
        self.notes.clear();
    }
}

fn drop_examples(node: &mut Map<String, Value>) {
    node.shift_remove("examples");
    for_each_child(node, &mut drop_examples);
}

fn drop_descriptions(node: &mut Map<String, Value>) {
    node.shift_remove("description");
    node.shift_remove("title");
    for_each_child(node, &mut drop_descriptions);
}

fn shorten_descriptions(node: &mut Map<String, Value>) {
    if let Some(Value::String(description)) = node.get_mut("description") {
        *description = one_line(description, SHORT_DESCRIPTION);
    }
    for_each_child(node, &mut shorten_descriptions);
}

/// A cut enum would say that the other values are refused, so it becomes a description and examples.
fn shorten_enums(node: &mut Map<String, Value>) {
    if node.get("enum").and_then(Value::as_array).is_some_and(|values| values.len() > SHORT_ENUM)
        && let Some(Value::Array(mut values)) = node.shift_remove("enum")
    {
        let text = node.get("description").and_then(Value::as_str).unwrap_or_default();
        let all = values.len();
        let text = format!("{text} One of {all} values; the first {SHORT_ENUM} are the examples.");
        node.insert("description".to_owned(), json!(text.trim_start()));
        values.truncate(SHORT_ENUM);
        node.insert("examples".to_owned(), Value::Array(values));
    }
    for_each_child(node, &mut shorten_enums);
}

/// Outlines the schemas more than `depth` levels below `node`.
fn outline_below(node: &mut Map<String, Value>, depth: usize) {
    for_each_child(node, &mut |child| match depth.checked_sub(1) {
        Some(depth) => outline_below(child, depth),
        None => *child = outline(child),
    });
}
