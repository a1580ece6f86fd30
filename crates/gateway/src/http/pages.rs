//! Everything beside the endpoint: the page for people, the server card, health, and friendly
//! refusals.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, HeaderName, HeaderValue};

use super::{Site, reply};
use crate::error::{self, Failure};
use crate::tools;

const PAGE: &str = include_str!("page.html");

/// `GET /`
pub(super) async fn index(State(site): State<Arc<Site>>) -> Response {
    let mut response =
        reply::respond(StatusCode::OK, "text/html; charset=utf-8", Body::from(site.page.clone()));
    for (name, value) in [
        (
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ] {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

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
    let (status, body) = if site.draining.load(Ordering::Relaxed) {
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

/// The page, filled in once at start.
pub(super) fn render(endpoint_url: &str) -> String {
    let row = |tool: &mcp::Tool| {
        format!("<tr><td><code>{}</code><td>{}", tool.name, escaped(tool.description))
    };
    let rows: Vec<String> = tools::definitions().iter().map(row).collect();
    PAGE.replace("{{endpoint}}", &escaped(endpoint_url))
        .replace("{{tools}}", &rows.concat())
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_the_endpoint_and_every_tool_and_leaves_no_gap() {
        let page = render("https://mcp.example.com/mcp");
        assert!(page.contains("https://mcp.example.com/mcp"));
        for tool in tools::definitions() {
            assert!(page.contains(tool.name), "{}", tool.name);
        }
        assert!(!page.contains("{{"));
    }
}
