//! `list_jobs`: the caller's own recent jobs of a model at fal: the way back to a job whose id was
//! lost.

use fal::{RequestStatus, RequestsQuery};
use futures_util::{FutureExt as _, TryFutureExt as _};
use jiff::{SignedDuration, Timestamp};
use mcp::CallToolResult;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, MAX_RESULT_CHARS, READ_ONLY, Tool, arguments, fit};
use crate::context::Context;
use crate::error::{During, ToolError};

const NAME: &str = "list_jobs";
const DEFAULT_LIMIT: u32 = 20;

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: NAME,
    definition,
    call: |context, arguments| list(context, arguments).map_ok(Answer::Built).boxed(),
};

#[derive(Debug, Deserialize)]
struct Arguments {
    endpoint_id: String,
    status: Option<Status>,
    request_id: Option<String>,
    since_hours: Option<i64>,
    limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Success,
    Error,
    UserError,
}

fn definition() -> mcp::Tool {
    mcp::Tool {
        name: NAME,
        title: "List recent jobs",
        description: "The account's own recent jobs of one model, newest first. Use it to find a job whose request_id was lost, before submitting again. A job shows once it has started.",
        input_schema: json!({
            "type": "object",
            "properties": {
                "endpoint_id": {"type": "string", "maxLength": 256,
                    "description": "The model's id."},
                "status": {"type": "string", "enum": ["success", "error", "user_error"],
                    "description": "Only jobs that ended so."},
                "request_id": {"type": "string", "maxLength": 128,
                    "description": "Only this job; looks back 90 days."},
                "since_hours": {"type": "integer", "minimum": 1, "maximum": 2160, "default": 24,
                    "description": "How far to look back, in hours."},
                "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": DEFAULT_LIMIT,
                    "description": "Jobs at most, 1 to 100."},
            },
            "required": ["endpoint_id"],
            "additionalProperties": false,
        }),
        output_schema: Some(json!({
            "type": "object",
            "properties": {
                "jobs": {"type": "array", "items": {"type": "object"}},
                "has_more": {"type": "boolean"},
                "note": {"type": "string"},
            },
            "required": ["jobs", "has_more"],
        })),
        annotations: READ_ONLY,
    }
}

async fn list(
    context: &Context,
    arguments: Map<String, Value>,
) -> Result<CallToolResult, ToolError> {
    let arguments: Arguments = arguments::parse(NAME, arguments)?;
    let endpoint_id = arguments::endpoint_id(NAME, &arguments.endpoint_id)?;
    let request_id = match &arguments.request_id {
        Some(text) => Some(arguments::job(NAME, &arguments.endpoint_id, text)?.request_id),
        None => None,
    };
    let query = RequestsQuery {
        status: arguments.status.map(|status| match status {
            Status::Success => RequestStatus::Success,
            Status::Error => RequestStatus::Error,
            Status::UserError => RequestStatus::UserError,
        }),
        request_id,
        start: arguments
            .since_hours
            .map(|hours| (Timestamp::now() - SignedDuration::from_hours(hours)).to_string()),
        limit: Some(arguments.limit.unwrap_or(DEFAULT_LIMIT)),
        ..RequestsQuery::new(endpoint_id.clone())
    };
    let page = context
        .app
        .fal
        .requests_by_endpoint(&context.key, &query, Context::plain_deadline())
        .await
        .map_err(ToolError::fal(During::ListJobs(endpoint_id)))?;
    let jobs: Vec<Value> = page
        .items
        .into_iter()
        .map(|item| {
            json!({
                "request_id": item.request_id,
                "endpoint_id": item.endpoint_id,
                "sent_at": item.sent_at,
                "started_at": item.started_at,
                "ended_at": item.ended_at,
                "status_code": item.status_code,
                "duration_seconds": item.duration,
            })
        })
        .collect();
    let mut body = json!({"jobs": jobs, "has_more": page.has_more});
    if let (true, Some(members)) = (jobs.is_empty(), body.as_object_mut()) {
        members.insert(
            "note".to_owned(),
            json!("No such jobs. A job that still waits in the queue does not show yet: look again in a minute before you submit one again."),
        );
    }
    fit::fit(&mut body, MAX_RESULT_CHARS);
    Ok(CallToolResult::json(body, true))
}
