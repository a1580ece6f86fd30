//! One job: what was asked, what will come of it, and where it stands at a given moment.
//!
//! No task runs a job. Its times are fixed when it starts, and its state is read from them.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::models::Model;
use crate::outcome::Outcome;
use crate::router::app_of;

/// A job, from its submit until it is forgotten.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) request_id: String,
    /// Counts up over all jobs: the order of the queue.
    pub(crate) seq: u64,
    pub(crate) endpoint_id: String,
    /// None where the app exists and the path inside it does not.
    pub(crate) model: Option<Arc<Model>>,
    pub(crate) key_id: String,
    pub(crate) input: Bytes,
    pub(crate) input_hash: u64,
    pub(crate) submitted: Instant,
    pub(crate) submitted_at: Timestamp,
    /// When it may start, if its account has room.
    pub(crate) ready: Instant,
    /// How many jobs of strangers are ahead of it at the submit.
    pub(crate) strangers: u32,
    /// When it fails if it has not started.
    pub(crate) start_by: Option<Instant>,
    /// How long it runs here.
    pub(crate) run_time: Duration,
    /// How long it says it ran, in seconds.
    pub(crate) inference_seconds: f64,
    /// How long after its end it can be asked about.
    pub(crate) retention: Duration,
    /// What comes of it, unless it is cancelled or never starts.
    pub(crate) planned: Outcome,
    pub(crate) started: OnceLock<Instant>,
    pub(crate) cancelled: OnceLock<Instant>,
    /// Wakes those who watch the job when it is cancelled.
    pub(crate) changed: Notify,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum State<'a> {
    Queued,
    Running { since: Instant },
    Done { started: Option<Instant>, ended: Instant, outcome: &'a Outcome },
}

impl Job {
    /// Where the job stands. The lane must have been advanced to `now`, or a job that has started
    /// by now may still read as queued.
    pub(crate) fn state(&self, now: Instant) -> State<'_> {
        let started = self.started.get().copied();
        if let Some(cancelled) = self.cancelled.get().copied() {
            return State::Done { started, ended: cancelled, outcome: &Outcome::Cancelled };
        }
        match (started, self.start_by) {
            (Some(since), _) if now >= since + self.run_time => {
                State::Done { started, ended: since + self.run_time, outcome: &self.planned }
            }
            (Some(since), _) => State::Running { since },
            (None, Some(by)) if now >= by => {
                State::Done { started, ended: by, outcome: &Outcome::StartTimeout }
            }
            (None, _) => State::Queued,
        }
    }

    /// Whether the job is so long over that nothing is known of it.
    pub(crate) fn is_forgotten(&self, now: Instant) -> bool {
        match self.state(now) {
            State::Done { ended, .. } => now > ended + self.retention,
            State::Queued | State::Running { .. } => false,
        }
    }

    /// The part of the endpoint id that its URLs carry.
    pub(crate) fn app(&self) -> &str {
        app_of(&self.endpoint_id)
    }
}
