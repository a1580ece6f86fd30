//! A receiver of OTLP over HTTP: keeps everything that is sent to it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

type Received = Arc<Mutex<Vec<(String, Bytes)>>>;

/// A collector; it ends when this is dropped.
pub(crate) struct Collector {
    addr: SocketAddr,
    received: Received,
    _serving: JoinSet<()>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let received = Received::default();
        let keep =
            async |Path(signal): Path<String>, State(received): State<Received>, body: Bytes| {
                received.lock().unwrap().push((signal, body));
            };
        let routes = Router::new()
            .route("/v1/{signal}", axum::routing::post(keep))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&received));
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { addr, received, _serving: serving }
    }

    /// For `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Every byte that was sent.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let received = self.received.lock().unwrap();
        received.iter().flat_map(|(_, body)| body.to_vec()).collect()
    }

    fn of<T: prost::Message + Default>(&self, signal: &str) -> Vec<T> {
        let received = self.received.lock().unwrap();
        let bodies = received.iter().filter(|(sent, _)| sent == signal);
        bodies.map(|(_, body)| T::decode(body.clone()).unwrap()).collect()
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        let requests = self.of::<ExportTraceServiceRequest>("traces").into_iter();
        let scopes = requests.flat_map(|request| request.resource_spans);
        scopes.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    /// Who sent the spans.
    pub(crate) fn resource(&self) -> Resource {
        let mut requests = self.of::<ExportTraceServiceRequest>("traces");
        requests.remove(0).resource_spans.remove(0).resource.expect("a resource")
    }

    pub(crate) fn logs(&self) -> Vec<LogRecord> {
        let requests = self.of::<ExportLogsServiceRequest>("logs").into_iter();
        let scopes = requests.flat_map(|request| request.resource_logs);
        scopes
            .flat_map(|resource| resource.scope_logs)
            .flat_map(|scope| scope.log_records)
            .collect()
    }

    /// The names of the metrics that were sent.
    pub(crate) fn metrics(&self) -> Vec<String> {
        let requests = self.of::<ExportMetricsServiceRequest>("metrics").into_iter();
        let scopes = requests.flat_map(|request| request.resource_metrics);
        let metrics =
            scopes.flat_map(|resource| resource.scope_metrics).flat_map(|scope| scope.metrics);
        metrics.map(|metric| metric.name).collect()
    }
}

/// An attribute as text; empty where there is none.
pub(crate) fn attribute(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.clone()) {
        Some(AnyValue { value: Some(any_value::Value::StringValue(text)) }) => text,
        Some(AnyValue { value: Some(any_value::Value::IntValue(number)) }) => number.to_string(),
        _ => String::new(),
    }
}
