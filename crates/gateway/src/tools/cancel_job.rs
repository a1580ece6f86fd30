//! `cancel_job`: asks fal to cancel a job and says what it came to.

use fal::Cancellation;
use futures_util::{FutureExt as _, TryFutureExt as _};
use mcp::{CallToolResult, ToolAnnotations};
use serde_json::{Map, Value, json};

use super::{Answer, Tool, arguments};
use crate::context::Context;
use crate::error::{During, ToolError};
use crate::jobs;

const NAME: &str = "cancel_job";

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: NAME,
    definition,
    call: |context, arguments| run(context, arguments).map_ok(Answer::Built).boxed(),
};

fn definition() -> mcp::Tool {
    mcp::Tool {
        name: NAME,
        title: "Cancel a job",
        description: "Cancel a job. A queued job is removed; a running one is asked to stop and may still be billed.",
        input_schema: arguments::job_schema(Map::new()),
        output_schema: None,
        annotations: ToolAnnotations {
            read_only_hint: false,
            destructive_hint: true,
            idempotent_hint: true,
            open_world_hint: false,
        },
    }
}

async fn run(
    context: &Context,
    arguments: Map<String, Value>,
) -> Result<CallToolResult, ToolError> {
    let job = arguments::parse_job(NAME, arguments)?;
    cancel(context, &job).await
}

/// The cancellation, also for `check_job` with `action: cancel`.
pub(super) async fn cancel(context: &Context, job: &fal::Job) -> Result<CallToolResult, ToolError> {
    let during = || During::Cancel(jobs::handle(job));
    let cancellation = context
        .app
        .fal
        .cancel(&context.key, job, context.question_deadline())
        .await
        .map_err(ToolError::fal(during()))?;
    let (outcome, message) = match cancellation {
        Cancellation::Removed => {
            ("removed", "The job was removed from the queue before it started; it is not billed.")
        }
        Cancellation::Requested => (
            "requested",
            "fal was asked to stop the job. A model that runs already may finish and be billed; check_job shows how it ended.",
        ),
        Cancellation::AlreadyCompleted => {
            ("already_completed", "The job was over before; get_job_result has its output.")
        }
        Cancellation::NotFound => {
            return Err(ToolError::fal(during())(fal::Error::RequestNotFound));
        }
    };
    Ok(CallToolResult::json(
        json!({
            "cancellation": outcome,
            "message": message,
            "endpoint_id": job.endpoint_id.as_str(),
            "request_id": job.request_id.as_str(),
        }),
        false,
    ))
}
