//! The admin address: what operators and probes ask for, away from the public one.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use tower::ServiceExt as _;

use super::{Site, pages, reply};

/// The version of the text format (Prometheus, "Exposition formats").
const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The service on the admin address; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Admin(Router);

impl Admin {
    pub(crate) fn new(site: Arc<Site>) -> Self {
        let routes = Router::new()
            .route("/metrics", get(metrics))
            .route("/healthz", get(pages::healthz))
            .route("/readyz", get(pages::readyz))
            .with_state(site);
        Self(routes)
    }

    /// Answers a request.
    pub(crate) async fn answer<B>(&self, request: http::Request<B>) -> Response
    where
        B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<axum::BoxError>,
    {
        let request: Request = request.map(Body::new);
        match self.0.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// `GET /metrics`
async fn metrics(State(site): State<Arc<Site>>) -> Response {
    match site.app.metrics.prometheus_text() {
        Ok(text) => reply::respond(StatusCode::OK, PROMETHEUS_TEXT, Body::from(text)),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            reply::respond(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", Body::empty())
        }
    }
}
