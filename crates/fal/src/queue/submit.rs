//! Putting a job into the queue: the one call that costs money.

use http::{HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use super::job::{Job, Urls};
use crate::{
    Client, EndpointId, Error, Hosts, Key, RequestId,
    answer::Answer,
    call::{Call, Operation},
    hosts, refusal,
};

const LIFECYCLE: HeaderName = HeaderName::from_static("x-fal-object-lifecycle-preference");
const STORE_IO: HeaderName = HeaderName::from_static("x-fal-store-io");
const PRIORITY: HeaderName = HeaderName::from_static("x-fal-queue-priority");

/// What a caller may ask for beside the input (fal docs, "Common parameters").
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubmitOptions {
    /// How long produced files are kept, in seconds; fal's own setting when absent.
    pub expiration_seconds: Option<u64>,
    /// Whether fal keeps input and output of the job.
    pub store_payload: Option<bool>,
    /// Where fal reports the end of the job.
    pub webhook_url: Option<Url>,
    /// The place in the queue.
    pub priority: Option<Priority>,
}

/// A job's place in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// In order of arrival.
    Normal,
    /// After those of normal priority.
    Low,
}

/// fal has the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// How to come back to it.
    pub job: Job,
    /// How many jobs are before it.
    pub queue_position: Option<u64>,
}

impl Client {
    /// Puts a job into the queue. `input` is the model's own.
    ///
    /// It is sent again only while no connection comes up. Once anything may have arrived, the call
    /// ends: with what fal answered, or with [`Error::SubmitOutcomeUnknown`].
    pub async fn submit(
        &self,
        key: &Key,
        endpoint_id: &EndpointId,
        input: &Value,
        options: &SubmitOptions,
        deadline: Instant,
    ) -> Result<Submitted, Error> {
        let mut url = hosts::below(&self.hosts().queue, endpoint_id.segments());
        if let Some(webhook) = &options.webhook_url {
            url.query_pairs_mut().append_pair("fal_webhook", webhook.as_str());
        }
        let mut call = Call::post(
            Operation::Submit,
            url,
            key,
            serde_json::to_vec(input).map_err(Error::malformed)?.into(),
        );
        if let Some(seconds) = options.expiration_seconds {
            let lifecycle = json!({ "expiration_duration_seconds": seconds }).to_string();
            let value = HeaderValue::try_from(lifecycle).map_err(Error::malformed)?;
            call.set(LIFECYCLE, value);
        }
        if let Some(store) = options.store_payload {
            call.set(STORE_IO, HeaderValue::from_static(if store { "1" } else { "0" }));
        }
        if let Some(priority) = options.priority {
            call.set(
                PRIORITY,
                HeaderValue::from_static(match priority {
                    Priority::Normal => "normal",
                    Priority::Low => "low",
                }),
            );
        }
        self.ask(&call, deadline, |outcome| read(outcome, endpoint_id, self.hosts())).await
    }
}

/// What has become of a submit. Says that it failed only where that is certain.
fn read(
    outcome: Result<Answer, Error>,
    endpoint_id: &EndpointId,
    hosts: &Hosts,
) -> Result<Submitted, Error> {
    let answer = match outcome {
        Ok(answer) => answer,
        Err(
            error @ (Error::NotConnected { .. }
            | Error::DeadlinePassed
            | Error::ForeignUrl
            | Error::KeyMalformed),
        ) => return Err(error),
        Err(error) => return Err(unknown(error)),
    };
    if answer.status.is_success() {
        return accepted(&answer, endpoint_id, hosts).map_err(unknown);
    }
    match refusal::read(Operation::Submit, &answer) {
        // The proxy says 503 when it has nobody to pass a call to. With its other words it may have
        // passed the call on and lost the answer.
        error @ Error::Ingress { .. } if answer.status != StatusCode::SERVICE_UNAVAILABLE => {
            Err(unknown(error))
        }
        error => Err(error),
    }
}

fn unknown(error: Error) -> Error {
    Error::SubmitOutcomeUnknown { source: error.into() }
}

#[derive(Deserialize)]
struct Wire {
    request_id: String,
    status_url: Option<String>,
    response_url: Option<String>,
    cancel_url: Option<String>,
    queue_position: Option<u64>,
}

fn accepted(answer: &Answer, endpoint_id: &EndpointId, hosts: &Hosts) -> Result<Submitted, Error> {
    let wire: Wire = answer.json()?;
    let request_id = RequestId::parse(&wire.request_id).map_err(Error::malformed)?;
    let ours = |text: Option<String>| text.and_then(|text| hosts.below_queue(&text));
    let urls = Urls {
        status: ours(wire.status_url),
        response: ours(wire.response_url),
        cancel: ours(wire.cancel_url),
    };
    Ok(Submitted {
        job: Job::new(endpoint_id.clone(), request_id).with_urls(urls),
        queue_position: wire.queue_position,
    })
}
