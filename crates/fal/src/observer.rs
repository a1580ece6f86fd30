//! What a client tells of its calls, for metrics, and asks for, for traces.

use std::{fmt, time::Duration};

use http::{HeaderMap, Method};

/// Sees every try of every call. It learns what a call was for and what came of it, and nothing
/// that a caller sent.
pub trait Observer: fmt::Debug + Send + Sync {
    /// A try is about to be sent: the place to add the headers that carry a trace on. Called inside
    /// the try's span.
    fn sending(&self, headers: &mut HeaderMap);

    /// The head of its answer has come, or why there is none is known.
    fn sent(&self, attempt: &Attempt);
}

/// One try of a call, up to the head of its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What the call is for, a word from a closed set: `submit`, `status`, …
    pub operation: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// Which try it is; 1 is the first.
    pub number: u32,
    /// The HTTP status, or why there is none: [`crate::Error::kind`].
    pub outcome: Result<u16, &'static str>,
    /// How long it took.
    pub duration: Duration,
}
