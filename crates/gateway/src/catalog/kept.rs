//! A cache that prefers an old value to none: a value is fresh for a while, then loaded again, and
//! shown with its age where that fails. Concurrent callers of one key cause one load.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::future::Cache;
use tokio::time::Instant;

use super::{Counts, Holding};

/// How long a value is kept for the case that fal is down.
const STALE_FOR: Duration = Duration::from_hours(24);
/// How long a failed load is not tried again, where there is an old value to show.
const REST: Duration = Duration::from_secs(30);
/// How long a load may take where there is an old value to show.
const HURRIED: Duration = Duration::from_secs(3);

/// A cache, see the module.
pub(super) struct Kept<K, V> {
    fresh: Cache<K, Dated<V>>,
    stale: Cache<K, Dated<V>>,
    resting: Cache<K, ()>,
    tally: Tally,
}

/// Counts how often a cache had what it was asked for.
#[derive(Debug, Default)]
pub(super) struct Tally {
    hits: AtomicU64,
    misses: AtomicU64,
    stale: AtomicU64,
}

impl Tally {
    pub(super) fn hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn miss(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    fn stale(&self) {
        self.stale.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Counts {
        Counts {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            stale: self.stale.load(Ordering::Relaxed),
        }
    }
}

/// A value and when it was loaded.
#[derive(Debug)]
pub(crate) struct Dated<V> {
    /// The value.
    pub(crate) value: Arc<V>,
    /// When it was loaded.
    at: Instant,
    old: bool,
}

impl<V> Dated<V> {
    /// A value that was loaded this moment.
    pub(super) fn new(value: V) -> Self {
        Self { value: Arc::new(value), at: Instant::now(), old: false }
    }

    /// The age in seconds of a value that could not be loaded again in time.
    pub(crate) fn stale_seconds(&self) -> Option<u64> {
        self.old.then(|| self.at.elapsed().as_secs())
    }
}

impl<V> Clone for Dated<V> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), at: self.at, old: self.old }
    }
}

impl<K, V> Kept<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    /// A cache of at most `capacity`, as `weigh` weighs its values, each fresh for `fresh_for`.
    pub(super) fn new(capacity: u64, fresh_for: Duration, weigh: fn(&V) -> u32) -> Self {
        let cache = |lifetime| {
            Cache::builder()
                .max_capacity(capacity)
                .weigher(move |_: &K, dated: &Dated<V>| weigh(&dated.value))
                .time_to_live(lifetime)
                .build()
        };
        Self {
            fresh: cache(fresh_for),
            stale: cache(STALE_FOR),
            resting: Cache::builder().max_capacity(10_000).time_to_live(REST).build(),
            tally: Tally::default(),
        }
    }

    /// What it holds.
    pub(super) fn holding(&self) -> Holding {
        Holding { entries: self.stale.entry_count(), bytes: Some(self.stale.weighted_size()) }
    }

    /// How often it had what it was asked for.
    pub(super) fn asked(&self) -> Counts {
        self.tally.read()
    }

    /// The value of `key`: fresh, or loaded by `load` before the deadline that it is given, or the
    /// old one where that fails. `gone` tells an error that means that there is no such value any
    /// more, which an old one must not hide.
    pub(super) async fn get<E, F>(
        &self,
        key: &K,
        patience: Duration,
        gone: impl Fn(&E) -> bool,
        load: impl FnOnce(Instant) -> F,
    ) -> Result<Dated<V>, Arc<E>>
    where
        E: Send + Sync + 'static,
        F: Future<Output = Result<V, E>> + Send,
    {
        if let Some(found) = self.fresh.get(key).await {
            self.tally.hit();
            return Ok(found);
        }
        let old = self.stale.get(key).await.map(|old| Dated { old: true, ..old });
        if let Some(old) = &old
            && self.resting.contains_key(key)
        {
            self.tally.stale();
            return Ok(old.clone());
        }
        let patience = if old.is_some() { HURRIED.min(patience) } else { patience };
        let loading = async { Ok(Dated::new(load(Instant::now() + patience).await?)) };
        match (self.fresh.try_get_with_by_ref(key, loading).await, old) {
            (Ok(loaded), _) => {
                self.tally.miss();
                self.stale.insert(key.clone(), loaded.clone()).await;
                Ok(loaded)
            }
            (Err(error), Some(old)) if !gone(&error) => {
                self.tally.stale();
                self.resting.insert(key.clone(), ()).await;
                Ok(old)
            }
            (Err(error), _) => {
                self.tally.miss();
                Err(error)
            }
        }
    }
}

impl<K, V> fmt::Debug for Kept<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU32;

    const FRESH: Duration = Duration::from_millis(50);
    const PATIENCE: Duration = Duration::from_secs(1);

    fn kept() -> Kept<u8, u32> {
        Kept::new(100, FRESH, |_| 1)
    }

    async fn get(
        kept: &Kept<u8, u32>,
        outcome: Result<u32, &'static str>,
    ) -> Result<Dated<u32>, Arc<&'static str>> {
        kept.get(&1, PATIENCE, |error| *error == "gone", |_| async move { outcome }).await
    }

    #[tokio::test]
    async fn a_hundred_callers_of_one_cold_key_cause_one_load() {
        let (kept, loads) = (kept(), AtomicU32::new(0));
        let one = || {
            kept.get(
                &1,
                PATIENCE,
                |(): &()| false,
                |_| async {
                    loads.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Ok(7)
                },
            )
        };
        let all = futures_util::future::join_all((0..100).map(|_| one())).await;
        assert!(all.iter().all(|found| *found.as_ref().unwrap().value == 7));
        assert_eq!(loads.load(Ordering::Relaxed), 1);
        one().await.unwrap();
        assert_eq!(kept.asked(), Counts { hits: 1, misses: 100, stale: 0 });
    }

    #[tokio::test]
    async fn an_old_value_is_shown_with_its_age_while_loads_fail() {
        let kept = kept();
        assert_eq!(get(&kept, Ok(1)).await.unwrap().stale_seconds(), None);
        tokio::time::sleep(FRESH * 2).await;
        let old = get(&kept, Err("down")).await.unwrap();
        assert_eq!((*old.value, old.stale_seconds()), (1, Some(0)));
        // For a while nobody asks again.
        let old = get(&kept, Ok(2)).await.unwrap();
        assert_eq!((*old.value, old.stale_seconds()), (1, Some(0)));
        assert_eq!(kept.asked(), Counts { hits: 0, misses: 1, stale: 2 });
    }

    #[tokio::test]
    async fn an_old_value_does_not_hide_that_there_is_none_any_more() {
        let kept = kept();
        get(&kept, Ok(1)).await.unwrap();
        tokio::time::sleep(FRESH * 2).await;
        assert_eq!(*get(&kept, Err("gone")).await.unwrap_err(), "gone");
    }

    #[tokio::test]
    async fn a_failed_first_load_is_an_error_and_is_tried_again() {
        let kept = kept();
        assert_eq!(*get(&kept, Err("down")).await.unwrap_err(), "down");
        assert_eq!(*get(&kept, Ok(3)).await.unwrap().value, 3);
    }
}
