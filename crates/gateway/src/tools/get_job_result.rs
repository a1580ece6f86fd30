//! `get_job_result`: the output of a job that is done.

use futures_util::{FutureExt as _, TryFutureExt as _};
use mcp::CallToolResult;
use serde_json::{Map, Value};

use super::{Answer, READ_ONLY, Tool, arguments, outcome};
use crate::context::Context;
use crate::error::{During, ToolError};
use crate::jobs;

const NAME: &str = "get_job_result";

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: NAME,
    definition,
    call: |context, arguments| run(context, arguments).map_ok(Answer::Built).boxed(),
};

fn definition() -> mcp::Tool {
    mcp::Tool {
        name: NAME,
        title: "Get a job's result",
        description: "The output of a finished job. fal keeps results for a limited time.",
        input_schema: arguments::job_schema(Map::new()),
        output_schema: None,
        annotations: READ_ONLY,
    }
}

async fn run(
    context: &Context,
    arguments: Map<String, Value>,
) -> Result<CallToolResult, ToolError> {
    let job = arguments::parse_job(NAME, arguments)?;
    get(context, &job).await
}

/// The result, also for `check_job` with `action: result`.
pub(super) async fn get(context: &Context, job: &fal::Job) -> Result<CallToolResult, ToolError> {
    let result = context
        .app
        .fal
        .result(&context.key, job, context.question_deadline())
        .await
        .map_err(ToolError::fal(During::Job(jobs::handle(job))))?;
    let status = fal::Status {
        state: fal::State::Completed,
        logs: Vec::new(),
        earlier_logs: 0,
        inference_seconds: None,
    };
    let body = jobs::completed(job, result, &status);
    Ok(CallToolResult::json(outcome::fitted(body, job), false))
}
