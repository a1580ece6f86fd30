//! What the gateway tells about itself. The names are documented in `docs/telemetry.md` and
//! `docs/request-log.md`.
//!
//! | to find | read |
//! |---|---|
//! | every metric | `telemetry/instruments.rs` |
//! | how it is counted | `telemetry/metrics.rs`, `telemetry/observed.rs` |
//! | the span and the count of an HTTP request | `telemetry/exchange.rs` |
//! | the span, the count and the line of an MCP operation | `telemetry/operation.rs` |
//! | whose trace a call belongs to | `telemetry/trace.rs` |
//! | what is exported, and as whom | `telemetry/otlp.rs` |
//! | the log on standard error | `telemetry/log.rs` |
//!
//! Traces and log records go through [`tracing`], whose subscriber is the process's own. Metrics
//! belong to one gateway.

mod exchange;
mod instruments;
mod log;
mod metrics;
mod observed;
mod operation;
mod otlp;
mod process;
mod trace;

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::sync::oneshot;
use tracing::Metadata;
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry};

pub use otlp::SetUpError;

pub(crate) use exchange::Exchange;
pub(crate) use instruments::{FAL_ENDPOINT_ID, FAL_REQUEST_ID, OTHER};
pub(crate) use metrics::Metrics;
pub(crate) use observed::{caches, connections, requests_in_flight};
pub(crate) use operation::{Arrival, NetworkTransport, Operation};
pub(crate) use trace::{current_id, of_headers, of_meta};

use crate::config::Config;

/// How long an export at the end may take.
const FLUSH: Duration = Duration::from_secs(2);
/// Whose spans and log records are exported: those of our own crates. Others' may hold a URL.
const OURS: [&str; 3] = ["fal", "fal_mcp_gateway", "gateway"];

/// What the process exports beside the metrics of its gateways.
#[derive(Debug)]
#[must_use = "without `shutdown` the last spans and log records are lost"]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    logs: Option<SdkLoggerProvider>,
}

impl Telemetry {
    /// Sets the process's log up, and the export of traces and log records where `config` has them.
    /// Call it within a runtime, which carries gRPC.
    pub fn install(config: &Config) -> Result<Self, SetUpError> {
        let otel = &config.otel;
        if otel.traces.or(otel.logs).is_some() {
            otlp::provide_tls();
        }
        let traces = otel.traces.map(|protocol| otlp::traces(otel, protocol)).transpose()?;
        let logs = otel.logs.map(|protocol| otlp::logs(otel, protocol)).transpose()?;
        // Only layers that are needed, each with a filter that says what it lets through at most:
        // else every `trace!` of every crate asks at run time whether it is wanted.
        let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = vec![log::lines(config)?];
        if let Some(traces) = &traces {
            let spans = tracing_opentelemetry::layer()
                .with_tracer(traces.tracer(otlp::SCOPE))
                .with_location(false)
                .with_target(false)
                .with_threads(false)
                .with_tracked_inactivity(false);
            let ours = filter_fn(|metadata| metadata.is_span() && is_ours(metadata));
            layers.push(spans.with_filter(ours.with_max_level_hint(LevelFilter::INFO)).boxed());
        }
        if let Some(logs) = &logs {
            let records = OpenTelemetryTracingBridge::new(logs);
            let ours = filter_fn(|metadata| metadata.is_event() && is_ours(metadata));
            let ours = ours.with_max_level_hint(LevelFilter::TRACE);
            layers.push(records.with_filter(log::filter(config)?.and(ours)).boxed());
        }
        tracing_subscriber::registry().with(layers).try_init()?;
        log::hide_panic_messages();
        Ok(Self { traces, logs })
    }

    /// Exports what is left, for at most two seconds. Call it last.
    pub async fn shutdown(self) {
        flush(move || {
            let traces = self.traces.map(|traces| traces.shutdown_with_timeout(FLUSH));
            let logs = self.logs.map(|logs| logs.shutdown_with_timeout(FLUSH));
            for outcome in [traces, logs].into_iter().flatten() {
                if let Err(error) = outcome {
                    tracing::warn!(%error, "the last spans or log records could not be exported");
                }
            }
        })
        .await;
    }
}

/// Exports the last metrics, for at most two seconds.
pub(crate) async fn flush_metrics(metrics: Arc<Metrics>) {
    flush(move || metrics.flush()).await;
}

/// Runs what blocks for as long as [`FLUSH`] allows. It has a thread of its own, because a runtime
/// does not end before its threads do, and a collector may never answer.
async fn flush(work: impl FnOnce() + Send + 'static) {
    let (working, end) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        work();
        drop(working);
    });
    if tokio::time::timeout(FLUSH, end).await.is_err() {
        tracing::warn!("the last of what is to be exported could not be, in time");
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    let of = metadata.target().split("::").next().unwrap_or_default();
    OURS.contains(&of)
}

#[cfg(test)]
mod tests;
