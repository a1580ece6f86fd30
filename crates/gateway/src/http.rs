//! The HTTP side: every route, and what happens to a request before and after its route.
//!
//! There is no timeout around a call: it may take minutes, and its length is bounded below, by its
//! own deadline. What is bounded here is what a client can hold up: the head (`server/head.rs` in time,
//! `http/guard.rs` in size), the body (`http/body.rs`), requests at once (`http/guard.rs`).

mod admin;
mod auth;
mod body;
mod endpoint;
mod guard;
mod page;
mod pages;
mod reply;
mod request_id;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use futures_util::FutureExt as _;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_TYPE, Entry, HeaderName, ORIGIN, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, Method, Version};
use opentelemetry::context::FutureExt as _;
use tokio::sync::Semaphore;
use tower::ServiceExt as _;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tracing::Instrument as _;

use crate::app::App;
use crate::error::Failure;
use crate::telemetry::{self, Exchange};
pub(crate) use admin::Admin;
use page::Page;
use reply::Refused;
pub(crate) use request_id::HttpRequestId;
use request_id::RequestIds;

/// Probes name the pod's address as host and must work under full load, so they are not guarded.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// Every path that has an answer of its own, for labels: any other path is nobody's.
const ROUTES: [&str; 7] =
    ["/mcp", "/mcp/server-card", "/", "/page.css", "/page.js", "/healthz", "/readyz"];

/// What the HTTP side shares beside [`App`].
#[derive(Debug)]
pub(crate) struct Site {
    app: Arc<App>,
    endpoint_url: String,
    page: Page,
    server_card: Vec<u8>,
    in_flight: Arc<Semaphore>,
    large_bodies: Semaphore,
    draining: AtomicBool,
}

impl Site {
    pub(crate) fn new(app: Arc<App>, endpoint_url: String) -> Arc<Self> {
        let limit = app.config.max_in_flight.min(Semaphore::MAX_PERMITS);
        let in_flight = Arc::new(Semaphore::new(limit));
        telemetry::requests_in_flight(&app.metrics.meter(), &in_flight, limit);
        Arc::new(Self {
            page: Page::new(&endpoint_url),
            server_card: crate::dispatch::server_card(&endpoint_url),
            in_flight,
            large_bodies: body::shared(app.config.max_body_bytes),
            draining: AtomicBool::new(false),
            endpoint_url,
            app,
        })
    }

    /// From now on the server is not ready, and each answer over HTTP/1.1 is the last one on its
    /// connection: load balancers send new work elsewhere.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// The whole HTTP service; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Service(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    site: Arc<Site>,
    routes: Router,
    /// The same routes for pages in browsers; other callers are not charged for CORS.
    routes_for_pages: Router,
    request_ids: RequestIds,
}

impl Service {
    pub(crate) fn new(site: Arc<Site>) -> Self {
        let routes = routes(&site);
        let routes_for_pages = routes.clone().layer(cors(&site));
        let request_ids = RequestIds::new();
        Self(Arc::new(Inner { site, routes, routes_for_pages, request_ids }))
    }

    /// Answers a request. This is one function and not a stack of layers because each layer is a
    /// boxed service that is cloned for each request: together they cost a fifth of `tools/list`.
    pub(crate) async fn answer<B>(&self, request: http::Request<B>) -> Response
    where
        B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let mut request = request.map(Body::new);
        // First of all, so that nothing below can print the key.
        mark_key(request.headers_mut());
        match telemetry::of_headers(request.headers()) {
            Some(caller) => self.answer_in_trace(request).with_context(caller).await,
            None => self.answer_in_trace(request).await,
        }
    }

    async fn answer_in_trace(&self, request: Request) -> Response {
        let path = request.uri().path();
        let route = ROUTES.into_iter().find(|route| *route == path);
        let is_probe = PROBES.contains(&path);
        let exchange = Exchange::begin(request.method(), route, request.version(), is_probe);
        let response = self.answer_in_span(request).instrument(exchange.span()).await;
        exchange.end(&self.0.site.app.metrics, response.status());
        response
    }

    async fn answer_in_span(&self, mut request: Request) -> Response {
        let version = request.version();
        let id = self.0.request_ids.of(request.headers());
        request.extensions_mut().insert(id.clone());
        // A panic ends this one answer. Its message is not looked at: it may hold anything.
        let mut response = AssertUnwindSafe(self.admit(request))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| reply::failure(&Failure::Internal));
        if let Some(refused) = response.extensions_mut().remove::<Refused>() {
            self.0.site.app.metrics.refused(refused.kind);
            refused.log(&id);
        }
        response.headers_mut().insert(request_id::HEADER, id.into());
        // HTTP/2 has no such header; its connections are told when the listener closes.
        if self.0.site.is_draining() && version < Version::HTTP_2 {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn admit(&self, mut request: Request) -> Response {
        let Inner { site, routes, routes_for_pages, .. } = &*self.0;
        if let Err(failure) = guard::check_head(&request) {
            return reply::failure(&failure);
        }
        if !PROBES.contains(&request.uri().path()) {
            match guard::admit(site, &request) {
                Ok(place) => request.extensions_mut().insert(place),
                Err(failure) => return reply::failure(&failure),
            };
        }
        let from_page = request.headers().contains_key(ORIGIN);
        let routes = if from_page { routes_for_pages } else { routes };
        match routes.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

fn routes(site: &Arc<Site>) -> Router {
    Router::new()
        .route("/mcp", axum::routing::post(endpoint::post).fallback(pages::method_not_allowed))
        .route("/mcp/server-card", get(pages::server_card))
        .route("/", get(page::index))
        .route("/page.css", get(page::style))
        .route("/page.js", get(page::script))
        .route("/healthz", get(pages::healthz))
        .route("/readyz", get(pages::readyz))
        .fallback(pages::not_found)
        .with_state(Arc::clone(site))
}

fn mark_key(headers: &mut HeaderMap) {
    if let Entry::Occupied(mut values) = headers.entry(AUTHORIZATION) {
        values.iter_mut().for_each(|value| value.set_sensitive(true));
    }
}

/// Browsers of the allowed origins may call; everyone else's never get past the guard.
fn cors(site: &Arc<Site>) -> CorsLayer {
    let site = Arc::clone(site);
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin: &HeaderValue, parts| {
            guard::origin_allowed(&site, origin, parts)
        }))
        .allow_methods([Method::POST])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            HeaderName::from_static(mcp::transport::HEADER_MCP_PROTOCOL_VERSION),
            HeaderName::from_static(mcp::transport::HEADER_MCP_METHOD),
            HeaderName::from_static(mcp::transport::HEADER_MCP_NAME),
            // Sent by legacy browser clients, ignored by us; a preflight must still allow them.
            HeaderName::from_static("mcp-session-id"),
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([WWW_AUTHENTICATE])
        .max_age(Duration::from_hours(1))
}
