//! What a model takes and gives: fal's `OpenAPI` document for one endpoint, turned into flat schemas
//! a caller can read, an example to copy, and a check that runs before anything is paid for.
//!
//! It works on values only: it fetches nothing, caches nothing and knows no tool.

mod check;
mod example;
mod explain;
mod flatten;
mod judge;
mod keywords;
mod present;
mod rules;
#[cfg(test)]
mod tests;

use jsonschema::Validator;
use serde_json::{Map, Value};

pub(crate) use self::check::Verdict;
use self::flatten::Flattener;
use self::rules::Rules;

/// Everything the gateway derives from one endpoint's document. Built once, never changed.
#[derive(Debug)]
pub(crate) struct ModelSchema {
    endpoint_id: String,
    name: String,
    category: Option<String>,
    input: Value,
    output: Value,
    example: Value,
    /// None where the schema contradicts itself so much that only fal can check an input.
    validator: Option<Validator>,
    unsound: Vec<String>,
    bytes: usize,
}

/// Why a document says nothing about a model's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SchemaError {
    /// No `POST` operation with a JSON request body.
    #[error("the model's OpenAPI document does not describe an input")]
    NoInputSchema,
    /// Not an object with `paths`: fal answers `{"error": …}` where it cannot expand a model.
    #[error("the model's schema is not an OpenAPI document")]
    NotOpenApi,
}

impl ModelSchema {
    /// Reads the document that fal publishes for `endpoint_id`.
    ///
    /// The input schema belongs to the `POST` on the endpoint's own path, else to the first `POST`
    /// with a JSON body; a missing output schema becomes `{}`. Faults inside the schemas are not
    /// errors: what cannot be relied on is left out of the check and listed by [`Self::unsound`].
    pub(crate) fn from_openapi(endpoint_id: &str, document: &Value) -> Result<Self, SchemaError> {
        let paths =
            document.get("paths").and_then(Value::as_object).ok_or(SchemaError::NotOpenApi)?;
        let input = input_schema(endpoint_id, paths).ok_or(SchemaError::NoInputSchema)?;

        let mut flattener = Flattener::new(document);
        let mut input = flattener.flatten_object(input);
        let mut output = output_schema(endpoint_id, paths)
            .map_or_else(Map::new, |schema| flattener.flatten(schema));
        let mut unsound = flattener.into_notes();
        let example = example::minimal(&input);
        let rules = Rules::derive(&input, &example);
        unsound.extend(rules.unsound);

        present::tidy(&mut input);
        present::tidy(&mut output);
        let (input, output) = (Value::Object(input), Value::Object(output));
        let info = document.get("info");
        let bytes = present::json_chars(&input) * VALUE_BYTES_PER_CHAR
            + present::json_chars(&output) * VALUE_BYTES_PER_CHAR
            + present::json_chars(&example) * VALUE_BYTES_PER_CHAR
            + rules.json_chars * VALIDATOR_BYTES_PER_CHAR
            + unsound.iter().map(String::len).sum::<usize>()
            + size_of::<Self>();
        Ok(Self {
            endpoint_id: endpoint_id.to_owned(),
            name: model_name(endpoint_id, info),
            category: info
                .and_then(|info| info.pointer("/x-fal-metadata/category"))
                .and_then(Value::as_str)
                .map(str::to_owned),
            input,
            output,
            example,
            validator: rules.validator,
            unsound,
            bytes,
        })
    }

    /// The endpoint the schema is of, as it was asked for.
    pub(crate) fn endpoint_id(&self) -> &str {
        &self.endpoint_id
    }

    /// The document's title; the endpoint id where the title only says which queue it describes.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// fal's category (`text-to-image`), where the document names it.
    pub(crate) fn category(&self) -> Option<&str> {
        self.category.as_deref()
    }

    /// The input schema: root `type: object`, no `$ref`, properties in fal's display order.
    pub(crate) fn input_schema(&self) -> &Value {
        &self.input
    }

    /// The schema of the result, in the same form; `{}` where fal does not describe it.
    pub(crate) fn output_schema(&self) -> &Value {
        &self.output
    }

    /// A minimal input that [`Self::check`] finds no fault with.
    pub(crate) fn example_input(&self) -> &Value {
        &self.example
    }

    /// What was left out of the check because the document contradicts itself or is incomplete.
    pub(crate) fn unsound(&self) -> &[String] {
        &self.unsound
    }

    /// `{endpoint_id, name, category, input_schema, output_schema, example_input}`, and `notes`
    /// where something was shortened or is not to be relied on.
    ///
    /// Its compact JSON has at most `max_chars` characters, provided that the ids alone leave room:
    /// detail goes in a fixed order, the least useful first.
    pub(crate) fn presentation(&self, max_chars: usize) -> Value {
        present::presentation(self, max_chars)
    }

    /// Compares an input with the schema: faults are reasons to refuse it, warnings are not.
    pub(crate) fn check(&self, input: &Value) -> Verdict {
        check::check(&self.input, self.validator.as_ref(), input)
    }

    /// Roughly what this value holds on the heap, in bytes, for a cache that is bounded in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Heap bytes per character of compact JSON: of a [`Value`], and of a [`Validator`] compiled from
/// it. Measured over fal's whole catalogue with a counting allocator.
const VALUE_BYTES_PER_CHAR: usize = 7;
const VALIDATOR_BYTES_PER_CHAR: usize = 13;

/// fal titles every document the same way; the rest of such a title is the endpoint id.
const QUEUE_TITLE: &str = "Queue OpenAPI for ";

fn model_name(endpoint_id: &str, info: Option<&Value>) -> String {
    info.and_then(|info| info.get("title"))
        .and_then(Value::as_str)
        .map(str::trim)
        .filter(|title| !title.is_empty() && !title.starts_with(QUEUE_TITLE))
        .unwrap_or(endpoint_id)
        .to_owned()
}

fn input_schema<'doc>(endpoint_id: &str, paths: &'doc Map<String, Value>) -> Option<&'doc Value> {
    let body = |path: &'doc Value| json_content(path.get("post")?.get("requestBody")?);
    paths.get(&format!("/{endpoint_id}")).and_then(body).or_else(|| paths.values().find_map(body))
}

/// The result of the queue's `GET`; in an app's own document, which has no queue, the answer to the
/// `POST`.
fn output_schema<'doc>(endpoint_id: &str, paths: &'doc Map<String, Value>) -> Option<&'doc Value> {
    let answer = |path: &'doc Value, method: &str| {
        json_content(path.get(method)?.get("responses")?.get("200")?)
    };
    paths
        .get(&format!("/{endpoint_id}/requests/{{request_id}}"))
        .and_then(|path| answer(path, "get"))
        .or_else(|| {
            paths
                .iter()
                .filter(|(name, _)| name.ends_with("/requests/{request_id}"))
                .find_map(|(_, path)| answer(path, "get"))
        })
        .or_else(|| {
            let posted = paths.values().find_map(|path| answer(path, "post"))?;
            let target = posted.get("$ref").and_then(Value::as_str).unwrap_or_default();
            (!target.ends_with("/QueueStatus")).then_some(posted)
        })
}

fn json_content(holder: &Value) -> Option<&Value> {
    let content = holder.get("content")?.as_object()?;
    content.get("application/json").or_else(|| content.values().next())?.get("schema")
}
