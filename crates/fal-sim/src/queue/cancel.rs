//! Cancel: frees the job's place at once, whether it waits or runs.

use http::StatusCode;

use crate::call::Call;
use crate::queue::job::{Job, State};
use crate::queue::lane::Account;
use crate::reply::{self, Answer};

/// `PUT …/cancel`: 202 for a job that had not ended (200 for one that had not started, if so
/// configured), 400 for one that had.
pub(super) fn cancel(call: &Call<'_>, account: &Account, job: &Job) -> Answer {
    account.bring_up_to_date(job, call.now);
    let waits = matches!(job.state(call.now), State::Queued);
    if account.cancel(job, call.now) {
        if waits && call.sim.config.cancel_removes {
            return reply::json_bytes(StatusCode::OK, r#"{"status":"OK"}"#);
        }
        reply::json_bytes(StatusCode::ACCEPTED, r#"{"status":"CANCELLATION_REQUESTED"}"#)
    } else {
        reply::json_bytes(StatusCode::BAD_REQUEST, r#"{"status":"ALREADY_COMPLETED"}"#)
    }
}
