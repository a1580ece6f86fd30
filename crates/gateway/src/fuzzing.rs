//! What holds for any document that fal may publish, for the fuzz crate.

use serde_json::{Deserializer, Value};

use crate::schema::ModelSchema;

/// What is shown of a model when there is little room for it, in characters.
const MAX_CHARS: usize = 2_000;

/// A document of fal's, with an input for it behind it, is made into a schema that fits where it is
/// to be shown, and into a check that its own example passes.
pub fn schema(bytes: &[u8]) {
    let mut values = Deserializer::from_slice(bytes).into_iter::<Value>();
    let Some(Ok(document)) = values.next() else { return };
    let Ok(model) = ModelSchema::from_openapi("acme/test", &document) else { return };
    let shown = model.presentation(MAX_CHARS).to_string().chars().count();
    // The document's own names are shown in any case.
    let names = model.name().len() + model.category().map_or(0, str::len);
    assert!(shown <= MAX_CHARS.max(6 * names + 200), "{shown} characters are shown");
    let example = model.check(model.example_input());
    assert!(example.faults.is_empty(), "the example has faults: {:?}", example.faults);
    if let Some(Ok(input)) = values.next() {
        model.check(&input);
    }
}
