//! How long a connection lasts: to an age, or to a number of requests. Without an end a client that
//! keeps its connections would stay with this replica for ever, and replicas added later would get
//! nothing of its load.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// The most requests on one connection.
const REQUESTS: u32 = 10_000;
/// How far an age may be from the configured one: connections that were made together, after a
/// restart for example, do not come back together.
const JITTER: f64 = 0.1;

/// The time and the requests that a connection has left.
#[derive(Debug)]
pub(super) struct Lifetime {
    ends: Option<Instant>,
    requests: AtomicU32,
    over: Notify,
}

impl Lifetime {
    pub(super) fn new(max_age: Option<Duration>) -> Self {
        let jittered = |age: Duration| age.mul_f64(1.0 - JITTER + 2.0 * JITTER * fastrand::f64());
        let ends = max_age.map(|age| Instant::now() + jittered(age));
        Self { ends, requests: AtomicU32::new(0), over: Notify::new() }
    }

    /// Counts a request. Whether it should be the connection's last.
    pub(super) fn request(&self) -> bool {
        let earlier = self.requests.fetch_add(1, Ordering::Relaxed);
        let is_last = earlier + 1 >= REQUESTS || self.ends.is_some_and(|end| Instant::now() >= end);
        if is_last {
            self.over.notify_one();
        }
        is_last
    }

    /// Returns when no further request should come.
    pub(super) async fn over(&self) {
        let aged = async {
            match self.ends {
                Some(end) => sleep_until(end).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = aged => {}
            () = self.over.notified() => {}
        }
    }
}
