//! Result: the model's own status, headers and body, passed through.

use bytes::Bytes;
use http::StatusCode;
use serde_json::json;

use crate::call::Call;
use crate::outcome::{Outcome, RequestError};
use crate::output;
use crate::queue::job::{Job, State};
use crate::queue::lane::Account;
use crate::reply::{self, Answer};
use crate::units;

/// A result of this many bytes is kept for a tenth of the time.
const LARGE_RESULT: usize = 10 * 1024;

/// `GET …/requests/{request_id}`.
pub(super) fn fetch(call: &Call<'_>, account: &Account, job: &Job) -> Answer {
    let now = call.now;
    account.bring_up_to_date(job, now);
    match job.state(now) {
        State::Queued | State::Running { .. } => {
            reply::detail(StatusCode::BAD_REQUEST, "Request is still in progress")
        }
        State::Done { ended, outcome, .. } => {
            let (answer, size) = answer(call, job, outcome);
            if size >= LARGE_RESULT && now > ended + job.retention / 10 {
                return super::not_found();
            }
            answer
        }
    }
}

/// What a finished job or run answers, and the size of its body.
pub(crate) fn answer(call: &Call<'_>, job: &Job, outcome: &Outcome) -> (Answer, usize) {
    let (status, body) = match outcome {
        Outcome::Output => (StatusCode::OK, output_bytes(call, job)),
        Outcome::Invalid(detail) => (StatusCode::UNPROCESSABLE_ENTITY, detail.clone()),
        Outcome::ContentPolicy => (StatusCode::UNPROCESSABLE_ENTITY, content_policy(job)),
        Outcome::PathNotFound => {
            let path = job.endpoint_id.strip_prefix(job.app()).unwrap_or_default();
            let text = json!({ "detail": format!("Path {path} not found") });
            (StatusCode::NOT_FOUND, Bytes::from(text.to_string()))
        }
        Outcome::Failed(_) | Outcome::Cancelled | Outcome::StartTimeout => {
            let error = outcome.request_error();
            let text = error.map(|error| {
                json!({ "detail": error.text, "error_type": error.error_type }).to_string()
            });
            (outcome.status(), Bytes::from(text.unwrap_or_default()))
        }
    };
    let size = body.len();
    let mut answer = reply::json_bytes(status, body);
    if let Some(error) = outcome.request_error() {
        describe_failure(&mut answer, outcome, error);
    } else {
        bill(&mut answer, job, outcome);
    }
    (answer, size)
}

fn output_bytes(call: &Call<'_>, job: &Job) -> Bytes {
    let Some(model) = &job.model else {
        return Bytes::new();
    };
    let output = output::build(&call.bases, call.sim.config.seed, model, job);
    Bytes::from(serde_json::to_vec(&output).unwrap_or_default())
}

/// The refusal of an input that the model's checker objects to.
fn content_policy(job: &Job) -> Bytes {
    let input: serde_json::Value = serde_json::from_slice(&job.input).unwrap_or_default();
    let field = ["prompt", "text", "image_url", "video_url", "audio_url"]
        .into_iter()
        .find(|field| input.get(field).is_some())
        .unwrap_or("prompt");
    let detail = json!({ "detail": [{
        "loc": ["body", field],
        "msg": "The content could not be processed because it was flagged by a content checker.",
        "type": "content_policy_violation",
        "url": "https://docs.fal.ai/errors/#content_policy_violation",
        "input": input.get(field),
    }] });
    Bytes::from(detail.to_string())
}

fn describe_failure(answer: &mut Answer, outcome: &Outcome, error: RequestError) {
    reply::set(answer, "x-fal-error-type", error.error_type);
    match outcome {
        Outcome::StartTimeout => reply::set(answer, "x-fal-request-timeout-type", "user"),
        _ if error.status == StatusCode::GATEWAY_TIMEOUT => {
            reply::set(answer, "x-fal-request-timeout-type", "infrastructure");
        }
        _ => {}
    }
}

fn bill(answer: &mut Answer, job: &Job, outcome: &Outcome) {
    if let (Outcome::Output, Some(model)) = (outcome, &job.model) {
        if let Some(units) = units::billed(model, job) {
            reply::set(answer, "x-fal-billable-units", &units);
        }
        return;
    }
    reply::set(answer, "x-fal-billable-units", "0");
    if outcome.status() == StatusCode::UNPROCESSABLE_ENTITY {
        reply::set(answer, "x-fal-retryable", "false");
    }
}
