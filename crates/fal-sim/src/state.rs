//! Everything one stand-in holds, shared by its listeners.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::auth::Keys;
use crate::clock::Clock;
use crate::config::{Config, StartError};
use crate::docs::Docs;
use crate::faults::Faults;
use crate::ledger::Ledger;
use crate::models::Catalog;
use crate::platform::rate::RateLimits;
use crate::queue::jobs::Jobs;
use crate::storage::Storage;

/// The state of one stand-in.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) keys: Keys,
    pub(crate) catalog: Catalog,
    pub(crate) jobs: Jobs,
    pub(crate) faults: Faults,
    pub(crate) ledger: Ledger,
    pub(crate) storage: Storage,
    pub(crate) docs: Docs,
    pub(crate) rates: RateLimits,
    next_seq: AtomicU64,
}

impl State {
    pub(crate) fn new(config: Config) -> Result<Self, StartError> {
        Ok(Self {
            clock: Clock::new(config.speed),
            keys: Keys::new(&config)?,
            catalog: Catalog::load(&config.models)?,
            jobs: Jobs::new(config.max_jobs),
            faults: Faults::default(),
            ledger: Ledger::new(config.ledger_requests, config.ledger_submits),
            storage: Storage::new(config.seed, config.max_stored_bytes),
            docs: Docs::load()?,
            rates: RateLimits::new(config.anonymous_rate_limit, config.rate_limit),
            next_seq: AtomicU64::new(1),
            config,
        })
    }

    /// The number of the next job or run.
    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq.fetch_add(1, Ordering::Relaxed)
    }
}
