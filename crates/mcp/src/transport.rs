//! Streamable HTTP as pure functions: which era a message belongs to, and whether its headers agree
//! with its body (2026-07-28, transports, "Request Metadata"; SEP-2243).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};

use crate::json_rpc::{Message, Notification, Request, RequestId};
use crate::meta::{CLIENT_CAPABILITIES, PROTOCOL_VERSION, RequestMeta, protocol_version};
use crate::rejection::Rejection;
use crate::task::TaskMethod;
use crate::version::{Era, ProtocolVersion, reads_as_modern};

/// Mirrors `_meta`'s protocol version.
pub const HEADER_MCP_PROTOCOL_VERSION: &str = "mcp-protocol-version";
/// Mirrors `method`.
pub const HEADER_MCP_METHOD: &str = "mcp-method";
/// Mirrors `params.name` (`tools/call`, `prompts/get`), `params.uri` (`resources/read`) or
/// `params.taskId` (`tasks/…`).
pub const HEADER_MCP_NAME: &str = "mcp-name";

/// A message that may be served, and by which rules.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// Gets a response.
    Request {
        /// The rules it follows.
        era: Era,
        /// The version it speaks.
        version: ProtocolVersion,
        /// What it says about itself.
        meta: RequestMeta,
        /// The request.
        request: Request,
    },
    /// Gets 202 and no body: no notification of a client means anything to a stateless server.
    Notification(Notification),
}

/// Whether the caller takes an SSE stream. JSON is always an answer it gets: an `Accept` that lists
/// neither form, or is missing, is met with JSON rather than with 406, because the clients that
/// send one read JSON.
pub fn accepts_event_stream(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|range| range.split(';').next().unwrap_or_default().trim())
        .any(|range| range.eq_ignore_ascii_case("text/event-stream"))
}

/// The body must be declared as JSON; parameters such as `charset` are ignored.
pub fn check_content_type(headers: &HeaderMap) -> Result<(), Rejection> {
    let essence = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Rejection::ContentType)
    }
}

/// Chooses the era and checks the mirrored headers.
///
/// A version in `_meta` or `server/discover` is modern; `initialize` without one is legacy whatever
/// version it names; a version header from 2026-07-28 on is modern; everything else is legacy.
///
/// `headers` is `None` on stdio, which has no header layer ("All request metadata for the stdio
/// transport is carried inline"): there the body alone decides.
pub fn classify(headers: Option<&HeaderMap>, message: Message) -> Result<Incoming, Rejection> {
    let request = match message {
        Message::Request(request) => request,
        // "header requirements for notification POSTs are not defined by this revision"
        Message::Notification(notification) => return Ok(Incoming::Notification(notification)),
    };
    let meta = RequestMeta::of(&request.params);
    let version_in_body = protocol_version(&request.params);
    let version_header = match headers {
        Some(headers) => single(headers, HEADER_MCP_PROTOCOL_VERSION, &request.id)?,
        None => version_in_body,
    };
    let modern = version_in_body.is_some()
        || request.method == "server/discover"
        || (request.method != "initialize" && version_header.is_some_and(reads_as_modern));
    let (era, version) = if modern {
        modern_version(&request, version_in_body, version_header)?
    } else {
        (Era::Legacy, legacy_version(&request, version_header)?)
    };
    if let Some(headers) = headers {
        check_mirrors(headers, &request, era)?;
    }
    if era == Era::Modern && !meta.has_client_capabilities {
        return Err(Rejection::MetaMissing { id: request.id, key: CLIENT_CAPABILITIES });
    }
    Ok(Incoming::Request { era, version, meta, request })
}

fn modern_version(
    request: &Request,
    in_body: Option<&str>,
    header: Option<&str>,
) -> Result<(Era, ProtocolVersion), Rejection> {
    let Some(in_body) = in_body else {
        return Err(Rejection::MetaMissing { id: request.id.clone(), key: PROTOCOL_VERSION });
    };
    match header {
        Some(in_header) if in_header == in_body => {}
        Some(in_header) => {
            return Err(mismatch(
                &request.id,
                format!(
                    "MCP-Protocol-Version is `{}`, the body's {PROTOCOL_VERSION} is `{}`",
                    shown(in_header),
                    shown(in_body)
                ),
            ));
        }
        None => {
            return Err(mismatch(
                &request.id,
                "MCP-Protocol-Version is missing; it must repeat the body's protocol version"
                    .to_owned(),
            ));
        }
    }
    let Some(version) = ProtocolVersion::parse(in_body) else {
        return Err(unsupported(&request.id, in_body));
    };
    // `server/discover` offers the versions before 2026-07-28 too, so a client may go on with one
    // of them without a handshake; it is then served by that version's rules.
    let era = if request.method == "server/discover" { Era::Modern } else { version.era() };
    Ok((era, version))
}

fn legacy_version(request: &Request, header: Option<&str>) -> Result<ProtocolVersion, Rejection> {
    match header {
        // The handshake settles the version in its body.
        _ if request.method == "initialize" => Ok(ProtocolVersion::negotiate(
            request.params.get("protocolVersion").and_then(serde_json::Value::as_str).unwrap_or(""),
        )),
        None => Ok(ProtocolVersion::WITHOUT_HEADER),
        // "If the server receives a request with an invalid or unsupported MCP-Protocol-Version, it
        // MUST respond with 400 Bad Request" (2025-06-18, transports).
        Some(text) => ProtocolVersion::parse(text).ok_or_else(|| unsupported(&request.id, text)),
    }
}

/// `Mcp-Method` and `Mcp-Name` are required of modern callers. A legacy caller that sends one all
/// the same must not contradict its body: something between us may route by it.
fn check_mirrors(headers: &HeaderMap, request: &Request, era: Era) -> Result<(), Rejection> {
    let name_member = match request.method.as_str() {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        // "the client MUST set the `Mcp-Name` header to the value of `params.taskId`"
        method if TaskMethod::parse(method).is_some() => Some("taskId"),
        _ => None,
    };
    let in_body = name_member
        .and_then(|member| request.params.get(member))
        .and_then(serde_json::Value::as_str);
    let method = single(headers, HEADER_MCP_METHOD, &request.id)?;
    let name = single(headers, HEADER_MCP_NAME, &request.id)?;
    match method {
        Some(method) if method != request.method => Err(mismatch(
            &request.id,
            format!(
                "Mcp-Method is `{}`, the body's method is `{}`",
                shown(method),
                shown(&request.method)
            ),
        )),
        None if era == Era::Modern => {
            Err(mismatch(&request.id, "Mcp-Method is missing; it must repeat `method`".to_owned()))
        }
        Some(_) | None => Ok(()),
    }?;
    match (name.map(decode_value), in_body) {
        (Some(None), _) => Err(mismatch(
            &request.id,
            "Mcp-Name is not valid base64 of UTF-8 between `=?base64?` and `?=`".to_owned(),
        )),
        (Some(Some(name)), Some(in_body)) if name != in_body => Err(mismatch(
            &request.id,
            format!("Mcp-Name is `{}`, the body has `{}`", shown(&name), shown(in_body)),
        )),
        (None, Some(_)) if era == Era::Modern => Err(mismatch(
            &request.id,
            format!(
                "Mcp-Name is missing; it must repeat params.{}",
                name_member.unwrap_or_default()
            ),
        )),
        _ => Ok(()),
    }
}

/// A header's value as the caller meant it: plain, or base64 between `=?base64?` and `?=`
/// ("Value Encoding"). `None` where the base64 form does not decode to UTF-8.
fn decode_value(value: &str) -> Option<String> {
    match value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        Some(encoded) => String::from_utf8(STANDARD.decode(encoded).ok()?).ok(),
        None => Some(value.to_owned()),
    }
}

/// The one value of a header. Two values, or one outside visible ASCII, are refused: two readers on
/// the way could each believe another one.
fn single<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
    id: &RequestId,
) -> Result<Option<&'a str>, Rejection> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(mismatch(id, format!("{name} is given more than once")));
    }
    value
        .to_str()
        .map(|text| Some(text.trim()))
        .map_err(|_| mismatch(id, format!("{name} has characters outside visible ASCII")))
}

fn mismatch(id: &RequestId, reason: String) -> Rejection {
    Rejection::HeaderMismatch { id: id.clone(), reason }
}

fn unsupported(id: &RequestId, requested: &str) -> Rejection {
    Rejection::UnsupportedProtocolVersion { id: id.clone(), requested: shown(requested) }
}

/// Text of the caller's as it may be repeated to it: bounded and without control characters.
pub fn shown(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(64).collect()
}

#[cfg(test)]
#[path = "transport_tests.rs"]
mod tests;
