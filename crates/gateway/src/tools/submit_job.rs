//! `submit_job`: checks the input, submits it to fal's queue and answers at once with the handle.

use futures_util::{FutureExt as _, TryFutureExt as _};
use mcp::CallToolResult;
use serde_json::{Map, Value, json};

use super::submission::{self, Submit};
use super::{Answer, Tool, arguments};
use crate::context::Context;
use crate::error::ToolError;
use crate::jobs;

const NAME: &str = "submit_job";

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: NAME,
    definition,
    call: |context, arguments| run(context, arguments).map_ok(Answer::Built).boxed(),
};

fn definition() -> mcp::Tool {
    let mut properties = submission::properties();
    properties.insert(
        "webhook_url".to_owned(),
        json!({"type": "string", "maxLength": 2000,
            "description": "https URL that fal calls when the job is over."}),
    );
    properties.insert(
        "priority".to_owned(),
        json!({"type": "string", "enum": ["normal", "low"], "default": "normal",
            "description": "Place in fal's queue."}),
    );
    mcp::Tool {
        name: NAME,
        title: "Submit a job",
        description: "Start a model on fal without waiting, for long jobs. Costs money on the caller's fal account. The input is checked first. Returns the request_id; go on with check_job.",
        input_schema: submission::schema(&properties),
        output_schema: Some(json!({
            "type": "object",
            "properties": {
                "status": {"type": "string"},
                "endpoint_id": {"type": "string"},
                "request_id": {"type": "string"},
                "queue_position": {"type": "integer"},
                "next_call": {"type": "object"},
            },
            "required": ["status", "endpoint_id", "request_id", "next_call"],
        })),
        annotations: submission::ANNOTATIONS,
    }
}

async fn run(
    context: &Context,
    arguments: Map<String, Value>,
) -> Result<CallToolResult, ToolError> {
    let arguments: Submit = arguments::parse(NAME, arguments)?;
    let (mut submission, warnings) = submission::submit(NAME, context, arguments).await?;
    submission.keep();
    let mut body = jobs::processing(&submission.job, &submission.status());
    if !warnings.is_empty() {
        body.insert("warnings".to_owned(), json!(warnings));
    }
    Ok(CallToolResult::json(Value::Object(body), true))
}
