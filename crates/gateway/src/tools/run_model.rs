//! `run_model`: checks the input, submits it to fal's queue, waits, and answers with the result or,
//! when the time is up, with the handle and the next call. The one tool most callers need.

use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join;
use mcp::{CallToolResult, TaskStatus};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout};

use super::outcome::{self, Told};
use super::submission::{self, Submit};
use super::{Answer, Tool, arguments, cost};
use crate::context::Context;
use crate::error::ToolError;
use crate::jobs::{self, Waited};
use crate::progress::Report;
use crate::tasks::{self, TaskId};

/// The tool's name.
pub(crate) const NAME: &str = "run_model";
/// How long a caller that takes tasks waits for a job that is done at once.
const AT_ONCE: Duration = Duration::from_millis(500);
/// How long the price may take, beside the job, to be told with its result.
const PRICE: Duration = Duration::from_millis(500);

/// The tool.
pub(super) const TOOL: Tool =
    Tool { name: NAME, definition, call: |context, arguments| run(context, arguments).boxed() };

#[derive(Debug, Deserialize)]
struct Arguments {
    #[serde(flatten)]
    submit: Submit,
    wait_seconds: Option<u64>,
    preview: Option<bool>,
}

fn definition() -> mcp::Tool {
    let mut properties = submission::properties();
    properties.insert(
        "wait_seconds".to_owned(),
        json!({"type": "integer", "minimum": 0, "maximum": 300,
            "description": "How long to wait for the result before the job's handle is returned instead, in seconds; default 45."}),
    );
    properties.insert(
        "preview".to_owned(),
        json!({"type": "boolean", "default": false,
            "description": "Also return the first image itself (up to 1 MiB) to look at."}),
    );
    mcp::Tool {
        name: NAME,
        title: "Run a model",
        description: "Run a model on fal and wait for its result. Costs money on the caller's fal account. The input is checked against the model's schema first. If the result is not there in time, the answer is `status: processing` with the request_id and the next call: the job runs on, do not run it again.",
        input_schema: submission::schema(&properties),
        output_schema: None,
        annotations: submission::ANNOTATIONS,
    }
}

async fn run(context: &Context, arguments: Map<String, Value>) -> Result<Answer, ToolError> {
    let Arguments { submit, wait_seconds, preview } = arguments::parse(NAME, arguments)?;
    let wait = wait_seconds.map_or(context.app.config.wait, Duration::from_secs);
    let until = Instant::now() + wait;
    // What does not wait for the job is boxed, here and below: thousands of calls may wait, and a
    // future keeps room for its largest step.
    let (mut submission, warnings) = submission::submit(NAME, context, submit).boxed().await?;
    let job = submission.job.clone();
    let submitted = format!("{} submitted (request_id {})", job.endpoint_id, job.request_id);
    context.progress.report(|| Report { headline: submitted, missed: 0, lines: Vec::new() });
    let until = if context.takes_tasks { until.min(Instant::now() + AT_ONCE) } else { until };
    // The price is the caller's own and kept for a few minutes. It is asked for while the job runs,
    // and holds the result of a quick one up by `PRICE` at most.
    let known = Some(submission.status());
    let waiting = jobs::wait(context, &job, until, false, known);
    let (waited, price) = join(waiting, price(context, &job).boxed()).await;
    submission.keep();
    let preview = preview == Some(true);
    match waited? {
        Waited::Running(status) if context.takes_tasks => {
            let mut message = vec![jobs::standing(&job, &status.state)];
            message.extend(warnings);
            let id = TaskId::new(job, preview);
            let task = tasks::task(&id, TaskStatus::Working, message.join("\n"));
            Ok(Answer::Task(Box::new(task)))
        }
        waited => {
            let told = Told { warnings, preview, price };
            outcome::present(context, &job, waited, told).boxed().await.map(Answer::Built)
        }
    }
}

/// The caller's price of the model, if it is to be had soon.
async fn price(context: &Context, job: &fal::Job) -> Option<fal::Price> {
    timeout(PRICE, cost::price(context, &job.endpoint_id)).await.ok()?.ok()?
}

/// The result that a run would have been answered with, had it waited for its job.
pub(crate) async fn tell_of_task(
    context: &Context,
    job: &fal::Job,
    waited: Waited,
    preview: bool,
) -> Result<CallToolResult, ToolError> {
    let told = Told { warnings: Vec::new(), preview, price: price(context, job).await };
    outcome::present(context, job, waited, told).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_is_neither_read_only_nor_repeatable() {
        let hints = definition().annotations;
        assert!(!hints.read_only_hint && !hints.idempotent_hint);
    }
}
