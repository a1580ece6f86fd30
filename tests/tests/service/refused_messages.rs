//! Messages that are no request we can serve, each with its status, its code and what to do instead.

use serde_json::{Value, json};
use tests::{Era, Rig};

#[tokio::test]
async fn a_body_that_is_no_single_request_is_refused_by_name() {
    let rig = Rig::start().await;
    let levels = ["[".repeat(10_000), "]".repeat(10_000)].concat();
    let deep = format!("{{\"params\":{{\"x\":{levels}}}}}");
    let batch = r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#;
    let response = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    for (body, code, message) in [
        (
            "{\"jsonrpc\":",
            -32700,
            "The body is not valid JSON (line 1, column 11), or it is nested deeper than 128 levels. Send one JSON-RPC 2.0 request.",
        ),
        (
            "",
            -32700,
            "The body is not valid JSON (line 1, column 0), or it is nested deeper than 128 levels. Send one JSON-RPC 2.0 request.",
        ),
        (
            deep.as_str(),
            -32700,
            "The body is not valid JSON (line 1, column 141), or it is nested deeper than 128 levels. Send one JSON-RPC 2.0 request.",
        ),
        (batch, -32600, "JSON-RPC batches are not accepted. Send each message as its own POST."),
        (response, -32600, "This server sends no requests, so it accepts no JSON-RPC responses."),
        ("7", -32600, "Not a JSON-RPC 2.0 request: the body is not a JSON-RPC object."),
        (
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            -32600,
            "Not a JSON-RPC 2.0 request: `id` must be a string or a number.",
        ),
    ] {
        let answer = rig.legacy("ping", json!({})).body(body.to_owned()).send().await;
        assert_eq!(answer.status, 400, "{body:.60}");
        let expected = json!({"jsonrpc": "2.0", "error": {"code": code, "message": message}});
        assert_eq!(answer.json(), expected, "{body:.60}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_utf_8_is_refused() {
    let rig = Rig::start().await;
    let mut body = br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"?"}}"#.to_vec();
    let at = body.iter().position(|byte| *byte == b'?').unwrap();
    body[at] = 0xff;
    rig.legacy("ping", json!({})).body(body).send().await.refusal(400, -32700);
}

#[tokio::test]
async fn a_malformed_request_is_answered_under_its_own_id() {
    let rig = Rig::start().await;
    for (body, message) in [
        (
            r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#,
            "Not a JSON-RPC 2.0 request: `jsonrpc` must be \"2.0\".",
        ),
        (r#"{"jsonrpc":"2.0","id":7}"#, "Not a JSON-RPC 2.0 request: `method` is missing."),
        (
            r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":[]}"#,
            "Not a JSON-RPC 2.0 request: `params` must be an object.",
        ),
    ] {
        let answer = rig.legacy("ping", json!({})).body(body).send().await;
        assert_eq!(answer.status, 400);
        let error = json!({"code": -32600, "message": message});
        assert_eq!(answer.json(), json!({"jsonrpc": "2.0", "id": 7, "error": error}));
    }
}

#[tokio::test]
async fn a_body_that_is_not_declared_as_json_is_refused() {
    let rig = Rig::start().await;
    for content_type in ["text/plain", "application/x-www-form-urlencoded"] {
        let request = rig.legacy("ping", json!({})).header("content-type", content_type);
        let message = request.send().await.refusal(415, -32600);
        assert_eq!(message, "Send the request as `Content-Type: application/json`.");
    }
    let charset =
        rig.legacy("ping", json!({})).header("content-type", "Application/JSON; charset=utf-8");
    charset.send().await.result();
}

#[tokio::test]
async fn a_version_that_is_not_served_is_answered_with_those_that_are() {
    let rig = Rig::start().await;
    let supported = json!(["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]);
    let modern = rig
        .modern("tools/list", json!({}))
        .header("mcp-protocol-version", "2099-01-01")
        .set("/params/_meta/io.modelcontextprotocol~1protocolVersion", json!("2099-01-01"));
    let legacy = rig.legacy("tools/list", json!({})).header("mcp-protocol-version", "2025-01-01");
    for (request, requested) in [(modern, "2099-01-01"), (legacy, "2025-01-01")] {
        let answer = request.send().await;
        assert_eq!(answer.status, 400);
        assert_eq!(
            answer.json(),
            json!({"jsonrpc": "2.0", "id": 1, "error": {
                "code": -32022,
                "message": format!("Protocol version `{requested}` is not supported. Supported: 2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25, 2026-07-28."),
                "data": {"requested": requested, "supported": supported},
            }})
        );
    }
}

#[tokio::test]
async fn mirrored_headers_that_are_missing_or_contradict_the_body_are_refused() {
    let rig = Rig::start().await;
    let call = || rig.tool(Era::Modern, "search_models", json!({}));
    for (request, reason) in [
        (
            call().without("mcp-protocol-version"),
            "MCP-Protocol-Version is missing; it must repeat the body's protocol version",
        ),
        (
            call().header("mcp-protocol-version", "2025-11-25"),
            "MCP-Protocol-Version is `2025-11-25`, the body's io.modelcontextprotocol/protocolVersion is `2026-07-28`",
        ),
        (call().without("mcp-method"), "Mcp-Method is missing; it must repeat `method`"),
        (
            call().header("mcp-method", "tools/list"),
            "Mcp-Method is `tools/list`, the body's method is `tools/call`",
        ),
        (call().without("mcp-name"), "Mcp-Name is missing; it must repeat params.name"),
        (
            call().header("mcp-name", "run_model"),
            "Mcp-Name is `run_model`, the body has `search_models`",
        ),
        (
            call().header("mcp-name", "=?base64?%%%?="),
            "Mcp-Name is not valid base64 of UTF-8 between `=?base64?` and `?=`",
        ),
        (call().another("mcp-name", "run_model"), "mcp-name is given more than once"),
        (
            rig.tool(Era::Legacy, "search_models", json!({})).header("mcp-name", "run_model"),
            "Mcp-Name is `run_model`, the body has `search_models`",
        ),
    ] {
        let answer = request.send().await;
        assert_eq!(answer.status, 400, "{reason}");
        let error = json!({"code": -32020, "message": format!("Header mismatch: {reason}.")});
        assert_eq!(answer.json(), json!({"jsonrpc": "2.0", "id": 1, "error": error}));
    }
    assert_eq!(rig.asked(), []);
}

#[tokio::test]
async fn a_modern_request_without_its_metadata_is_told_which_key_it_lacks() {
    let rig = Rig::start().await;
    for key in ["protocolVersion", "clientCapabilities"] {
        let pointer = format!("/params/_meta/io.modelcontextprotocol~1{key}");
        let request = rig.modern("tools/list", json!({})).set(&pointer, Value::Null);
        let message = request.send().await.refusal(400, -32602);
        assert_eq!(
            message,
            format!(
                "params._meta lacks `io.modelcontextprotocol/{key}`, which protocol version 2026-07-28 requires on every request."
            )
        );
    }
}

#[tokio::test]
async fn an_unknown_method_is_404_for_modern_callers_and_200_for_legacy_ones() {
    let rig = Rig::start().await;
    for method in ["foo/bar", "ping", "logging/setLevel", "prompts/list", "subscriptions/listen"] {
        let answer = rig.modern(method, json!({})).send().await;
        let message = answer.refusal(404, -32601);
        assert_eq!(
            message,
            format!(
                "Method `{method}` does not exist here. This server has server/discover, tools/list, tools/call, tasks/get, tasks/update and tasks/cancel."
            )
        );
        assert_eq!(answer.json()["id"], 1);
    }
    let message = rig.legacy("foo/bar", json!({})).send().await.refusal(200, -32601);
    assert_eq!(
        message,
        "Method `foo/bar` does not exist here. This server has initialize, ping, tools/list, tools/call, prompts/list, resources/list and resources/templates/list."
    );
}

#[tokio::test]
async fn a_host_that_is_not_ours_is_refused_on_every_page_but_the_probes() {
    let rig = Rig::start().await;
    let refused = rig.modern("tools/list", json!({})).header("host", "attacker.example:80");
    assert_eq!(
        refused.send().await.refusal(403, 403),
        "This server does not answer for the host `attacker.example:80`. Its operator sets the names with --allowed-hosts."
    );
    for path in ["/", "/mcp/server-card", "/register"] {
        let page = rig.plain(http::Method::GET, path).header("host", "attacker.example");
        page.send().await.refusal(403, 403);
    }
    let probe = rig.plain(http::Method::GET, "/healthz").header("host", "10.0.0.7:8000");
    assert_eq!(probe.send().await.status, 200);
    for host in ["localhost", "LOCALHOST:1", "[::1]:8000"] {
        rig.modern("tools/list", json!({})).header("host", host).send().await.result();
    }
}

#[tokio::test]
async fn a_page_of_a_foreign_origin_is_refused_and_one_of_ours_is_not() {
    let rig = Rig::start().await;
    for origin in ["https://attacker.example", "null", "http://127.0.0.1:1"] {
        let request = rig.modern("tools/list", json!({})).header("origin", origin);
        assert_eq!(
            request.send().await.refusal(403, 403),
            format!(
                "Pages of the origin `{origin}` may not call this server. Its operator sets the origins with --allowed-origins."
            )
        );
    }
    let own = format!("http://{}", rig.addr());
    rig.modern("tools/list", json!({})).header("origin", &own).send().await.result();
}
