//! The validator's complaints about one input, turned into findings: where, what was given, what is
//! accepted, and whether it is a reason to refuse.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::{Map, Value};

use super::check::Fault;
use super::explain::{accepted, any_of, count, given, listed, name, nearest, rewrapped};
use super::keywords::{is_type, one_line, property, type_of};

/// The path of the input as a whole.
pub(super) const ROOT: &str = "(root)";
/// Characters of one problem, of one path.
const MAX_PROBLEM: usize = 1_000;
const MAX_PATH: usize = 200;
/// Unexpected properties that are named.
const MAX_NAMED: usize = 10;

/// How telling a finding is, among those of alternatives that all failed; the first is the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// Not a reason to refuse.
    Warning,
    /// The value has the right type, and something about it or in it is wrong.
    Inside,
    /// Not one of the listed values, though of their type.
    Unlisted,
    /// Of another type altogether.
    Type,
}

#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) path: String,
    problem: String,
    /// What to send instead, told last.
    hint: Option<String>,
    nearest: Option<String>,
    pub(super) rank: Rank,
}

impl Finding {
    pub(super) fn fault(self) -> Fault {
        let problem = one_line(&self.problem, MAX_PROBLEM);
        Fault {
            path: self.path,
            problem: match self.hint {
                Some(hint) => format!("{problem}; {}", one_line(&hint, MAX_PROBLEM)),
                None => problem,
            },
            nearest: self.nearest,
        }
    }

    pub(super) fn warning(self) -> String {
        one_line(&format!("`{}`: {}", self.path, self.problem), MAX_PROBLEM)
    }
}

/// Turns the validator's complaints about one input into findings.
pub(super) struct Judge<'a> {
    pub(super) schema: &'a Value,
    /// The input as it was given, for lengths that the sketch may have lost.
    pub(super) input: &'a Value,
}

impl Judge<'_> {
    /// Adds what one complaint of the validator comes to.
    pub(super) fn error(&self, error: &ValidationError<'_>, findings: &mut Vec<Finding>) {
        let value = error.instance().as_ref();
        let finding = match error.kind() {
            Kind::AnyOf { context } => {
                return self.alternatives(error, context, findings);
            }
            Kind::Required { property } => {
                self.missing(error, property.as_str().unwrap_or_default())
            }
            Kind::Type { .. } => self.mistyped(error),
            Kind::Enum { options } => {
                self.unlisted(error, options.as_array().map_or(&[], Vec::as_slice))
            }
            Kind::MultipleOf { multiple_of } => {
                let nearest = nearest_multiple(value, *multiple_of);
                Finding {
                    path: self.path(error),
                    problem: format!("{} is not a multiple of {multiple_of}", given(value)),
                    hint: nearest.as_ref().map(|near| format!("the nearest is {near}")),
                    nearest,
                    rank: Rank::Inside,
                }
            }
            kind => {
                let out_of_range = self.out_of_range(error, kind);
                let rank = if out_of_range.is_some() { Rank::Inside } else { Rank::Warning };
                Finding {
                    path: self.path(error),
                    problem: out_of_range.unwrap_or_else(|| doubt(value, kind)),
                    hint: None,
                    nearest: None,
                    rank,
                }
            }
        };
        findings.push(finding);
    }

    /// None of several schemas fits: the findings of the one that was most probably meant.
    fn alternatives(
        &self,
        error: &ValidationError<'_>,
        context: &[Vec<ValidationError<'static>>],
        findings: &mut Vec<Finding>,
    ) {
        let mut best: Option<(Rank, Vec<Finding>)> = None;
        let path = self.path(error);
        for errors in context {
            let mut branch = Vec::new();
            for error in errors {
                self.error(error, &mut branch);
            }
            // A fault deeper than the value itself says that its type was right.
            let rank = |finding: &Finding| match finding.rank {
                Rank::Warning => Rank::Warning,
                _ if finding.path != path => Rank::Inside,
                rank => rank,
            };
            let rank = branch.iter().map(rank).max().unwrap_or(Rank::Warning);
            let better = best
                .as_ref()
                .is_none_or(|(best_rank, best)| (rank, branch.len()) < (*best_rank, best.len()));
            if better {
                best = Some((rank, branch));
            }
        }
        let Some((rank, mut branch)) = best else {
            return;
        };
        match (rank, branch.first_mut()) {
            (Rank::Type, Some(finding)) => {
                let value = error.instance().as_ref();
                let branches = self.branches(error);
                findings.push(Finding {
                    path,
                    problem: mistyped(value, &any_of(branches.iter().copied())),
                    hint: branches.iter().find_map(|branch| rewrapped(value, branch)),
                    nearest: finding.nearest.take(),
                    rank,
                });
            }
            (Rank::Unlisted, Some(finding)) => {
                let branches = self.branches(error);
                let others = branches.into_iter().filter(|branch| !branch.contains_key("enum"));
                let others = any_of(others);
                if !others.is_empty() {
                    finding.problem = format!("{}, or {others}", finding.problem);
                }
                findings.append(&mut branch);
            }
            _ => findings.append(&mut branch),
        }
    }

    fn missing(&self, error: &ValidationError<'_>, wanted: &str) -> Finding {
        let object = self.schema_of(error);
        let wants = object
            .and_then(|object| property(object, wanted))
            .map_or_else(String::new, |schema| format!(" ({})", accepted(schema)));
        let unknown = error
            .instance()
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .filter(|sent| object.is_some_and(|object| property(object, sent).is_none()));
        let nearest = nearest(wanted, unknown.map(String::as_str));
        let parent = self.path(error);
        let wanted = one_line(wanted, MAX_PATH);
        Finding {
            path: if parent == ROOT { wanted } else { format!("{parent}.{wanted}") },
            problem: format!("required, but missing{wants}"),
            hint: nearest.map(|sent| format!("{} was sent instead", name(sent))),
            nearest: nearest.map(|sent| one_line(sent, MAX_PATH)),
            rank: Rank::Inside,
        }
    }

    fn mistyped(&self, error: &ValidationError<'_>) -> Finding {
        let value = error.instance().as_ref();
        let schema = self.schema_of(error);
        let accepts = schema.map_or_else(|| "another type".to_owned(), accepted);
        Finding {
            path: self.path(error),
            problem: mistyped(value, &accepts),
            hint: schema.and_then(|schema| rewrapped(value, schema)),
            nearest: None,
            rank: Rank::Type,
        }
    }

    fn unlisted(&self, error: &ValidationError<'_>, options: &[Value]) -> Finding {
        let value = error.instance().as_ref();
        let text = plain(value);
        let options: Vec<&Value> = options.iter().filter(|option| !option.is_null()).collect();
        let texts: Vec<String> = options.iter().map(|option| plain(option)).collect();
        let near = match value {
            Value::Array(_) | Value::Object(_) | Value::Null => None,
            _ => nearest(&text, texts.iter().map(String::as_str)),
        };
        let meant = options.iter().find(|option| near.is_some_and(|near| plain(option) == near));
        let hint = meant.map(|meant| {
            if plain(meant) == text {
                format!("send {}, not {}", given(meant), given(value))
            } else {
                format!("did you mean {}?", given(meant))
            }
        });
        let same_type = options.iter().any(|option| is_type(type_of(value), type_of(option)));
        Finding {
            path: self.path(error),
            problem: format!("{} is not accepted; accepted: {}", given(value), listed(&options)),
            hint,
            nearest: near.map(|near| one_line(near, MAX_PATH)),
            rank: if same_type || meant.is_some() { Rank::Unlisted } else { Rank::Type },
        }
    }

    /// The problem, if the complaint is about a bound.
    fn out_of_range(&self, error: &ValidationError<'_>, kind: &Kind) -> Option<String> {
        let value = error.instance().as_ref();
        let original = self.input.pointer(error.instance_path().as_str()).unwrap_or(value);
        let shown = given(value);
        let length = || match original {
            Value::String(text) => count(text.chars().count(), "character"),
            Value::Array(items) => count(items.len(), "item"),
            Value::Object(properties) => count(properties.len(), "key"),
            _ => given(original),
        };
        Some(match kind {
            Kind::Maximum { limit } => format!("{shown} is more than the maximum {limit}"),
            Kind::Minimum { limit } => format!("{shown} is less than the minimum {limit}"),
            Kind::ExclusiveMaximum { limit } => format!("{shown} is not below the limit {limit}"),
            Kind::ExclusiveMinimum { limit } => format!("{shown} is not above the limit {limit}"),
            Kind::MaxLength { limit }
            | Kind::MaxItems { limit }
            | Kind::MaxProperties { limit } => {
                format!("{} given; at most {limit} accepted", length())
            }
            Kind::MinLength { limit }
            | Kind::MinItems { limit }
            | Kind::MinProperties { limit } => {
                format!("{} given; at least {limit} accepted", length())
            }
            _ => return None,
        })
    }

    /// The schema, as it is shown, that holds the keyword an error is about. The rules have the same
    /// structure, so one's path leads in the other.
    fn schema_of(&self, error: &ValidationError<'_>) -> Option<&Map<String, Value>> {
        let (schema, _) = error.schema_path().as_str().rsplit_once('/')?;
        self.schema.pointer(schema)?.as_object()
    }

    fn branches(&self, error: &ValidationError<'_>) -> Vec<&Map<String, Value>> {
        let branches = self.schema.pointer(error.schema_path().as_str());
        let branches = branches.and_then(Value::as_array).into_iter().flatten();
        branches.filter_map(Value::as_object).collect()
    }

    /// `/loras/0/path` as `loras[0].path`.
    fn path(&self, error: &ValidationError<'_>) -> String {
        let mut path = String::new();
        let mut here = Some(self.input);
        for segment in error.instance_path().as_str().split('/').skip(1) {
            let segment = segment.replace("~1", "/").replace("~0", "~");
            if let Some(Value::Array(items)) = here {
                here = segment.parse().ok().and_then(|index: usize| items.get(index));
                path.extend(["[", &segment, "]"]);
            } else {
                here = here.and_then(|value| value.get(&segment));
                path.extend([if path.is_empty() { "" } else { "." }, &segment]);
            }
        }
        if path.is_empty() { ROOT.to_owned() } else { one_line(&path, MAX_PATH) }
    }
}

/// The problem with a value of the wrong type.
fn mistyped(value: &Value, accepts: &str) -> String {
    let kind = if value.is_string() { "the string " } else { "" };
    format!("{kind}{} is given; accepted: {accepts}", given(value))
}

/// A value as text: `"5"` and `5` are the same here.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn nearest_multiple(value: &Value, step: f64) -> Option<String> {
    let near = (value.as_f64()? / step).round() * step;
    // Steps such as 0.1 have no exact binary form; nine digits hide that.
    let text = format!("{near:.9}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    near.is_finite().then(|| text.to_owned())
}

/// A complaint that is fal's to judge.
fn doubt(value: &Value, kind: &Kind) -> String {
    match kind {
        Kind::Format { format } => {
            format!("{} does not look like {}", given(value), name(format))
        }
        Kind::Pattern { pattern } => {
            format!("{} does not match the pattern {}", given(value), name(pattern))
        }
        Kind::AdditionalProperties { unexpected } => {
            let names: Vec<String> =
                unexpected.iter().take(MAX_NAMED).map(|word| name(word)).collect();
            format!("{} not described by the model's schema", names.join(", "))
        }
        Kind::UniqueItems => "the items should differ from each other".to_owned(),
        other => format!("the schema's {} is not met", name(other.keyword())),
    }
}
