//! `get_model_schema`: what a model takes and gives, flat and with a minimal valid example.

use futures_util::FutureExt as _;
use mcp::CallToolResult;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, MAX_RESULT_CHARS, READ_ONLY, Tool, arguments};
use crate::context::Context;
use crate::error::ToolError;

const NAME: &str = "get_model_schema";
/// Room for the age of an old schema and for the ids that come instead of a deprecated one.
const NOTE_CHARS: usize = 1_500;

/// The tool.
pub(super) const TOOL: Tool =
    Tool { name: NAME, definition, call: |context, arguments| get(context, arguments).boxed() };

#[derive(Debug, Deserialize)]
struct Arguments {
    endpoint_id: String,
}

fn definition() -> mcp::Tool {
    mcp::Tool {
        name: NAME,
        title: "Get a model's schema",
        description: "The input and output schema of one model, with a minimal example_input that is valid. Call it before run_model or submit_job.",
        input_schema: json!({
            "type": "object",
            "properties": {
                "endpoint_id": {"type": "string", "maxLength": 256,
                    "description": "The model's id, e.g. fal-ai/flux/dev."},
            },
            "required": ["endpoint_id"],
            "additionalProperties": false,
        }),
        output_schema: None,
        annotations: READ_ONLY,
    }
}

async fn get(context: &Context, arguments: Map<String, Value>) -> Result<Answer, ToolError> {
    let arguments: Arguments = arguments::parse(NAME, arguments)?;
    let endpoint_id = arguments::endpoint_id(NAME, &arguments.endpoint_id)?;
    let schema = context.app.catalog.schemas.get(context, &endpoint_id).await?;
    let successors = context.app.catalog.schemas.successors(&endpoint_id);
    let stale_seconds = schema.stale_seconds();
    if successors.is_none() && stale_seconds.is_none() {
        return Ok(Answer::Ready(schema.value.ready.clone()));
    }
    let mut body = schema.value.schema.presentation(MAX_RESULT_CHARS - NOTE_CHARS);
    if let Some(members) = body.as_object_mut() {
        if let Some(seconds) = stale_seconds {
            members.insert("age_seconds".to_owned(), json!(seconds));
        }
        if let Some(living) = successors {
            members.insert("status".to_owned(), json!("deprecated"));
            members.insert("nearest_endpoint_ids".to_owned(), json!(living));
        }
    }
    Ok(Answer::Built(CallToolResult::json(body, false)))
}
