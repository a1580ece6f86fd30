//! `notifications/progress`: sent on a request's own stream, and only to callers that gave a token.

use serde::Serialize;
use serde_json::Value;

/// The caller's token, given back with each notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ProgressToken {
    /// A number.
    Number(serde_json::Number),
    /// A string.
    String(String),
}

impl ProgressToken {
    /// The token that `value` is, if it is one.
    pub fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::String(text.clone())),
            Value::Number(number) => Some(Self::Number(number.clone())),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// The `params` of `notifications/progress`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// The caller's token.
    pub progress_token: ProgressToken,
    /// Rises with each notification of a request, "even if the total is unknown".
    pub progress: f64,
    /// What is going on, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl Progress {
    /// The method that carries these params.
    pub const METHOD: &'static str = "notifications/progress";
}
