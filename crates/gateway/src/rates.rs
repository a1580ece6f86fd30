//! How often one key may call, on this replica: `--requests-per-minute`.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use fal::Fingerprint;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use moka::sync::Cache;

/// The most keys that are remembered. Beyond it a key may be forgotten and begin anew, which costs
/// less than memory without an end.
const MAX_KEYS: u64 = 100_000;
/// A key that was quiet for this long has its whole minute again, so nothing is lost with it.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(1);

/// The rates of all keys, by their fingerprints.
#[derive(Debug)]
pub(crate) struct Rates {
    quota: Option<Quota>,
    clock: DefaultClock,
    by_key: Cache<Fingerprint, Arc<DefaultDirectRateLimiter>>,
}

impl Rates {
    /// No limit where `per_minute` is `None`.
    pub(crate) fn new(per_minute: Option<NonZeroU32>) -> Self {
        Self {
            quota: per_minute.map(Quota::per_minute),
            clock: DefaultClock::default(),
            by_key: Cache::builder().max_capacity(MAX_KEYS).time_to_idle(FORGOTTEN_AFTER).build(),
        }
    }

    /// Counts a request; `Err` with the time until the next one is welcome. `key` is only asked for
    /// where there is a limit.
    pub(crate) fn check(&self, key: impl FnOnce() -> Fingerprint) -> Result<(), Duration> {
        let Some(quota) = self.quota else { return Ok(()) };
        let limiter = self.by_key.get_with(key(), || Arc::new(RateLimiter::direct(quota)));
        limiter.check().map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }
}
