//! A receiver of OTLP over HTTP and gRPC, with TLS or without: keeps everything that is sent to it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::serve::Listener;
use bytes::Bytes;
use http::HeaderMap;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{
    LogsService, LogsServiceServer,
};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::codec::CompressionEncoding::Gzip;
use tonic::{Request, Response, Status};

/// One request: its signal, its headers (of gRPC the metadata), its message.
type Received = Arc<Mutex<Vec<(String, HeaderMap, Bytes)>>>;

/// A collector; it ends when this is dropped.
pub(crate) struct Collector {
    addr: SocketAddr,
    received: Received,
    _serving: JoinSet<()>,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener.local_addr().unwrap(), listener)
    }

    /// The same behind TLS, with this certificate and its key.
    pub(crate) async fn start_with_tls(
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Self {
        let provider = rustls::crypto::ring::default_provider();
        let tls = ServerConfig::builder_with_provider(provider.into());
        let tls = tls.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let mut tls = tls.with_single_cert(vec![certificate], key).unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        Self::on(addr, TlsListener { listener, acceptor: TlsAcceptor::from(Arc::new(tls)) })
    }

    fn on<L: Listener<Addr: std::fmt::Debug>>(addr: SocketAddr, listener: L) -> Self {
        let received = Received::default();
        let over_http = async |Path(signal): Path<String>,
                               State(received): State<Received>,
                               headers: HeaderMap,
                               body: Bytes| {
            received.lock().unwrap().push((signal, headers, body));
        };
        let over_grpc = OverGrpc(Arc::clone(&received));
        let traces = TraceServiceServer::new(over_grpc.clone()).accept_compressed(Gzip);
        let metrics = MetricsServiceServer::new(over_grpc.clone()).accept_compressed(Gzip);
        let logs = LogsServiceServer::new(over_grpc).accept_compressed(Gzip);
        let of_grpc = |package: &str, service: &str| {
            format!("/opentelemetry.proto.collector.{package}.v1.{service}/Export")
        };
        let routes = Router::new()
            .route("/v1/{signal}", axum::routing::post(over_http))
            .route_service(&of_grpc("trace", "TraceService"), traces)
            .route_service(&of_grpc("metrics", "MetricsService"), metrics)
            .route_service(&of_grpc("logs", "LogsService"), logs)
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

    /// The same with TLS.
    pub(crate) fn tls_endpoint(&self) -> String {
        format!("https://localhost:{}", self.addr.port())
    }

    /// Every byte that was sent.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let received = self.received.lock().unwrap();
        received.iter().flat_map(|(_, _, body)| body.to_vec()).collect()
    }

    /// Every signal with the values that a header of its requests had.
    pub(crate) fn headers(&self, name: &str) -> Vec<(String, String)> {
        let received = self.received.lock().unwrap();
        let value = |headers: &HeaderMap| Some(headers.get(name)?.to_str().unwrap().to_owned());
        let found = received
            .iter()
            .filter_map(|(signal, headers, _)| Some((signal.clone(), value(headers)?)))
            .collect::<BTreeSet<_>>();
        found.into_iter().collect()
    }

    fn of<T: Message + Default>(&self, signal: &str) -> Vec<T> {
        let received = self.received.lock().unwrap();
        let bodies = received.iter().filter(|(sent, _, _)| sent == signal);
        bodies.map(|(_, _, body)| T::decode(body.clone()).unwrap()).collect()
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

/// What comes by gRPC.
#[derive(Clone)]
struct OverGrpc(Received);

impl OverGrpc {
    fn keep<T: Message, A: Default>(&self, signal: &str, request: Request<T>) -> Response<A> {
        let (metadata, _, message) = request.into_parts();
        let message = message.encode_to_vec().into();
        self.0.lock().unwrap().push((signal.to_owned(), metadata.into_headers(), message));
        Response::new(A::default())
    }
}

#[tonic::async_trait]
impl TraceService for OverGrpc {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        Ok(self.keep("traces", request))
    }
}

#[tonic::async_trait]
impl MetricsService for OverGrpc {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        Ok(self.keep("metrics", request))
    }
}

#[tonic::async_trait]
impl LogsService for OverGrpc {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        Ok(self.keep("logs", request))
    }
}

/// Connections whose handshake was done.
struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, addr) = Listener::accept(&mut self.listener).await;
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, addr);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
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
