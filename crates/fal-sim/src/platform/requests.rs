//! `GET /v1/models/requests/by-endpoint`: the caller's own requests, newest first. The way back
//! to a job whose id was lost.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{caller, cursor, endpoint_ids, invalid};
use crate::call::Call;
use crate::clock::rfc3339;
use crate::outcome::Outcome;
use crate::output;
use crate::queue::job::{Job, State};
use crate::reply::{self, Answer, Refusal};

const DEFAULT_LIMIT: usize = 50;
const MOST: usize = 100;

/// `GET /v1/models/requests/by-endpoint`.
pub(crate) fn by_endpoint(call: &Call<'_>) -> Answer {
    match answer(call) {
        Ok(answer) => answer,
        Err(refusal) => refusal.into(),
    }
}

fn answer(call: &Call<'_>) -> Result<Answer, Refusal> {
    let account = caller(call)?;
    call.sim.rates.count(Some(&account.key_id), call.now)?;
    let now = call.now;
    let ids = endpoint_ids(call)?;
    if ids.is_empty() {
        return Err(invalid("endpoint_id: at least one value is required"));
    }
    let filter = Filter::read(call, now)?;
    let expand = call.parameters("expand").any(|value| value == "payloads");
    let limit = match call.parameter("limit").map(|text| text.parse::<usize>()) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit)) if (1..=MOST).contains(&limit) => limit,
        Some(_) => return Err(invalid("limit: must be from 1 to 100")),
    };
    let page = match call.parameter("cursor") {
        None => 1,
        Some(text) => cursor::read(&text).ok_or_else(|| invalid("cursor: not a cursor"))?,
    };
    let mut found = Vec::new();
    for job in account.history() {
        account.bring_up_to_date(&job, now);
        if ids.contains(&job.endpoint_id) && filter.matches(&job, now) {
            found.push(job);
        }
    }
    let start = (page - 1).saturating_mul(limit);
    let items: Vec<Value> =
        found.iter().skip(start).take(limit).map(|job| item(call, job, now, expand)).collect();
    let has_more = found.len() > start.saturating_add(limit);
    let next_cursor = has_more.then(|| cursor::write(page + 1));
    let body = json!({ "items": items, "next_cursor": next_cursor, "has_more": has_more });
    Ok(reply::json(StatusCode::OK, &body))
}

#[derive(Debug)]
struct Filter {
    request_id: Option<String>,
    status: Option<String>,
    start: Timestamp,
    end: Option<Timestamp>,
}

impl Filter {
    fn read(call: &Call<'_>, now: Instant) -> Result<Self, Refusal> {
        let request_id = call.parameter("request_id");
        let status = call.parameter("status");
        if status.as_deref().is_some_and(|s| !["success", "error", "user_error"].contains(&s)) {
            return Err(invalid("status: must be success, error or user_error"));
        }
        let date = |name: &str| -> Result<Option<Timestamp>, Refusal> {
            match call.parameter(name) {
                None => Ok(None),
                // A date alone is its midnight.
                Some(text) => match format!("{text}T00:00:00Z").parse().or_else(|_| text.parse()) {
                    Ok(date) => Ok(Some(date)),
                    Err(_) => Err(invalid(&format!("{name}: not a date"))),
                },
            }
        };
        let hours = if request_id.is_some() { 24 * 90 } else { 24 };
        let today = call.sim.clock.date(now);
        let earliest = today.checked_sub(SignedDuration::from_hours(hours)).unwrap_or(today);
        Ok(Self {
            start: date("start")?.unwrap_or(earliest),
            end: date("end")?,
            request_id,
            status,
        })
    }

    fn matches(&self, job: &Job, now: Instant) -> bool {
        let status = self.status.as_deref();
        self.request_id.as_ref().is_none_or(|id| *id == job.request_id)
            && job.submitted_at >= self.start
            && self.end.is_none_or(|end| job.submitted_at < end)
            && status.is_none_or(|status| class(job, now) == Some(status))
    }
}

/// `success`, `error` or `user_error`; none for a job that is not over.
fn class(job: &Job, now: Instant) -> Option<&'static str> {
    let State::Done { outcome, .. } = job.state(now) else {
        return None;
    };
    Some(match outcome.status() {
        StatusCode::OK => "success",
        status if status.is_server_error() => "error",
        _ => "user_error",
    })
}

fn item(call: &Call<'_>, job: &Job, now: Instant, expand: bool) -> Value {
    let date = |moment: Instant| rfc3339(call.sim.clock.date(moment));
    let mut item = json!({
        "request_id": job.request_id,
        "endpoint_id": job.endpoint_id,
        "started_at": date(job.started.get().copied().unwrap_or(job.submitted)),
        "sent_at": rfc3339(job.submitted_at),
        "ended_at": null,
        "status_code": null,
        "duration": null,
    });
    let Some(map) = item.as_object_mut() else {
        return item;
    };
    if let State::Done { started, ended, outcome } = job.state(now) {
        let since = started.unwrap_or(ended);
        map.insert("ended_at".to_owned(), json!(date(ended)));
        map.insert("status_code".to_owned(), json!(outcome.status().as_u16()));
        let seconds = ended.saturating_duration_since(since).as_secs_f64();
        map.insert("duration".to_owned(), json!(seconds));
        if let (true, Outcome::Output, Some(model)) = (expand, outcome, &job.model) {
            let output = output::build(&call.bases, call.sim.config.seed, model, job);
            map.insert("json_output".to_owned(), output);
        }
    }
    if expand {
        let input: Value = serde_json::from_slice(&job.input).unwrap_or_default();
        map.insert("json_input".to_owned(), input);
    }
    item
}
