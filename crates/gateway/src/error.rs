//! The only table of failures: what each looks like to a caller, to a log and to a metric.
//!
//! Two lanes, as MCP draws them. A [`ToolError`] becomes a result with `isError`, which the model
//! reads and can act on. A [`Failure`] means that no tool ran: it becomes an HTTP status and a
//! JSON-RPC error. What the protocol itself decides about its refusals lives in [`mcp::Rejection`].
#![deny(clippy::wildcard_enum_match_arm)]

mod advice;
mod failure;

use std::sync::Arc;
use std::time::Duration;

use mcp::{CallToolResult, RequestId};
use serde_json::{Map, Value, json};
use tracing::Level;

pub(crate) use failure::{Failure, KeyProblem, not_found_body};

/// What a failure is to the task whose job it is about (SEP-2663).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskEnd {
    /// The job's own outcome: the task is completed, with an error for a result.
    Outcome,
    /// The task is cancelled.
    Cancelled,
    /// This caller has no such task.
    NoTask,
    /// Nothing about the task: only this question failed.
    None,
}

/// What a caller needs to come back to a job: both ids, on any replica, at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Handle {
    /// What runs.
    pub endpoint_id: fal::EndpointId,
    /// Which run of it.
    pub request_id: fal::RequestId,
}

impl Handle {
    /// How to get a result that we cannot pass on whole.
    pub(crate) fn at_fal(&self) -> String {
        format!(
            "GET https://queue.fal.run/{}/requests/{} with the header `Authorization: Key <fal key>`.",
            self.endpoint_id.app(),
            self.request_id
        )
    }
}

/// What we were asking fal for when it failed; it decides what the caller should do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum During {
    /// Reading the catalogue.
    Search,
    /// Reading a model's schema. Nothing was submitted.
    Schema(fal::EndpointId),
    /// Submitting a job.
    Submit(fal::EndpointId),
    /// Asking about a job.
    Job(Handle),
    /// Cancelling a job.
    Cancel(Handle),
    /// Listing the caller's requests of an endpoint.
    ListJobs(fal::EndpointId),
    /// Asking for prices. Nothing was submitted.
    Prices,
    /// Searching the documentation.
    Docs,
    /// Bringing a file in.
    Upload,
}

impl During {
    /// The job that was asked about.
    fn job(&self) -> Option<&Handle> {
        if let Self::Job(job) | Self::Cancel(job) = self { Some(job) } else { None }
    }

    /// The model of which a job was being submitted.
    fn submitting(&self) -> Option<&fal::EndpointId> {
        if let Self::Submit(endpoint_id) = self { Some(endpoint_id) } else { None }
    }
}

/// A tool ran and failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ToolError {
    /// The arguments do not fit the tool's schema.
    #[error("The arguments of {tool} are not valid.")]
    InvalidArguments {
        /// The tool.
        tool: &'static str,
        /// A sentence each: which argument, what was given, what is accepted.
        problems: Vec<String>,
    },
    /// No model has this id.
    #[error("No model has the endpoint_id `{endpoint_id}`.")]
    UnknownEndpoint {
        /// As the caller wrote it.
        endpoint_id: fal::EndpointId,
        /// The nearest living ids, best first.
        nearest: Vec<String>,
    },
    /// The input does not fit the model's schema. Nothing was sent.
    #[error("The input does not fit `{endpoint_id}`. Nothing was submitted, nothing is billed.")]
    InputRefused {
        /// The model.
        endpoint_id: fal::EndpointId,
        /// A sentence each: the path, what was given, what is accepted.
        problems: Vec<String>,
    },
    /// One run is likely to cost more than the caller allows. Nothing was sent.
    #[error(
        "One run of `{endpoint_id}` is estimated at {guess} USD ({price}), more than the limit of {limit} USD. Nothing was submitted, nothing is billed."
    )]
    TooExpensive {
        /// The model.
        endpoint_id: fal::EndpointId,
        /// What the caller allows, US dollars.
        limit: f64,
        /// What one run is likely to cost, US dollars.
        guess: f64,
        /// The price in words.
        price: String,
    },
    /// Nobody can tell what one run costs, and the caller set a limit. Nothing was sent.
    #[error(
        "What one run of `{endpoint_id}` costs is not known beforehand, so the limit of {limit} USD cannot be kept. Nothing was submitted, nothing is billed."
    )]
    CostUnknown {
        /// The model.
        endpoint_id: fal::EndpointId,
        /// What the caller allows, US dollars.
        limit: f64,
    },
    /// The key called too often. Nothing was sent.
    #[error(
        "This key has made too many requests to this server. Nothing was submitted, nothing is billed."
    )]
    TooManyRequests {
        /// When it may call again.
        retry_after: Duration,
    },
    /// The catalogue has not been read since the start, and this needs it.
    #[error("The catalogue of models is not loaded yet.")]
    CatalogueLoading,
    /// The job ended and did not succeed.
    #[error("The job ended without a result: {message}")]
    JobFailed {
        /// The job.
        job: Handle,
        /// What fal said.
        message: String,
        /// fal's word for it.
        error_type: Option<String>,
    },
    /// A file could not be fetched from the URL that the caller named.
    #[error("The file was not uploaded: {0}.")]
    Source(#[from] fetch::Error),
    /// fal failed, refused or could not be reached.
    #[error("{error}")]
    Fal {
        /// What happened; shared by everyone who waited for the same answer.
        error: Arc<fal::Error>,
        /// What was being asked.
        during: During,
    },
}

impl ToolError {
    /// Says what was being asked when fal failed, for `map_err`.
    pub(crate) fn fal(during: During) -> impl FnOnce(fal::Error) -> Self {
        move |error| Self::Fal { error: Arc::new(error), during }
    }

    /// A stable word for metrics, logs and models, from a closed set.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::InvalidArguments { .. } => "invalid_arguments",
            Self::UnknownEndpoint { .. } => "unknown_endpoint_id",
            Self::InputRefused { .. } => "input_refused",
            Self::TooExpensive { .. } => "too_expensive",
            Self::CostUnknown { .. } => "cost_unknown",
            Self::TooManyRequests { .. } => "too_many_requests",
            Self::CatalogueLoading => "catalogue_loading",
            Self::JobFailed { .. } => "job_failed",
            Self::Source(error) => error.kind(),
            Self::Fal { error, .. } => error.kind(),
        }
    }

    /// A caller's mistake is information; a failing fal is a warning.
    pub(crate) fn level(&self) -> Level {
        match self {
            Self::InvalidArguments { .. }
            | Self::UnknownEndpoint { .. }
            | Self::InputRefused { .. }
            | Self::TooExpensive { .. }
            | Self::CostUnknown { .. }
            | Self::TooManyRequests { .. }
            | Self::CatalogueLoading
            | Self::JobFailed { .. }
            | Self::Source(_) => Level::INFO,
            Self::Fal { error, .. } => advice::level(error),
        }
    }

    /// What the model reads: compact JSON with `error` (a stable word), `message`, `next_step`, and
    /// the ids where there is a job.
    pub(crate) fn to_result(&self) -> CallToolResult {
        CallToolResult::error(self.body().to_string())
    }

    /// What it is to the task whose job was asked about.
    pub(crate) fn ends_task(&self) -> TaskEnd {
        match self {
            Self::JobFailed { .. } => TaskEnd::Outcome,
            Self::Fal { error, .. } => advice::ends_task(error),
            Self::InvalidArguments { .. }
            | Self::UnknownEndpoint { .. }
            | Self::InputRefused { .. }
            | Self::TooExpensive { .. }
            | Self::CostUnknown { .. }
            | Self::TooManyRequests { .. }
            | Self::CatalogueLoading
            | Self::Source(_) => TaskEnd::None,
        }
    }

    /// The answer to a request about a task that it is no outcome of.
    pub(crate) fn of_task(&self, id: RequestId) -> Failure {
        Failure::Task {
            id,
            is_unknown: self.ends_task() == TaskEnd::NoTask,
            kind: self.kind(),
            level: self.level(),
            message: format!("{}. {}", self.to_string().trim_end_matches('.'), self.next_step()),
            data: Box::new(self.body()),
        }
    }

    fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("error".to_owned(), json!(self.kind()));
        body.insert("message".to_owned(), json!(self.to_string()));
        body.insert("next_step".to_owned(), json!(self.next_step()));
        if let Some(job) = self.job() {
            body.insert("endpoint_id".to_owned(), json!(job.endpoint_id.as_str()));
            body.insert("request_id".to_owned(), json!(job.request_id.as_str()));
        }
        match self {
            Self::UnknownEndpoint { nearest, .. } => {
                body.insert("nearest_endpoint_ids".to_owned(), json!(nearest));
            }
            Self::JobFailed { error_type: Some(error_type), .. } => {
                body.insert("error_type".to_owned(), json!(error_type));
            }
            Self::Fal { error, .. } => advice::details(error, &mut body),
            Self::InvalidArguments { problems, .. } | Self::InputRefused { problems, .. } => {
                body.insert("problems".to_owned(), json!(problems));
            }
            Self::TooExpensive { limit, guess, .. } => {
                body.insert("estimated_usd".to_owned(), json!(guess));
                body.insert("max_cost_usd".to_owned(), json!(limit));
            }
            Self::TooManyRequests { retry_after } => {
                let seconds = failure::whole_seconds(*retry_after);
                body.insert("retry_after_seconds".to_owned(), json!(seconds));
            }
            Self::CostUnknown { .. }
            | Self::CatalogueLoading
            | Self::Source(_)
            | Self::JobFailed { error_type: None, .. } => {}
        }
        Value::Object(body)
    }

    /// What to do next, in a sentence or two.
    fn next_step(&self) -> String {
        match self {
            Self::InvalidArguments { tool, .. } => {
                format!("Correct the arguments and call {tool} again.")
            }
            Self::UnknownEndpoint { nearest, .. } if nearest.is_empty() => {
                "Find the right id with search_models.".to_owned()
            }
            Self::UnknownEndpoint { nearest, .. } => format!(
                "Use one of the nearest ids ({}) or find another with search_models.",
                nearest.join(", ")
            ),
            Self::InputRefused { endpoint_id, .. } => format!(
                "Correct the input and call again; get_model_schema with endpoint_id `{endpoint_id}` shows what it takes."
            ),
            Self::TooExpensive { .. } => {
                "Ask the user whether it may cost that much, and call again with a higher max_cost_usd; or choose a smaller input or a cheaper model with recommend_model and max_price_usd.".to_owned()
            }
            Self::CostUnknown { endpoint_id, .. } => format!(
                "get_pricing with endpoint_id `{endpoint_id}` shows what fal says of its price. Ask the user, and call again without max_cost_usd if they agree."
            ),
            Self::TooManyRequests { retry_after } => format!(
                "Wait {} s, then call again.",
                failure::whole_seconds(*retry_after)
            ),
            Self::CatalogueLoading => {
                "Call again in a few seconds; meanwhile search_models asks fal directly.".to_owned()
            }
            Self::JobFailed { job, .. } => format!(
                "The job {} is over. Correct the input if the message says so, or submit it again as a new job.",
                job.request_id
            ),
            Self::Source(error) => advice::other_source(error).to_owned(),
            Self::Fal { error, during } => advice::next_step(error, during),
        }
    }

    fn job(&self) -> Option<&Handle> {
        match self {
            Self::JobFailed { job, .. } => Some(job),
            Self::Fal { during, .. } => during.job(),
            Self::InvalidArguments { .. }
            | Self::UnknownEndpoint { .. }
            | Self::InputRefused { .. }
            | Self::TooExpensive { .. }
            | Self::CostUnknown { .. }
            | Self::TooManyRequests { .. }
            | Self::CatalogueLoading
            | Self::Source(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
