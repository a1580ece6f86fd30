//! What a caller should do about each thing fal can answer.
#![deny(clippy::wildcard_enum_match_arm)]

use fal::Error;
use serde_json::{Map, Value, json};
use tracing::Level;

use super::{During, TaskEnd};

/// Where keys are made and seen.
pub(super) const KEYS_PAGE: &str = "https://fal.ai/dashboard/keys";
/// Where an account is topped up.
const BILLING_PAGE: &str = "https://fal.ai/dashboard/billing";

/// What to do next.
pub(super) fn next_step(error: &Error, during: &During) -> String {
    match error {
        Error::KeyMissing | Error::KeyMalformed | Error::KeyRejected => format!(
            "fal does not accept the key in this client's Authorization header. Ask the user to put a valid key there, as `Authorization: Bearer <key_id>:<key_secret>`; keys are made at {KEYS_PAGE}."
        ),
        Error::ScopeMissing => format!(
            "Ask the user for a key with the API scope or a wider one; keys are made at {KEYS_PAGE}."
        ),
        Error::Forbidden => {
            "The account may not use this. Ask the user, or choose another model.".to_owned()
        }
        Error::AccountLocked { .. } => format!(
            "Do not submit more jobs. Ask the user to top up or unlock the account at {BILLING_PAGE}.{}",
            what_was_sent(during)
        ),
        Error::ApplicationNotFound
        | Error::PathNotFound
        | Error::ModelNotFound
        | Error::MethodNotAllowed => {
            "Check the endpoint_id; search_models finds the ids that exist.".to_owned()
        }
        Error::PriceUnknown => {
            "fal gives no price for this model, so what it costs is not known before it has run. Check the endpoint_id, or choose another model with search_models.".to_owned()
        }
        Error::DocsSearchFailed { .. } => {
            "Search again with other words, or read https://fal.ai/docs.".to_owned()
        }
        Error::SchemaUnavailable => {
            "fal publishes no schema for this model, so its input cannot be checked first. Choose another model with search_models.".to_owned()
        }
        Error::RequestNotFound => not_found(during),
        Error::StillInProgress => "Call check_job with wait_seconds, then ask again.".to_owned(),
        Error::Cancelled => "The job was cancelled and has no result.".to_owned(),
        Error::ModelRefused { retryable, .. } => over(during, *retryable == Some(true)),
        Error::RequestFailed { .. } if during.submitting().is_none() => over(during, true),
        Error::InvalidRequest { .. } => "Correct the arguments and call again.".to_owned(),
        Error::RateLimited { retry_after } => format!(
            "{}{}",
            retry_after.map_or_else(
                || "Wait a few seconds, then call again.".to_owned(),
                |wait| format!("Wait {} s, then call again.", wait.as_secs().max(1))
            ),
            what_was_sent(during)
        ),
        Error::Ingress { .. } | Error::NotConnected { .. } | Error::DeadlinePassed => format!(
            "fal cannot be reached right now. Call again in a little while.{}",
            what_was_sent(during)
        ),
        Error::Server { .. }
        | Error::RequestFailed { .. }
        | Error::UnexpectedStatus { .. }
        | Error::Redirected => match during.submitting() {
            Some(endpoint_id) => failed_submit(endpoint_id),
            None => later(during),
        },
        Error::Dropped { .. }
        | Error::TimedOut { .. }
        | Error::AnswerMalformed { .. } => later(during),
        Error::AnswerTooLarge { .. } => {
            let During::Job(job) = during else { return later(during) };
            format!("It is too large to pass on. Get it from fal itself: {}", job.at_fal())
        }
        Error::SubmitOutcomeUnknown { .. } => unknown_outcome(during),
        Error::UploadRefused { .. } => {
            "Call upload_file again from the start: an upload URL is good for minutes only.".to_owned()
        }
        Error::ForeignUrl => {
            "fal's answer named an address that is not fal's; nothing was sent there. Ask the operator of this gateway to look at its log.".to_owned()
        }
    }
}

/// What to do when a file did not come from its URL.
pub(super) fn other_source(error: &fetch::Error) -> &'static str {
    use fetch::Error;
    match error {
        Error::NotAllowed => {
            "Use a public https URL of the file itself. A file on the user's own machine or network goes up with `path`."
        }
        Error::NotConnected { .. } | Error::Status { .. } | Error::TooManyRedirects { .. } => {
            "Check the URL: it has to lead to the file itself, without a sign-in. Otherwise download the file and use `path`."
        }
        Error::TooLarge { .. } => {
            "Download the file and use `path` with `file_size`: it goes straight to fal then."
        }
        Error::Stalled | Error::TimedOut | Error::Cut { .. } => {
            "Call again. If it fails again, download the file and use `path`."
        }
        Error::Compressed | Error::Empty | Error::TooLong | Error::Malformed { .. } => {
            "Use another URL of the file, or download it and use `path`."
        }
    }
}

/// The details that the text cannot carry.
pub(super) fn details(error: &Error, body: &mut Map<String, Value>) {
    if let Error::ModelRefused { status, details, retryable } = error {
        let details: Vec<Value> = details
            .iter()
            .take(10)
            .map(|detail| {
                let mut entry = Map::new();
                if !detail.loc.is_empty() {
                    entry.insert("loc".to_owned(), json!(detail.loc));
                }
                entry.insert("msg".to_owned(), json!(detail.msg));
                if !detail.kind.is_empty() {
                    entry.insert("type".to_owned(), json!(detail.kind));
                }
                if let Some(ctx) = &detail.ctx {
                    entry.insert("ctx".to_owned(), json!(ctx));
                }
                Value::Object(entry)
            })
            .collect();
        body.insert("status".to_owned(), json!(status));
        body.insert("details".to_owned(), Value::Array(details));
        if let Some(retryable) = retryable {
            body.insert("retryable".to_owned(), json!(retryable));
        }
    }
    if let Some(wait) = error.retry_after() {
        body.insert("retry_after_seconds".to_owned(), json!(wait.as_secs().max(1)));
    }
}

/// What the failure of a question about a job is to the task that the job is.
pub(super) fn ends_task(error: &Error) -> TaskEnd {
    match error {
        Error::Cancelled => TaskEnd::Cancelled,
        Error::ModelRefused { .. } | Error::RequestFailed { .. } | Error::AnswerTooLarge { .. } => {
            TaskEnd::Outcome
        }
        Error::RequestNotFound
        | Error::ApplicationNotFound
        | Error::PathNotFound
        | Error::MethodNotAllowed
        | Error::Forbidden => TaskEnd::NoTask,
        Error::KeyMissing
        | Error::KeyMalformed
        | Error::KeyRejected
        | Error::ScopeMissing
        | Error::AccountLocked { .. }
        | Error::ModelNotFound
        | Error::StillInProgress
        | Error::InvalidRequest { .. }
        | Error::PriceUnknown
        | Error::DocsSearchFailed { .. }
        | Error::SchemaUnavailable
        | Error::RateLimited { .. }
        | Error::Server { .. }
        | Error::Ingress { .. }
        | Error::UnexpectedStatus { .. }
        | Error::NotConnected { .. }
        | Error::Dropped { .. }
        | Error::TimedOut { .. }
        | Error::DeadlinePassed
        | Error::AnswerMalformed { .. }
        | Error::Redirected
        | Error::SubmitOutcomeUnknown { .. }
        | Error::UploadRefused { .. }
        | Error::ForeignUrl => TaskEnd::None,
    }
}

/// Who should look: the caller, or the gateway's operator.
pub(super) fn level(error: &Error) -> Level {
    match error {
        Error::KeyMissing
        | Error::KeyMalformed
        | Error::KeyRejected
        | Error::ScopeMissing
        | Error::Forbidden
        | Error::AccountLocked { .. }
        | Error::ApplicationNotFound
        | Error::PathNotFound
        | Error::ModelNotFound
        | Error::RequestNotFound
        | Error::MethodNotAllowed
        | Error::StillInProgress
        | Error::Cancelled
        | Error::ModelRefused { .. }
        | Error::RequestFailed { .. }
        | Error::InvalidRequest { .. }
        | Error::PriceUnknown
        | Error::SchemaUnavailable => Level::INFO,
        Error::RateLimited { .. }
        | Error::Server { .. }
        | Error::Ingress { .. }
        | Error::UnexpectedStatus { .. }
        | Error::NotConnected { .. }
        | Error::Dropped { .. }
        | Error::TimedOut { .. }
        | Error::DeadlinePassed
        | Error::AnswerTooLarge { .. }
        | Error::AnswerMalformed { .. }
        | Error::DocsSearchFailed { .. }
        | Error::Redirected
        | Error::UploadRefused { .. }
        | Error::SubmitOutcomeUnknown { .. } => Level::WARN,
        Error::ForeignUrl => Level::ERROR,
    }
}

/// An error as the answer to a submit: most likely, but not certainly, no job.
fn failed_submit(endpoint_id: &fal::EndpointId) -> String {
    format!(
        "fal answered the submit with an error, so there is most likely no job; to be certain, list_jobs with endpoint_id `{endpoint_id}` shows the account's recent jobs. Then call again in a little while."
    )
}

/// The sentence that keeps a caller from paying twice.
fn unknown_outcome(during: &During) -> String {
    let Some(endpoint_id) = during.submitting() else {
        return "Look for the job with list_jobs before you submit again.".to_owned();
    };
    format!(
        "Do not submit again yet: the job may exist and be billed. Call list_jobs with endpoint_id `{endpoint_id}` now and in a minute (a job shows there once it has started); if it is there, go on with its request_id in check_job, if it is not, submit again."
    )
}

fn not_found(during: &During) -> String {
    let Some(job) = during.job() else { return "Check the ids.".to_owned() };
    format!(
        "Check both ids: results are kept for a limited time, and only the key that submitted a job sees it. list_jobs with endpoint_id `{}` shows the account's recent jobs. Do not submit again before that.",
        job.endpoint_id
    )
}

fn later(during: &During) -> String {
    format!("Call again in a little while.{}", what_was_sent(during))
}

/// The end of a job, or the refusal of one.
fn over(during: &During, may_succeed: bool) -> String {
    let what = match during {
        During::Job(_) | During::Cancel(_) => "The job is over and has no result.",
        During::Submit(_) => "fal refused the submit, there is no job.",
        During::Search
        | During::Schema(_)
        | During::ListJobs(_)
        | During::Prices
        | During::Docs
        | During::Upload => "Nothing was submitted.",
    };
    let next = if may_succeed {
        "Submitting the same input again may succeed."
    } else {
        "Correct the input as the details say, then submit it as a new job."
    };
    format!("{what} {next}")
}

fn what_was_sent(during: &During) -> String {
    match during {
        During::Submit(_) => " There is no job and nothing is billed.".to_owned(),
        During::Job(job) => format!(
            " The job {} itself is not touched by this; ask for it again with check_job, do not submit it again.",
            job.request_id
        ),
        During::Cancel(job) => format!(
            " The job {} may not be cancelled: check_job shows how it stands, and cancel_job may be called again.",
            job.request_id
        ),
        During::Schema(_) | During::Prices => " Nothing was submitted.".to_owned(),
        During::Docs => {
            " Meanwhile fal's documentation is at https://fal.ai/docs, with an index for programs at https://fal.ai/docs/llms.txt.".to_owned()
        }
        During::Upload => " The file was not uploaded.".to_owned(),
        During::Search | During::ListJobs(_) => String::new(),
    }
}
