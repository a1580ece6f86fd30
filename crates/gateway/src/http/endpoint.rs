//! `POST /mcp`, step by step: key, body, message, era, answer.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::request::Parts;
use mcp::{Era, Incoming, Message, transport};

use super::guard::Place;
use super::request_id::HttpRequestId;
use super::{Site, auth, body, reply};
use crate::context::{Context, lost_connection_cancels};
use crate::dispatch::{self, Asked, Step};
use crate::error::Failure;
use crate::progress::ProgressSink;
use crate::telemetry::NetworkTransport;

/// Answers one message.
pub(super) async fn post(State(site): State<Arc<Site>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    serve(&site, parts, body).await.unwrap_or_else(|failure| reply::failure(&failure))
}

async fn serve(
    site: &Arc<Site>,
    mut parts: Parts,
    body: axum::body::Body,
) -> Result<Response, Failure> {
    let key = auth::key(&parts.headers).map_err(Failure::Key)?;
    transport::check_content_type(&parts.headers)?;
    let limit = site.app.config.max_body_bytes;
    let body = body::read(&parts.headers, body, limit, &site.large_bodies).await?;
    let message = Message::decode(&body.bytes)?;
    drop(body);
    let (era, version, meta, request) = match transport::classify(Some(&parts.headers), message)? {
        Incoming::Request { era, version, meta, request } => (era, version, meta, request),
        Incoming::Notification(notification) => {
            dispatch::notified(&site.app, NetworkTransport::Tcp, &notification.method);
            return Ok(reply::accepted());
        }
    };
    let transport = NetworkTransport::Tcp;
    let asked = Asked { transport, era, version, key: &key, meta: &meta, request };
    let work = match dispatch::begin(&site.app, asked)? {
        Step::Answered(response) => return Ok(reply::json(response)),
        Step::Work(work) => work,
    };
    let streams = transport::accepts_event_stream(&parts.headers);
    let (progress, updates) = ProgressSink::new(meta.progress_token.filter(|_| streams));
    let http_request_id = parts.extensions.remove::<HttpRequestId>();
    let dropping_cancels = lost_connection_cancels(site.app.config.on_disconnect, era);
    let context = Context {
        app: Arc::clone(&site.app),
        key,
        era,
        progress,
        takes_tasks: era == Era::Modern && meta.declares_tasks,
        dropping_cancels,
        http_request_id,
    };
    let place = parts.extensions.remove::<Place>();
    // Headers are slices of the connection's read buffer, which a call that waits would keep whole.
    drop(parts);
    let work = Box::pin(dispatch::perform(context, work));
    if streams {
        reply::json_or_stream(work, updates, place).await
    } else {
        work.await.map(reply::json)
    }
}
