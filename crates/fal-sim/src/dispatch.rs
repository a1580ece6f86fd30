//! One request from its arrival to its answer: written down, hit by faults, read, routed,
//! answered, hit by faults again.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, HOST, HeaderMap};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use tokio::time::Instant;
use uuid::Uuid;

use crate::auth;
use crate::call::Call;
use crate::cdn;
use crate::controls;
use crate::docs;
use crate::faults::{FaultKind, Stage, Target};
use crate::hosts::{Bases, Face, Host};
use crate::ledger::Received;
use crate::outcome::request_error_of;
use crate::platform;
use crate::queue;
use crate::reply::{self, Answer};
use crate::router::Route;
use crate::run;
use crate::state::State;
use crate::storage;
use crate::web;

/// Larger than any upload that fal takes in one piece.
const LARGEST_BODY: usize = 110 * 1024 * 1024;

/// Ends the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped")]
pub(crate) struct Dropped;

/// Answers one request.
pub(crate) async fn serve(
    sim: Arc<State>,
    face: Arc<Face>,
    request: Request<Incoming>,
) -> Result<Answer, Dropped> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let (host, route) = Route::parse(face.root, &parts.method, path);
    let operation = route.operation(host);
    if host.is_some() {
        sim.ledger.counted(operation);
        if sim.ledger.wants_requests() {
            sim.ledger.received(Received {
                host,
                operation,
                method: parts.method.to_string(),
                path: path.to_owned(),
                query: parts.uri.query().map(str::to_owned),
                authorization: scheme(&parts.headers),
                traceparent: text(&parts.headers, "traceparent"),
                user_agent: text(&parts.headers, "user-agent"),
            });
        }
    }
    let target = Target { host, operation, endpoint_id: route.endpoint_id() };
    let fault = |stage| host.and_then(|_| sim.faults.take(target, stage));
    if let Some(FaultKind::SlowHeaders { milliseconds }) = fault(Stage::Delay) {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    }
    let mut is_from_ingress = false;
    let mut answer = match fault(Stage::Before) {
        Some(FaultKind::DropBefore) => return Err(Dropped),
        Some(kind) => {
            is_from_ingress = matches!(kind, FaultKind::Ingress { .. });
            refuse(&kind, host)
        }
        None => {
            let authority = parts.uri.authority().map(http::uri::Authority::as_str);
            let named = parts.headers.get(HOST).and_then(|value| value.to_str().ok());
            let body = match Limited::new(body, LARGEST_BODY).collect().await {
                Ok(body) => body.to_bytes(),
                Err(_) => return Err(Dropped),
            };
            let call = Call {
                sim: &sim,
                bases: Bases::new(face, authority.or(named)),
                now: Instant::now(),
                headers: &parts.headers,
                query: parts.uri.query(),
                body,
                job_fault: fault(Stage::Job),
            };
            answer_to(&call, &parts.method, host, &route).await
        }
    };
    // The website, its docs and the CDN are not behind fal's own gateway.
    let has_id = matches!(host, Some(Host::Queue | Host::Run | Host::Rest | Host::Api));
    if has_id && !is_from_ingress && !answer.headers().contains_key("x-fal-request-id") {
        reply::set(&mut answer, "x-fal-request-id", &Uuid::now_v7().to_string());
    }
    tracing::debug!(operation = operation.name(), status = answer.status().as_u16(), "answered");
    match fault(Stage::Answer) {
        Some(kind) => spoil(answer, &kind).await,
        None => Ok(answer),
    }
}

async fn answer_to(call: &Call<'_>, method: &Method, host: Option<Host>, route: &Route) -> Answer {
    match route {
        Route::Submit { endpoint_id } => queue::submit(call, endpoint_id),
        Route::Job { app, request_id, action } => queue::of_job(call, app, request_id, *action),
        Route::Run { endpoint_id } => run::run(call, endpoint_id).await,
        Route::RunStream { endpoint_id } => run::run_stream(call, endpoint_id).await,
        Route::Models => platform::models::list(call),
        Route::Requests => platform::requests::by_endpoint(call),
        Route::Prices => platform::pricing::prices(call),
        Route::Estimate => platform::pricing::estimate(call),
        Route::Billing => platform::billing(call),
        Route::Meta => platform::meta(),
        Route::SchemaDocument => web::document(call),
        Route::LlmsText { endpoint_id } => web::llms_text(call, endpoint_id),
        Route::Docs => docs::handle(call),
        Route::Initiate { multipart } => storage::initiate(call, *multipart),
        Route::UploadToken => storage::token(call),
        Route::Cdn(route) => cdn::handle(call, route),
        Route::Faults => controls::faults(call, method),
        Route::Ledger => controls::ledger(call, method),
        Route::Welcome => controls::welcome(call),
        Route::WrongMethod => reply::detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"),
        Route::NotFound if host == Some(Host::Api) => {
            reply::platform_error(StatusCode::NOT_FOUND, "not_found", "Not found")
        }
        Route::NotFound => reply::detail(StatusCode::NOT_FOUND, "Not Found"),
    }
}

/// The answer of a fault that keeps a request from being processed.
fn refuse(kind: &FaultKind, host: Option<Host>) -> Answer {
    let is_platform = host == Some(Host::Api);
    match kind {
        FaultKind::RateLimited { retry_after } if is_platform => {
            platform::rate::refusal(*retry_after)
        }
        FaultKind::RateLimited { retry_after } => {
            let mut answer = reply::detail(StatusCode::TOO_MANY_REQUESTS, "Too many requests");
            if let Some(seconds) = retry_after {
                reply::set(&mut answer, "retry-after", &seconds.to_string());
            }
            answer
        }
        FaultKind::Ingress { status } => {
            let status = status_of(*status);
            let text = status.canonical_reason().unwrap_or("Error");
            let page = format!(
                "<html>\r\n<head><title>{0} {text}</title></head>\r\n<body>\r\n<center><h1>{0} {text}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
                status.as_u16(),
            );
            reply::bytes(status, "text/html", page)
        }
        FaultKind::AccountLocked => auth::locked(),
        FaultKind::ResultExpired => {
            reply::json_bytes(StatusCode::NOT_FOUND, r#"{"status":"NOT_FOUND"}"#)
        }
        FaultKind::Server { status } if is_platform => {
            reply::platform_error(status_of(*status), "server_error", "Internal server error")
        }
        FaultKind::Server { status } => server_error(status_of(*status)),
        // The other kinds work at other stages.
        _ => server_error(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// A request-level error of this status.
fn server_error(status: StatusCode) -> Answer {
    let error_type = match status.as_u16() {
        502 => "runner_incomplete_response",
        503 => "runner_connection_error",
        504 => "request_timeout",
        _ => "internal_error",
    };
    let text = request_error_of(error_type).text;
    let body = serde_json::json!({ "detail": text, "error_type": error_type });
    let mut answer = reply::json(status, &body);
    reply::set(&mut answer, "x-fal-error-type", error_type);
    answer
}

fn status_of(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Spoils an answer on its way out.
async fn spoil(answer: Answer, kind: &FaultKind) -> Result<Answer, Dropped> {
    let (mut parts, body) = answer.into_parts();
    let whole = match reply::whole(body).await {
        Ok(bytes) => bytes,
        // A stream is cut before its first event, whatever the fault.
        Err(_) if matches!(kind, FaultKind::DropAfter) => return Err(Dropped),
        Err(_) => Bytes::new(),
    };
    let body = match kind {
        FaultKind::DropAfter => return Err(Dropped),
        FaultKind::CutBody => {
            // The whole length is announced, so that the client knows that something is missing.
            parts.headers.insert(CONTENT_LENGTH, (whole.len().max(1)).into());
            let half = whole.slice(..whole.len() / 2);
            let broken = Err(io::Error::from(io::ErrorKind::ConnectionReset));
            // A pause lets the first half leave before the connection goes.
            let chunks = stream::iter([Ok(half), broken]).then(|chunk| async {
                if chunk.is_err() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                chunk
            });
            reply::streamed(chunks)
        }
        FaultKind::SlowBody { milliseconds } => {
            let pause = Duration::from_millis(*milliseconds);
            let size = whole.len().div_ceil(8).max(1);
            let pieces: Vec<Bytes> = whole.chunks(size).map(Bytes::copy_from_slice).collect();
            let chunks = stream::iter(pieces).then(move |piece| async move {
                tokio::time::sleep(pause).await;
                Ok::<_, io::Error>(piece)
            });
            reply::streamed(chunks)
        }
        FaultKind::StalledBody => {
            let half = whole.slice(..whole.len() / 2);
            reply::streamed(stream::iter([Ok(half)]).chain(stream::pending()))
        }
        FaultKind::Padded { bytes } => {
            let members = whole.strip_suffix(b"}").unwrap_or(&whole);
            let padding = "x".repeat(*bytes);
            reply::full([members, b",\"padding\":\"", padding.as_bytes(), b"\"}"].concat())
        }
        FaultKind::MalformedJson => {
            let half = whole.slice(..whole.len() / 2);
            reply::full([half.as_ref(), b"\x01{{"].concat())
        }
        _ => reply::full(whole),
    };
    Ok(Answer::from_parts(parts, body))
}

fn scheme(headers: &HeaderMap) -> Option<String> {
    let value = text(headers, AUTHORIZATION.as_str())?;
    // A credential without a scheme must not end up in the ledger.
    Some(value.split_once(' ').map_or_else(|| "none".to_owned(), |(scheme, _)| scheme.to_owned()))
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
