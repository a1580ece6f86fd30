//! The whole catalogue, with the index over it: loaded without a key, so it may be shown to anyone,
//! and refreshed in the background. While fal is down the last one stays.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use fal::{Model, ModelKind, ModelStatus, ModelsQuery};
use mcp::ReadyCallToolResult;
use moka::sync::Cache;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::Holding;
use search::{Index, Kind, Record, Status};

/// The largest page that fal is known to give.
const PAGE: u32 = 100;
/// More pages than any catalogue has: a cursor that leads in circles ends here.
const MAX_PAGES: usize = 500;
/// How long one page may take, retries included.
const PAGE_PATIENCE: Duration = Duration::from_mins(1);
/// The longest that pages are spread out when fal says that we ask too much.
const MAX_INTERVAL: Duration = Duration::from_secs(30);
/// The most that answers about one catalogue may take.
const ANSWERS_BYTES: u64 = 4 * 1024 * 1024;
/// How soon a load that failed is tried again; it doubles up to the refresh interval.
const FIRST_RETRY: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub(crate) struct Models {
    fal: fal::Client,
    current: RwLock<Option<Arc<Loaded>>>,
    /// Whether the last load failed.
    overdue: AtomicBool,
}

/// A catalogue as it was at one time.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The models and how to find them.
    pub(crate) index: Index,
    /// Answers of `search_models` to questions that were asked of this catalogue, by the question.
    pub(crate) answers: Cache<String, ReadyCallToolResult>,
    at: Instant,
}

impl Loaded {
    /// The time since it was loaded.
    pub(crate) fn age(&self) -> Duration {
        self.at.elapsed()
    }

    /// What the catalogue holds: models, with the index over them.
    pub(super) fn holding(&self) -> Holding {
        Holding {
            entries: u64::from(self.index.count()),
            bytes: self.index.bytes().try_into().ok(),
        }
    }

    /// What is kept of answers about it.
    pub(super) fn answers_holding(&self) -> Holding {
        Holding { entries: self.answers.entry_count(), bytes: Some(self.answers.weighted_size()) }
    }
}

impl Models {
    pub(super) fn new(fal: fal::Client) -> Self {
        Self { fal, current: RwLock::new(None), overdue: AtomicBool::new(false) }
    }

    /// The catalogue, once there is one.
    pub(crate) fn current(&self) -> Option<Arc<Loaded>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the last load failed.
    pub(crate) fn is_overdue(&self) -> bool {
        self.overdue.load(Ordering::Relaxed)
    }

    /// How old the catalogue is, once there is one.
    pub(crate) fn age(&self) -> Option<Duration> {
        self.current().map(|loaded| loaded.age())
    }

    /// The age in seconds of a catalogue that could not be refreshed when it was due.
    pub(crate) fn stale_seconds(&self, loaded: &Loaded) -> Option<u64> {
        self.is_overdue().then(|| loaded.age().as_secs())
    }

    /// Loads the catalogue now and every `refresh`, its pages `interval` apart, until `stop`.
    pub(crate) async fn keep_fresh(
        &self,
        refresh: Duration,
        interval: Duration,
        stop: &CancellationToken,
    ) {
        let mut retry = FIRST_RETRY;
        loop {
            let loaded = tokio::select! {
                loaded = self.load(interval) => loaded,
                () = stop.cancelled() => return,
            };
            self.overdue.store(loaded.is_err(), Ordering::Relaxed);
            let pause = match loaded {
                Ok(()) => {
                    retry = FIRST_RETRY;
                    refresh
                }
                Err(error) => {
                    tracing::warn!(kind = error.kind(), "the catalogue could not be loaded");
                    let pause = retry.min(refresh);
                    retry = retry.saturating_mul(2);
                    pause
                }
            };
            tokio::select! {
                () = sleep(pause) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    async fn load(&self, interval: Duration) -> Result<(), fal::Error> {
        let begun = Instant::now();
        let records = self.records(interval).await?;
        let count = records.len();
        let building = tokio::task::spawn_blocking(|| Index::build(records));
        let Ok(index) = building.await else {
            tracing::error!("the index over the catalogue could not be built");
            return Ok(());
        };
        tracing::info!(
            models = count,
            bytes = index.bytes(),
            duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
            "catalogue loaded"
        );
        let answers = Cache::builder()
            .max_capacity(ANSWERS_BYTES)
            .weigher(|question: &String, answer: &ReadyCallToolResult| {
                u32::try_from(question.len() + answer.as_bytes().len()).unwrap_or(u32::MAX)
            })
            .build();
        let loaded = Loaded { index, answers, at: Instant::now() };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(loaded));
        Ok(())
    }

    /// Every model, in fal's order, which is that of popularity.
    async fn records(&self, interval: Duration) -> Result<Vec<Record>, fal::Error> {
        let mut interval = interval;
        let mut records = Vec::new();
        let mut seen = HashSet::new();
        let mut query = ModelsQuery { limit: Some(PAGE), ..ModelsQuery::default() };
        for _ in 0..MAX_PAGES {
            let page = loop {
                let deadline = Instant::now() + PAGE_PATIENCE;
                match self.fal.list_models(None, &query, deadline).await {
                    Ok(page) => break page,
                    Err(fal::Error::RateLimited { retry_after }) if interval < MAX_INTERVAL => {
                        interval = (interval * 2).clamp(Duration::from_secs(1), MAX_INTERVAL);
                        sleep(retry_after.unwrap_or(interval).max(interval)).await;
                    }
                    Err(error) => return Err(error),
                }
            };
            for model in page.models {
                if seen.insert(model.endpoint_id.clone()) {
                    records.push(record(model));
                }
            }
            match page.next_cursor.filter(|_| page.has_more) {
                Some(cursor) if query.cursor.as_ref() != Some(&cursor) => {
                    query.cursor = Some(cursor);
                    sleep(interval).await;
                }
                _ => break,
            }
        }
        Ok(records)
    }
}

fn record(model: Model) -> Record {
    let about = model.metadata;
    Record {
        endpoint_id: model.endpoint_id,
        name: about.display_name,
        description: about.description,
        category: about.category,
        tags: about.tags,
        group: about.group.map(|group| group.label),
        kind: match about.kind {
            Some(ModelKind::Training) => Kind::Training,
            Some(ModelKind::Inference) | None => Kind::Inference,
        },
        status: match about.status {
            Some(ModelStatus::Deprecated) => Status::Deprecated,
            Some(ModelStatus::Active) | None => Status::Active,
        },
        highlighted: about.highlighted,
        date: about.date,
    }
}
