//! Tables over the header rules; each row quotes or names the rule that it checks.

use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::*;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            (HeaderName::from_static(name), value)
        })
        .fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(name, value);
            map
        })
}

fn request(method: &str, params: Value) -> Message {
    let Value::Object(params) = params else { panic!("params are an object") };
    Message::Request(Request { id: RequestId::Number(1.into()), method: method.to_owned(), params })
}

fn meta(version: &str) -> Value {
    json!({"_meta": {PROTOCOL_VERSION: version, CLIENT_CAPABILITIES: {}}})
}

fn call(name: &str) -> Value {
    let mut params = meta("2026-07-28");
    params["name"] = json!(name);
    params
}

/// `modern`, `legacy VERSION`, or the kind of the rejection.
fn verdict(pairs: &[(&'static str, &str)], method: &str, params: Value) -> String {
    match classify(Some(&headers(pairs)), request(method, params)) {
        Ok(Incoming::Request { era: Era::Modern, .. }) => "modern".to_owned(),
        Ok(Incoming::Request { era: Era::Legacy, version, .. }) => format!("legacy {version}"),
        Ok(Incoming::Notification(_)) => "notification".to_owned(),
        Err(rejection) => rejection.kind().to_owned(),
    }
}

const V: (&str, &str) = (HEADER_MCP_PROTOCOL_VERSION, "2026-07-28");

#[test]
fn the_era_follows_from_method_meta_and_version_header() {
    let list = (HEADER_MCP_METHOD, "tools/list");
    let discover = (HEADER_MCP_METHOD, "server/discover");
    for (pairs, method, params, expected) in [
        // Every modern request carries its version in both places.
        (vec![V, list], "tools/list", meta("2026-07-28"), "modern"),
        (vec![V, discover], "server/discover", meta("2026-07-28"), "modern"),
        // `initialize` belongs to the versions with a handshake, whatever it names.
        (vec![], "initialize", json!({"protocolVersion": "2025-06-18"}), "legacy 2025-06-18"),
        (vec![V], "initialize", json!({"protocolVersion": "2026-07-28"}), "legacy 2025-11-25"),
        (vec![], "initialize", json!({}), "legacy 2025-11-25"),
        // With metadata it is a modern request for a method that modern versions do not have.
        (vec![V, (HEADER_MCP_METHOD, "initialize")], "initialize", meta("2026-07-28"), "modern"),
        // "MAY treat a request that omits the header as protocol version 2025-03-26"
        (vec![], "tools/list", json!({}), "legacy 2025-03-26"),
        (
            vec![(HEADER_MCP_PROTOCOL_VERSION, "2025-11-25")],
            "tools/list",
            json!({}),
            "legacy 2025-11-25",
        ),
        // A version from `supportedVersions` that has no modern rules is served by its own.
        (
            vec![(HEADER_MCP_PROTOCOL_VERSION, "2025-11-25")],
            "tools/list",
            meta("2025-11-25"),
            "legacy 2025-11-25",
        ),
    ] {
        assert_eq!(
            verdict(&pairs, method, params.clone()),
            expected,
            "{method} {pairs:?} {params}"
        );
    }
}

#[test]
fn a_missing_or_contradicting_version_has_its_own_code() {
    let list = (HEADER_MCP_METHOD, "tools/list");
    let version = |text| (HEADER_MCP_PROTOCOL_VERSION, text);
    for (pairs, params, expected) in [
        // "A required standard header is missing" / "does not match the body value".
        (vec![list], meta("2026-07-28"), "header_mismatch"),
        (vec![version("2025-11-25"), list], meta("2026-07-28"), "header_mismatch"),
        (vec![V, V, list], meta("2026-07-28"), "header_mismatch"),
        // "A request missing any required field is malformed; … -32602".
        (vec![V, list], json!({}), "meta_missing"),
        (vec![V, list], json!({"_meta": {PROTOCOL_VERSION: "2026-07-28"}}), "meta_missing"),
        // "If the server does not implement the requested protocol version".
        (vec![version("2099-01-01"), list], meta("2099-01-01"), "unsupported_protocol_version"),
        (vec![version("banana"), list], meta("banana"), "unsupported_protocol_version"),
        (vec![version("1999-01-01")], json!({}), "unsupported_protocol_version"),
    ] {
        assert_eq!(verdict(&pairs, "tools/list", params.clone()), expected, "{pairs:?} {params}");
    }
}

#[test]
fn method_and_name_are_mirrored_by_modern_callers_and_never_contradicted_by_anyone() {
    let method = |text| (HEADER_MCP_METHOD, text);
    let name = |text| (HEADER_MCP_NAME, text);
    let call_method = method("tools/call");
    for (pairs, params, expected) in [
        (vec![V, call_method, name("run_model")], call("run_model"), "modern"),
        (vec![V, name("run_model")], call("run_model"), "header_mismatch"),
        (vec![V, call_method], call("run_model"), "header_mismatch"),
        (vec![V, call_method, name("submit_job")], call("run_model"), "header_mismatch"),
        // "Header values (such as method names) are case-sensitive."
        (vec![V, method("Tools/Call"), name("run_model")], call("run_model"), "header_mismatch"),
        // "servers MUST decode an encoded Mcp-Name … before comparing it"
        (
            vec![V, call_method, name("=?base64?SGVsbG8sIOS4lueVjA==?=")],
            call("Hello, 世界"),
            "modern",
        ),
        (vec![V, call_method, name("=?base64?IHBhZGRlZCA=?=")], call(" padded "), "modern"),
        (
            vec![V, call_method, name("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=")],
            call("=?base64?literal?="),
            "modern",
        ),
        (vec![V, call_method, name("=?base64?%%%?=")], call("x"), "header_mismatch"),
        (vec![V, call_method, name("=?BASE64?eA==?=")], call("x"), "header_mismatch"),
        (vec![V, call_method, name("a"), name("a")], call("a"), "header_mismatch"),
        (vec![V, call_method, name("é")], call("é"), "header_mismatch"),
        // A legacy caller need not send them.
        (vec![], json!({"name": "run_model"}), "legacy 2025-03-26"),
        (vec![name("submit_job")], json!({"name": "run_model"}), "header_mismatch"),
        (vec![method("tools/list")], json!({"name": "run_model"}), "header_mismatch"),
    ] {
        let verdict = verdict(&pairs, "tools/call", params.clone());
        assert_eq!(verdict, expected, "{pairs:?} {params}");
    }
}

#[test]
fn a_modern_call_without_a_name_is_left_to_the_method_s_own_check() {
    // Nothing to mirror: the missing `params.name` is the mistake to report.
    let pairs = [V, (HEADER_MCP_METHOD, "tools/call")];
    assert_eq!(verdict(&pairs, "tools/call", meta("2026-07-28")), "modern");
}

#[test]
fn a_notification_is_accepted_whatever_its_headers_say() {
    let message = Message::Notification(Notification {
        method: "notifications/initialized".to_owned(),
        params: serde_json::Map::new(),
    });
    let pairs = headers(&[(HEADER_MCP_PROTOCOL_VERSION, "2099-01-01")]);
    assert!(matches!(classify(Some(&pairs), message), Ok(Incoming::Notification(_))));
}

#[test]
fn an_event_stream_is_sent_only_to_callers_that_list_it() {
    for (accept, expected) in [
        (Some("application/json, text/event-stream"), true),
        (Some("text/event-stream;q=0.5"), true),
        (Some("Text/Event-Stream"), true),
        (Some("application/json"), false),
        (Some("*/*"), false),
        (Some("text/html"), false),
        (None, false),
    ] {
        let pairs: Vec<_> = accept.map(|value| ("accept", value)).into_iter().collect();
        assert_eq!(accepts_event_stream(&headers(&pairs)), expected, "{accept:?}");
    }
}

#[test]
fn the_body_must_be_declared_as_json() {
    for (content_type, accepted) in [
        (Some("application/json"), true),
        (Some("application/json; charset=utf-8"), true),
        (Some("Application/JSON"), true),
        (Some("text/plain"), false),
        (Some("application/jsonp"), false),
        (None, false),
    ] {
        let pairs: Vec<_> = content_type.map(|value| ("content-type", value)).into_iter().collect();
        assert_eq!(check_content_type(&headers(&pairs)).is_ok(), accepted, "{content_type:?}");
    }
}

#[test]
fn what_a_caller_sent_is_repeated_bounded_and_without_control_characters() {
    let rejection = classify(
        Some(&headers(&[(HEADER_MCP_PROTOCOL_VERSION, &"9".repeat(500))])),
        request("tools/list", json!({})),
    )
    .unwrap_err();
    assert!(rejection.to_string().len() < 250);
    assert_eq!(shown("a\u{1b}[31mb"), "a[31mb");
}

#[test]
fn without_a_header_layer_the_body_alone_decides() {
    for (method, params, expected) in [
        ("tools/list", meta("2026-07-28"), Ok(Era::Modern)),
        ("server/discover", meta("2026-07-28"), Ok(Era::Modern)),
        ("server/discover", json!({}), Err("meta_missing")),
        ("tools/list", meta("2099-01-01"), Err("unsupported_protocol_version")),
        ("tools/list", json!({}), Ok(Era::Legacy)),
        ("initialize", json!({"protocolVersion": "2025-06-18"}), Ok(Era::Legacy)),
    ] {
        let verdict = match classify(None, request(method, params.clone())) {
            Ok(Incoming::Request { era, .. }) => Ok(era),
            Ok(Incoming::Notification(_)) => panic!("{method} is a request"),
            Err(rejection) => Err(rejection.kind()),
        };
        assert_eq!(verdict, expected, "{method} {params}");
    }
}

#[test]
fn a_task_s_id_is_mirrored_as_the_name() {
    // "When `tasks/get`, `tasks/update`, or `tasks/cancel` is sent over the Streamable HTTP
    // transport, the client MUST set the `Mcp-Name` header to the value of `params.taskId`."
    let mut params = meta("2026-07-28");
    params["taskId"] = json!("t");
    for method in TaskMethod::ALL.map(TaskMethod::as_str) {
        for (name, expected) in
            [(Some("t"), "modern"), (Some("u"), "header_mismatch"), (None, "header_mismatch")]
        {
            let mut pairs = vec![V, (HEADER_MCP_METHOD, method)];
            pairs.extend(name.map(|name| (HEADER_MCP_NAME, name)));
            assert_eq!(verdict(&pairs, method, params.clone()), expected, "{method} {name:?}");
        }
    }
}
