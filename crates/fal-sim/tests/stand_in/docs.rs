//! The docs MCP server.

use fal_sim::{Host, Sim};
use serde_json::{Value, json};

use crate::support::{Ask, Reply, instant};

const BOTH: &str = "application/json, text/event-stream";

async fn call(sim: &Sim, message: &Value) -> Reply {
    let url = format!("{}/mcp", sim.host_url(Host::Docs));
    Ask::post(url, message.to_string()).header("accept", BOTH).send().await
}

fn event(reply: &Reply) -> Value {
    let line = reply.text().lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    serde_json::from_str(line).unwrap()
}

fn search(query: &str) -> Value {
    let params = json!({ "name": "search_fal", "arguments": { "query": query } });
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params })
}

#[tokio::test]
async fn a_search_answers_with_an_event_of_titles_links_and_contents() {
    let sim = instant().await;
    let reply = call(&sim, &search("webhook signature")).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    let content = event(&reply)["result"]["content"].clone();
    let text = content[0]["text"].as_str().unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "Title: Webhooks");
    assert!(lines[1].starts_with("Link: https://fal.ai/docs/"), "{text}");
    assert!(lines[2].starts_with("Content: "), "{text}");
}

#[tokio::test]
async fn a_search_for_nothing_known_finds_nothing() {
    let sim = instant().await;
    let reply = call(&sim, &search("xylophone zeppelin")).await;
    assert_eq!(event(&reply)["result"]["content"], json!([]));
}

#[tokio::test]
async fn both_types_must_be_accepted() {
    let sim = instant().await;
    for accept in ["application/json", "text/event-stream", "*/*"] {
        let url = format!("{}/mcp", sim.host_url(Host::Docs));
        let ask = Ask::post(url, search("queue").to_string()).header("accept", accept);
        let reply = ask.send().await;
        assert_eq!(reply.status, 406, "{accept}");
        assert_eq!(reply.json()["error"]["code"], -32000, "{accept}");
    }
}

#[tokio::test]
async fn the_usual_handshake_works_and_what_is_unknown_is_an_error() {
    let sim = instant().await;
    let message =
        |method: &str| json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": {} });
    let hello = event(&call(&sim, &message("initialize")).await);
    assert_eq!((&hello["id"], &hello["result"]["serverInfo"]["name"]), (&json!(7), &json!("fal")));
    let tools = event(&call(&sim, &message("tools/list")).await);
    assert_eq!(tools["result"]["tools"][0]["name"], "search_fal");
    assert_eq!(event(&call(&sim, &message("no/such")).await)["error"]["code"], -32601);
    assert_eq!(event(&call(&sim, &message("tools/call")).await)["error"]["code"], -32602);
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(call(&sim, &note).await.status, 202);
    let url = format!("{}/mcp", sim.host_url(Host::Docs));
    assert_eq!(Ask::get(url).header("accept", BOTH).send().await.status, 405);
}
