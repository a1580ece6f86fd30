//! One HTTP request of the public address, to the head of its answer: its span and its place in the
//! metrics.

use http::{Method, StatusCode, Version};
use opentelemetry::KeyValue;
use opentelemetry_semantic_conventions::attribute::{
    ERROR_TYPE, HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE,
    NETWORK_PROTOCOL_VERSION, URL_SCHEME,
};
use tokio::time::Instant;
use tracing::Span;
use tracing::field::Empty;

use super::Metrics;
use super::instruments::OTHER;

/// The versions of HTTP that are served, as labels.
const VERSIONS: [&str; 3] = ["1.0", "1.1", "2"];

/// A request under way.
#[derive(Debug)]
pub(crate) struct Exchange {
    method: &'static str,
    route: Option<&'static str>,
    version: &'static str,
    started: Instant,
    span: Span,
}

impl Exchange {
    /// A request that begins now. `route` is none for a path that is not ours; a probe has no span.
    pub(crate) fn begin(
        method: &Method,
        route: Option<&'static str>,
        version: Version,
        is_probe: bool,
    ) -> Self {
        let method = known(method);
        let version = match version {
            Version::HTTP_2 => "2",
            Version::HTTP_10 => "1.0",
            _ => "1.1",
        };
        let span = if is_probe { Span::none() } else { span(method, route, version) };
        Self { method, route, version, started: Instant::now(), span }
    }

    /// The request's span. It lasts until a streamed answer ends, because the operation's span, which
    /// lies within it, does.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// It is answered.
    pub(crate) fn end(self, metrics: &Metrics, status: StatusCode) {
        metrics.exchange(&self, status, self.started.elapsed());
        self.span.record(HTTP_RESPONSE_STATUS_CODE, i64::from(status.as_u16()));
        if status.is_server_error() {
            self.span.record(ERROR_TYPE, status.as_str());
            self.span.record("otel.status_code", "ERROR");
        }
    }

    /// How many places [`Self::slot`] tells apart.
    pub(super) const SLOTS: usize = VERSIONS.len();

    /// The place of its handle, if it is one of those that come often: `POST /mcp` with status 200.
    pub(super) fn slot(&self, status: StatusCode) -> Option<usize> {
        let often = self.route == Some("/mcp") && self.method == "POST" && status == StatusCode::OK;
        VERSIONS.iter().position(|version| often && *version == self.version)
    }

    /// The labels of its metric.
    pub(super) fn labels(&self, status: StatusCode) -> Vec<KeyValue> {
        let mut labels = vec![
            KeyValue::new(HTTP_REQUEST_METHOD, self.method),
            KeyValue::new(HTTP_RESPONSE_STATUS_CODE, i64::from(status.as_u16())),
            KeyValue::new(NETWORK_PROTOCOL_VERSION, self.version),
            KeyValue::new(URL_SCHEME, "http"),
        ];
        labels.extend(self.route.map(|route| KeyValue::new(HTTP_ROUTE, route)));
        if status.is_server_error() {
            labels.push(KeyValue::new(ERROR_TYPE, status.as_str().to_owned()));
        }
        labels
    }
}

fn span(method: &'static str, route: Option<&'static str>, version: &'static str) -> Span {
    let space = if route.is_some() { " " } else { "" };
    tracing::info_span!(
        "http",
        otel.name = %format_args!("{method}{space}{}", route.unwrap_or_default()),
        otel.kind = "server",
        otel.status_code = Empty,
        { ERROR_TYPE } = Empty,
        { HTTP_REQUEST_METHOD } = method,
        { HTTP_RESPONSE_STATUS_CODE } = Empty,
        { HTTP_ROUTE } = route,
        { NETWORK_PROTOCOL_VERSION } = version,
        { URL_SCHEME } = "http",
    )
}

/// The method, of those that HTTP knows.
pub(super) fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "CONNECT" => "CONNECT",
        "DELETE" => "DELETE",
        "GET" => "GET",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        "PATCH" => "PATCH",
        "POST" => "POST",
        "PUT" => "PUT",
        "TRACE" => "TRACE",
        _ => OTHER,
    }
}
