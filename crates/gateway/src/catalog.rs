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
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use kept::Figures;
pub(crate) use models::{Loaded, Models};
pub(crate) use schemas::Described;

use crate::config::Config;

/// The caches are not reported on more often than this.
const REPORT: Duration = Duration::from_mins(1);

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

    /// Keeps the catalogue fresh until `stop`, and says at each refresh how the caches do.
    pub(crate) async fn keep_fresh(&self, config: &Config, stop: &CancellationToken) {
        let report = async {
            loop {
                tokio::time::sleep(config.catalog_refresh.max(REPORT)).await;
                self.report();
            }
        };
        tokio::select! {
            () = self.models.keep_fresh(config.catalog_refresh, config.catalog_page_interval, stop) => {}
            () = report => {}
        }
    }

    fn report(&self) {
        for (cache, figures) in [("schemas", self.schemas.figures()), ("docs", self.docs.figures())]
        {
            let Figures { entries, bytes, hits, misses } = figures;
            tracing::info!(cache, entries, bytes, hits, misses, "cache");
        }
    }
}
