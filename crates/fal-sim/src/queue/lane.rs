//! An account: its waiting and running jobs, and its recent history.
//!
//! Jobs of one account start in the order in which they become ready, each as soon as one of the
//! account's places is free. The lane is brought up to date whenever somebody looks.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::auth::Standing;
use crate::queue::job::{Job, State};

/// Jobs and bytes of input that an account's history holds.
const HISTORY_JOBS: usize = 1_000;
const HISTORY_BYTES: usize = 32 * 1024 * 1024;

/// Whose key it is, and what it has in the queue.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) key_id: String,
    pub(crate) standing: Standing,
    lane: Mutex<Lane>,
    history: Mutex<History>,
}

#[derive(Debug)]
struct Lane {
    limit: usize,
    /// Ordered by when they are ready.
    waiting: VecDeque<Arc<Job>>,
    /// Ends of the jobs and runs that hold a place, with their numbers.
    running: BTreeSet<(Instant, u64)>,
}

#[derive(Debug, Default)]
struct History {
    jobs: VecDeque<Arc<Job>>,
    bytes: usize,
}

impl Account {
    pub(crate) fn new(key_id: String, standing: Standing, limit: usize) -> Self {
        let lane = Lane { limit, waiting: VecDeque::new(), running: BTreeSet::new() };
        Self { key_id, standing, lane: Mutex::new(lane), history: Mutex::default() }
    }

    /// Queues a job.
    pub(crate) fn enqueue(&self, job: &Arc<Job>, now: Instant) {
        {
            let mut lane = self.lane();
            let at = lane.rank(job);
            lane.waiting.insert(at, Arc::clone(job));
            lane.advance(now);
        }
        self.remember(job);
    }

    /// Keeps a job for `requests/by-endpoint`.
    pub(crate) fn remember(&self, job: &Arc<Job>) {
        let mut history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        history.bytes += job.input.len();
        history.jobs.push_back(Arc::clone(job));
        while history.jobs.len() > HISTORY_JOBS || history.bytes > HISTORY_BYTES {
            let Some(oldest) = history.jobs.pop_front() else {
                break;
            };
            history.bytes -= oldest.input.len();
        }
    }

    /// The account's jobs, newest first.
    pub(crate) fn history(&self) -> Vec<Arc<Job>> {
        let history = self.history.lock().unwrap_or_else(PoisonError::into_inner);
        history.jobs.iter().rev().cloned().collect()
    }

    /// Starts whatever can start by now. A job that has started needs no look at the lane.
    pub(crate) fn bring_up_to_date(&self, job: &Job, now: Instant) {
        if job.started.get().is_none() && job.cancelled.get().is_none() {
            self.lane().advance(now);
        }
    }

    /// How many jobs are ahead of this one, strangers' included, and how long to wait at least
    /// before that can change.
    pub(crate) fn position(&self, job: &Job, now: Instant) -> (u64, Duration) {
        let lane = self.lane();
        let own = lane.rank(job);
        let wait = job.ready.saturating_duration_since(job.submitted);
        let left = job.ready.saturating_duration_since(now);
        // Strangers' jobs go one after the other over the time until this one is ready.
        let share = left.as_secs_f64() / wait.as_secs_f64().max(f64::MIN_POSITIVE);
        let strangers = (0..job.strangers)
            .filter(|gone| f64::from(*gone) < f64::from(job.strangers) * share)
            .count();
        let until_a_place_is_free = match lane.running.first() {
            Some((end, _)) if lane.running.len() >= lane.limit => {
                end.saturating_duration_since(now)
            }
            _ => Duration::ZERO,
        };
        ((own + strangers) as u64, until_a_place_is_free)
    }

    /// How many jobs wait.
    pub(crate) fn waiting(&self, now: Instant) -> usize {
        let mut lane = self.lane();
        lane.advance(now);
        lane.waiting.len()
    }

    /// Cancels a job that has not ended. False if it had.
    pub(crate) fn cancel(&self, job: &Job, now: Instant) -> bool {
        let mut lane = self.lane();
        lane.advance(now);
        if matches!(job.state(now), State::Done { .. }) {
            return false;
        }
        let is_first = job.cancelled.set(now).is_ok();
        if let Some(started) = job.started.get() {
            lane.running.remove(&(*started + job.run_time, job.seq));
        } else {
            let at = lane.rank(job);
            lane.waiting.remove(at);
        }
        lane.advance(now);
        drop(lane);
        job.changed.notify_waiters();
        is_first
    }

    /// Takes a place for a synchronous run that ends at `end`. None if all are taken.
    pub(crate) fn take_place(
        self: &Arc<Self>,
        seq: u64,
        now: Instant,
        end: Instant,
    ) -> Option<Place> {
        let mut lane = self.lane();
        lane.advance(now);
        if lane.running.len() >= lane.limit {
            return None;
        }
        lane.running.insert((end, seq));
        drop(lane);
        Some(Place { account: Arc::clone(self), at: (end, seq) })
    }

    fn lane(&self) -> MutexGuard<'_, Lane> {
        self.lane.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A synchronous run's place among those in progress, free again when dropped: a caller that
/// hangs up ends its run.
#[derive(Debug)]
pub(crate) struct Place {
    account: Arc<Account>,
    at: (Instant, u64),
}

impl Drop for Place {
    fn drop(&mut self) {
        self.account.lane().running.remove(&self.at);
    }
}

impl Lane {
    /// How many jobs wait before this one, which is also where it stands among them.
    fn rank(&self, job: &Job) -> usize {
        self.waiting.partition_point(|other| (other.ready, other.seq) < (job.ready, job.seq))
    }

    fn advance(&mut self, now: Instant) {
        while let Some(job) = self.waiting.front() {
            let is_full = self.running.len() >= self.limit;
            let start = match self.running.first() {
                Some((end, _)) if is_full => job.ready.max(*end),
                _ => job.ready,
            };
            if job.start_by.is_some_and(|by| start > by && now >= by) {
                self.waiting.pop_front();
                continue;
            }
            if start > now {
                break;
            }
            if is_full {
                self.running.pop_first();
            }
            if self.limit != usize::MAX {
                self.running.insert((start + job.run_time, job.seq));
            }
            // Set once: a job that waits has not started before.
            job.started.get_or_init(|| start);
            self.waiting.pop_front();
        }
        // Those that have ended by now free nothing that could start before now.
        while self.running.first().is_some_and(|(end, _)| *end <= now) {
            self.running.pop_first();
        }
    }
}
