//! What a job came to.

use http::StatusCode;
use serde_json::Value;
use tokio::time::Instant;

use super::job::Job;
use crate::{
    Client, Error, Key,
    answer::Answer,
    call::{Call, Operation},
    refusal,
};

/// A model's output.
#[derive(Debug, Clone, PartialEq)]
pub struct JobResult {
    /// The output, as the model made it.
    pub output: Value,
    /// What it is billed for, in the model's billing unit. Absent for models that are billed by
    /// computing time: there the status has the seconds.
    pub billable_units: Option<f64>,
}

impl Client {
    /// Fetches a job's output. A model's refusal of its input comes as [`Error::ModelRefused`],
    /// a job that has not ended as [`Error::StillInProgress`].
    pub async fn result(
        &self,
        key: &Key,
        job: &Job,
        deadline: Instant,
    ) -> Result<JobResult, Error> {
        let url = job.response_url(self.hosts());
        let call = Call::get(Operation::Result, url, Some(key));
        self.ask(&call, deadline, |outcome| read(&outcome?)).await
    }
}

fn read(answer: &Answer) -> Result<JobResult, Error> {
    match answer.status {
        StatusCode::ACCEPTED => Err(Error::StillInProgress),
        status if status.is_success() => Ok(JobResult {
            output: answer.json()?,
            billable_units: answer
                .header("x-fal-billable-units")
                .and_then(|units| units.trim().parse::<f64>().ok())
                .filter(|units| units.is_finite()),
        }),
        _ => Err(refusal::read(Operation::Result, answer)),
    }
}
