//! Cancel: frees the job's place at once, whether it waits or runs.

use http::StatusCode;

use crate::call::Call;
use crate::queue::job::Job;
use crate::queue::lane::Account;
use crate::reply::{self, Answer};

/// `PUT …/cancel`: 202 for a job that had not ended, 400 for one that had.
pub(super) fn cancel(call: &Call<'_>, account: &Account, job: &Job) -> Answer {
    if account.cancel(job, call.now) {
        reply::json_bytes(StatusCode::ACCEPTED, r#"{"status":"CANCELLATION_REQUESTED"}"#)
    } else {
        reply::json_bytes(StatusCode::BAD_REQUEST, r#"{"status":"ALREADY_COMPLETED"}"#)
    }
}
