//! `params._meta`: what a request says about itself.

use serde_json::{Map, Value};

use crate::progress::ProgressToken;
use crate::task::TASKS_EXTENSION;

/// The version that the request speaks; required from 2026-07-28 on.
pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// What the client can do; required from 2026-07-28 on.
pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// The server's name and version, on every modern result.
pub const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// What we read of `params._meta`. Values of the wrong type read as absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestMeta {
    /// Whether [`CLIENT_CAPABILITIES`] is there and an object.
    pub has_client_capabilities: bool,
    /// Whether [`CLIENT_CAPABILITIES`] lists the Tasks extension.
    pub declares_tasks: bool,
    /// `progressToken`: the caller wants progress notifications.
    pub progress_token: Option<ProgressToken>,
    /// `traceparent`: the caller's span, in W3C's form. Not checked here ("As an exception to the
    /// prefix requirement", 2026-07-28, basic, "OpenTelemetry trace context"; SEP-414).
    pub traceparent: Option<String>,
    /// `tracestate`: what belongs to it.
    pub tracestate: Option<String>,
}

impl RequestMeta {
    /// Reads `_meta` out of a request's `params`.
    pub fn of(params: &Map<String, Value>) -> Self {
        let Some(meta) = params.get("_meta").and_then(Value::as_object) else {
            return Self::default();
        };
        let capabilities = meta.get(CLIENT_CAPABILITIES).and_then(Value::as_object);
        let extension =
            |name| capabilities.and_then(|all| all.get("extensions")).and_then(|all| all.get(name));
        let text = |key| meta.get(key).and_then(Value::as_str).map(str::to_owned);
        Self {
            has_client_capabilities: capabilities.is_some(),
            declares_tasks: extension(TASKS_EXTENSION).is_some_and(Value::is_object),
            progress_token: meta.get("progressToken").and_then(ProgressToken::from_value),
            traceparent: text("traceparent"),
            tracestate: text("tracestate"),
        }
    }
}

/// [`PROTOCOL_VERSION`] as written in a request's `params`.
pub(crate) fn protocol_version(params: &Map<String, Value>) -> Option<&str> {
    params.get("_meta")?.get(PROTOCOL_VERSION)?.as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_tasks_extension_is_declared_by_an_object_among_the_request_s_own_capabilities() {
        for (capabilities, declared) in [
            (json!({"extensions": {TASKS_EXTENSION: {}}}), true),
            (json!({"extensions": {TASKS_EXTENSION: true}}), false),
            (json!({"extensions": {}}), false),
            // The slot of 2025-11-25's experiment means nothing here.
            (json!({"tasks": {}}), false),
            (json!({}), false),
        ] {
            let params = json!({"_meta": {CLIENT_CAPABILITIES: capabilities}});
            let meta = RequestMeta::of(params.as_object().unwrap());
            assert_eq!(meta.declares_tasks, declared, "{params}");
        }
    }
}
