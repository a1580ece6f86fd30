//! A job at fal, from the caller's side: submitted once, waited for, never lost.
//!
//! Two things here outlive a caller that goes away. A submit under way is finished, because nobody
//! could say afterwards whether fal took it. And a job whose caller cancelled it by closing its
//! stream is cancelled at fal.

mod present;

use std::sync::Arc;
use std::time::Duration;

use fal::State;
use futures_util::{FutureExt as _, StreamExt as _};
use opentelemetry::Context as TraceContext;
use opentelemetry::context::FutureExt as _;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::app::App;
use crate::context::Context;
use crate::error::{During, Handle, ToolError};
use crate::telemetry::{FAL_ENDPOINT_ID, FAL_REQUEST_ID};

pub(crate) use present::{completed, media_urls, processing, standing};

/// How long the result may take of a job that is over just before the waiting is; after it the handle
/// is the answer.
const LATE_RESULT: Duration = Duration::from_secs(3);

/// The pauses before a result that fal failed to give is asked for again.
const RESULT_PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(800)];

/// What there is to say about a job when the waiting ends.
#[derive(Debug)]
pub(crate) enum Waited {
    /// It is done.
    Done {
        /// The output and what was billed.
        result: fal::JobResult,
        /// The last status, with the time the model took.
        status: fal::Status,
    },
    /// It runs on.
    Running(fal::Status),
}

/// A submitted job. Dropped before [`Submission::keep`], it is cancelled at fal if the caller's
/// going away is to mean that.
#[derive(Debug)]
pub(crate) struct Submission {
    /// The job.
    pub(crate) job: fal::Job,
    queue_position: Option<u64>,
    cancel: Option<(Arc<App>, fal::Key, TraceContext)>,
}

impl Submission {
    /// What fal said of the job when it took it.
    pub(crate) fn status(&self) -> fal::Status {
        fal::Status {
            state: State::InQueue { position: self.queue_position },
            logs: Vec::new(),
            earlier_logs: 0,
            inference_seconds: None,
        }
    }

    /// The caller has its answer, so its going away means nothing any more.
    pub(crate) fn keep(&mut self) {
        self.cancel = None;
    }
}

impl Drop for Submission {
    fn drop(&mut self) {
        if let Some((app, key, trace)) = self.cancel.take() {
            let job = self.job.clone();
            let fal = app.fal.clone();
            let cancel = async move {
                let outcome = fal.cancel(&key, &job, Context::plain_deadline()).await;
                let outcome = outcome.map_or_else(|error| error.kind(), |_| "requested");
                tracing::info!(outcome, request_id = %job.request_id, "caller gone, job cancelled");
            };
            app.detached.spawn(cancel.with_context(trace));
        }
    }
}

/// Submits a job. It runs to its end even if the caller goes away meanwhile.
pub(crate) async fn submit(
    context: &Context,
    endpoint_id: &fal::EndpointId,
    input: serde_json::Value,
    options: fal::SubmitOptions,
) -> Result<Submission, ToolError> {
    let (sender, receiver) = oneshot::channel();
    let app = context.app.clone();
    let key = context.key.clone();
    let cancels = context.dropping_cancels;
    let id = endpoint_id.clone();
    let submit = async move {
        let deadline = Instant::now() + app.config.patience.submit;
        let outcome = app.fal.submit(&key, &id, &input, &options, deadline).await;
        app.metrics.job_submitted(outcome.as_ref().map_or_else(fal::Error::kind, |_| "accepted"));
        let outcome = outcome.map(|submitted| Submission {
            job: submitted.job,
            queue_position: submitted.queue_position,
            cancel: cancels.then(|| (Arc::clone(&app), key.clone(), TraceContext::current())),
        });
        // Nobody listens any more: what was made is dropped here, and `Submission` decides.
        drop(sender.send(outcome));
    };
    context.app.detached.spawn(submit.with_current_context());
    let failed = ToolError::fal(During::Submit(endpoint_id.clone()));
    let outcome = receiver
        .await
        .unwrap_or_else(|gone| Err(fal::Error::SubmitOutcomeUnknown { source: Box::new(gone) }));
    let submission = outcome.map_err(failed)?;
    // Only now: an id that fal took is one, and not whatever else a caller wrote in its place.
    let span = tracing::Span::current();
    span.record(FAL_ENDPOINT_ID, submission.job.endpoint_id.as_str());
    span.record(FAL_REQUEST_ID, submission.job.request_id.as_str());
    Ok(submission)
}

/// Waits for a job until it is done, `until` has come, or the server is about to end; progress goes
/// to the caller meanwhile. `known` is what is known of the job already. The status has log lines
/// if `logs`.
pub(crate) async fn wait(
    context: &Context,
    job: &fal::Job,
    until: Instant,
    logs: bool,
    known: Option<fal::Status>,
) -> Result<Waited, ToolError> {
    let _waiting = context.app.metrics.waiting();
    let with_logs = logs || context.progress.is_read();
    let mut updates = Box::pin(context.app.fal.watch(&context.key, job, with_logs));
    let mut latest = known;
    let mut told = present::Told::default();
    let timeout = tokio::time::sleep_until(until);
    tokio::pin!(timeout);
    loop {
        let update = tokio::select! {
            biased;
            update = updates.next() => update,
            () = &mut timeout => None,
            () = context.app.hurry.cancelled() => None,
        };
        let failed = ToolError::fal(During::Job(handle(job)));
        let mut status = match update {
            Some(Ok(status)) => status,
            Some(Err(error)) => return Err(failed(error)),
            // The time is up. (Or the updates ended before the job, which they never do.)
            None => {
                return latest
                    .map(Waited::Running)
                    .ok_or_else(|| failed(fal::Error::TimedOut { source: None }));
            }
        };
        context.progress.report(|| present::progress(job, &status, &mut told));
        if !logs {
            status.logs = Vec::new();
        }
        if status.state.is_final() {
            drop(updates);
            let late = until.max(Instant::now()) + LATE_RESULT;
            let settled = timeout_at(late, settle(context, job, status.clone()).boxed()).await;
            return settled.unwrap_or(Ok(Waited::Running(status)));
        }
        latest = Some(status);
    }
}

/// Where a job stands, asked once and until there is an answer: failures that pass are ridden out
/// as in a wait. A job that is over has its result fetched.
pub(crate) async fn look(context: &Context, job: &fal::Job) -> Result<Waited, ToolError> {
    let mut updates = Box::pin(context.app.fal.watch(&context.key, job, false));
    let first = timeout_at(context.question_deadline(), updates.next()).await;
    drop(updates);
    let status = first.ok().flatten().unwrap_or(Err(fal::Error::TimedOut { source: None }));
    settle(context, job, status.map_err(ToolError::fal(During::Job(handle(job))))?).await
}

/// What a status comes to: a job that is over has its result fetched, another runs on.
pub(crate) async fn settle(
    context: &Context,
    job: &fal::Job,
    status: fal::Status,
) -> Result<Waited, ToolError> {
    match &status.state {
        State::InQueue { .. } | State::InProgress => Ok(Waited::Running(status)),
        State::Completed | State::Failed { .. } => finish(context, job, status).await,
    }
}

/// What a job that is over came to: its result, or why there is none.
async fn finish(
    context: &Context,
    job: &fal::Job,
    status: fal::Status,
) -> Result<Waited, ToolError> {
    if let State::Failed { error_type: Some(error_type), .. } = &status.state
        && error_type == fal::RequestErrorType::ClientCancelled.as_str()
    {
        return Err(ToolError::fal(During::Job(handle(job)))(fal::Error::Cancelled));
    }
    let result = result(context, job).await;
    let told = |outcome| context.app.metrics.job_finished(outcome);
    match (&status.state, result) {
        (State::Failed { message, error_type }, Ok(_) | Err(ResultError::Other(_))) => {
            told("job_failed");
            Err(ToolError::JobFailed {
                job: handle(job),
                message: message.clone(),
                error_type: error_type.clone(),
            })
        }
        // The model's own words about its failure say more than the status does.
        (_, Err(ResultError::Final(error))) => {
            told(error.kind());
            Err(ToolError::fal(During::Job(handle(job)))(error))
        }
        (_, Err(ResultError::Other(error))) => Err(ToolError::fal(During::Job(handle(job)))(error)),
        (_, Ok(result)) => {
            told("completed");
            Ok(Waited::Done { result, status })
        }
    }
}

/// Why a result could not be had: for good, or perhaps only now.
enum ResultError {
    Final(fal::Error),
    Other(fal::Error),
}

/// The result of a job that is over. Asking for it is free and a failure of fal may pass, so a 5xx
/// is believed only when it comes again.
async fn result(context: &Context, job: &fal::Job) -> Result<fal::JobResult, ResultError> {
    let mut pauses = RESULT_PAUSES.into_iter();
    let deadline = Instant::now() + context.app.config.patience.result;
    loop {
        let error = match context.app.fal.result(&context.key, job, deadline).await {
            Ok(result) => return Ok(result),
            Err(error) => error,
        };
        let status = match &error {
            fal::Error::ModelRefused { status, .. } | fal::Error::RequestFailed { status, .. } => {
                *status
            }
            fal::Error::Cancelled => return Err(ResultError::Final(error)),
            _ => return Err(ResultError::Other(error)),
        };
        match pauses.next() {
            Some(pause) if status >= 500 && Instant::now() + pause < deadline => {
                tokio::time::sleep(pause).await;
            }
            _ => return Err(ResultError::Final(error)),
        }
    }
}

/// The handle of a job, for errors.
pub(crate) fn handle(job: &fal::Job) -> Handle {
    Handle { endpoint_id: job.endpoint_id.clone(), request_id: job.request_id.clone() }
}
