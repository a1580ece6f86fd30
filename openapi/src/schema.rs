//! One schema of the description, compiled, and the sentences about a value that does not match.

use std::cmp::Reverse;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Value, json};

use crate::ContractError;
use crate::document::Document;

/// Long values are cut to this many characters in a sentence.
const MAX_SENTENCE: usize = 300;

/// A compiled schema and how a header's or a parameter's text becomes a value for it.
#[derive(Debug)]
pub(crate) struct Schema {
    validator: Validator,
    form: TextForm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TextForm {
    /// The text is the value.
    Text,
    /// The text is a number or a boolean.
    Scalar,
    /// Every occurrence is one item of a list.
    List,
    /// The text is a JSON document.
    Json,
}

impl Schema {
    /// Compiles a schema for values that arrive as JSON, or as texts in the form of its `type`.
    pub(crate) fn compile(
        document: &Document,
        schema: &Value,
        place: &str,
    ) -> Result<Self, ContractError> {
        let form = match document.resolve(schema)?.get("type").and_then(Value::as_str) {
            Some("array") => TextForm::List,
            Some("boolean" | "integer" | "number") => TextForm::Scalar,
            _ => TextForm::Text,
        };
        Self::with_form(document, schema, form, place)
    }

    /// Compiles a schema for a text that is a JSON document in itself.
    pub(crate) fn compile_json_text(
        document: &Document,
        schema: &Value,
        place: &str,
    ) -> Result<Self, ContractError> {
        Self::with_form(document, schema, TextForm::Json, place)
    }

    fn with_form(
        document: &Document,
        schema: &Value,
        form: TextForm,
        place: &str,
    ) -> Result<Self, ContractError> {
        // References start at the document's root, so the reusable parts come along.
        let root = json!({ "allOf": [schema], "components": document.components() });
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .build(&root)
            .map_err(|error| ContractError::Schema {
                place: place.to_owned(),
                source: Box::new(error),
            })?;
        Ok(Self { validator, form })
    }

    pub(crate) fn matches(&self, value: &Value) -> bool {
        self.validator.is_valid(value)
    }

    /// Adds a sentence to `found` for each place where `value` does not match.
    pub(crate) fn check(&self, what: &str, value: &Value, found: &mut Vec<String>) {
        for error in self.validator.iter_errors(value) {
            describe(what, &error, found);
        }
    }

    /// The same for what a header or a query parameter says; `texts` are all its occurrences.
    pub(crate) fn check_texts(&self, what: &str, texts: &[String], found: &mut Vec<String>) {
        if self.form == TextForm::List {
            return self.check(what, &json!(texts), found);
        }
        let [text] = texts else {
            found.push(format!("{what} occurs {} times", texts.len()));
            return;
        };
        let value = match self.form {
            TextForm::Text | TextForm::List => Value::String(text.clone()),
            // A text that is no JSON stays a text, which the schema then refuses by its type.
            TextForm::Scalar => {
                serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone()))
            }
            TextForm::Json => match serde_json::from_str(text) {
                Ok(value) => value,
                Err(error) => {
                    found.push(format!("{what} is not JSON: {error}"));
                    return;
                }
            },
        };
        self.check(what, &value, found);
    }
}

/// Of several alternatives that all failed, one whose fixed words are right is what was meant;
/// among those, the one that the value followed deepest, then the one with the fewest mistakes.
fn describe(what: &str, error: &ValidationError<'_>, found: &mut Vec<String>) {
    let alternatives = match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            context.as_slice()
        }
        _ => &[],
    };
    let nearest = alternatives.iter().min_by_key(|errors| {
        let wrong_words = errors.iter().filter(|error| is_wrong_word(error)).count();
        let depth = errors.iter().map(depth).max();
        (wrong_words, Reverse(depth), errors.len())
    });
    match nearest {
        Some(nearest) if !nearest.is_empty() => {
            for error in nearest {
                describe(what, error, found);
            }
        }
        _ => {
            let mut sentence = error.to_string();
            if let Some((end, _)) = sentence.char_indices().nth(MAX_SENTENCE) {
                sentence.truncate(end);
                sentence.push('…');
            }
            match error.instance_path().as_str() {
                "" => found.push(format!("{what}: {sentence}")),
                path => found.push(format!("{what} {path}: {sentence}")),
            }
        }
    }
}

fn is_wrong_word(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), ValidationErrorKind::Constant { .. })
}

fn depth(error: &ValidationError<'_>) -> usize {
    error.instance_path().as_str().matches('/').count()
}
