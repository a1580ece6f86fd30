//! A tool's arguments: checked against its schema with every problem at once, then read into its
//! struct.

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::error::ToolError;

/// The most problems that one answer names.
const MAX_PROBLEMS: usize = 10;
/// How much of a wrong value is repeated, in characters.
const MAX_SHOWN: usize = 80;

/// A tool's compiled `inputSchema`.
pub(super) struct Checker {
    tool: &'static str,
    properties: Map<String, Value>,
    /// `None` if the schema does not compile, which a test over all tools rules out.
    validator: Option<Validator>,
}

impl Checker {
    pub(super) fn new(tool: &'static str, schema: &Value) -> Self {
        let validator = jsonschema::validator_for(schema).ok();
        let properties =
            schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        Self { tool, properties, validator }
    }

    #[cfg(test)]
    pub(super) fn compiles(&self) -> bool {
        self.validator.is_some()
    }

    /// The arguments as they came, or every problem with them.
    pub(super) fn check(
        &self,
        arguments: Map<String, Value>,
    ) -> Result<Map<String, Value>, ToolError> {
        // Several clients send `null` for an argument that their model left out.
        let present = arguments.into_iter().filter(|(_, value)| !value.is_null()).collect();
        let arguments = Value::Object(present);
        let mut problems: Vec<String> = self
            .validator
            .iter()
            .flat_map(|validator| validator.iter_errors(&arguments))
            .flat_map(|error| self.problems(&error))
            .take(MAX_PROBLEMS)
            .collect();
        // A value of the wrong type breaks several keywords at once; one sentence says it.
        problems.dedup();
        match arguments {
            Value::Object(arguments) if problems.is_empty() => Ok(arguments),
            _ => Err(ToolError::InvalidArguments { tool: self.tool, problems }),
        }
    }

    fn problems(&self, error: &jsonschema::ValidationError<'_>) -> Vec<String> {
        match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                vec![format!("`{name}` is missing: {}", self.expected(name))]
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                unexpected.iter().map(|name| self.unknown(name)).collect()
            }
            _ => {
                let path = error.instance_path().to_string();
                let name = path.trim_start_matches('/').split('/').next().unwrap_or_default();
                let given = error.instance().to_string();
                let hint = match &**error.instance() {
                    Value::String(text)
                        if self.is_object(name) && text.trim_start().starts_with('{') =>
                    {
                        " (send the object itself, not a string that holds it)"
                    }
                    _ => "",
                };
                vec![format!(
                    "`{name}` is {}: expected {}{hint}",
                    shown(&given),
                    self.expected(name)
                )]
            }
        }
    }

    fn unknown(&self, name: &str) -> String {
        let nearest = self
            .properties
            .keys()
            .map(|known| (strsim::normalized_damerau_levenshtein(known, name), known))
            .filter(|(similarity, _)| *similarity >= 0.6)
            .max_by(|(a, _), (b, _)| a.total_cmp(b));
        let name = mcp::transport::shown(name);
        if let Some((_, known)) = nearest {
            return format!("`{name}` is not an argument; did you mean `{known}`?");
        }
        let known: Vec<&str> = self.properties.keys().map(String::as_str).collect();
        format!("`{name}` is not an argument; there are {}", known.join(", "))
    }

    fn is_object(&self, name: &str) -> bool {
        self.properties.get(name).and_then(|schema| schema.get("type"))
            == Some(&Value::String("object".to_owned()))
    }

    /// What an argument takes, read from its schema.
    fn expected(&self, name: &str) -> String {
        let Some(schema) = self.properties.get(name) else {
            return "an object of arguments".to_owned();
        };
        if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
            let choices: Vec<&str> = choices.iter().filter_map(Value::as_str).collect();
            return format!("one of {}", choices.join(", "));
        }
        let limit = |keyword: &str| schema.get(keyword).map(Value::to_string);
        let range = match (limit("minimum"), limit("maximum")) {
            (Some(least), Some(most)) => format!(" from {least} to {most}"),
            (Some(least), None) => format!(", at least {least}"),
            (None, Some(most)) => format!(", at most {most}"),
            (None, None) => String::new(),
        };
        let kind = match schema.get("type").and_then(Value::as_str).unwrap_or_default() {
            "string" => "a text",
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "true or false",
            "object" => "an object",
            _ => "another value",
        };
        let length = limit("maxLength").map(|most| format!(" of at most {most} characters"));
        format!("{kind}{range}{}", length.unwrap_or_default())
    }
}

/// Reads checked arguments into a tool's struct. A schema that lets something through that the
/// struct does not take is a fault of ours; the caller still learns what was wrong.
pub(super) fn parse<T: DeserializeOwned>(
    tool: &'static str,
    arguments: Map<String, Value>,
) -> Result<T, ToolError> {
    serde_json::from_value(Value::Object(arguments))
        .map_err(|error| ToolError::InvalidArguments { tool, problems: vec![error.to_string()] })
}

/// Reads an endpoint id, saying which argument it was if it is none.
pub(super) fn endpoint_id(tool: &'static str, text: &str) -> Result<fal::EndpointId, ToolError> {
    fal::EndpointId::parse(text).map_err(|error| ToolError::InvalidArguments {
        tool,
        problems: vec![format!("`endpoint_id` is {}: {error}", shown(text))],
    })
}

/// The arguments of a tool that takes a job and nothing else.
#[derive(Debug, Deserialize)]
struct JobArguments {
    endpoint_id: String,
    request_id: String,
}

/// The schemas of a job's two ids.
fn job_properties() -> Map<String, Value> {
    Map::from_iter([
        (
            "endpoint_id".to_owned(),
            json!({"type": "string", "maxLength": 256,
                "description": "The model's id, as given to run_model or submit_job."}),
        ),
        (
            "request_id".to_owned(),
            json!({"type": "string", "maxLength": 128,
                "description": "The job's id, as returned by run_model or submit_job."}),
        ),
    ])
}

/// The `inputSchema` of a tool that takes a job and `properties` of its own.
pub(super) fn job_schema(properties: Map<String, Value>) -> Value {
    let mut all = job_properties();
    all.extend(properties);
    json!({
        "type": "object",
        "properties": all,
        "required": ["endpoint_id", "request_id"],
        "additionalProperties": false,
    })
}

/// Reads the arguments of a tool that takes a job and nothing else.
pub(super) fn parse_job(
    tool: &'static str,
    arguments: Map<String, Value>,
) -> Result<fal::Job, ToolError> {
    let arguments: JobArguments = parse(tool, arguments)?;
    job(tool, &arguments.endpoint_id, &arguments.request_id)
}

/// Reads a job's two ids.
pub(super) fn job(
    tool: &'static str,
    endpoint: &str,
    request: &str,
) -> Result<fal::Job, ToolError> {
    let endpoint_id = endpoint_id(tool, endpoint)?;
    let request_id =
        fal::RequestId::parse(request).map_err(|error| ToolError::InvalidArguments {
            tool,
            problems: vec![format!("`request_id` is {}: {error}", shown(request))],
        })?;
    Ok(fal::Job::new(endpoint_id, request_id))
}

fn shown(text: &str) -> String {
    let mut shown: String =
        text.chars().filter(|character| !character.is_control()).take(MAX_SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(arguments: Value) -> Vec<String> {
        let checker = Checker::new(
            "search",
            &json!({
                "type": "object",
                "properties": {
                    "query": {"type": "string", "maxLength": 5},
                    "limit": {"type": "integer", "minimum": 1, "maximum": 100},
                    "status": {"type": "string", "enum": ["active", "deprecated"]},
                    "input": {"type": "object"},
                },
                "required": ["query"],
                "additionalProperties": false,
            }),
        );
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        match checker.check(arguments) {
            Ok(_) => Vec::new(),
            Err(ToolError::InvalidArguments { problems, .. }) => problems,
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_problem_says_which_argument_what_was_given_and_what_is_accepted() {
        for (arguments, expected) in [
            (json!({}), "`query` is missing: a text of at most 5 characters"),
            (
                json!({"query": "q", "limit": 500}),
                "`limit` is 500: expected a whole number from 1 to 100",
            ),
            (
                json!({"query": "q", "status": "old"}),
                "`status` is \"old\": expected one of active, deprecated",
            ),
            (
                json!({"query": "q", "querry": 1}),
                "`querry` is not an argument; did you mean `query`?",
            ),
            (
                json!({"query": "q", "zzz": 1}),
                "`zzz` is not an argument; there are query, limit, status, input",
            ),
            (json!({"query": 7}), "`query` is 7: expected a text of at most 5 characters"),
            (
                json!({"query": "q", "input": "{\"prompt\":\"x\"}"}),
                "`input` is \"{\\\"prompt\\\":\\\"x\\\"}\": expected an object (send the object itself, not a string that holds it)",
            ),
        ] {
            assert_eq!(problems(arguments), [expected]);
        }
    }

    #[test]
    fn all_problems_come_at_once() {
        assert_eq!(problems(json!({"limit": 0, "status": 1, "x": 1})).len(), 4);
    }

    #[test]
    fn an_argument_that_is_null_counts_as_left_out() {
        assert_eq!(problems(json!({"query": "q", "limit": null})), Vec::<String>::new());
    }

    #[test]
    fn a_huge_wrong_value_is_not_repeated_whole() {
        let problem = problems(json!({"query": "x".repeat(100_000)})).remove(0);
        assert!(problem.len() < 200, "{}", problem.len());
    }
}
