//! `fal.run`: the same models without a queue. The caller waits, and hanging up ends the run.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use http_body_util::BodyExt as _;
use serde_json::json;

use crate::call::Call;
use crate::queue;
use crate::reply::{self, Answer};

/// `POST /{endpoint_id}`: the model's output, or its error.
pub(crate) async fn run(call: &Call<'_>, endpoint_id: &str) -> Answer {
    let account = match queue::caller(call, endpoint_id) {
        Ok(account) => account,
        Err(refusal) => return refusal.into(),
    };
    let now = call.now;
    let mut job = match queue::plan(call, &account, endpoint_id, now, true) {
        Ok(job) => job,
        Err(refusal) => return refusal.into(),
    };
    job.ready = now;
    let Some(place) = account.take_place(job.seq, now, now + job.run_time) else {
        return at_the_limit();
    };
    job.started.get_or_init(|| now);
    if job.run_time > Duration::ZERO {
        tokio::time::sleep(job.run_time).await;
    }
    drop(place);
    let (mut answer, _) = queue::result_answer(call, &job, &job.planned);
    reply::set(&mut answer, "x-fal-request-id", &job.request_id);
    account.remember(&std::sync::Arc::new(job));
    answer
}

/// `POST /{endpoint_id}/stream`: an event of progress, then the output as the last event.
pub(crate) async fn run_stream(call: &Call<'_>, endpoint_id: &str) -> Answer {
    let whole_id = format!("{endpoint_id}/stream");
    if call.sim.catalog.is_known(&whole_id) {
        // A few models have "stream" as the last part of their own id.
        return run(call, &whole_id).await;
    }
    let answer = run(call, endpoint_id).await;
    if answer.status() != StatusCode::OK {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let output = match body.collect().await {
        Ok(output) => output.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let progress = Bytes::from_static(b"data: {\"progress\":0.5}\n\n");
    let last = Bytes::from([b"data: ".as_slice(), &output, b"\n\n"].concat());
    parts.headers.remove(http::header::CONTENT_TYPE);
    let events = stream::iter([progress, last].map(Ok::<_, io::Error>));
    let mut answer = reply::with_type(StatusCode::OK, "text/event-stream", reply::streamed(events));
    answer.headers_mut().extend(parts.headers);
    answer
}

fn at_the_limit() -> Answer {
    let mut answer = reply::json(
        StatusCode::TOO_MANY_REQUESTS,
        &json!({
            "detail": "Too many concurrent requests for this account",
            "error_type": "concurrent_requests_limit",
        }),
    );
    reply::set(&mut answer, "x-fal-error-type", "concurrent_requests_limit");
    reply::set(&mut answer, "x-fal-billable-units", "0");
    reply::set(&mut answer, "x-fal-needs-retry", "1");
    answer
}
