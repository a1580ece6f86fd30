//! Things going wrong on purpose: which requests a fault applies to, how often, and what happens.
//!
//! A fault works at one of four stages (see [`FaultKind`]). For each request, at each stage, the
//! first fault that matches and has uses left applies and is used up once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::hosts::Host;
use crate::router::Operation;

/// A fault: what happens, to which requests, how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// What happens.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Only requests to this host.
    #[serde(default)]
    pub host: Option<Host>,
    /// Only requests for this operation.
    #[serde(default)]
    pub operation: Option<Operation>,
    /// Only requests whose path names this endpoint id.
    #[serde(default)]
    pub endpoint_id: Option<String>,
    /// How many times, or for ever.
    #[serde(default)]
    pub times: Option<u32>,
    /// How likely each matching request is hit, from 0 to 1. A request that is spared is not
    /// counted.
    #[serde(default = "certain")]
    pub probability: f64,
}

fn certain() -> f64 {
    1.0
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// Before the request is processed: 429 in the shape of the host.
    RateLimited {
        /// Seconds in `Retry-After`; without it the header is missing.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// Before: this status with a body in the shape of the host.
    Server {
        /// 500, 502, 503, 504 or any other.
        status: u16,
    },
    /// Before: this status from the ingress, an HTML page without `x-fal-request-id`.
    Ingress {
        /// 502, 503 or 504.
        status: u16,
    },
    /// Before: 403, the account is locked. Also in the middle of polling.
    AccountLocked,
    /// Before: 404 for a job that exists.
    ResultExpired,
    /// Before: the connection is closed; the request was not processed.
    DropBefore,
    /// Delay: nothing is sent for so long, then the request is processed.
    SlowHeaders {
        /// How long.
        milliseconds: u64,
    },
    /// Job (submit and run): the answer to a submit names URLs under another origin.
    ForeignStatusUrl {
        /// For example `http://127.0.0.1:9999`.
        origin: String,
    },
    /// Job: the model refuses the content, 422 on the result.
    ContentPolicy,
    /// Job: it ends as if its owner had cancelled it.
    Cancelled,
    /// Job: the platform gives up on it.
    JobError {
        /// A request-level error type such as `startup_timeout`.
        error_type: String,
    },
    /// Answer: the request is processed, then the connection is closed without an answer.
    DropAfter,
    /// Answer: the connection is closed in the middle of the body.
    CutBody,
    /// Answer: the body comes in small pieces.
    SlowBody {
        /// Between two pieces.
        milliseconds: u64,
    },
    /// Answer: half of the body comes, then nothing, and the connection stays open.
    StalledBody,
    /// Answer: the status and headers are right and the body is not JSON.
    MalformedJson,
    /// Answer: the body, a JSON object, gets a member `padding`.
    Padded {
        /// How long the padding is.
        bytes: usize,
    },
}

/// When a fault works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Delay,
    Before,
    Job,
    Answer,
}

impl FaultKind {
    fn stage(&self) -> Stage {
        match self {
            Self::RateLimited { .. }
            | Self::Server { .. }
            | Self::Ingress { .. }
            | Self::AccountLocked
            | Self::ResultExpired
            | Self::DropBefore => Stage::Before,
            Self::SlowHeaders { .. } => Stage::Delay,
            Self::ForeignStatusUrl { .. }
            | Self::ContentPolicy
            | Self::Cancelled
            | Self::JobError { .. } => Stage::Job,
            Self::DropAfter
            | Self::CutBody
            | Self::SlowBody { .. }
            | Self::StalledBody
            | Self::MalformedJson
            | Self::Padded { .. } => Stage::Answer,
        }
    }

    /// The operations that this kind makes sense for, if not all.
    fn confined_to(&self) -> Option<&'static [Operation]> {
        match self {
            Self::ForeignStatusUrl { .. } => Some(&[Operation::Submit]),
            Self::ContentPolicy | Self::Cancelled | Self::JobError { .. } => {
                Some(&[Operation::Submit, Operation::Run])
            }
            Self::ResultExpired => Some(&[Operation::Result]),
            _ => None,
        }
    }
}

impl Fault {
    /// A fault that hits every request, for ever. Narrow it with the methods below.
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, host: None, operation: None, endpoint_id: None, times: None, probability: 1.0 }
    }

    /// Only requests for this operation.
    #[must_use]
    pub fn on(self, operation: Operation) -> Self {
        Self { operation: Some(operation), ..self }
    }

    /// Only requests to this host.
    #[must_use]
    pub fn on_host(self, host: Host) -> Self {
        Self { host: Some(host), ..self }
    }

    /// Only requests whose path names this endpoint id.
    #[must_use]
    pub fn on_endpoint(self, endpoint_id: impl Into<String>) -> Self {
        Self { endpoint_id: Some(endpoint_id.into()), ..self }
    }

    /// Only so many times.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Only with this probability.
    #[must_use]
    pub fn with_probability(self, probability: f64) -> Self {
        Self { probability, ..self }
    }

    fn matches(&self, target: Target<'_>, stage: Stage) -> bool {
        self.kind.stage() == stage
            && self.times != Some(0)
            && self.kind.confined_to().is_none_or(|ops| ops.contains(&target.operation))
            && self.operation.is_none_or(|operation| operation == target.operation)
            && self.host.is_none_or(|host| Some(host) == target.host)
            && self.endpoint_id.as_deref().is_none_or(|id| Some(id) == target.endpoint_id)
    }
}

/// What a fault is matched against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) host: Option<Host>,
    pub(crate) operation: Operation,
    pub(crate) endpoint_id: Option<&'a str>,
}

/// The faults of one stand-in. Empty at the start.
#[derive(Debug, Default)]
pub struct Faults {
    list: Mutex<Vec<Fault>>,
    /// Spares every request the lock while there are none.
    any: AtomicBool,
}

impl Faults {
    /// Adds a fault after those already there.
    pub fn add(&self, fault: Fault) {
        self.list().push(fault);
        self.any.store(true, Ordering::Release);
    }

    /// Removes every fault.
    pub fn clear(&self) {
        self.any.store(false, Ordering::Release);
        self.list().clear();
    }

    /// The faults that may still happen, with their remaining uses.
    pub fn pending(&self) -> Vec<Fault> {
        self.list().clone()
    }

    /// Uses up one matching fault.
    pub(crate) fn take(&self, target: Target<'_>, stage: Stage) -> Option<FaultKind> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let mut list = self.list();
        let at = list.iter().position(|fault| {
            fault.matches(target, stage)
                && (fault.probability >= 1.0 || fastrand::f64() < fault.probability)
        })?;
        let fault = list.get_mut(at)?;
        let kind = fault.kind.clone();
        if let Some(times) = &mut fault.times {
            *times -= 1;
            if *times == 0 {
                list.remove(at);
            }
        }
        Some(kind)
    }

    fn list(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
