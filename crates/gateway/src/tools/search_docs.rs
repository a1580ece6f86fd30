//! `search_docs`: what fal's documentation says: titles, links, excerpts.

use futures_util::{FutureExt as _, TryFutureExt as _};
use mcp::CallToolResult;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, MAX_RESULT_CHARS, READ_ONLY, Tool, arguments, fit};
use crate::context::Context;
use crate::error::ToolError;

const NAME: &str = "search_docs";
const DEFAULT_LIMIT: usize = 5;

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: NAME,
    definition,
    call: |context, arguments| search(context, arguments).map_ok(Answer::Built).boxed(),
};

#[derive(Debug, Deserialize)]
struct Arguments {
    query: String,
    limit: Option<usize>,
}

fn definition() -> mcp::Tool {
    mcp::Tool {
        name: NAME,
        title: "Search fal's documentation",
        description: "Search fal's documentation: API, billing, limits, errors, client libraries.",
        input_schema: json!({
            "type": "object",
            "properties": {
                "query": {"type": "string", "minLength": 2, "maxLength": 400,
                    "description": "What to look for, in words."},
                "limit": {"type": "integer", "minimum": 1, "maximum": 20, "default": DEFAULT_LIMIT,
                    "description": "Results at most, 1 to 20."},
            },
            "required": ["query"],
            "additionalProperties": false,
        }),
        output_schema: None,
        annotations: READ_ONLY,
    }
}

async fn search(
    context: &Context,
    arguments: Map<String, Value>,
) -> Result<CallToolResult, ToolError> {
    let arguments: Arguments = arguments::parse(NAME, arguments)?;
    let found = context.app.catalog.docs.search(&arguments.query).await?;
    let results: Vec<Value> = found
        .value
        .iter()
        .take(arguments.limit.unwrap_or(DEFAULT_LIMIT))
        .map(|hit| json!({"title": hit.title, "url": hit.url.as_str(), "excerpt": hit.excerpt}))
        .collect();
    let mut body = Map::from_iter([("results".to_owned(), Value::Array(results))]);
    if let Some(seconds) = found.stale_seconds() {
        body.insert("age_seconds".to_owned(), json!(seconds));
    }
    let mut body = Value::Object(body);
    fit::fit(&mut body, MAX_RESULT_CHARS);
    Ok(CallToolResult::json(body, false))
}
