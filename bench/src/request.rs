//! The requests, as the bytes that go over the wire: as real clients send them, with the headers
//! they send.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::{Value, json};

/// A key that no account has: well-formed, which is all that the gateway and a fal-sim that takes
/// any key look at.
const BEARER: &str = "Bearer be7c4000-0000-4000-8000-000000000000:be7c40000000000000000000000000b1";
/// The same key in the header that fal itself takes.
pub(crate) const FAL_AUTHORIZATION: (&str, &str) =
    ("authorization", "Key be7c4000-0000-4000-8000-000000000000:be7c40000000000000000000000000b1");

/// The revision of MCP that the requests of its form speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// 2026-07-28: everything about a request in its `_meta` and mirrored in headers.
    Modern,
    /// 2025-06-18, after the handshake.
    Legacy,
}

impl Form {
    /// The revision's name.
    pub(crate) fn version(self) -> &'static str {
        match self {
            Self::Modern => "2026-07-28",
            Self::Legacy => "2025-06-18",
        }
    }
}

/// An MCP request with the caller's key. `name` is the tool's in a `tools/call`.
pub(crate) fn mcp(
    addr: SocketAddr,
    form: Form,
    method: &str,
    name: Option<&str>,
    params: Value,
) -> Vec<u8> {
    let mut headers = vec![
        ("authorization", BEARER),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", form.version()),
    ];
    let mut params = params;
    if form == Form::Modern {
        headers.push(("mcp-method", method));
        headers.extend(name.map(|name| ("mcp-name", name)));
        if let Some(members) = params.as_object_mut() {
            members.insert("_meta".to_owned(), meta(form));
        }
    }
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    post(addr, "/mcp", &headers, &body.to_string())
}

fn meta(form: Form) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": form.version(),
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": env!("CARGO_PKG_VERSION")},
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

/// `POST` with a JSON body.
pub(crate) fn post(addr: SocketAddr, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut request = head("POST", addr, path, headers);
    // Writing to a string does not fail.
    let _: std::fmt::Result = write!(
        request,
        "content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    request.into_bytes()
}

/// `GET`.
pub(crate) fn get(addr: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut request = head("GET", addr, path, headers);
    request.push_str("\r\n");
    request.into_bytes()
}

fn head(method: &str, addr: SocketAddr, path: &str, headers: &[(&str, &str)]) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {addr}\r\nuser-agent: bench\r\n");
    for (name, value) in headers {
        let _: std::fmt::Result = write!(head, "{name}: {value}\r\n");
    }
    head
}
