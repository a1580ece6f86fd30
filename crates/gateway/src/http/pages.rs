//! What programs ask for beside the endpoint: the server card, health, and friendly refusals.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, HeaderValue};

use super::{Site, reply};
use crate::error::{self, Failure};

/// `GET /mcp/server-card` (experimental, SEP-2127); the same for everyone, so anyone may read it.
pub(super) async fn server_card(State(site): State<Arc<Site>>) -> Response {
    let mut response = reply::respond(
        StatusCode::OK,
        "application/mcp-server-card+json",
        Body::from(site.server_card.clone()),
    );
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// `GET /healthz`: the process answers.
pub(super) async fn healthz() -> Response {
    reply::respond(StatusCode::OK, "application/json", Body::from(r#"{"status":"ok"}"#))
}

/// `GET /readyz`: new work is welcome; 503 while draining. It does not ask fal: a gateway whose fal
/// is down still answers with what it knows and says what is wrong.
pub(super) async fn readyz(State(site): State<Arc<Site>>) -> Response {
    let (status, body) = if site.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"draining"}"#)
    } else {
        (StatusCode::OK, r#"{"status":"ready"}"#)
    };
    reply::respond(status, "application/json", Body::from(body))
}

/// Any method but POST on the endpoint.
pub(super) async fn method_not_allowed() -> Response {
    reply::failure(&Failure::MethodNotAllowed)
}

/// Any other path, also those that clients probe for OAuth.
pub(super) async fn not_found(State(site): State<Arc<Site>>) -> Response {
    let body = error::not_found_body(&site.endpoint_url);
    reply::respond(StatusCode::NOT_FOUND, "application/json", Body::from(body))
}
