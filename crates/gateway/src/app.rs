//! What the whole process shares: settings, the client, the cache, ready answers. Nothing of any
//! caller.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::catalog::Catalog;
use crate::config::Config;
use crate::dispatch::Answers;
use crate::rates::Rates;
use crate::tools::Toolbox;

/// Shared by every request; made once at start.
#[derive(Debug)]
pub(crate) struct App {
    /// The settings.
    pub(crate) config: Config,
    /// The client of fal's API.
    pub(crate) fal: fal::Client,
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
    pub(crate) fn new(config: Config) -> Result<Arc<Self>, fal::BuildError> {
        let fal = fal::Client::new(fal::Config {
            hosts: config.hosts.clone(),
            user_agent: concat!("fal-mcp-gateway/", env!("CARGO_PKG_VERSION")).to_owned(),
            ..fal::Config::default()
        })?;
        Ok(Arc::new(Self {
            catalog: Catalog::new(&fal),
            rates: Rates::new(config.requests_per_minute),
            toolbox: Toolbox::new(),
            answers: Answers::new(),
            detached: TaskTracker::new(),
            hurry: CancellationToken::new(),
            config,
            fal,
        }))
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
