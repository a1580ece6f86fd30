//! What is cached, for how long, for whom. All of it may be emptied at any time.
//!
//! | what | by | fresh for | kept for | for whom |
//! |---|---|---|---|---|
//! | the catalogue and the index over it | | `--catalog-refresh-seconds` | until the next load | everyone: read without a key |
//! | answers of `search_models` | arguments | until the next load of the catalogue | 4 MiB in all | everyone: made of it alone |
//! | a model's schema with its validator and its answer | `endpoint_id` | 1 h | 24 h, 64 MiB in all | everyone: read without a key |
//! | "no such public model" | `endpoint_id` | 30 s | | everyone |
//! | answers of the documentation search | query | 10 min | 24 h, 8 MiB in all | everyone: read without a key |
//! | prices | key and `endpoint_id` | 5 min | | that key alone |
//!
//! What is no longer fresh is loaded again, and shown with its age where that fails. A model that
//! only the caller's key can see is read each time and never kept.

mod docs;
mod kept;
mod models;
mod prices;
mod schemas;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

pub(crate) use models::{Loaded, Models};
pub(crate) use schemas::Described;

use crate::config::Config;

/// What a cache holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holding {
    /// Values, fresh ones and old ones.
    pub(crate) entries: u64,
    /// Their bytes, roughly, where they are weighed.
    pub(crate) bytes: Option<u64>,
}

/// How often a cache had what it was asked for, since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// A fresh value was there.
    pub(crate) hits: u64,
    /// fal was asked.
    pub(crate) misses: u64,
    /// An old value was shown, because fal did not answer.
    pub(crate) stale: u64,
}

impl Counts {
    /// Each count with its word.
    pub(crate) fn named(self) -> [(&'static str, u64); 3] {
        [("hit", self.hits), ("miss", self.misses), ("stale", self.stale)]
    }
}

/// The caches of one process.
#[derive(Debug)]
pub(crate) struct Catalog {
    /// The whole catalogue.
    pub(crate) models: Arc<Models>,
    /// Schemas by id.
    pub(crate) schemas: schemas::Schemas,
    /// Prices by key and id.
    pub(crate) prices: prices::Prices,
    /// Documentation by query.
    pub(crate) docs: docs::Docs,
}

impl Catalog {
    pub(crate) fn new(fal: &fal::Client) -> Self {
        let models = Arc::new(Models::new(fal.clone()));
        Self {
            schemas: schemas::Schemas::new(fal.clone(), Arc::clone(&models)),
            prices: prices::Prices::new(fal.clone()),
            docs: docs::Docs::new(fal.clone()),
            models,
        }
    }

    /// Keeps the catalogue fresh until `stop`.
    pub(crate) async fn keep_fresh(&self, config: &Config, stop: &CancellationToken) {
        let (refresh, interval) = (config.catalog_refresh, config.catalog_page_interval);
        self.models.keep_fresh(refresh, interval, stop).await;
    }

    /// What each cache holds, by its name.
    pub(crate) fn holdings(&self) -> Vec<(&'static str, Holding)> {
        let mut holdings = vec![
            ("schemas", self.schemas.holding()),
            ("docs", self.docs.holding()),
            ("prices", self.prices.holding()),
        ];
        if let Some(loaded) = self.models.current() {
            holdings.push(("catalog", loaded.holding()));
            holdings.push(("answers", loaded.answers_holding()));
        }
        holdings
    }

    /// How often each cache was asked, by its name; those that load one by one.
    pub(crate) fn asked(&self) -> [(&'static str, Counts); 3] {
        [
            ("schemas", self.schemas.asked()),
            ("docs", self.docs.asked()),
            ("prices", self.prices.asked()),
        ]
    }
}
