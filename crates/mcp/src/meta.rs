//! `params._meta`: what a request says about itself.

use serde_json::{Map, Value};

use crate::progress::ProgressToken;

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
    /// `progressToken`: the caller wants progress notifications.
    pub progress_token: Option<ProgressToken>,
}

impl RequestMeta {
    /// Reads `_meta` out of a request's `params`.
    pub fn of(params: &Map<String, Value>) -> Self {
        let Some(meta) = params.get("_meta").and_then(Value::as_object) else {
            return Self::default();
        };
        Self {
            has_client_capabilities: meta.get(CLIENT_CAPABILITIES).is_some_and(Value::is_object),
            progress_token: meta.get("progressToken").and_then(ProgressToken::from_value),
        }
    }
}

/// [`PROTOCOL_VERSION`] as written in a request's `params`.
pub(crate) fn protocol_version(params: &Map<String, Value>) -> Option<&str> {
    params.get("_meta")?.get(PROTOCOL_VERSION)?.as_str()
}
