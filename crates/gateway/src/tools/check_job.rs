//! `check_job`: where a job stands; its output as soon as it is there; waits if asked to.

use std::time::Duration;

use futures_util::{FutureExt as _, TryFutureExt as _};
use mcp::{CallToolResult, ToolAnnotations};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::outcome::{self, Told};
use super::{Answer, Tool, arguments, cancel_job, get_job_result};
use crate::context::Context;
use crate::error::{During, ToolError};
use crate::jobs;

const NAME: &str = "check_job";

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: NAME,
    definition,
    call: |context, arguments| check(context, arguments).map_ok(Answer::Built).boxed(),
};

#[derive(Debug, Deserialize)]
struct Arguments {
    endpoint_id: String,
    request_id: String,
    action: Option<Action>,
    wait_seconds: Option<u64>,
    logs: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    #[default]
    Status,
    Result,
    Cancel,
}

fn definition() -> mcp::Tool {
    mcp::Tool {
        name: NAME,
        title: "Check a job",
        description: "Where a job stands, and its output as soon as it is there. With wait_seconds it waits for the end. Costs nothing.",
        input_schema: arguments::job_schema(Map::from_iter([
            (
                "action".to_owned(),
                json!({"type": "string", "enum": ["status", "result", "cancel"], "default": "status",
                    "description": "status, or the same as get_job_result or cancel_job."}),
            ),
            (
                "wait_seconds".to_owned(),
                json!({"type": "integer", "minimum": 0, "maximum": 300, "default": 0,
                    "description": "How long to wait for the end, in seconds."}),
            ),
            (
                "logs".to_owned(),
                json!({"type": "boolean", "default": false,
                    "description": "Also return the job's newest log lines."}),
            ),
        ])),
        output_schema: None,
        // `action: cancel` ends a job, so the hints are those of the worst case.
        annotations: ToolAnnotations {
            read_only_hint: false,
            destructive_hint: true,
            idempotent_hint: true,
            open_world_hint: false,
        },
    }
}

async fn check(
    context: &Context,
    arguments: Map<String, Value>,
) -> Result<CallToolResult, ToolError> {
    let arguments: Arguments = arguments::parse(NAME, arguments)?;
    let job = arguments::job(NAME, &arguments.endpoint_id, &arguments.request_id)?;
    match arguments.action.unwrap_or_default() {
        Action::Status => {
            let logs = arguments.logs.unwrap_or_default();
            let wait = Duration::from_secs(arguments.wait_seconds.unwrap_or_default());
            status(context, &job, wait, logs).await
        }
        Action::Result => get_job_result::get(context, &job).await,
        Action::Cancel => cancel_job::cancel(context, &job).await,
    }
}

async fn status(
    context: &Context,
    job: &fal::Job,
    wait: Duration,
    logs: bool,
) -> Result<CallToolResult, ToolError> {
    let waited = if wait.is_zero() {
        let status = context
            .app
            .fal
            .status(&context.key, job, logs, context.question_deadline())
            .await
            .map_err(ToolError::fal(During::Job(jobs::handle(job))))?;
        jobs::settle(context, job, status).boxed().await?
    } else {
        jobs::wait(context, job, Instant::now() + wait, logs, None).await?
    };
    outcome::present(context, job, waited, Told::default()).boxed().await
}
