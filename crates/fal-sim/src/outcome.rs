//! What can come of a job, decided when it is submitted, and how it looks on the wire.

use bytes::Bytes;
use http::StatusCode;

/// What comes of a job.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// The model's output.
    Output,
    /// The model refuses its input: the `detail[]` of a 422.
    Invalid(Bytes),
    /// The app has no such path.
    PathNotFound,
    /// The model refuses the content.
    ContentPolicy,
    /// The platform gives up.
    Failed(RequestError),
    /// Cancelled by the caller.
    Cancelled,
    /// Not started by the time that the caller set.
    StartTimeout,
}

/// A request-level error (docs page "Errors").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RequestError {
    pub(crate) error_type: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) text: &'static str,
}

const fn request_error(
    error_type: &'static str,
    status: StatusCode,
    text: &'static str,
) -> RequestError {
    RequestError { error_type, status, text }
}

/// A cancelled job. 499 has no name in the registry of status codes.
pub(crate) fn cancelled() -> RequestError {
    let status = StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST);
    request_error("client_cancelled", status, "Request was cancelled by the client")
}

/// A job that did not start in the caller's time.
pub(crate) const START_TIMEOUT: RequestError =
    request_error("request_timeout", StatusCode::GATEWAY_TIMEOUT, "Request timed out");

/// Every other request-level error.
const REQUEST_ERRORS: [RequestError; 11] = [
    START_TIMEOUT,
    request_error("startup_timeout", StatusCode::GATEWAY_TIMEOUT, "Runner did not start in time"),
    request_error(
        "runner_scheduling_failure",
        StatusCode::SERVICE_UNAVAILABLE,
        "No runner could be scheduled",
    ),
    request_error(
        "runner_connection_timeout",
        StatusCode::SERVICE_UNAVAILABLE,
        "Connecting to the runner timed out",
    ),
    request_error("runner_disconnected", StatusCode::SERVICE_UNAVAILABLE, "Runner disconnected"),
    request_error(
        "runner_connection_refused",
        StatusCode::SERVICE_UNAVAILABLE,
        "Runner refused the connection",
    ),
    request_error(
        "runner_connection_error",
        StatusCode::SERVICE_UNAVAILABLE,
        "Connection to the runner failed",
    ),
    request_error(
        "runner_incomplete_response",
        StatusCode::BAD_GATEWAY,
        "Runner answered incompletely",
    ),
    request_error("runner_server_error", StatusCode::INTERNAL_SERVER_ERROR, "Runner failed"),
    request_error("bad_request", StatusCode::BAD_REQUEST, "Bad request"),
    request_error("internal_error", StatusCode::INTERNAL_SERVER_ERROR, "Internal error"),
];

/// The request-level error of this type; `internal_error` for a type that fal does not have.
pub(crate) fn request_error_of(error_type: &str) -> RequestError {
    REQUEST_ERRORS.into_iter().find(|error| error.error_type == error_type).unwrap_or(
        request_error("internal_error", StatusCode::INTERNAL_SERVER_ERROR, "Internal error"),
    )
}

impl Outcome {
    /// The request-level error that this outcome is, if it is one.
    pub(crate) fn request_error(&self) -> Option<RequestError> {
        match self {
            Self::Failed(error) => Some(*error),
            Self::Cancelled => Some(cancelled()),
            Self::StartTimeout => Some(START_TIMEOUT),
            Self::Output | Self::Invalid(_) | Self::PathNotFound | Self::ContentPolicy => None,
        }
    }

    /// The HTTP status that the result has.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Output => StatusCode::OK,
            Self::Invalid(_) | Self::ContentPolicy => StatusCode::UNPROCESSABLE_ENTITY,
            Self::PathNotFound => StatusCode::NOT_FOUND,
            Self::Failed(error) => error.status,
            Self::Cancelled => cancelled().status,
            Self::StartTimeout => START_TIMEOUT.status,
        }
    }
}
