//! Every job by its id, in shards so that calls about different jobs do not wait for each other.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::hash;
use crate::queue::job::Job;

const SHARDS: usize = 64;

#[derive(Debug, Default)]
struct Shard {
    by_id: HashMap<String, Arc<Job>>,
    /// Oldest first, for forgetting.
    order: VecDeque<String>,
}

/// The jobs of all keys.
#[derive(Debug)]
pub(crate) struct Jobs {
    shards: Vec<Mutex<Shard>>,
    max_per_shard: usize,
}

impl Jobs {
    pub(crate) fn new(max_jobs: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            max_per_shard: max_jobs.div_ceil(SHARDS).max(1),
        }
    }

    pub(crate) fn get(&self, request_id: &str) -> Option<Arc<Job>> {
        self.shard(request_id)?.by_id.get(request_id).cloned()
    }

    /// Files a job, and forgets the oldest ones that are over or too many.
    pub(crate) fn insert(&self, job: Arc<Job>, now: Instant) {
        let id = job.request_id.clone();
        let Some(mut shard) = self.shard(&id) else {
            return;
        };
        shard.order.push_back(id.clone());
        shard.by_id.insert(id, job);
        while let Some(oldest) = shard.order.front() {
            let is_over = shard.by_id.get(oldest).is_none_or(|job| job.is_forgotten(now));
            if !is_over && shard.order.len() <= self.max_per_shard {
                break;
            }
            if let Some(oldest) = shard.order.pop_front() {
                shard.by_id.remove(&oldest);
            }
        }
    }

    fn shard(&self, request_id: &str) -> Option<MutexGuard<'_, Shard>> {
        let index = usize::try_from(hash::hash(0, request_id.as_bytes())).ok()? % SHARDS;
        Some(self.shards.get(index)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
