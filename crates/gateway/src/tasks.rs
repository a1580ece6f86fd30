//! The Tasks extension (SEP-2663) over fal's jobs: a task is a job at fal. Its id says which one and
//! what telling its result needs, so nothing is stored and any replica answers.

mod id;

use std::time::Duration;

use jiff::Timestamp;
use mcp::{Rejection, Task, TaskMethod, TaskRequest, TaskStatus};

use crate::context::Context;
use crate::error::{During, Failure, TaskEnd, ToolError};
use crate::jobs::{self, Waited};
use crate::tools::run_model;

pub(crate) use id::TaskId;

/// How long a client should wait between two questions: a fifth of the task's age, within these.
const QUICKEST_POLL: Duration = Duration::from_secs(1);
const SLOWEST_POLL: Duration = Duration::from_secs(5);

/// What is said of an id that was made up or changed.
const NOT_OURS: &str = "params.taskId is not the id of a task of this server. Send it exactly as tools/call answered with it.";

/// What a request about a task is answered with.
#[derive(Debug)]
pub(crate) enum TaskAnswer {
    /// The task as it stands.
    Task(Box<Task>),
    /// The request was taken.
    Taken,
}

/// A task as a caller sees it now. fal does not say when a job last changed, so "last updated" is
/// when it was asked. No time to live is given: it would count from the creation, and what fal
/// limits is how long it keeps a result after the job's end.
pub(crate) fn task(id: &TaskId, status: TaskStatus, message: String) -> Task {
    let now = Timestamp::now();
    let age = Duration::try_from(now.duration_since(id.created)).unwrap_or_default();
    let pause = (age / 5).clamp(QUICKEST_POLL, SLOWEST_POLL);
    Task {
        task_id: id.encode(),
        status,
        status_message: Some(message),
        created_at: id.created.to_string(),
        last_updated_at: now.to_string(),
        ttl_ms: None,
        poll_interval_ms: u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
    }
}

/// Answers a request about a task, under the caller's own key.
pub(crate) async fn answer(
    context: &Context,
    request: &TaskRequest,
) -> Result<TaskAnswer, Failure> {
    context
        .app
        .count_request(&context.key)
        .map_err(|retry_after| Failure::RateLimited { retry_after })?;
    let id = TaskId::decode(&request.task_id).ok_or_else(|| Rejection::InvalidParams {
        id: request.id.clone(),
        reason: NOT_OURS.to_owned(),
    })?;
    match request.method {
        TaskMethod::Get => get(context, &id).await.map(|task| TaskAnswer::Task(Box::new(task))),
        // Nothing is ever asked of the client, so there is nothing that its answers could belong
        // to: "A server SHOULD ignore any `inputResponses` responses mapped to a key that is not
        // currently outstanding". Whose task it is is checked all the same.
        TaskMethod::Update => check(context, &id).await.map(|()| TaskAnswer::Taken),
        TaskMethod::Cancel => cancel(context, &id).await.map(|()| TaskAnswer::Taken),
    }
    .map_err(|error| error.of_task(request.id.clone()))
}

async fn get(context: &Context, id: &TaskId) -> Result<Task, ToolError> {
    let told = match jobs::look(context, &id.job).await {
        Ok(Waited::Running(status)) => {
            let standing = jobs::standing(&id.job, &status.state);
            return Ok(task(id, TaskStatus::Working, standing));
        }
        Ok(done) => run_model::tell_of_task(context, &id.job, done, id.preview).await,
        Err(error) => Err(error),
    };
    match told {
        Ok(result) => Ok(task(id, TaskStatus::Completed { result }, "completed".to_owned())),
        Err(error) => match error.ends_task() {
            TaskEnd::Outcome => {
                let result = error.to_result();
                Ok(task(id, TaskStatus::Completed { result }, error.to_string()))
            }
            TaskEnd::Cancelled => Ok(task(id, TaskStatus::Cancelled, error.to_string())),
            TaskEnd::NoTask | TaskEnd::None => Err(error),
        },
    }
}

/// Whether this caller has the task.
async fn check(context: &Context, id: &TaskId) -> Result<(), ToolError> {
    let deadline = context.question_deadline();
    let status = context.app.fal.status(&context.key, &id.job, false, deadline).await;
    status.map(drop).map_err(ToolError::fal(During::Job(jobs::handle(&id.job))))
}

/// Whatever the cancellation comes to is seen by the next `tasks/get`; the answer is the same.
async fn cancel(context: &Context, id: &TaskId) -> Result<(), ToolError> {
    let failed = ToolError::fal(During::Cancel(jobs::handle(&id.job)));
    match context.app.fal.cancel(&context.key, &id.job, context.question_deadline()).await {
        Ok(fal::Cancellation::NotFound) => Err(failed(fal::Error::RequestNotFound)),
        Ok(_) => Ok(()),
        Err(error) => Err(failed(error)),
    }
}
