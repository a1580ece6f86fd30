//! The metrics of one gateway, as Prometheus text and over OTLP. Nothing is global: two gateways in
//! one process count each for itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundHistogram, Counter, Histogram, Meter, MeterProvider as _};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_semantic_conventions::attribute::{
    ERROR_TYPE, HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE,
};
use prometheus::{Registry, TextEncoder};

use super::instruments::{self as list, ERROR_KIND, FAL_OPERATION, Instrument, Kind, OUTCOME};
use super::{Exchange, Operation, exchange, observed, otlp, trace};
use crate::config::Config;

/// Everything that is counted while it happens. What can be read off when it is asked for is in
/// `observed.rs`.
#[derive(Debug)]
pub(crate) struct Metrics {
    provider: SdkMeterProvider,
    registry: Registry,
    operations: Histogram<f64>,
    exchanges: Histogram<f64>,
    /// Handles for what comes by the thousand each second, made when first needed: to look a label
    /// set up costs more than all else that is counted.
    often: Often,
    refused: Counter<u64>,
    upstream: Arc<Upstream>,
    jobs_submitted: Counter<u64>,
    jobs_finished: Counter<u64>,
    waiting: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Often {
    /// Operations that are answered from bytes made at start, see [`Operation::slot`].
    operations: [OnceLock<BoundHistogram<f64>>; Operation::SLOTS],
    /// HTTP requests, see [`Exchange::slot`].
    exchanges: [OnceLock<BoundHistogram<f64>>; Exchange::SLOTS],
}

impl Metrics {
    /// The instruments, read by whatever `config` switches on.
    pub(crate) fn new(config: &Config) -> Result<Self, otlp::SetUpError> {
        let registry = Registry::new();
        let mut provider = SdkMeterProvider::builder().with_resource(otlp::resource(&config.otel));
        // Somebody has to read: the SDK logs an error for each instrument that nobody does.
        if config.admin_addr.is_some() || config.otel.metrics.is_none() {
            let prometheus = opentelemetry_prometheus::exporter()
                .with_registry(registry.clone())
                .scope_info_enabled(false)
                .build()
                .map_err(otlp::SetUpError::Prometheus)?;
            provider = provider.with_reader(prometheus);
        }
        if let Some(protocol) = config.otel.metrics {
            otlp::provide_tls();
            provider = provider.with_periodic_exporter(otlp::metric_exporter(protocol)?);
        }
        let provider = provider.build();
        let meter = provider.meter(otlp::SCOPE);
        let waiting = Arc::default();
        observed::process(&meter, &waiting);
        Ok(Self {
            operations: histogram(&meter, &list::OPERATION_DURATION),
            exchanges: histogram(&meter, &list::SERVER_DURATION),
            often: Often {
                operations: [const { OnceLock::new() }; Operation::SLOTS],
                exchanges: [const { OnceLock::new() }; Exchange::SLOTS],
            },
            refused: counter(&meter, &list::REFUSED),
            upstream: Arc::new(Upstream {
                tries: histogram(&meter, &list::CLIENT_DURATION),
                retries: counter(&meter, &list::RETRIES),
            }),
            jobs_submitted: counter(&meter, &list::JOBS_SUBMITTED),
            jobs_finished: counter(&meter, &list::JOBS_FINISHED),
            waiting,
            provider,
            registry,
        })
    }

    /// For instruments that are read off elsewhere.
    pub(crate) fn meter(&self) -> Meter {
        self.provider.meter(otlp::SCOPE)
    }

    /// Whom fal's client tells of its tries.
    pub(crate) fn upstream(&self) -> Arc<dyn fal::Observer> {
        Arc::clone(&self.upstream) as Arc<dyn fal::Observer>
    }

    /// An MCP operation has ended.
    pub(super) fn operation(&self, operation: &Operation, duration: Duration) {
        let often = operation.slot().and_then(|slot| self.often.operations.get(slot));
        record(&self.operations, often, duration, || operation.labels());
    }

    /// An HTTP request was answered.
    pub(super) fn exchange(&self, exchange: &Exchange, status: StatusCode, duration: Duration) {
        let often = exchange.slot(status).and_then(|slot| self.often.exchanges.get(slot));
        record(&self.exchanges, often, duration, || exchange.labels(status));
    }

    /// A request was refused, by the word for why.
    pub(crate) fn refused(&self, kind: &'static str) {
        self.refused.add(1, &[KeyValue::new(ERROR_KIND, kind)]);
    }

    /// A job was submitted, or not: `accepted` or the word for why not.
    pub(crate) fn job_submitted(&self, outcome: &'static str) {
        self.jobs_submitted.add(1, &[KeyValue::new(OUTCOME, outcome)]);
    }

    /// A job's end was told to its caller: `completed` or the word for why there is no output.
    pub(crate) fn job_finished(&self, outcome: &'static str) {
        self.jobs_finished.add(1, &[KeyValue::new(OUTCOME, outcome)]);
    }

    /// A call waits for a job until this is dropped.
    pub(crate) fn waiting(&self) -> Waiting {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(Arc::clone(&self.waiting))
    }

    /// Everything as Prometheus text.
    pub(crate) fn prometheus_text(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }

    /// Exports what was counted since the last time. Blocks until that is done or has failed.
    pub(super) fn flush(&self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "the last metrics could not be exported");
        }
    }
}

/// Records through the handle in `often`, or else by the labels.
fn record(
    histogram: &Histogram<f64>,
    often: Option<&OnceLock<BoundHistogram<f64>>>,
    duration: Duration,
    labels: impl Fn() -> Vec<KeyValue>,
) {
    let seconds = duration.as_secs_f64();
    match often {
        Some(often) => often.get_or_init(|| histogram.bind(&labels())).record(seconds),
        None => histogram.record(seconds, &labels()),
    }
}

/// A call that waits.
#[derive(Debug)]
pub(crate) struct Waiting(Arc<AtomicU64>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is counted of calls to fal.
#[derive(Debug)]
struct Upstream {
    tries: Histogram<f64>,
    retries: Counter<u64>,
}

impl fal::Observer for Upstream {
    fn sending(&self, headers: &mut HeaderMap) {
        trace::inject(headers);
    }

    fn sent(&self, attempt: &fal::Attempt) {
        let operation = KeyValue::new(FAL_OPERATION, attempt.operation);
        if attempt.number > 1 {
            self.retries.add(1, std::slice::from_ref(&operation));
        }
        let method = KeyValue::new(HTTP_REQUEST_METHOD, exchange::known(&attempt.method));
        let mut labels = vec![operation, method];
        let error_type = match attempt.outcome {
            Ok(status) => {
                labels.push(KeyValue::new(HTTP_RESPONSE_STATUS_CODE, i64::from(status)));
                (status >= 400).then(|| status.to_string().into())
            }
            Err(kind) => Some(opentelemetry::StringValue::from(kind)),
        };
        labels.extend(error_type.map(|word| KeyValue::new(ERROR_TYPE, word)));
        self.tries.record(attempt.duration.as_secs_f64(), &labels);
    }
}

fn histogram(meter: &Meter, instrument: &Instrument) -> Histogram<f64> {
    let Kind::Histogram(bounds) = instrument.kind else {
        return meter.f64_histogram(instrument.name).build();
    };
    meter
        .f64_histogram(instrument.name)
        .with_unit(instrument.unit)
        .with_description(instrument.about)
        .with_boundaries(bounds.to_vec())
        .build()
}

fn counter(meter: &Meter, instrument: &Instrument) -> Counter<u64> {
    meter
        .u64_counter(instrument.name)
        .with_unit(instrument.unit)
        .with_description(instrument.about)
        .build()
}
