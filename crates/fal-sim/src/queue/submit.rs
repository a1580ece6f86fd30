//! Submit: accepts any input for any app that exists, and decides what will come of the job.
//!
//! Webhooks are accepted, answered with a `gateway_request_id` and written to the ledger; they
//! are never delivered.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::StatusCode;
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use crate::call::Call;
use crate::config::Config;
use crate::faults::FaultKind;
use crate::hash;
use crate::hosts::{Bases, Host};
use crate::ledger::Submit;
use crate::models::Model;
use crate::outcome::{Outcome, request_error_of};
use crate::profile;
use crate::queue::job::Job;
use crate::queue::lane::Account;
use crate::reply::{self, Answer, Refusal};
use crate::router::app_of;
use crate::steer::Steer;
use crate::storage;

/// A model's own refusal of an input takes about this long, in seconds.
const REFUSAL_SECONDS: f64 = 0.05;

/// `POST /{endpoint_id}`.
pub(crate) fn handle(call: &Call<'_>, endpoint_id: &str) -> Answer {
    let account = match super::caller(call, endpoint_id) {
        Ok(account) => account,
        Err(refusal) => return refusal.into(),
    };
    let now = call.now;
    let longest = call.parameter("fal_max_queue_length").and_then(|text| text.parse().ok());
    if longest.is_some_and(|longest: usize| account.waiting(now) > longest) {
        return reply::detail(StatusCode::TOO_MANY_REQUESTS, "Queue is too long");
    }
    let job = match plan(call, &account, endpoint_id, now, false) {
        Ok(job) => Arc::new(job),
        Err(refusal) => return refusal.into(),
    };
    call.sim.jobs.insert(Arc::clone(&job), now);
    account.enqueue(&job, now);
    let urls = Urls::of(call, &job);
    let position = match account.position(&job, now) {
        _ if job.started.get().is_some() => 0,
        (position, _) => position,
    };
    let mut body = json!({
        "status": "IN_QUEUE",
        "request_id": job.request_id,
        "response_url": urls.response,
        "status_url": urls.status,
        "cancel_url": urls.cancel,
        "queue_position": position,
    });
    if call.parameter("fal_webhook").is_some()
        && let Some(fields) = body.as_object_mut()
    {
        fields.insert("gateway_request_id".to_owned(), json!(job.request_id));
    }
    let mut answer = reply::json(StatusCode::OK, &body);
    reply::set(&mut answer, "x-fal-request-id", &job.request_id);
    answer
}

/// The URLs of one job.
#[derive(Debug)]
pub(super) struct Urls {
    pub(super) response: String,
    pub(super) status: String,
    pub(super) cancel: String,
}

impl Urls {
    /// The URLs under the host that the request itself came to, or under the fault's.
    pub(super) fn of(call: &Call<'_>, job: &Job) -> Self {
        match &call.job_fault {
            Some(FaultKind::ForeignStatusUrl { origin }) => {
                Self::under(&call.sim.config, origin, job)
            }
            _ => Self::at(&call.sim.config, &call.bases, job),
        }
    }

    /// The URLs under these bases.
    pub(super) fn at(config: &Config, bases: &Bases, job: &Job) -> Self {
        Self::under(config, &bases.base(Host::Queue), job)
    }

    fn under(config: &Config, base: &str, job: &Job) -> Self {
        let request = format!("{base}/{}/requests/{}", job.app(), job.request_id);
        let suffix = if config.response_suffix { "/response" } else { "" };
        Self {
            response: format!("{request}{suffix}"),
            status: format!("{request}/status"),
            cancel: format!("{request}/cancel"),
        }
    }
}

/// Makes the job that a submit or a run asks for, with all that will come of it, and enters it
/// in the ledger.
pub(crate) fn plan(
    call: &Call<'_>,
    account: &Account,
    endpoint_id: &str,
    now: Instant,
    sync: bool,
) -> Result<Job, Refusal> {
    let sim = call.sim;
    let model = sim.catalog.runnable(endpoint_id, account.standing);
    if model.is_none() && !sim.catalog.has_app(app_of(endpoint_id), account.standing) {
        let name = app_of(endpoint_id).rsplit('/').next().unwrap_or(endpoint_id);
        let text = format!("Application \"{name}\" not found");
        return Err(reply::detail(StatusCode::NOT_FOUND, &text).into());
    }
    let steer = Steer::read(&call.body);
    let planned = outcome(call, model.as_deref(), &steer);
    let input_hash = hash::hash(sim.config.seed, &call.body);
    let seq = sim.next_seq();
    let luck = hash::mix(input_hash ^ seq);
    let inference_seconds = match (&planned, steer.run_time) {
        (_, Some(time)) => time.as_secs_f64(),
        (Outcome::Invalid(_) | Outcome::PathNotFound, None) => REFUSAL_SECONDS,
        _ => model.as_ref().map_or(REFUSAL_SECONDS, |model| model.profile().draw(luck)),
    };
    let strangers = profile::strangers(luck);
    let wait = sim.clock.scaled(profile::dispatch_seconds(luck, strangers));
    let job = Job {
        request_id: Uuid::now_v7().to_string(),
        seq,
        endpoint_id: endpoint_id.to_owned(),
        key_id: account.key_id.clone(),
        // A copy: the body is a part of the connection's buffer, which the job would keep whole.
        input: Bytes::copy_from_slice(&call.body),
        input_hash,
        submitted: now,
        submitted_at: sim.clock.date(now),
        ready: now + steer.queue_time.unwrap_or(wait),
        strangers,
        start_by: start_timeout(call).map(|seconds| now + sim.clock.scaled(seconds)),
        run_time: steer.run_time.unwrap_or_else(|| sim.clock.scaled(inference_seconds)),
        inference_seconds,
        retention: sim.config.result_retention,
        planned,
        started: OnceLock::new(),
        cancelled: OnceLock::new(),
        changed: Notify::new(),
        model,
    };
    sim.ledger.accepted(entry(call, &job, sync));
    Ok(job)
}

/// What will come of the job. A fault goes before the input's own wish, and both go before the
/// model's judgement.
fn outcome(call: &Call<'_>, model: Option<&Model>, steer: &Steer) -> Outcome {
    let Some(model) = model else {
        return Outcome::PathNotFound;
    };
    match &call.job_fault {
        Some(FaultKind::ContentPolicy) => return Outcome::ContentPolicy,
        Some(FaultKind::Cancelled) => return Outcome::Cancelled,
        Some(FaultKind::JobError { error_type }) => {
            return Outcome::Failed(request_error_of(error_type));
        }
        _ => {}
    }
    if let Some(outcome) = &steer.outcome {
        return outcome.clone();
    }
    match model.refusal(&call.body).or_else(|| storage::missing_file(call)) {
        Some(detail) => Outcome::Invalid(detail),
        None => Outcome::Output,
    }
}

/// How long the caller lets its job wait for a start, in seconds. Both names are in use.
fn start_timeout(call: &Call<'_>) -> Option<f64> {
    ["x-fal-request-start-timeout", "x-fal-request-timeout"]
        .into_iter()
        .find_map(|name| call.header(name)?.parse().ok())
        .filter(|seconds: &f64| *seconds > 0.0)
}

fn entry(call: &Call<'_>, job: &Job, sync: bool) -> Submit {
    let headers: BTreeMap<String, String> = call
        .headers
        .iter()
        .filter(|(name, _)| {
            name.as_str().starts_with("x-fal-") || name.as_str().starts_with("x-app-fal-")
        })
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    Submit {
        endpoint_id: job.endpoint_id.clone(),
        request_id: job.request_id.clone(),
        key_id: job.key_id.clone(),
        submitted_at: job.submitted_at,
        input_hash: format!("{:016x}", job.input_hash),
        query: call.query.map(str::to_owned),
        headers,
        sync,
    }
}
