//! What OpenTelemetry's SDK needs to export over OTLP. Where to, how often and with which headers is
//! read by the exporters themselves from the standard `OTEL_*` variables; which signals are exported,
//! and by which protocol, is decided in `config/otel.rs`.

use opentelemetry::KeyValue;
use opentelemetry_otlp::tonic_types::transport::ClientTlsConfig;
use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, MetricExporter, SpanExporter, WithTonicConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::SdkTracerProvider;
use opentelemetry_semantic_conventions::attribute::{
    SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION,
};

use crate::SERVER_INFO;
use crate::config::{Otel, Protocol};

/// The name of our spans' and metrics' scope, and of the service where `OTEL_SERVICE_NAME` is not
/// set.
pub(super) const SCOPE: &str = SERVER_INFO.name;

/// Telemetry cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// An exporter refuses its settings.
    #[error("OTLP cannot be set up by the OTEL_EXPORTER_OTLP_* variables: {0}")]
    Otlp(#[from] ExporterBuildError),
    /// The Prometheus registry refuses the instruments.
    #[error("the metrics cannot be set up: {0}")]
    Prometheus(#[source] OTelSdkError),
    /// The filter of the log cannot be read.
    #[error("FAL_MCP_LOG_LEVEL (--log-level) cannot be read: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The process has a subscriber already.
    #[error("the log cannot be installed: {0}")]
    Installed(#[from] tracing_subscriber::util::TryInitError),
}

/// Who reports. `OTEL_RESOURCE_ATTRIBUTES` wins over what is said here.
pub(super) fn resource(otel: &Otel) -> Resource {
    Resource::builder_empty()
        .with_attributes([
            KeyValue::new(SERVICE_NAME, SCOPE),
            KeyValue::new(SERVICE_VERSION, SERVER_INFO.version),
            KeyValue::new(SERVICE_INSTANCE_ID, otel.instance_id.to_string()),
        ])
        .with_detectors(&[
            Box::new(TelemetryResourceDetector),
            Box::new(EnvResourceDetector::new()),
        ])
        .with_attributes(otel.service_name.clone().map(|name| KeyValue::new(SERVICE_NAME, name)))
        .build()
}

/// Traces, sent in batches by a thread of their own. The sampler is that of `OTEL_TRACES_SAMPLER`;
/// by default a caller's decision is followed, and traces that begin here are kept.
pub(super) fn traces(otel: &Otel, protocol: Protocol) -> Result<SdkTracerProvider, SetUpError> {
    let exporter = SpanExporter::builder();
    let exporter = match protocol {
        Protocol::HttpProtobuf => exporter.with_http().build()?,
        Protocol::Grpc { tls } => secured(exporter.with_tonic(), tls).build()?,
    };
    Ok(SdkTracerProvider::builder()
        .with_resource(resource(otel))
        .with_batch_exporter(exporter)
        .build())
}

/// Log records, likewise.
pub(super) fn logs(otel: &Otel, protocol: Protocol) -> Result<SdkLoggerProvider, SetUpError> {
    let exporter = LogExporter::builder();
    let exporter = match protocol {
        Protocol::HttpProtobuf => exporter.with_http().build()?,
        Protocol::Grpc { tls } => secured(exporter.with_tonic(), tls).build()?,
    };
    Ok(SdkLoggerProvider::builder()
        .with_resource(resource(otel))
        .with_batch_exporter(exporter)
        .build())
}

/// Where metrics go, every `OTEL_METRIC_EXPORT_INTERVAL`.
pub(super) fn metric_exporter(protocol: Protocol) -> Result<MetricExporter, SetUpError> {
    let exporter = MetricExporter::builder();
    Ok(match protocol {
        Protocol::HttpProtobuf => exporter.with_http().build()?,
        Protocol::Grpc { tls } => secured(exporter.with_tonic(), tls).build()?,
    })
}

/// gRPC over TLS trusts the system's authorities, as all else does; by itself it would trust none.
fn secured<B: WithTonicConfig>(exporter: B, tls: bool) -> B {
    if !tls {
        return exporter;
    }
    exporter.with_tls_config(ClientTlsConfig::new().with_native_roots())
}

/// The exporters' clients take the process's provider of TLS. An `Err` says that there is one
/// already, which is as good.
pub(super) fn provide_tls() {
    drop(rustls::crypto::ring::default_provider().install_default());
}
