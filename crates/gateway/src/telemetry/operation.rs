//! One MCP operation from decoded to answered: its span, its place in the metrics, and, for a tool
//! call, its line in the log. All three are written when it is dropped, so also for a caller who goes
//! away.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mcp::{Era, ProtocolVersion, RequestId};
use opentelemetry::trace::TraceId;
use opentelemetry::{Context, KeyValue};
use opentelemetry_semantic_conventions::attribute::{
    ERROR_TYPE, JSONRPC_REQUEST_ID, NETWORK_TRANSPORT, RPC_RESPONSE_STATUS_CODE,
};
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Level, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use super::instruments::{
    ERROR_KIND, FAL_ENDPOINT_ID, FAL_REQUEST_ID, GEN_AI_OPERATION_NAME, GEN_AI_TOOL_NAME,
    MCP_METHOD_NAME, MCP_PROTOCOL_VERSION, OTHER,
};
use super::{Metrics, trace};
use crate::error::{Failure, ToolError};
use crate::http::HttpRequestId;

/// The word for a caller who did not wait.
const CALLER_GONE: &str = "caller_gone";
/// A request's id is in its span up to this length.
const MAX_REQUEST_ID_BYTES: usize = 64;

/// The methods that MCP knows (all versions served); any other is [`OTHER`].
const METHODS: [&str; 23] = [
    "completion/complete",
    "initialize",
    "logging/setLevel",
    "notifications/cancelled",
    "notifications/initialized",
    "notifications/progress",
    "notifications/roots/list_changed",
    "ping",
    "prompts/get",
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/subscribe",
    "resources/templates/list",
    "resources/unsubscribe",
    "roots/list",
    "server/discover",
    "subscriptions/listen",
    "tasks/cancel",
    "tasks/get",
    "tasks/update",
    "tools/call",
    "tools/list",
];

/// How a message came (`network.transport`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NetworkTransport {
    /// Streamable HTTP.
    Tcp,
    /// stdio.
    Pipe,
}

/// What is known of a request when its operation begins.
#[derive(Debug)]
pub(crate) struct Arrival<'a> {
    /// How it came.
    pub(crate) transport: NetworkTransport,
    /// Its method as written.
    pub(crate) method: &'a str,
    /// The version it speaks; none for a notification.
    pub(crate) version: Option<ProtocolVersion>,
    /// Its id; none for a notification.
    pub(crate) id: Option<&'a RequestId>,
    /// The tool that it calls: a name of ours, or [`OTHER`].
    pub(crate) tool: Option<&'static str>,
    /// The caller's span, where the message names it.
    pub(crate) parent: Option<Context>,
}

/// An operation under way.
#[derive(Debug)]
pub(crate) struct Operation {
    metrics: Arc<Metrics>,
    transport: NetworkTransport,
    method: &'static str,
    version: Option<ProtocolVersion>,
    tool: Option<&'static str>,
    started: Instant,
    span: Span,
    /// Current while the operation runs.
    context: Context,
    line: Option<Line>,
    outcome: Outcome,
}

/// What the line in the log says beside the operation itself.
#[derive(Debug)]
struct Line {
    era: Era,
    http_request_id: Option<HttpRequestId>,
    trace_id: Option<TraceId>,
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    Answered,
    /// Nobody waited for the answer.
    CallerGone,
    /// A result with `isError`.
    ToolError {
        kind: &'static str,
        level: Level,
    },
    /// A JSON-RPC error.
    Error {
        kind: &'static str,
        code: i32,
        level: Level,
    },
}

impl Operation {
    /// An operation that begins now.
    pub(crate) fn begin(metrics: &Arc<Metrics>, arrival: &Arrival<'_>) -> Self {
        let method = METHODS.into_iter().find(|known| *known == arrival.method).unwrap_or(OTHER);
        let (span, context) = match &arrival.parent {
            None => (span(arrival, method), Context::current()),
            Some(context) => {
                let http = trace::current();
                let parent = context.clone().attach();
                let span = span(arrival, method);
                drop(parent);
                span.add_link(http);
                (span, context.clone())
            }
        };
        let &Arrival { transport, version, tool, .. } = arrival;
        Self {
            metrics: Arc::clone(metrics),
            transport,
            method,
            version,
            tool,
            started: Instant::now(),
            span,
            context,
            line: None,
            outcome: Outcome::CallerGone,
        }
    }

    /// What has to be current while the operation runs: the span, and the context for what is asked
    /// of fal.
    pub(crate) fn surroundings(&self) -> (Span, Context) {
        (self.span.clone(), self.context.clone())
    }

    /// From now on its end is a line in the log. Called with its surroundings in place.
    pub(crate) fn log(&mut self, era: Era, http_request_id: Option<HttpRequestId>) {
        self.line = Some(Line { era, http_request_id, trace_id: trace::current_id() });
    }

    /// It was answered with a result.
    pub(crate) fn answered(&mut self) {
        self.outcome = Outcome::Answered;
    }

    /// It was answered with a result that is an error.
    pub(crate) fn tool_failed(&mut self, error: &ToolError) {
        self.outcome = Outcome::ToolError { kind: error.kind(), level: error.level() };
    }

    /// It was answered with a JSON-RPC error.
    pub(crate) fn failed(&mut self, failure: &Failure) {
        self.outcome =
            Outcome::Error { kind: failure.kind(), code: failure.code().0, level: failure.level() };
    }

    /// How many places [`Self::slot`] tells apart.
    pub(super) const SLOTS: usize = METHODS.len() * ProtocolVersion::ALL.len();

    /// The place of its handle, if it is one of those that come often: an answer over HTTP that
    /// needed no tool.
    pub(super) fn slot(&self) -> Option<usize> {
        let often = self.transport == NetworkTransport::Tcp
            && self.tool.is_none()
            && matches!(self.outcome, Outcome::Answered);
        let version = self.version.filter(|_| often)?;
        let method = METHODS.iter().position(|method| *method == self.method)?;
        Some(method * ProtocolVersion::ALL.len() + version as usize)
    }

    /// The labels of its metric.
    pub(super) fn labels(&self) -> Vec<KeyValue> {
        let mut labels = Vec::with_capacity(7);
        labels.push(KeyValue::new(MCP_METHOD_NAME, self.method));
        labels.push(KeyValue::new(NETWORK_TRANSPORT, self.transport.as_str()));
        if let Some(version) = self.version {
            labels.push(KeyValue::new(MCP_PROTOCOL_VERSION, version.as_str()));
        }
        if let Some(tool) = self.tool {
            labels.push(KeyValue::new(GEN_AI_TOOL_NAME, tool));
        }
        if let Some(error_type) = self.outcome.error_type() {
            labels.push(KeyValue::new(ERROR_TYPE, error_type));
            labels.push(KeyValue::new(ERROR_KIND, self.outcome.word()));
        }
        if let Some(code) = self.outcome.code() {
            labels.push(KeyValue::new(RPC_RESPONSE_STATUS_CODE, code.to_string()));
        }
        labels
    }

    /// How it ended, for its span.
    fn record(&self) {
        if let Some(error_type) = self.outcome.error_type() {
            self.span.record(ERROR_TYPE, &*error_type);
            self.span.record(ERROR_KIND, self.outcome.word());
            self.span.record("otel.status_code", "ERROR");
        }
        if let Some(code) = self.outcome.code() {
            self.span.record(RPC_RESPONSE_STATUS_CODE, code.to_string());
        }
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        let duration = self.started.elapsed();
        self.metrics.operation(self, duration);
        if !self.span.is_disabled() {
            self.record();
        }
        if let Some(line) = &self.line {
            line.write(self.method, self.tool.unwrap_or(OTHER), self.outcome, duration);
        }
    }
}

impl Outcome {
    /// What the log and our own label call it.
    fn word(self) -> &'static str {
        match self {
            Self::Answered => "ok",
            Self::CallerGone => CALLER_GONE,
            Self::ToolError { kind, .. } | Self::Error { kind, .. } => kind,
        }
    }

    fn level(self) -> Level {
        match self {
            Self::Answered | Self::CallerGone => Level::INFO,
            Self::ToolError { level, .. } | Self::Error { level, .. } => level,
        }
    }

    /// `error.type` as the conventions for MCP want it.
    fn error_type(self) -> Option<Cow<'static, str>> {
        match self {
            Self::Answered => None,
            Self::CallerGone => Some(CALLER_GONE.into()),
            Self::ToolError { .. } => Some("tool_error".into()),
            Self::Error { code, .. } => Some(code.to_string().into()),
        }
    }

    fn code(self) -> Option<i32> {
        if let Self::Error { code, .. } = self { Some(code) } else { None }
    }
}

impl NetworkTransport {
    fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Pipe => "pipe",
        }
    }
}

impl Line {
    fn write(
        &self,
        method: &'static str,
        tool: &'static str,
        outcome: Outcome,
        duration: Duration,
    ) {
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let era = match self.era {
            Era::Legacy => "legacy",
            Era::Modern => "modern",
        };
        let http_request_id = self.http_request_id.as_ref().map(HttpRequestId::as_str);
        let trace_id = self.trace_id.map(tracing::field::display);
        let (level, outcome) = (outcome.level(), outcome.word());
        // The level of an event is fixed where it is written, hence one line for each.
        match level {
            Level::ERROR => tracing::error!(
                tool,
                era,
                outcome,
                duration_ms,
                http_request_id,
                trace_id,
                "{method}"
            ),
            Level::WARN => tracing::warn!(
                tool,
                era,
                outcome,
                duration_ms,
                http_request_id,
                trace_id,
                "{method}"
            ),
            _ => tracing::info!(
                tool,
                era,
                outcome,
                duration_ms,
                http_request_id,
                trace_id,
                "{method}"
            ),
        }
    }
}

/// The span of an operation.
fn span(arrival: &Arrival<'_>, method: &'static str) -> Span {
    let Arrival { transport, version, id, tool, .. } = arrival;
    tracing::info_span!(
        "mcp",
        otel.name = %SpanName(method, *tool),
        otel.kind = "server",
        otel.status_code = Empty,
        { ERROR_TYPE } = Empty,
        { ERROR_KIND } = Empty,
        { GEN_AI_OPERATION_NAME } = (method == "tools/call").then_some("execute_tool"),
        { GEN_AI_TOOL_NAME } = tool,
        { JSONRPC_REQUEST_ID } = id.and_then(shown).as_deref(),
        { MCP_METHOD_NAME } = method,
        { MCP_PROTOCOL_VERSION } = version.map(ProtocolVersion::as_str),
        { NETWORK_TRANSPORT } = transport.as_str(),
        { RPC_RESPONSE_STATUS_CODE } = Empty,
        { FAL_ENDPOINT_ID } = Empty,
        { FAL_REQUEST_ID } = Empty,
    )
}

/// `{mcp.method.name} {target}`
struct SpanName(&'static str, Option<&'static str>);

impl fmt::Display for SpanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)?;
        self.1.map_or(Ok(()), |tool| write!(f, " {tool}"))
    }
}

/// A request's id as text; none for one that is longer than an id has reason to be.
fn shown(id: &RequestId) -> Option<String> {
    match id {
        RequestId::Number(number) => Some(number.to_string()),
        RequestId::String(text) => (text.len() <= MAX_REQUEST_ID_BYTES).then(|| text.clone()),
    }
}
