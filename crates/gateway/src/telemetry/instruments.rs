//! Every metric: name, kind, unit, labels, meaning. This is the only list; the instruments are made
//! of it, and `docs/telemetry.md` is compared with it.
//!
//! A label takes its values from a closed set. What a caller may choose freely (an `endpoint_id`, a
//! header) is never one.

use opentelemetry_semantic_conventions::{attribute, metric};

/// The word for whatever is not in a closed set, as the semantic conventions spell it.
pub(crate) const OTHER: &str = "_OTHER";

// The names of the conventions for MCP (open-telemetry/semantic-conventions-genai). The crate of
// constants has those of the other conventions, and these as deprecated since they moved.
/// The method of a request or notification.
pub(super) const MCP_METHOD_NAME: &str = "mcp.method.name";
/// The version of MCP that it speaks.
pub(super) const MCP_PROTOCOL_VERSION: &str = "mcp.protocol.version";
/// The tool that is called.
pub(super) const GEN_AI_TOOL_NAME: &str = "gen_ai.tool.name";
/// `execute_tool` for a tool call; in spans only.
pub(super) const GEN_AI_OPERATION_NAME: &str = "gen_ai.operation.name";

/// fal's name for what a call to it is for.
pub(crate) const FAL_OPERATION: &str = "fal.operation";
/// fal's name for what runs; in spans only.
pub(crate) const FAL_ENDPOINT_ID: &str = "fal.endpoint_id";
/// fal's name for a job; in spans only.
pub(crate) const FAL_REQUEST_ID: &str = "fal.request_id";
/// The stable word for what went wrong, see `error.rs`.
pub(crate) const ERROR_KIND: &str = "fal_mcp.error.kind";
/// What a job came to.
pub(super) const OUTCOME: &str = "fal_mcp.outcome";
/// Which cache.
pub(super) const CACHE_NAME: &str = "fal_mcp.cache.name";
/// Whether a cache had it.
pub(super) const CACHE_RESULT: &str = "fal_mcp.cache.result";
/// The version that runs.
pub(super) const VERSION: &str = "fal_mcp.version";
/// The commit that it was built from.
pub(super) const COMMIT: &str = "fal_mcp.commit";

/// One metric.
#[derive(Debug)]
pub(super) struct Instrument {
    /// Its name in OpenTelemetry.
    pub(super) name: &'static str,
    /// What its values are.
    pub(super) kind: Kind,
    /// UCUM, or a word in braces for what is counted.
    pub(super) unit: &'static str,
    /// The attributes that it may have.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "for the documentation, which a test compares")
    )]
    pub(super) labels: &'static [&'static str],
    /// What it counts or measures.
    pub(super) about: &'static str,
}

/// What the values of a metric are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Distributed over buckets with these upper bounds.
    Histogram(&'static [f64]),
    /// Only rises.
    Counter,
    /// Rises and falls.
    Gauge,
}

/// The bounds that the conventions for MCP give.
const MCP_BOUNDS: &[f64] =
    &[0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0];
/// The bounds that the conventions for HTTP give.
const HTTP_BOUNDS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

pub(super) const OPERATION_DURATION: Instrument = Instrument {
    name: "mcp.server.operation.duration",
    kind: Kind::Histogram(MCP_BOUNDS),
    unit: "s",
    labels: &[
        MCP_METHOD_NAME,
        MCP_PROTOCOL_VERSION,
        GEN_AI_TOOL_NAME,
        attribute::NETWORK_TRANSPORT,
        attribute::ERROR_TYPE,
        attribute::RPC_RESPONSE_STATUS_CODE,
        ERROR_KIND,
    ],
    about: "MCP requests and notifications, from decoded to answered; a tool call to its last byte",
};

pub(super) const SERVER_DURATION: Instrument = Instrument {
    name: metric::HTTP_SERVER_REQUEST_DURATION,
    kind: Kind::Histogram(HTTP_BOUNDS),
    unit: "s",
    labels: &[
        attribute::HTTP_REQUEST_METHOD,
        attribute::HTTP_ROUTE,
        attribute::HTTP_RESPONSE_STATUS_CODE,
        attribute::NETWORK_PROTOCOL_VERSION,
        attribute::URL_SCHEME,
        attribute::ERROR_TYPE,
    ],
    about: "HTTP requests of the public address, to the head of the answer",
};

pub(super) const ACTIVE_REQUESTS: Instrument = Instrument {
    name: metric::HTTP_SERVER_ACTIVE_REQUESTS,
    kind: Kind::Gauge,
    unit: "{request}",
    labels: &[],
    about: "HTTP requests in flight, streams to their end; probes are not counted",
};

pub(super) const CONNECTIONS: Instrument = Instrument {
    name: "fal_mcp.connections.open",
    kind: Kind::Gauge,
    unit: "{connection}",
    labels: &[],
    about: "Connections to the public address",
};

pub(super) const CONNECTIONS_REFUSED: Instrument = Instrument {
    name: "fal_mcp.connections.refused",
    kind: Kind::Counter,
    unit: "{connection}",
    labels: &[],
    about: "Connections closed at once because there was no place for them",
};

pub(super) const CLIENT_DURATION: Instrument = Instrument {
    name: metric::HTTP_CLIENT_REQUEST_DURATION,
    kind: Kind::Histogram(HTTP_BOUNDS),
    unit: "s",
    labels: &[
        FAL_OPERATION,
        attribute::HTTP_REQUEST_METHOD,
        attribute::HTTP_RESPONSE_STATUS_CODE,
        attribute::ERROR_TYPE,
    ],
    about: "Single tries of calls to fal, to the head of the answer",
};

pub(super) const RETRIES: Instrument = Instrument {
    name: "fal_mcp.upstream.retries",
    kind: Kind::Counter,
    unit: "{retry}",
    labels: &[FAL_OPERATION],
    about: "Tries of calls to fal after the first",
};

pub(super) const CACHE_REQUESTS: Instrument = Instrument {
    name: "fal_mcp.cache.requests",
    kind: Kind::Counter,
    unit: "{request}",
    labels: &[CACHE_NAME, CACHE_RESULT],
    about: "Questions to a cache",
};

pub(super) const CACHE_ENTRIES: Instrument = Instrument {
    name: "fal_mcp.cache.entries",
    kind: Kind::Gauge,
    unit: "{entry}",
    labels: &[CACHE_NAME],
    about: "What a cache holds",
};

pub(super) const CACHE_SIZE: Instrument = Instrument {
    name: "fal_mcp.cache.size",
    kind: Kind::Gauge,
    unit: "By",
    labels: &[CACHE_NAME],
    about: "Its bytes, roughly",
};

pub(super) const CATALOG_AGE: Instrument = Instrument {
    name: "fal_mcp.catalog.age",
    kind: Kind::Gauge,
    unit: "s",
    labels: &[],
    about: "Time since the catalogue was loaded; absent until it is",
};

pub(super) const JOBS_SUBMITTED: Instrument = Instrument {
    name: "fal_mcp.jobs.submitted",
    kind: Kind::Counter,
    unit: "{job}",
    labels: &[OUTCOME],
    about: "Submits to fal's queue",
};

pub(super) const JOBS_FINISHED: Instrument = Instrument {
    name: "fal_mcp.jobs.finished",
    kind: Kind::Counter,
    unit: "{job}",
    labels: &[OUTCOME],
    about: "Ends of jobs told to callers; a job that is asked for twice counts twice",
};

pub(super) const CALLS_WAITING: Instrument = Instrument {
    name: "fal_mcp.calls.waiting",
    kind: Kind::Gauge,
    unit: "{call}",
    labels: &[],
    about: "Tool calls that wait for a job",
};

pub(super) const REFUSED: Instrument = Instrument {
    name: "fal_mcp.requests.refused",
    kind: Kind::Counter,
    unit: "{request}",
    labels: &[ERROR_KIND],
    about: "Requests for which nothing was done",
};

pub(super) const BUILD_INFO: Instrument = Instrument {
    name: "fal_mcp.build.info",
    kind: Kind::Gauge,
    unit: "",
    labels: &[VERSION, COMMIT],
    about: "Always 1; what is running",
};

pub(super) const MEMORY: Instrument = Instrument {
    name: metric::PROCESS_MEMORY_USAGE,
    kind: Kind::Gauge,
    unit: "By",
    labels: &[],
    about: "Resident memory (Linux)",
};

pub(super) const CPU_TIME: Instrument = Instrument {
    name: metric::PROCESS_CPU_TIME,
    kind: Kind::Counter,
    unit: "s",
    labels: &[attribute::CPU_MODE],
    about: "Processor time (Linux)",
};

pub(super) const FILE_DESCRIPTORS: Instrument = Instrument {
    name: metric::PROCESS_UNIX_FILE_DESCRIPTOR_COUNT,
    kind: Kind::Gauge,
    unit: "{file_descriptor}",
    labels: &[],
    about: "Open file descriptors (Linux)",
};

/// All of them, in the order of the documentation.
#[cfg(test)]
pub(super) const ALL: [&Instrument; 19] = [
    &OPERATION_DURATION,
    &SERVER_DURATION,
    &ACTIVE_REQUESTS,
    &CONNECTIONS,
    &CONNECTIONS_REFUSED,
    &CLIENT_DURATION,
    &RETRIES,
    &CACHE_REQUESTS,
    &CACHE_ENTRIES,
    &CACHE_SIZE,
    &CATALOG_AGE,
    &JOBS_SUBMITTED,
    &JOBS_FINISHED,
    &CALLS_WAITING,
    &REFUSED,
    &BUILD_INFO,
    &MEMORY,
    &CPU_TIME,
    &FILE_DESCRIPTORS,
];
