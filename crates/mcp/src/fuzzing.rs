//! What holds for any bytes that a client may send, for the fuzz crate.

use http::{HeaderMap, HeaderValue};
use serde_json::Value;

use crate::json_rpc::{self, Message};
use crate::transport::{
    self, HEADER_MCP_METHOD, HEADER_MCP_NAME, HEADER_MCP_PROTOCOL_VERSION, Incoming,
};
use crate::version::Era;

/// The headers that mirror something of the body, in the order in which [`headers`] takes them.
const MIRRORS: [&str; 3] = [HEADER_MCP_PROTOCOL_VERSION, HEADER_MCP_METHOD, HEADER_MCP_NAME];

/// A body is a message, or refused with an answer that is JSON. An id comes back as it was sent.
pub fn message(body: &[u8]) {
    match Message::decode(body) {
        Ok(Message::Request(request)) => {
            let answer = json_rpc::encode_result(&request.id, &request.params);
            let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
            assert!(answer.get("result").is_some_and(Value::is_object));
            // What is skipped of a message, unlike what is read, need not be sound text.
            if let Ok(sent) = serde_json::from_slice::<Value>(body) {
                assert_eq!(answer.get("id"), sent.get("id"));
            }
        }
        Ok(Message::Notification(_)) => {}
        Err(rejection) => {
            assert!(rejection.http_status() >= 400, "a refusal of a body is no success");
            let answer = json_rpc::encode_error(rejection.request_id(), &rejection.error_data());
            let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
            assert_eq!(answer.pointer("/error/code"), Some(&rejection.code().0.into()));
        }
    }
}

/// A modern request that is let through has headers that say what its body says. The first three
/// lines are the values of the mirrored headers, none where a line is empty; the rest is the body.
pub fn headers(input: &[u8]) {
    let mut lines = input.splitn(MIRRORS.len() + 1, |byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    for (name, line) in MIRRORS.into_iter().zip(&mut lines) {
        if let (false, Ok(value)) = (line.is_empty(), HeaderValue::from_bytes(line)) {
            headers.insert(name, value);
        }
    }
    let Some(Ok(message)) = lines.next().map(Message::decode) else { return };
    let without_headers = transport::classify(None, message.clone());
    match transport::classify(Some(&headers), message) {
        Ok(Incoming::Request { era, version, request, .. }) => {
            assert!(era == Era::Modern || version.era() == Era::Legacy);
            if era == Era::Modern {
                let sent = |name| headers.get(name).and_then(|value| value.to_str().ok());
                assert_eq!(
                    sent(HEADER_MCP_PROTOCOL_VERSION).map(str::trim),
                    Some(version.as_str())
                );
                assert_eq!(sent(HEADER_MCP_METHOD).map(str::trim), Some(request.method.as_str()));
                assert!(
                    without_headers.is_ok(),
                    "headers only ever take away: {without_headers:?}"
                );
            }
        }
        Ok(Incoming::Notification(_)) => {}
        Err(rejection) => assert!(rejection.http_status() >= 400),
    }
}
