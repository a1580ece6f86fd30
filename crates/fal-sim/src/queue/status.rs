//! Status, once and as a stream.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use serde::Serialize;
use tokio::time::{Instant, timeout};

use super::submit::Urls;
use crate::call::Call;
use crate::clock::{Clock, rfc3339};
use crate::hosts::Bases;
use crate::queue::job::{Job, State};
use crate::queue::lane::Account;
use crate::reply::{self, Answer};

/// How often a stream says that it is alive when nothing changes.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Bounds on how often a stream looks at a job whose next change it cannot foresee.
const SOONEST_LOOK: Duration = Duration::from_millis(20);
const LATEST_LOOK: Duration = Duration::from_secs(1);

/// The lines that a job writes while it runs, each after this share of its run time.
const LOG_LINES: [(f64, &str, &str); 5] = [
    (0.0, "INFO", "Loading the input"),
    (0.15, "STDERR", "  0%|          | 0/4"),
    (0.45, "STDERR", " 50%|#####     | 2/4"),
    (0.8, "STDERR", "100%|##########| 4/4"),
    (0.95, "INFO", "Writing the output"),
];

#[derive(Debug, PartialEq, Serialize)]
struct StatusBody<'a> {
    status: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_position: Option<u64>,
    response_url: String,
    status_url: String,
    cancel_url: String,
    logs: Option<Vec<LogLine>>,
    metrics: Metrics,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_type: Option<&'static str>,
}

#[derive(Debug, PartialEq, Serialize)]
struct LogLine {
    message: &'static str,
    timestamp: String,
    level: &'static str,
    source: &'static str,
}

#[derive(Debug, Default, PartialEq, Serialize)]
struct Metrics {
    #[serde(skip_serializing_if = "Option::is_none")]
    inference_time: Option<f64>,
}

/// `GET …/status`: 202 until the job is over, then 200.
pub(super) fn once(call: &Call<'_>, account: &Account, job: &Job) -> Answer {
    let now = call.now;
    let urls = Urls::of(call, job);
    let (body, _) = body(call.sim.clock, account, job, urls, wants_logs(call), now);
    let status = if body.status == "COMPLETED" { StatusCode::OK } else { StatusCode::ACCEPTED };
    reply::json(status, &body)
}

/// `GET …/status/stream`: an event for each change, until the job is over.
pub(super) fn stream(call: &Call<'_>, account: &Arc<Account>, job: &Arc<Job>) -> Answer {
    let watch = Watch {
        sim: Arc::clone(call.sim),
        bases: call.bases.clone(),
        account: Arc::clone(account),
        job: Arc::clone(job),
        logs: wants_logs(call),
        last: Bytes::new(),
        is_over: false,
    };
    let events = stream::unfold(watch, |mut watch| async move {
        let chunk = watch.next().await?;
        Some((Ok(chunk), watch))
    });
    reply::with_type(StatusCode::OK, "text/event-stream", reply::streamed(events))
}

/// One open status stream.
#[derive(Debug)]
struct Watch {
    sim: Arc<crate::state::State>,
    bases: Bases,
    account: Arc<Account>,
    job: Arc<Job>,
    logs: bool,
    /// The last event, so that only changes are sent.
    last: Bytes,
    is_over: bool,
}

impl Watch {
    /// The next event or comment; none after the job is over.
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        let quiet_until = Instant::now() + KEEP_ALIVE;
        let job = Arc::clone(&self.job);
        loop {
            // Before the look, so that a change between the look and the wait still wakes us.
            let changed = job.changed.notified();
            let now = Instant::now();
            let (event, next_look) = self.look(now);
            if let Some(event) = event {
                return Some(event);
            }
            if now >= quiet_until {
                return Some(Bytes::from_static(b": keep-alive\n\n"));
            }
            let wait = next_look.min(quiet_until.saturating_duration_since(now));
            // Either ending is a reason to look again.
            let _: Result<(), _> = timeout(wait, changed).await;
        }
    }

    fn look(&mut self, now: Instant) -> (Option<Bytes>, Duration) {
        let urls = Urls::at(&self.sim.config, &self.bases, &self.job);
        let (body, next_look) =
            body(self.sim.clock, &self.account, &self.job, urls, self.logs, now);
        self.is_over = body.status == "COMPLETED";
        let text = serde_json::to_string(&body).unwrap_or_default();
        let event = Bytes::from(format!("data: {text}\n\n"));
        if event == self.last {
            return (None, next_look);
        }
        self.last = event.clone();
        (Some(event), next_look)
    }
}

fn wants_logs(call: &Call<'_>) -> bool {
    call.parameter("logs").is_some_and(|value| matches!(value.as_str(), "1" | "true" | "True"))
}

/// The status of a job, and how long it can be trusted to stay the same.
fn body<'a>(
    clock: Clock,
    account: &Account,
    job: &'a Job,
    urls: Urls,
    logs: bool,
    now: Instant,
) -> (StatusBody<'a>, Duration) {
    account.bring_up_to_date(job, now);
    let mut body = StatusBody {
        status: "IN_QUEUE",
        request_id: &job.request_id,
        queue_position: None,
        response_url: urls.response,
        status_url: urls.status,
        cancel_url: urls.cancel,
        logs: None,
        metrics: Metrics::default(),
        error: None,
        error_type: None,
    };
    let next_look = match job.state(now) {
        State::Queued => {
            let (position, blocked) = account.position(job, now);
            body.queue_position = Some(position);
            let until_ready = job.ready.saturating_duration_since(now);
            let steps = job.strangers.saturating_add(1);
            blocked.max(until_ready / steps).clamp(SOONEST_LOOK, LATEST_LOOK)
        }
        State::Running { since } => {
            body.status = "IN_PROGRESS";
            body.logs = logs.then(|| lines(clock, job, since, now));
            let next = LOG_LINES.iter().map(|(share, ..)| since + job.run_time.mul_f64(*share));
            let end = since + job.run_time;
            let next = next.chain([end]).filter(|moment| *moment > now).min().unwrap_or(end);
            // A timer may fire a moment early by its own resolution.
            next.saturating_duration_since(now) + Duration::from_millis(1)
        }
        State::Done { started, ended, outcome } => {
            body.status = "COMPLETED";
            body.logs = logs.then(|| match started {
                Some(since) => lines(clock, job, since, ended),
                None => Vec::new(),
            });
            if let Some(error) = outcome.request_error() {
                body.error = Some(error.text);
                body.error_type = Some(error.error_type);
            } else {
                body.metrics.inference_time = Some(millis(job.inference_seconds));
            }
            Duration::ZERO
        }
    };
    (body, next_look)
}

fn lines(clock: Clock, job: &Job, since: Instant, until: Instant) -> Vec<LogLine> {
    LOG_LINES
        .iter()
        .map(|(share, level, message)| (since + job.run_time.mul_f64(*share), level, message))
        .filter(|(moment, ..)| *moment <= until)
        .map(|(moment, level, message)| LogLine {
            message,
            timestamp: rfc3339(clock.date(moment)),
            level,
            source: "USER",
        })
        .collect()
}

/// Seconds, rounded to a millisecond.
fn millis(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}
