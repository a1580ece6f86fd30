//! What the whole process shares: settings, the client, the cache, ready answers. Nothing of any
//! caller.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::catalog::Catalog;
use crate::config::Config;
use crate::dispatch::Answers;
use crate::rates::Rates;
use crate::telemetry::{self, Metrics, SetUpError};
use crate::tools::Toolbox;

/// How many uploads may hold a part in memory, [`fal::PART_BYTES`] each.
const PARTS_IN_MEMORY: usize = 32;

/// What every request needs cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The client of fal's API.
    #[error("cannot make the client for fal: {0}")]
    Client(#[from] fal::BuildError),
    /// The fetcher of URLs that callers give.
    #[error("cannot make the fetcher of URLs: {0}")]
    Fetch(#[from] fetch::BuildError),
    /// The metrics.
    #[error(transparent)]
    Telemetry(#[from] SetUpError),
}

/// Shared by every request; made once at start.
#[derive(Debug)]
pub(crate) struct App {
    /// The settings.
    pub(crate) config: Config,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// The client of fal's API.
    pub(crate) fal: fal::Client,
    /// Fetches what callers name by URL. It knows no key.
    pub(crate) fetcher: fetch::Fetcher,
    /// Room for the parts of uploads.
    pub(crate) parts_in_memory: Semaphore,
    /// What is cached of fal's public data, and of prices by key.
    pub(crate) catalog: Catalog,
    /// How often each key called lately.
    rates: Rates,
    /// The tools with their compiled argument schemas.
    pub(crate) toolbox: Toolbox,
    /// Answers that never change while the process runs, as bytes.
    pub(crate) answers: Answers,
    /// Work that outlives the request that began it: a submit under way, a cancellation. The server
    /// waits for it before it ends.
    pub(crate) detached: TaskTracker,
    /// Set when the server is about to end: waiting calls answer with their handle.
    pub(crate) hurry: CancellationToken,
}

impl App {
    /// Makes everything that requests share; nothing here touches the network.
    pub(crate) fn new(config: Config) -> Result<Arc<Self>, AppError> {
        let metrics = Arc::new(Metrics::new(&config)?);
        let user_agent = concat!("fal-mcp-gateway/", env!("CARGO_PKG_VERSION"));
        let fal = fal::Client::new(fal::Config {
            hosts: config.hosts.clone(),
            user_agent: user_agent.to_owned(),
            observer: Some(metrics.upstream()),
            ..fal::Config::default()
        })?;
        let fetcher = fetch::Fetcher::new(fetch::Config {
            user_agent: user_agent.to_owned(),
            allow_private: config.allow_private_urls,
            ..fetch::Config::default()
        })?;
        let app = Arc::new(Self {
            fetcher,
            parts_in_memory: Semaphore::new(PARTS_IN_MEMORY),
            catalog: Catalog::new(&fal),
            rates: Rates::new(config.requests_per_minute),
            toolbox: Toolbox::new(),
            answers: Answers::new(),
            detached: TaskTracker::new(),
            hurry: CancellationToken::new(),
            config,
            metrics,
            fal,
        });
        telemetry::caches(&app);
        Ok(app)
    }

    /// Counts a request of `key`; `Err` with the time until its next one is welcome.
    pub(crate) fn count_request(&self, key: &fal::Key) -> Result<(), Duration> {
        self.rates.check(|| self.fal.fingerprint(key))
    }

    /// Keeps the catalogue fresh until `stop`.
    pub(crate) fn keep_catalogue_fresh(self: &Arc<Self>, stop: CancellationToken) {
        let app = Arc::clone(self);
        #[expect(clippy::disallowed_methods, reason = "it ends with the process, by `stop`")]
        tokio::spawn(async move {
            app.catalog.keep_fresh(&app.config, &stop).await;
        });
    }
}
