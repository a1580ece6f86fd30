//! Requests for which no tool ran: HTTP status, JSON-RPC error, word and level of each.
#![deny(clippy::wildcard_enum_match_arm)]

use std::time::Duration;

use mcp::{ErrorCode, ErrorData, Rejection, RequestId};
use serde_json::{Value, json};
use tracing::Level;

use super::advice::KEYS_PAGE;

/// Why the `Authorization` header does not hold a fal key. `Display` says what to send instead and
/// never repeats the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyProblem {
    /// No header.
    #[error("No Authorization header was sent.")]
    Missing,
    /// More than one.
    #[error("More than one Authorization header was sent.")]
    Several,
    /// `Bearer` with nothing behind it.
    #[error(
        "The Authorization header is `Bearer` with no key behind it; a variable in the client's configuration is probably not set."
    )]
    Empty,
    /// `Key …`, the scheme of fal's own API.
    #[error("The Authorization header says `Key`; this server takes the same key as `Bearer`.")]
    KeyScheme,
    /// Another scheme, or none.
    #[error("The Authorization header does not say `Bearer`.")]
    OtherScheme,
    /// `${FAL_KEY}`, `YOUR_FAL_KEY` and the like.
    #[error(
        "The Authorization header holds a placeholder instead of a key: the client did not fill in its variable."
    )]
    Placeholder,
    /// Not of the form of a key.
    #[error("The key in the Authorization header is not of the form <key_id>:<key_secret>: {0}.")]
    Malformed(fal::KeyError),
}

/// A request for which no tool ran.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum Failure {
    /// The protocol refuses it.
    #[error("{0}")]
    Protocol(#[from] Rejection),
    /// There is no such tool.
    #[error("There is no tool `{name}`. The tools are: {tools}.")]
    UnknownTool {
        /// The request's id.
        id: RequestId,
        /// As called, bounded.
        name: String,
        /// The names that exist.
        tools: String,
    },
    /// fal did not say how the job of a task is, or has no such job for this caller.
    #[error("{message}")]
    Task {
        /// The request's id.
        id: RequestId,
        /// Whether there is no such task.
        is_unknown: bool,
        /// fal's failure in a word.
        kind: &'static str,
        /// Who should look.
        level: Level,
        /// What happened and what to do.
        message: String,
        /// The same, as a tool's error says it.
        data: Box<Value>,
    },
    /// No usable key.
    #[error(
        "{0} Send your fal key as `Authorization: Bearer <key_id>:<key_secret>`; keys are made at {KEYS_PAGE}."
    )]
    Key(KeyProblem),
    /// `Host` is not allowed.
    #[error(
        "This server does not answer for the host `{host}`. Its operator sets the names with --allowed-hosts."
    )]
    HostNotAllowed {
        /// As sent, bounded.
        host: String,
    },
    /// `Origin` is not allowed.
    #[error(
        "Pages of the origin `{origin}` may not call this server. Its operator sets the origins with --allowed-origins."
    )]
    OriginNotAllowed {
        /// As sent, bounded.
        origin: String,
    },
    /// The endpoint takes POST only.
    #[error(
        "The MCP endpoint takes POST only: there is no GET stream and there are no sessions to delete."
    )]
    MethodNotAllowed,
    /// The head is over a limit.
    #[error(
        "The request's head is too large: this server takes {bytes} bytes and {headers} headers."
    )]
    HeadTooLarge {
        /// The most bytes.
        bytes: usize,
        /// The most headers.
        headers: usize,
    },
    /// The body is over the limit.
    #[error(
        "The request body is larger than {limit} bytes. Put large media behind a URL and send that."
    )]
    BodyTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The body is JSON of more values than any call has.
    #[error(
        "The request body has more than {limit} JSON values. Put large data behind a URL and send that."
    )]
    BodyTooManyValues {
        /// The limit.
        limit: usize,
    },
    /// The body did not arrive in time.
    #[error("The request body did not arrive in time.")]
    BodyTooSlow,
    /// The body broke off.
    #[error("The request body broke off before its end.")]
    BodyBroken,
    /// Too many requests at once.
    #[error("This server is at its limit of requests at the same time. Try again in a second.")]
    Overloaded,
    /// The key called too often.
    #[error("This key has made too many requests. Try again in {} s.", whole_seconds(*.retry_after))]
    RateLimited {
        /// When it may call again.
        retry_after: Duration,
    },
    /// A fault of ours.
    #[error(
        "This server failed on the request; nothing is known about its outcome. list_jobs shows whether a job was made."
    )]
    Internal,
}

impl Failure {
    /// The HTTP status.
    pub(crate) fn http_status(&self) -> u16 {
        match self {
            Self::Protocol(rejection) => rejection.http_status(),
            Self::UnknownTool { .. } | Self::Task { .. } => 200,
            Self::Key(_) => 401,
            Self::HostNotAllowed { .. } | Self::OriginNotAllowed { .. } => 403,
            Self::MethodNotAllowed => 405,
            Self::BodyTooLarge { .. } | Self::BodyTooManyValues { .. } => 413,
            Self::HeadTooLarge { .. } => 431,
            Self::BodyTooSlow => 408,
            Self::BodyBroken => 400,
            Self::RateLimited { .. } => 429,
            Self::Overloaded => 503,
            Self::Internal => 500,
        }
    }

    /// The JSON-RPC code. Conditions that MCP gives no code carry their HTTP status as the code:
    /// application codes lie outside the range that JSON-RPC reserves.
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Protocol(rejection) => rejection.code(),
            Self::UnknownTool { .. } | Self::Task { is_unknown: true, .. } => {
                ErrorCode::INVALID_PARAMS
            }
            Self::Task { is_unknown: false, .. } | Self::Internal => ErrorCode::INTERNAL_ERROR,
            Self::Key(_)
            | Self::HostNotAllowed { .. }
            | Self::OriginNotAllowed { .. }
            | Self::MethodNotAllowed
            | Self::HeadTooLarge { .. }
            | Self::BodyTooLarge { .. }
            | Self::BodyTooManyValues { .. }
            | Self::BodyTooSlow
            | Self::BodyBroken
            | Self::RateLimited { .. }
            | Self::Overloaded => ErrorCode(i32::from(self.http_status())),
        }
    }

    /// A stable word for metrics and logs, from a closed set.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Protocol(rejection) => rejection.kind(),
            Self::UnknownTool { .. } => "unknown_tool",
            Self::Task { kind, .. } => kind,
            Self::Key(_) => "key",
            Self::HostNotAllowed { .. } => "host_not_allowed",
            Self::OriginNotAllowed { .. } => "origin_not_allowed",
            Self::MethodNotAllowed => "http_method_not_allowed",
            Self::HeadTooLarge { .. } => "head_too_large",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::BodyTooManyValues { .. } => "body_too_many_values",
            Self::BodyTooSlow => "body_too_slow",
            Self::BodyBroken => "body_broken",
            Self::RateLimited { .. } => "too_many_requests",
            Self::Overloaded => "overloaded",
            Self::Internal => "internal",
        }
    }

    /// Whether someone should look.
    pub(crate) fn level(&self) -> Level {
        match self {
            Self::Protocol(_)
            | Self::UnknownTool { .. }
            | Self::Key(_)
            | Self::HostNotAllowed { .. }
            | Self::OriginNotAllowed { .. }
            | Self::MethodNotAllowed
            | Self::HeadTooLarge { .. }
            | Self::BodyTooLarge { .. }
            | Self::BodyTooManyValues { .. }
            | Self::BodyTooSlow
            | Self::BodyBroken
            | Self::RateLimited { .. } => Level::INFO,
            Self::Task { level, .. } => *level,
            Self::Overloaded => Level::WARN,
            Self::Internal => Level::ERROR,
        }
    }

    /// Headers that belong to the status, by name and value.
    pub(crate) fn headers(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Key(_) => &[("www-authenticate", "Bearer realm=\"fal\"")],
            Self::MethodNotAllowed => &[("allow", "POST")],
            // The rest of the body is not read, so the connection cannot be used again.
            Self::BodyTooLarge { .. } | Self::BodyTooSlow => &[("connection", "close")],
            Self::Protocol(_)
            | Self::UnknownTool { .. }
            | Self::Task { .. }
            | Self::HostNotAllowed { .. }
            | Self::OriginNotAllowed { .. }
            | Self::HeadTooLarge { .. }
            | Self::BodyTooManyValues { .. }
            | Self::BodyBroken
            | Self::RateLimited { .. }
            | Self::Overloaded
            | Self::Internal => &[],
        }
    }

    /// When the same request may succeed, in whole seconds.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::RateLimited { retry_after } => Some(whole_seconds(*retry_after)),
            Self::Overloaded => Some(1),
            Self::Protocol(_)
            | Self::UnknownTool { .. }
            | Self::Task { .. }
            | Self::Key(_)
            | Self::HostNotAllowed { .. }
            | Self::OriginNotAllowed { .. }
            | Self::MethodNotAllowed
            | Self::HeadTooLarge { .. }
            | Self::BodyTooLarge { .. }
            | Self::BodyTooManyValues { .. }
            | Self::BodyTooSlow
            | Self::BodyBroken
            | Self::Internal => None,
        }
    }

    /// The JSON-RPC error as bytes, with the request's id where it was read.
    pub(crate) fn body(&self) -> Vec<u8> {
        match self {
            Self::Protocol(rejection) => {
                mcp::json_rpc::encode_error(rejection.request_id(), &rejection.error_data())
            }
            Self::UnknownTool { id, .. } | Self::Task { id, .. } => {
                mcp::json_rpc::encode_error(Some(id), &self.error_data())
            }
            Self::Key(_)
            | Self::HostNotAllowed { .. }
            | Self::OriginNotAllowed { .. }
            | Self::MethodNotAllowed
            | Self::HeadTooLarge { .. }
            | Self::BodyTooLarge { .. }
            | Self::BodyTooManyValues { .. }
            | Self::BodyTooSlow
            | Self::BodyBroken
            | Self::RateLimited { .. }
            | Self::Overloaded
            | Self::Internal => mcp::json_rpc::encode_error(None, &self.error_data()),
        }
    }

    fn error_data(&self) -> ErrorData {
        let data = if let Self::Task { data, .. } = self { Some(Value::clone(data)) } else { None };
        ErrorData { code: self.code(), message: self.to_string(), data }
    }
}

/// A wait as `Retry-After` tells it: not a moment too short.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// The body of a 404: the two members that OAuth-capable clients show to their users when they
/// probe `/.well-known/*` and `/register`.
pub(crate) fn not_found_body(endpoint_url: &str) -> Vec<u8> {
    json!({
        "error": "not_found",
        "error_description": format!(
            "There is nothing here. The MCP endpoint is {endpoint_url}. This server has no OAuth sign-in: configure your client with the header `Authorization: Bearer <key_id>:<key_secret>`, your fal key from {KEYS_PAGE}."
        ),
    })
    .to_string()
    .into_bytes()
}
