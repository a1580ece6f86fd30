//! An answer on the wire: one JSON body when it is ready soon, else an SSE stream that opens at
//! once and carries progress until the answer is there.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{Stream, stream};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use mcp::{Progress, json_rpc};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout};
use tracing::Level;

use super::guard::Place;
use super::request_id::HttpRequestId;
use crate::error::Failure;
use crate::progress::ProgressUpdates;
use crate::telemetry;

/// How long an answer may take before the stream opens. Every known client waits longer than this
/// for headers.
const PATIENCE: Duration = Duration::from_secs(2);
/// A comment is sent this often, so that nothing on the way takes a quiet stream for a dead one.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// A call under way.
pub(super) type Work = BoxFuture<'static, Result<Vec<u8>, Failure>>;

/// `200` with a JSON-RPC response.
pub(super) fn json(body: Vec<u8>) -> Response {
    respond(StatusCode::OK, "application/json", Body::from(body))
}

/// `202`: a notification was taken.
pub(super) fn accepted() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

/// A refusal. It is logged at the top, with the request's id.
pub(super) fn failure(failure: &Failure) -> Response {
    let status = failure.http_status();
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = respond(code, "application/json", Body::from(failure.body()));
    for (name, value) in failure.headers() {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Some(seconds) = failure.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    let refused = Refused { status, kind: failure.kind(), level: failure.level() };
    response.extensions_mut().insert(refused);
    response
}

/// What the log says of a refusal; it travels on the response and never onto the wire.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refused {
    status: u16,
    pub(super) kind: &'static str,
    level: Level,
}

impl Refused {
    pub(super) fn log(self, id: &HttpRequestId) {
        let Self { status, kind, level } = self;
        let http_request_id = id.as_str();
        let trace_id = telemetry::current_id().map(tracing::field::display);
        // The level of an event is fixed where it is written, hence one line for each.
        match level {
            Level::ERROR => tracing::error!(kind, status, http_request_id, trace_id, "refused"),
            Level::WARN => tracing::warn!(kind, status, http_request_id, trace_id, "refused"),
            _ => tracing::info!(kind, status, http_request_id, trace_id, "refused"),
        }
    }
}

/// A body of a given type.
pub(super) fn respond(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// One JSON body if `work` is done within [`PATIENCE`], else a stream. Whoever drops the response,
/// because the connection is gone, drops the work with it.
pub(super) async fn json_or_stream(
    mut work: Work,
    updates: Option<ProgressUpdates>,
    place: Option<Place>,
) -> Result<Response, Failure> {
    match timeout(PATIENCE, &mut work).await {
        Ok(outcome) => outcome.map(json),
        Err(_) => Ok(event_stream(work, updates, place)),
    }
}

fn event_stream(work: Work, updates: Option<ProgressUpdates>, place: Option<Place>) -> Response {
    let mut keep_alive = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
    keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let events = Events { work, updates, keep_alive, place, opened: false };
    let body = Body::from_stream(events.into_stream());
    let mut response = respond(StatusCode::OK, "text/event-stream", body);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // "servers SHOULD include the X-Accel-Buffering: no header"
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

/// The stream of one answer.
struct Events {
    work: Work,
    updates: Option<ProgressUpdates>,
    keep_alive: Interval,
    /// Held until the stream ends.
    place: Option<Place>,
    opened: bool,
}

impl Events {
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
        stream::unfold(Some(self), |events| async move {
            let mut events = events?;
            if !events.opened {
                events.opened = true;
                // Something to flush: proxies pass headers on with the first bytes of a body.
                return Some((Ok(Bytes::from_static(b":\n\n")), Some(events)));
            }
            let (event, over) = events.next().await;
            let rest = if over { None } else { Some(events) };
            Some((Ok(event), rest))
        })
    }

    /// The next event, and whether it is the last.
    async fn next(&mut self) -> (Bytes, bool) {
        debug_assert!(self.opened, "the stream is opened first");
        loop {
            tokio::select! {
                biased;
                outcome = &mut self.work => {
                    let response = outcome.unwrap_or_else(|failure| failure.body());
                    return (event(&response), true);
                }
                progress = changed(&mut self.updates) => match progress {
                    Some(progress) => {
                        let notification = json_rpc::encode_notification(Progress::METHOD, &progress);
                        return (event(&notification), false);
                    }
                    // The call has dropped its end: no more progress, its answer is next.
                    None => self.updates = None,
                },
                _ = self.keep_alive.tick() => return (Bytes::from_static(b":\n\n"), false),
            }
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        drop(self.place.take());
    }
}

/// The progress that was not sent yet; pends for ever where there is none to come.
async fn changed(updates: &mut Option<ProgressUpdates>) -> Option<Progress> {
    match updates {
        Some(updates) => updates.next().await,
        None => std::future::pending().await,
    }
}

/// One SSE event. JSON has no line breaks of its own, so one `data` line carries it.
fn event(message: &[u8]) -> Bytes {
    let mut event = Vec::with_capacity(message.len() + 8);
    event.extend_from_slice(b"data: ");
    event.extend_from_slice(message);
    event.extend_from_slice(b"\n\n");
    Bytes::from(event)
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_quiet_stream_says_something_every_ten_seconds() {
        let work: Work = Box::pin(async {
            tokio::time::sleep(Duration::from_secs(35)).await;
            Ok(b"{}".to_vec())
        });
        let Ok(response) = json_or_stream(work, None, None).await else { panic!("a stream") };
        assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        // One when it opens after two seconds, then at 12, 22 and 32.
        assert_eq!(body, ":\n\n:\n\n:\n\n:\n\ndata: {}\n\n");
    }
}
