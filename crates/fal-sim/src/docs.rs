//! The docs MCP server: stateless, without a key, one tool that matters. It answers as an SSE
//! stream of one event.

use std::cmp::Reverse;

use http::StatusCode;
use http::header::ACCEPT;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::call::Call;
use crate::config::StartError;
use crate::reply::{self, Answer};

/// How many entries a search returns at most.
const MOST_HITS: usize = 6;

#[derive(Debug, Deserialize)]
struct Entry {
    title: String,
    link: String,
    content: String,
    /// Title and content in lower case.
    #[serde(skip)]
    search_text: String,
}

/// The pages that can be found.
#[derive(Debug)]
pub(crate) struct Docs {
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Request {
    #[serde(default)]
    id: Option<Value>,
    method: String,
    #[serde(default)]
    params: Value,
}

impl Docs {
    /// Our own entries, from `assets/docs.json`.
    pub(crate) fn load() -> Result<Self, StartError> {
        let mut entries: Vec<Entry> =
            serde_json::from_str(include_str!("../assets/docs.json")).map_err(|source| {
                StartError::ParseModels { path: "docs.json".into(), line: source.line(), source }
            })?;
        for entry in &mut entries {
            entry.search_text = format!("{} {}", entry.title, entry.content).to_lowercase();
        }
        Ok(Self { entries })
    }

    /// The entries with the most words of the query, best first; a word in the title counts
    /// three times.
    fn search(&self, query: &str) -> Vec<&Entry> {
        let query = query.to_lowercase();
        let words: Vec<&str> = query.split_whitespace().filter(|word| word.len() > 1).collect();
        let mut scored: Vec<(usize, &Entry)> = self
            .entries
            .iter()
            .map(|entry| {
                let title = entry.title.to_lowercase();
                let hits = |text: &str| words.iter().filter(|word| text.contains(**word)).count();
                (2 * hits(&title) + hits(&entry.search_text), entry)
            })
            .filter(|(score, _)| *score > 0)
            .collect();
        scored.sort_by_key(|(score, _)| Reverse(*score));
        scored.into_iter().take(MOST_HITS).map(|(_, entry)| entry).collect()
    }
}

/// `POST /mcp`.
pub(crate) fn handle(call: &Call<'_>) -> Answer {
    let accepted: Vec<&str> =
        call.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let accepts = |media_type: &str| accepted.iter().any(|value| value.contains(media_type));
    if !accepts("application/json") || !accepts("text/event-stream") {
        return failure(
            StatusCode::NOT_ACCEPTABLE,
            -32000,
            "Not Acceptable: Client must accept both application/json and text/event-stream",
        );
    }
    let Ok(request) = call.json::<Request>() else {
        return failure(StatusCode::BAD_REQUEST, -32700, "Parse error");
    };
    let Some(id) = request.id else {
        return reply::bytes(StatusCode::ACCEPTED, "application/json", "");
    };
    let message = match result(call, &request.method, &request.params) {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err((code, text)) => {
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": text } })
        }
    };
    let event = format!("event: message\ndata: {message}\n\n");
    reply::bytes(StatusCode::OK, "text/event-stream", event)
}

fn result(call: &Call<'_>, method: &str, params: &Value) -> Result<Value, (i32, &'static str)> {
    match method {
        "initialize" => Ok(json!({
            "protocolVersion": params.get("protocolVersion").and_then(Value::as_str).unwrap_or("2025-06-18"),
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "fal", "version": "1.0.0" },
        })),
        "ping" => Ok(json!({})),
        "tools/list" => Ok(json!({ "tools": [{
            "name": "search_fal",
            "description": "Searches fal's documentation.",
            "inputSchema": {
                "type": "object",
                "properties": { "query": { "type": "string" } },
                "required": ["query"],
            },
        }] })),
        "tools/call" => match params.get("name").and_then(Value::as_str) {
            Some("search_fal") => search(call, params),
            _ => Err((-32602, "Unknown tool")),
        },
        _ => Err((-32601, "Method not found")),
    }
}

fn search(call: &Call<'_>, params: &Value) -> Result<Value, (i32, &'static str)> {
    let query = params.pointer("/arguments/query").and_then(Value::as_str);
    let query = query.ok_or((-32602, "Invalid arguments: query is required"))?;
    let content: Vec<Value> = call
        .sim
        .docs
        .search(query)
        .into_iter()
        .map(|entry| {
            let text =
                format!("Title: {}\nLink: {}\nContent: {}", entry.title, entry.link, entry.content);
            json!({ "type": "text", "text": text })
        })
        .collect();
    Ok(json!({ "content": content }))
}

fn failure(status: StatusCode, code: i32, message: &str) -> Answer {
    let error = json!({ "code": code, "message": message });
    reply::json(status, &json!({ "jsonrpc": "2.0", "id": null, "error": error }))
}
