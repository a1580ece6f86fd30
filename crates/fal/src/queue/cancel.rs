//! Calling a job off.

use serde_json::Value;
use tokio::time::Instant;

use super::job::Job;
use crate::{
    Client, Error, Key,
    answer::Answer,
    call::{Call, Operation},
    refusal,
};

/// What a cancellation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancellation {
    /// The job was taken out of the queue before it ran.
    Removed,
    /// fal will try to stop it. A job that runs already may go on, and be billed.
    Requested,
    /// It had ended before.
    AlreadyCompleted,
    /// There is no such job, or no longer.
    NotFound,
}

impl Client {
    /// Asks fal to cancel a job. Asking twice does no harm, so it is repeated like a read.
    pub async fn cancel(
        &self,
        key: &Key,
        job: &Job,
        deadline: Instant,
    ) -> Result<Cancellation, Error> {
        let call = Call::put(Operation::Cancel, job.cancel_url(self.hosts()), key);
        self.ask(&call, deadline, |outcome| read(&outcome?)).await
    }
}

fn read(answer: &Answer) -> Result<Cancellation, Error> {
    // fal's documents disagree about the body of a success, so one that says nothing known is the
    // weaker of the two.
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match body.get("status").and_then(Value::as_str) {
        Some("OK") if answer.status.is_success() => return Ok(Cancellation::Removed),
        Some("ALREADY_COMPLETED") => return Ok(Cancellation::AlreadyCompleted),
        _ if answer.status.is_success() => return Ok(Cancellation::Requested),
        _ => {}
    }
    match refusal::read(Operation::Cancel, answer) {
        Error::RequestNotFound => Ok(Cancellation::NotFound),
        error => Err(error),
    }
}
