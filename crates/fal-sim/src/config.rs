//! What a stand-in can be told: where it listens, how fast its clock runs, which models it
//! knows and which keys it accepts.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use tokio_rustls::rustls::Error as TlsError;

/// An ordinary key with credit and every scope.
pub const DEMO_KEY: &str = "0de30000-0000-4000-8000-000000000001:0de300000000000000000000000000a1";
/// A key whose account is locked: 403 on the queue, on runs and on storage.
pub const LOCKED_KEY: &str =
    "10c4ed00-0000-4000-8000-000000000002:10c4ed000000000000000000000000a2";
/// A key that may run models but lacks every scope of the Platform API that needs one (403).
pub const NO_SCOPE_KEY: &str =
    "05c09e00-0000-4000-8000-000000000003:05c09e000000000000000000000000a3";
/// A key of an account that also owns a private model (see [`PRIVATE_MODEL`]).
pub const PRIVATE_KEY: &str =
    "941fa7e0-0000-4000-8000-000000000004:941fa7e00000000000000000000000a4";
/// A well-formed key that is never accepted.
pub const UNKNOWN_KEY: &str =
    "ffffffff-ffff-4fff-8fff-ffffffffffff:ffffffffffffffffffffffffffffffff";
/// The built-in model that only [`PRIVATE_KEY`] can see and run.
pub const PRIVATE_MODEL: &str = "sim-labs/atelier/house-style";

/// How to start a stand-in.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches that have nothing to do with one another"
)]
pub struct Config {
    /// Where to listen. Port 0 picks a free one.
    pub addr: SocketAddr,
    /// How much faster than real the clock of jobs runs. 10 is ten times faster;
    /// `f64::INFINITY` finishes every job in the moment it starts.
    pub speed: f64,
    /// Decides latencies, queue positions and random outputs.
    pub seed: u64,
    /// Which models exist.
    pub models: Models,
    /// Keys accepted beside the built-in ones, each `<key_id>:<key_secret>`.
    pub keys: Vec<String>,
    /// Accepts every well-formed key as an ordinary account of its own (for load tests), but for
    /// [`UNKNOWN_KEY`].
    pub any_key: bool,
    /// How many jobs of one key may be in progress at the same time. The others wait in the
    /// queue; a synchronous run over the limit is refused. `usize::MAX` is no limit.
    pub concurrency: usize,
    /// How long a finished job's result can be fetched. One tenth of it for a large result
    /// (10 KB and more).
    pub result_retention: Duration,
    /// Requests per minute to the Platform API without a key, all callers together.
    pub anonymous_rate_limit: Option<u32>,
    /// Requests per minute to the Platform API with one key.
    pub rate_limit: Option<u32>,
    /// Accepts status, result and cancel under the full endpoint id instead of answering 405.
    pub long_form_urls: bool,
    /// Ends the `response_url` that a submit hands out in `/response`.
    pub response_suffix: bool,
    /// Answers the cancellation of a job that still waits with 200 and `OK`, as fal's newest
    /// reference has it, instead of 202.
    pub cancel_removes: bool,
    /// The address that outsiders use, for media and upload URLs only, such as
    /// `http://localhost:9000`. Without it they are built from each request's own `Host`.
    pub public_url: Option<String>,
    /// How many received requests the ledger remembers. 0 keeps counts only.
    pub ledger_requests: usize,
    /// How many accepted submits the ledger remembers.
    pub ledger_submits: usize,
    /// How many jobs are held at most; beyond it the oldest is forgotten.
    pub max_jobs: usize,
    /// How many bytes of uploaded files are held at most; beyond it the oldest is forgotten.
    pub max_stored_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            speed: 1.0,
            seed: 7,
            models: Models::BuiltIn,
            keys: Vec::new(),
            any_key: false,
            concurrency: 40,
            result_retention: Duration::from_hours(1),
            anonymous_rate_limit: None,
            rate_limit: None,
            long_form_urls: false,
            response_suffix: false,
            cancel_removes: false,
            public_url: None,
            ledger_requests: 10_000,
            ledger_submits: 100_000,
            max_jobs: 200_000,
            max_stored_bytes: 256 * 1024 * 1024,
        }
    }
}

/// Where the catalogue and the models' schemas come from.
#[derive(Debug, Clone, Default)]
pub enum Models {
    /// About forty models of our own, over every category.
    #[default]
    BuiltIn,
    /// Files with one JSON object a line, plain or gzipped. Without `catalog` each schema gets a
    /// catalogue entry of its own; without `schemas` no model has a document.
    Files {
        /// Lines of `{"model":{"endpoint_id","metadata"}}`, the model alone, or one whole page
        /// as `GET /v1/models` answers it.
        catalog: Option<PathBuf>,
        /// Lines of `{"endpoint_id","openapi"}`.
        schemas: Option<PathBuf>,
    },
    /// The built-in models and as many variations of them as it takes to reach this number.
    Generated(usize),
}

/// Why a stand-in did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of models cannot be read.
    #[error("cannot read {path}")]
    ReadModels {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line of a file of models, or our own list of them, is not what it should be.
    #[error("{path}, line {line}: not a model")]
    ParseModels {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The throw-away certificate could not be made.
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// The certificate was made and then refused.
    #[error("cannot use the certificate")]
    Tls(#[from] TlsError),
    /// A key in the configuration is not `<key_id>:<key_secret>`.
    #[error("key number {0} is not of the form <key_id>:<key_secret>")]
    Key(usize),
}
