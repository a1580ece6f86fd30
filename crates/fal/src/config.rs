//! What a client is made with, and why one could not be made.

use std::{sync::Arc, time::Duration};

use crate::{Cause, Hosts, Observer};

/// How a [`crate::Client`] reaches fal. The defaults suit fal itself.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where fal is.
    pub hosts: Hosts,
    /// What we call ourselves.
    pub user_agent: String,
    /// How long a connection may take to come up, TLS included.
    pub connect_timeout: Duration,
    /// How long fal may be silent between two reads. Its status stream says something about every
    /// 15 seconds, so a value below that turns watching a job into polling.
    pub read_timeout: Duration,
    /// The largest answer that is read, in bytes after decompression.
    pub max_answer_bytes: usize,
    /// How many jobs are watched over a status stream at the same time; further ones are polled.
    ///
    /// HTTP/2 puts every call to one host on one connection, and servers commonly allow 100 to 128
    /// streams on it. Status streams are open for as long as a job runs: without a bound they would
    /// take all of them, and a submit would wait behind them.
    pub max_status_streams: usize,
    /// How many questions about jobs that are watched may be under way at the same time; further ones
    /// wait. With the streams they stay below what one HTTP/2 connection takes, and thousands of
    /// watchers neither crowd a submit out nor open a connection each where fal speaks HTTP/1.1.
    pub max_status_questions: usize,
    /// Who is told of each try, if anyone.
    pub observer: Option<Arc<dyn Observer>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            hosts: Hosts::default(),
            user_agent: concat!("fal-mcp-gateway/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(30),
            max_answer_bytes: 32 * 1024 * 1024,
            max_status_streams: 64,
            max_status_questions: 32,
            observer: None,
        }
    }
}

/// Why a client could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A base is no address that we can add a path to.
    #[error("the {name} base must be an http or https URL without user, query or fragment")]
    Host {
        /// Which one: `queue`, `api`, `rest`, `web` or `docs`.
        name: &'static str,
    },
    /// The system has no random numbers to give.
    #[error("the system has no random numbers to give")]
    Random,
    /// The HTTP client refused the rest: no usable root certificates, or a user agent that is not a
    /// header value.
    #[error("the HTTP client cannot be set up")]
    Http(#[source] Cause),
}
