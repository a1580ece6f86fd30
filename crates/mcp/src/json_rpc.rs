//! JSON-RPC 2.0 as MCP uses it: one request or notification in, one response out. Batches and
//! responses are refused ([`Rejection`]).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::rejection::Rejection;

/// A request's `id`: a string or a number, given back as it came. (A job in fal's queue has a
/// `request_id` of its own; the two are never the same thing.)
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum RequestId {
    /// A number, kept in the form it was written in.
    Number(serde_json::Number),
    /// A string.
    String(String),
}

/// A request: it has an `id` and gets a response.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Given back in the response.
    pub id: RequestId,
    /// For example `tools/call`.
    pub method: String,
    /// `params`, empty where the message has none.
    pub params: Map<String, Value>,
}

/// A notification: it has no `id` and gets no response.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// For example `notifications/cancelled`.
    pub method: String,
    /// `params`, empty where the message has none.
    pub params: Map<String, Value>,
}

/// What a client may send.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Gets a response.
    Request(Request),
    /// Gets none.
    Notification(Notification),
}

/// The fields of a message before it is known which kind it is. `id: null` and no `id` are kept
/// apart: the first is a malformed request, the second a notification.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    jsonrpc: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "present")]
    id: Option<Value>,
    method: Option<Value>,
    params: Option<Value>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Message {
    /// Reads one message from a request body.
    pub fn decode(body: &[u8]) -> Result<Self, Rejection> {
        if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
            return Err(Rejection::Batch);
        }
        let wire: Wire<'_> = serde_json::from_slice(body).map_err(|error| {
            if error.is_data() {
                Rejection::InvalidRequest { id: None, reason: "the body is not a JSON-RPC object" }
            } else {
                Rejection::Parse { line: error.line(), column: error.column() }
            }
        })?;
        let id = wire.id.as_ref().and_then(RequestId::from_value);
        let invalid = |reason| Rejection::InvalidRequest { id: id.clone(), reason };
        if wire.jsonrpc.map(RawValue::get) != Some("\"2.0\"") {
            return Err(invalid("`jsonrpc` must be \"2.0\""));
        }
        let method = match wire.method {
            Some(Value::String(method)) => method,
            Some(_) => return Err(invalid("`method` must be a string")),
            None if wire.result.is_some() || wire.error.is_some() => {
                return Err(Rejection::Response);
            }
            None => return Err(invalid("`method` is missing")),
        };
        let params = match wire.params {
            None => Map::new(),
            Some(Value::Object(params)) => params,
            Some(_) => return Err(invalid("`params` must be an object")),
        };
        match (wire.id, id) {
            (None, _) => Ok(Self::Notification(Notification { method, params })),
            (Some(_), Some(id)) => Ok(Self::Request(Request { id, method, params })),
            (Some(_), None) => Err(Rejection::InvalidRequest {
                id: None,
                reason: "`id` must be a string or a number",
            }),
        }
    }
}

impl RequestId {
    /// The id that `value` is, if it is one.
    pub fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::String(text.clone())),
            Value::Number(number) => Some(Self::Number(number.clone())),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// A JSON-RPC error code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ErrorCode(pub i32);

impl ErrorCode {
    /// The body is not JSON.
    pub const PARSE_ERROR: Self = Self(-32700);
    /// The body is JSON, but not a request that may be sent.
    pub const INVALID_REQUEST: Self = Self(-32600);
    /// No such method.
    pub const METHOD_NOT_FOUND: Self = Self(-32601);
    /// The method exists, its `params` are wrong; also an unknown tool.
    pub const INVALID_PARAMS: Self = Self(-32602);
    /// A fault of the server's own.
    pub const INTERNAL_ERROR: Self = Self(-32603);
    /// A header is missing or contradicts the body (SEP-2243).
    pub const HEADER_MISMATCH: Self = Self(-32020);
    /// The client did not declare a capability that the request needs; `data` names it.
    pub const MISSING_REQUIRED_CLIENT_CAPABILITY: Self = Self(-32021);
    /// The version asked for is not implemented; `data` lists those that are (SEP-2575).
    pub const UNSUPPORTED_PROTOCOL_VERSION: Self = Self(-32022);
}

/// The `error` member of a response.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ErrorData {
    /// What kind of error.
    pub code: ErrorCode,
    /// What happened and what to do about it, for a person or a model.
    pub message: String,
    /// What the code's definition demands beside the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// `value` as compact JSON.
pub fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::new();
    write_json(&mut out, value);
    out
}

/// `{"jsonrpc":"2.0","id":…,"result":…}` as bytes.
pub fn encode_result(id: &RequestId, result: &impl Serialize) -> Vec<u8> {
    encode(Some(id), "result", result)
}

/// The same around a result that is serialised already: `tools/list` is made once and sent often.
pub fn encode_ready_result(id: &RequestId, result: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(result.len() + 64);
    out.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
    write_json(&mut out, id);
    out.extend_from_slice(br#","result":"#);
    out.extend_from_slice(result);
    out.push(b'}');
    out
}

/// `{"jsonrpc":"2.0","id":…,"error":…}` as bytes; without `id` where it could not be read.
pub fn encode_error(id: Option<&RequestId>, error: &ErrorData) -> Vec<u8> {
    encode(id, "error", error)
}

/// `{"jsonrpc":"2.0","method":…,"params":…}` as bytes.
pub fn encode_notification(method: &str, params: &impl Serialize) -> Vec<u8> {
    let mut out = br#"{"jsonrpc":"2.0","method":"#.to_vec();
    write_json(&mut out, method);
    out.extend_from_slice(br#","params":"#);
    write_json(&mut out, params);
    out.push(b'}');
    out
}

fn encode(id: Option<&RequestId>, member: &str, value: &impl Serialize) -> Vec<u8> {
    let mut out = br#"{"jsonrpc":"2.0""#.to_vec();
    if let Some(id) = id {
        out.extend_from_slice(br#","id":"#);
        write_json(&mut out, id);
    }
    out.extend_from_slice(b",\"");
    out.extend_from_slice(member.as_bytes());
    out.extend_from_slice(b"\":");
    write_json(&mut out, value);
    out.push(b'}');
    out
}

/// Our types serialise without failing: their maps have string keys and writing to memory cannot
/// fail. `null` keeps the message well-formed should that ever change.
fn write_json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    let start = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(body: &str) -> Result<Message, Rejection> {
        Message::decode(body.as_bytes())
    }

    #[test]
    fn a_message_with_an_id_is_a_request_and_one_without_is_a_notification() {
        let request = decode(r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#).unwrap();
        assert!(matches!(request, Message::Request(request)
            if request.id == RequestId::String("a".to_owned()) && request.params.is_empty()));
        let notification = decode(r#"{"jsonrpc":"2.0","method":"x","params":{"a":1}}"#).unwrap();
        assert!(matches!(notification, Message::Notification(message) if message.params["a"] == 1));
    }

    #[test]
    fn what_is_not_a_single_request_or_notification_is_refused_by_name() {
        let deep =
            format!("{{\"jsonrpc\":\"2.0\",\"params\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
        for (body, expected) in [
            ("{\"jsonrpc\":", "parse"),
            ("", "parse"),
            ("\u{feff}{}", "parse"),
            (deep.as_str(), "parse"),
            (" \n[{\"jsonrpc\":\"2.0\"}]", "batch"),
            ("42", "invalid_request"),
            (r#"{"id":1,"method":"ping"}"#, "invalid_request"),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, "invalid_request"),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, "invalid_request"),
            (r#"{"jsonrpc":"2.0","id":1}"#, "invalid_request"),
            (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, "invalid_request"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#, "invalid_request"),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, "invalid_request"),
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "response"),
            (r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}"#, "response"),
        ] {
            assert_eq!(decode(body).unwrap_err().kind(), expected, "{body:.60}");
        }
    }

    #[test]
    fn the_id_of_a_malformed_request_is_kept_where_it_can_be_read() {
        let error = decode(r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#).unwrap_err();
        assert_eq!(error.request_id(), Some(&RequestId::Number(7.into())));
    }

    #[test]
    fn a_ready_result_reads_the_same_as_a_serialised_one() {
        let id = RequestId::Number(3.into());
        let result = serde_json::json!({"tools": []});
        assert_eq!(
            encode_ready_result(&id, &serde_json::to_vec(&result).unwrap()),
            encode_result(&id, &result)
        );
        assert_eq!(
            encode_result(&id, &result),
            br#"{"jsonrpc":"2.0","id":3,"result":{"tools":[]}}"#
        );
    }

    #[test]
    fn an_error_without_a_readable_id_has_none() {
        let error = ErrorData { code: ErrorCode::PARSE_ERROR, message: "x".to_owned(), data: None };
        assert_eq!(
            encode_error(None, &error),
            br#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"x"}}"#
        );
    }
}
