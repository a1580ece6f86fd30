//! An input held against a model's rules: what must be refused, what the caller should only know.
//!
//! Four kinds of fault refuse: something required is missing, a value is not one of those listed, is out
//! of range, or has the wrong type. Anything else is fal's to decide, and becomes a warning.

use std::collections::HashSet;
use std::fmt;

use jsonschema::Validator;
use serde_json::{Map, Value};

use super::explain::{count, given, name, nearest};
use super::judge::{Judge, ROOT, Rank};
use super::keywords::{admits_null, property};

/// Faults and warnings that are told; a caller who mends these learns of the rest.
const MAX_TOLD: usize = 10;
/// Values in an input whose faults are explained. A fault costs memory, and one input can have as many
/// faults as values; no fal model takes nearly as many.
const MAX_EXPLAINED: usize = 5_000;
/// Unknown properties that are compared with the known ones.
const MAX_UNKNOWN: usize = 100;
/// Bytes of a string that are looked at while explaining: the validator copies what it complains of,
/// and an image can be a string of megabytes.
const MAX_STRING: usize = 256 * 1024;

/// What came of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Reasons to refuse the input; at most ten.
    pub(crate) faults: Vec<Fault>,
    /// What the caller should know of an input that may be sent; at most ten.
    pub(crate) warnings: Vec<String>,
}

/// One reason to refuse an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Where: `image_size.width`, `loras[0].path`, or `(root)`.
    pub(crate) path: String,
    /// What was given and what is accepted, in one sentence without a full stop.
    pub(crate) problem: String,
    /// What was probably meant: an accepted value, or for a missing property the name that was sent.
    pub(crate) nearest: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.path, self.problem)
    }
}

/// Holds `input` against the flattened schema and the validator made from it.
pub(super) fn check(schema: &Value, validator: Option<&Validator>, input: &Value) -> Verdict {
    let mut verdict = Verdict::default();
    let Some(properties) = input.as_object() else {
        verdict.faults.push(Fault {
            path: ROOT.to_owned(),
            problem: format!(
                "{} is given; an object with the model's inputs is accepted",
                given(input)
            ),
            nearest: None,
        });
        return verdict;
    };
    let mut findings = Vec::new();
    if let Some(validator) = validator.filter(|validator| !validator.is_valid(input)) {
        let judge = Judge { schema, input };
        let mut values = 0;
        if let Some(sketch) = sketch(input, &mut values) {
            for error in validator.iter_errors(&sketch) {
                judge.error(&error, &mut findings);
            }
        }
        if findings.is_empty() {
            let unsure = "the input does not match the model's schema in full; fal decides";
            verdict.warnings.push(unsure.to_owned());
        }
    }
    let mut told = HashSet::new();
    for finding in findings {
        if finding.rank == Rank::Warning {
            verdict.warnings.push(finding.warning());
        } else if told.insert(finding.path.clone()) {
            verdict.faults.push(finding.fault());
        }
    }
    warn_of_unknown(schema, properties, &mut verdict.warnings);
    warn_of_null(schema, properties, &mut verdict);
    let untold = verdict.faults.len().saturating_sub(MAX_TOLD);
    if untold > 0 {
        let more = format!("{} not listed", count(untold, "more fault"));
        verdict.warnings.insert(0, more);
    }
    verdict.faults.truncate(MAX_TOLD);
    verdict.warnings.truncate(MAX_TOLD);
    verdict
}

/// A copy of the input with long strings cut, or nothing if it has too many values to explain.
fn sketch(value: &Value, values: &mut usize) -> Option<Value> {
    *values += 1;
    if *values > MAX_EXPLAINED {
        return None;
    }
    Some(match value {
        Value::String(text) if text.len() > MAX_STRING => {
            let end = text.floor_char_boundary(MAX_STRING);
            Value::String(text.get(..end).unwrap_or_default().to_owned())
        }
        Value::Array(items) => {
            let items: Option<Vec<Value>> = items.iter().map(|item| sketch(item, values)).collect();
            Value::Array(items?)
        }
        Value::Object(properties) => {
            let sketched =
                properties.iter().map(|(name, value)| Some((name.clone(), sketch(value, values)?)));
            Value::Object(sketched.collect::<Option<_>>()?)
        }
        plain => plain.clone(),
    })
}

fn warn_of_unknown(schema: &Value, given: &Map<String, Value>, warnings: &mut Vec<String>) {
    let Some(Value::Object(known)) = schema.get("properties") else {
        return;
    };
    let open = schema.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false));
    let unknown = given.keys().filter(|sent| !known.contains_key(*sent));
    for sent in unknown.take(MAX_UNKNOWN) {
        if warnings.len() >= MAX_TOLD {
            return;
        }
        let absent = known.keys().map(String::as_str).filter(|name| !given.contains_key(*name));
        match nearest(sent, absent) {
            Some(near) => warnings.push(format!(
                "{} is not an input of this model; did you mean {}?",
                name(sent),
                name(near)
            )),
            None if open => {}
            None => warnings.push(format!("{} is not an input of this model", name(sent))),
        }
    }
}

fn warn_of_null(schema: &Value, given: &Map<String, Value>, verdict: &mut Verdict) {
    let Some(schema) = schema.as_object() else {
        return;
    };
    for (sent, _) in given.iter().filter(|(_, value)| value.is_null()) {
        let refused = verdict.faults.iter().any(|fault| fault.path == *sent);
        if !refused && property(schema, sent).is_some_and(|schema| !admits_null(schema)) {
            let sent = name(sent);
            let warning =
                format!("{sent}: null is not described by the schema; leave it out instead");
            verdict.warnings.push(warning);
        }
    }
}
