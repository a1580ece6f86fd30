//! How a client learns what it talks to: `initialize` (legacy), `server/discover` (modern), and the
//! fields that every modern result carries.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::json_rpc::{self, RequestId};
use crate::meta::SERVER_INFO;
use crate::task::TASKS_EXTENSION;
use crate::version::ProtocolVersion;

/// `serverInfo`: a name and a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Implementation {
    /// A short name, for programs.
    pub name: &'static str,
    /// A name for people.
    pub title: &'static str,
    /// The version of the implementation.
    pub version: &'static str,
}

/// `capabilities` of a server that has tools, and a tool list that never changes while it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Capabilities {
    /// An empty object: no `listChanged`.
    pub tools: Map<String, Value>,
    /// By identifier, each with its settings. Extensions are for modern callers: their
    /// capabilities come with each request.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub extensions: Map<String, Value>,
}

/// The result of `initialize`. Nothing is remembered from it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InitializeResult {
    /// See [`ProtocolVersion::negotiate`].
    pub protocol_version: &'static str,
    /// What the server has.
    pub capabilities: Capabilities,
    /// Who it is.
    pub server_info: Implementation,
    /// For the model; Claude Code cuts it at 4,096 characters.
    pub instructions: &'static str,
}

/// The result of `server/discover`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiscoverResult {
    /// Every version, oldest first.
    pub supported_versions: [&'static str; ProtocolVersion::ALL.len()],
    /// What the server has.
    pub capabilities: Capabilities,
    /// For the model.
    pub instructions: &'static str,
}

impl DiscoverResult {
    /// The result for a server with these `instructions` and the Tasks extension.
    pub fn new(instructions: &'static str) -> Self {
        Self {
            supported_versions: ProtocolVersion::ALL.map(ProtocolVersion::as_str),
            capabilities: Capabilities {
                extensions: Map::from_iter([(
                    TASKS_EXTENSION.to_owned(),
                    Value::Object(Map::new()),
                )]),
                ..Capabilities::default()
            },
            instructions,
        }
    }
}

/// How long, and for whom, a client may keep a result (2026-07-28, caching).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Caching {
    /// Milliseconds.
    pub ttl_ms: u64,
    /// `public` only where the result is the same for every caller.
    pub cache_scope: CacheScope,
}

/// Who may share a cached result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheScope {
    /// Anyone: the result does not depend on the caller.
    Public,
    /// The caller alone.
    Private,
}

/// A result as modern callers get it: with `resultType`, `serverInfo` in `_meta`, and caching hints
/// where the method demands them. Legacy callers get the result alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Complete<'a, T> {
    result_type: &'static str,
    #[serde(flatten)]
    result: &'a T,
    #[serde(flatten)]
    caching: Option<Caching>,
    #[serde(rename = "_meta")]
    meta: ServerMeta<'a>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ServerMeta<'a> {
    #[serde(rename = "io.modelcontextprotocol/serverInfo")]
    pub(crate) server_info: &'a Implementation,
}

impl<'a, T: Serialize> Complete<'a, T> {
    /// Wraps a finished result.
    pub fn new(result: &'a T, server_info: &'a Implementation, caching: Option<Caching>) -> Self {
        debug_assert_eq!(SERVER_INFO, "io.modelcontextprotocol/serverInfo");
        Self { result_type: "complete", result, caching, meta: ServerMeta { server_info } }
    }
}

impl Complete<'_, ()> {
    /// A whole response around a result that is serialised already: a JSON object, to which the
    /// members of [`Complete`] are added.
    pub fn ready(id: &RequestId, result: &[u8], server_info: &Implementation) -> Vec<u8> {
        let members = result.strip_suffix(b"}").unwrap_or(result);
        let meta = json_rpc::to_bytes(&ServerMeta { server_info });
        let mut whole = Vec::with_capacity(members.len() + meta.len() + 48);
        whole.extend_from_slice(members);
        whole.extend_from_slice(br#","resultType":"complete","_meta":"#);
        whole.extend_from_slice(&meta);
        whole.push(b'}');
        json_rpc::encode_ready_result(id, &whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: Implementation = Implementation { name: "n", title: "t", version: "1" };

    #[test]
    fn a_modern_result_carries_its_type_its_caching_and_who_made_it() {
        let discover = DiscoverResult::new("hello");
        let caching = Caching { ttl_ms: 5, cache_scope: CacheScope::Public };
        let value = serde_json::to_value(Complete::new(&discover, &SERVER, Some(caching))).unwrap();
        assert_eq!(
            value,
            serde_json::json!({
                "resultType": "complete",
                "supportedVersions":
                    ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"],
                "capabilities": {"tools": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}},
                "instructions": "hello",
                "ttlMs": 5,
                "cacheScope": "public",
                "_meta": {"io.modelcontextprotocol/serverInfo":
                    {"name": "n", "title": "t", "version": "1"}},
            })
        );
    }

    #[test]
    fn a_result_without_caching_rules_has_no_caching_fields() {
        let value = serde_json::to_value(Complete::new(&Map::new(), &SERVER, None)).unwrap();
        assert!(value.get("ttlMs").is_none() && value.get("cacheScope").is_none());
    }
}
