//! The methods that need no network, in each version of the protocol.

use serde_json::json;
use tests::{Era, Rig};

const INSTRUCTIONS_LIMIT: usize = 4_096;

#[tokio::test]
async fn initialize_is_answered_with_the_version_asked_for_or_the_newest_with_a_handshake() {
    let rig = Rig::start().await;
    for (asked, answered) in [
        ("2024-11-05", "2024-11-05"),
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
    ] {
        let params = json!({
            "protocolVersion": asked,
            "capabilities": {"roots": {}},
            "clientInfo": {"name": "rig", "version": "1"},
        });
        let answer = rig.legacy("initialize", params).send().await;
        assert_eq!(answer.header("mcp-session-id"), "", "no session is ever made");
        let result = answer.result();
        assert_eq!(result["protocolVersion"], answered, "asked for {asked}");
        assert_eq!(result["capabilities"], json!({"tools": {}}));
        assert_eq!(result["serverInfo"]["name"], "fal-mcp-gateway");
        assert!(result["instructions"].as_str().unwrap().len() <= INSTRUCTIONS_LIMIT);
        assert!(result.get("resultType").is_none() && result.get("ttlMs").is_none());
    }
}

#[tokio::test]
async fn discover_names_every_version_and_may_be_kept_by_anyone() {
    let rig = Rig::start().await;
    let result = rig.modern("server/discover", json!({})).send().await.result();
    assert_eq!(
        result["supportedVersions"],
        json!(["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"])
    );
    assert_eq!(
        result["capabilities"],
        json!({"tools": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}})
    );
    assert_eq!(
        (&result["resultType"], &result["cacheScope"]),
        (&json!("complete"), &json!("public"))
    );
    assert!(result["ttlMs"].as_u64().unwrap() > 0);
    let server = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!(server["name"], "fal-mcp-gateway");
}

#[tokio::test]
async fn tools_list_is_the_same_bytes_from_call_to_call_and_from_replica_to_replica() {
    let rig = Rig::start().await;
    let replica = rig.replica().await;
    for era in [Era::Modern, Era::Legacy] {
        let list = rig.request(era, "tools/list", json!({}));
        let first = list.clone().send().await;
        assert_eq!(first.body, list.clone().send().await.body);
        let elsewhere = list.to(format!("http://{}/mcp", replica.addr()));
        assert_eq!(first.body, elsewhere.send().await.body);
    }
}

#[tokio::test]
async fn only_modern_results_carry_the_fields_of_2026_07_28() {
    let rig = Rig::start().await;
    let modern = rig.modern("tools/list", json!({})).send().await.result();
    let legacy = rig.legacy("tools/list", json!({})).send().await.result();
    assert_eq!(modern["tools"], legacy["tools"]);
    let names = |result: &serde_json::Value| -> Vec<String> {
        let mut names: Vec<String> = result.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(names(&modern), ["_meta", "cacheScope", "resultType", "tools", "ttlMs"]);
    assert_eq!(names(&legacy), ["tools"]);
    let call = |era| rig.call(era, "search_models", json!({"limit": 1}));
    let modern = call(Era::Modern).await.result;
    assert_eq!(names(&modern), ["_meta", "content", "isError", "resultType", "structuredContent"]);
    assert_eq!(names(&call(Era::Legacy).await.result), ["content", "isError", "structuredContent"]);
}

#[tokio::test]
async fn nothing_of_the_protocol_s_own_asks_fal() {
    let rig = Rig::start().await;
    rig.modern("server/discover", json!({})).send().await.result();
    rig.legacy("ping", json!({})).send().await.result();
    for era in [Era::Modern, Era::Legacy] {
        rig.request(era, "tools/list", json!({})).send().await.result();
    }
    assert_eq!(rig.asked(), []);
}

#[tokio::test]
async fn legacy_callers_get_pings_answered_and_empty_lists_of_what_there_is_not() {
    let rig = Rig::start().await;
    for (method, result) in [
        ("ping", json!({})),
        ("prompts/list", json!({"prompts": []})),
        ("resources/list", json!({"resources": []})),
        ("resources/templates/list", json!({"resourceTemplates": []})),
    ] {
        let answer = rig.legacy(method, json!({})).send().await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json(), json!({"jsonrpc": "2.0", "id": 1, "result": result}), "{method}");
    }
}

#[tokio::test]
async fn a_notification_is_taken_without_a_word() {
    let rig = Rig::start().await;
    for era in [Era::Modern, Era::Legacy] {
        for method in ["notifications/initialized", "notifications/cancelled", "notifications/x"] {
            let answer = rig.request(era, method, json!({})).send().await;
            assert_eq!((answer.status, answer.text()), (202, ""), "{method}");
        }
    }
}

#[tokio::test]
async fn an_id_comes_back_as_it_was_sent() {
    let rig = Rig::start().await;
    for id in [json!(7), json!("a-7"), json!(0), json!(-1), json!(9_007_199_254_740_993_i64)] {
        let answer = rig.legacy("ping", json!({})).set("/id", id.clone()).send().await;
        assert_eq!(answer.json()["id"], id);
    }
}

#[tokio::test]
async fn every_legacy_version_of_the_header_is_served_and_its_absence_too() {
    let rig = Rig::start().await;
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let ping = rig.legacy("ping", json!({})).header("mcp-protocol-version", version);
        assert_eq!(ping.send().await.result(), json!({}));
    }
    let ping = rig.legacy("ping", json!({})).without("mcp-protocol-version");
    assert_eq!(ping.send().await.result(), json!({}));
}

#[tokio::test]
async fn a_session_id_or_a_last_event_id_of_another_server_is_ignored() {
    let rig = Rig::start().await;
    let ping =
        rig.legacy("ping", json!({})).header("mcp-session-id", "x").header("last-event-id", "7");
    let answer = ping.send().await;
    assert_eq!(answer.header("mcp-session-id"), "");
    assert_eq!(answer.result(), json!({}));
}

#[tokio::test]
async fn a_name_in_base64_is_read_as_the_name() {
    let rig = Rig::start().await;
    let call = rig.tool(Era::Modern, "search_models", json!({"limit": 1}));
    let encoded = call.header("mcp-name", "=?base64?c2VhcmNoX21vZGVscw==?=");
    tests::Outcome::of(&encoded.send().await).value();
}

#[tokio::test]
async fn whatever_is_accepted_json_is_the_answer_to_what_is_ready() {
    let rig = Rig::start().await;
    for accept in ["application/json", "*/*", "text/event-stream", "text/html"] {
        let answer = rig.modern("tools/list", json!({})).header("accept", accept).send().await;
        assert_eq!(answer.header("content-type"), "application/json", "{accept}");
        answer.result();
    }
    let answer = rig.modern("tools/list", json!({})).without("accept").send().await;
    answer.result();
}
