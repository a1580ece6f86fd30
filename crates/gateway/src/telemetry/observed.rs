//! What is read off when someone asks, and costs nothing until then: the process, the caches, the
//! requests in flight, the connections.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};
use opentelemetry_semantic_conventions::attribute::CPU_MODE;
use tokio::sync::Semaphore;

use super::instruments::{self as list, CACHE_NAME, CACHE_RESULT, COMMIT, Instrument, VERSION};
use super::process;
use crate::SERVER_INFO;
use crate::app::App;

/// What is true of the whole process, and how many calls wait.
pub(super) fn process(meter: &Meter, waiting: &Arc<AtomicU64>) {
    let waiting = Arc::clone(waiting);
    gauge(meter, &list::CALLS_WAITING, move |gauge| {
        gauge.observe(waiting.load(Ordering::Relaxed), &[]);
    });
    gauge(meter, &list::BUILD_INFO, |gauge| {
        let version = KeyValue::new(VERSION, SERVER_INFO.version);
        gauge.observe(1, &[version, KeyValue::new(COMMIT, crate::COMMIT)]);
    });
    gauge(meter, &list::MEMORY, |gauge| observe(gauge, process::memory(), &[]));
    gauge(meter, &list::FILE_DESCRIPTORS, |gauge| {
        observe(gauge, process::file_descriptors(), &[]);
    });
    meter
        .f64_observable_counter(list::CPU_TIME.name)
        .with_unit(list::CPU_TIME.unit)
        .with_description(list::CPU_TIME.about)
        .with_callback(|counter| {
            if let Some((user, system)) = process::cpu_time() {
                counter.observe(user, &[KeyValue::new(CPU_MODE, "user")]);
                counter.observe(system, &[KeyValue::new(CPU_MODE, "system")]);
            }
        })
        .build();
}

/// The caches of `app`, as long as there is one.
pub(crate) fn caches(app: &Arc<App>) {
    let meter = app.metrics.meter();
    let of = Arc::downgrade(app);
    let each = |read: fn(&dyn AsyncInstrument<u64>, &App)| {
        let of = Weak::clone(&of);
        move |instrument: &dyn AsyncInstrument<u64>| {
            if let Some(app) = of.upgrade() {
                read(instrument, &app);
            }
        }
    };
    gauge(
        &meter,
        &list::CATALOG_AGE,
        each(|gauge, app| observe(gauge, app.catalog.models.age().map(|age| age.as_secs()), &[])),
    );
    gauge(
        &meter,
        &list::CACHE_ENTRIES,
        each(|gauge, app| {
            for (name, holding) in app.catalog.holdings() {
                gauge.observe(holding.entries, &[KeyValue::new(CACHE_NAME, name)]);
            }
        }),
    );
    gauge(
        &meter,
        &list::CACHE_SIZE,
        each(|gauge, app| {
            for (name, holding) in app.catalog.holdings() {
                observe(gauge, holding.bytes, &[KeyValue::new(CACHE_NAME, name)]);
            }
        }),
    );
    meter
        .u64_observable_counter(list::CACHE_REQUESTS.name)
        .with_unit(list::CACHE_REQUESTS.unit)
        .with_description(list::CACHE_REQUESTS.about)
        .with_callback(each(|counter, app| {
            for (name, asked) in app.catalog.asked() {
                for (result, count) in asked.named() {
                    let labels =
                        [KeyValue::new(CACHE_NAME, name), KeyValue::new(CACHE_RESULT, result)];
                    counter.observe(count, &labels);
                }
            }
        }))
        .build();
}

/// The requests in flight.
pub(crate) fn requests_in_flight(meter: &Meter, places: &Arc<Semaphore>, limit: usize) {
    places_taken(meter, &list::ACTIVE_REQUESTS, places, limit);
}

/// The open connections, and how many were refused.
pub(crate) fn connections(
    meter: &Meter,
    places: &Arc<Semaphore>,
    limit: usize,
    refused: &Arc<AtomicU64>,
) {
    places_taken(meter, &list::CONNECTIONS, places, limit);
    let refused = Arc::clone(refused);
    meter
        .u64_observable_counter(list::CONNECTIONS_REFUSED.name)
        .with_unit(list::CONNECTIONS_REFUSED.unit)
        .with_description(list::CONNECTIONS_REFUSED.about)
        .with_callback(move |counter| counter.observe(refused.load(Ordering::Relaxed), &[]))
        .build();
}

/// The places, of `limit` in all, that are taken.
fn places_taken(meter: &Meter, instrument: &Instrument, places: &Arc<Semaphore>, limit: usize) {
    let places = Arc::clone(places);
    gauge(meter, instrument, move |gauge| {
        let taken = limit.saturating_sub(places.available_permits());
        gauge.observe(taken.try_into().unwrap_or(u64::MAX), &[]);
    });
}

fn gauge(
    meter: &Meter,
    instrument: &Instrument,
    read: impl Fn(&dyn AsyncInstrument<u64>) + Send + Sync + 'static,
) {
    meter
        .u64_observable_gauge(instrument.name)
        .with_unit(instrument.unit)
        .with_description(instrument.about)
        .with_callback(read)
        .build();
}

fn observe(instrument: &dyn AsyncInstrument<u64>, value: Option<u64>, labels: &[KeyValue]) {
    if let Some(value) = value {
        instrument.observe(value, labels);
    }
}
