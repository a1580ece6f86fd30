//! What the stand-in was asked: counts, the last requests and every accepted submit, so that a
//! test can say "this was sent once" and "no key went there".

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::hosts::Host;
use crate::router::Operation;

/// One request as it came in, before anything was done with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// The host it was for; none for the stand-in's own pages.
    pub host: Option<Host>,
    /// What it asked for.
    pub operation: Operation,
    /// The HTTP method.
    pub method: String,
    /// The path as sent, without its query.
    pub path: String,
    /// The query as sent.
    pub query: Option<String>,
    /// The scheme of its `Authorization` header (`Key`, `Bearer`, …); none if there was no such
    /// header. The credential itself is not kept.
    pub authorization: Option<String>,
    /// The `traceparent` header.
    pub traceparent: Option<String>,
    /// The `user-agent` header.
    pub user_agent: Option<String>,
}

/// One accepted submit or synchronous run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submit {
    /// The endpoint id.
    pub endpoint_id: String,
    /// The id that was handed out.
    pub request_id: String,
    /// The first half of the caller's key.
    pub key_id: String,
    /// When it was accepted.
    pub submitted_at: Timestamp,
    /// A hash of the input's bytes: equal inputs have equal hashes within one seed.
    pub input_hash: String,
    /// The query as sent (`fal_webhook=…`).
    pub query: Option<String>,
    /// The `x-fal-*` and `x-app-fal-*` headers as sent.
    pub headers: BTreeMap<String, String>,
    /// Whether it was a synchronous run.
    pub sync: bool,
}

/// A copy of everything the ledger holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Requests per operation since the start (or the last clearing), by name.
    pub calls: BTreeMap<String, u64>,
    /// Accepted submits, oldest first.
    pub submits: Vec<Submit>,
    /// Received requests, oldest first.
    pub requests: Vec<Received>,
}

/// The books of one stand-in. Bounded: the oldest entries go first.
#[derive(Debug)]
pub struct Ledger {
    calls: [AtomicU64; Operation::ALL.len()],
    requests: Mutex<VecDeque<Received>>,
    submits: Mutex<VecDeque<Submit>>,
    max_requests: usize,
    max_submits: usize,
}

impl Ledger {
    pub(crate) fn new(max_requests: usize, max_submits: usize) -> Self {
        Self {
            calls: Default::default(),
            requests: Mutex::default(),
            submits: Mutex::default(),
            max_requests,
            max_submits,
        }
    }

    /// How many requests asked for this since the start (or the last clearing).
    pub fn calls(&self, operation: Operation) -> u64 {
        self.count(operation).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// The accepted submits and runs, oldest first.
    pub fn submits(&self) -> Vec<Submit> {
        lock(&self.submits).iter().cloned().collect()
    }

    /// The received requests, oldest first.
    pub fn requests(&self) -> Vec<Received> {
        lock(&self.requests).iter().cloned().collect()
    }

    /// A copy of everything.
    pub fn snapshot(&self) -> Snapshot {
        let calls = Operation::ALL.into_iter().map(|op| (op.name().to_owned(), self.calls(op)));
        Snapshot { calls: calls.collect(), submits: self.submits(), requests: self.requests() }
    }

    /// Forgets everything. Jobs are not touched.
    pub fn clear(&self) {
        for count in &self.calls {
            count.store(0, Ordering::Relaxed);
        }
        lock(&self.requests).clear();
        lock(&self.submits).clear();
    }

    /// Whether received requests are to be described at all.
    pub(crate) fn wants_requests(&self) -> bool {
        self.max_requests > 0
    }

    pub(crate) fn counted(&self, operation: Operation) {
        if let Some(count) = self.count(operation) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn received(&self, request: Received) {
        push(&self.requests, request, self.max_requests);
    }

    pub(crate) fn accepted(&self, submit: Submit) {
        push(&self.submits, submit, self.max_submits);
    }

    fn count(&self, operation: Operation) -> Option<&AtomicU64> {
        self.calls.get(operation as usize)
    }
}

fn lock<T>(queue: &Mutex<VecDeque<T>>) -> std::sync::MutexGuard<'_, VecDeque<T>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

fn push<T>(queue: &Mutex<VecDeque<T>>, entry: T, limit: usize) {
    if limit == 0 {
        return;
    }
    let mut queue = lock(queue);
    if queue.len() >= limit {
        queue.pop_front();
    }
    queue.push_back(entry);
}
