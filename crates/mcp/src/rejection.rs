//! Every way the protocol's transport says no, with the HTTP status and JSON-RPC error that the
//! specification gives it. What a service adds of its own (keys, limits) is not here.
#![deny(clippy::wildcard_enum_match_arm)]

use serde_json::json;

use crate::json_rpc::{ErrorCode, ErrorData, RequestId};
use crate::task::TASKS_EXTENSION;
use crate::version::{Era, ProtocolVersion};

/// A message that is not served, before any tool has seen it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// The body is not JSON, or nested deeper than 128 levels.
    #[error(
        "The body is not valid JSON (line {line}, column {column}), or it is nested deeper than 128 levels. Send one JSON-RPC 2.0 request."
    )]
    Parse {
        /// 1-based.
        line: usize,
        /// 1-based.
        column: usize,
    },
    /// The body is an array.
    #[error("JSON-RPC batches are not accepted. Send each message as its own POST.")]
    Batch,
    /// The body is a JSON-RPC response; this server never asks its clients anything.
    #[error("This server sends no requests, so it accepts no JSON-RPC responses.")]
    Response,
    /// The body is JSON, but no request.
    #[error("Not a JSON-RPC 2.0 request: {reason}.")]
    InvalidRequest {
        /// The request's id, where it could be read.
        id: Option<RequestId>,
        /// What is wrong.
        reason: &'static str,
    },
    /// `Content-Type` is not JSON.
    #[error("Send the request as `Content-Type: application/json`.")]
    ContentType,
    /// A mirrored header is missing, doubled, unreadable or contradicts the body (SEP-2243).
    #[error("Header mismatch: {reason}.")]
    HeaderMismatch {
        /// The request's id.
        id: RequestId,
        /// Which header, and how it differs.
        reason: String,
    },
    /// A modern request lacks a required key of `_meta` (SEP-2575).
    #[error(
        "params._meta lacks `{key}`, which protocol version 2026-07-28 requires on every request."
    )]
    MetaMissing {
        /// The request's id.
        id: RequestId,
        /// The missing key.
        key: &'static str,
    },
    /// The request is about a task and its client does not declare the Tasks extension (SEP-2663).
    #[error(
        "Missing required client capability: declare the extension `{TASKS_EXTENSION}` in the request's client capabilities."
    )]
    MissingRequiredClientCapability {
        /// The request's id.
        id: RequestId,
    },
    /// The version is unknown here.
    #[error(
        "Protocol version `{requested}` is not supported. Supported: 2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25, 2026-07-28."
    )]
    UnsupportedProtocolVersion {
        /// The request's id.
        id: RequestId,
        /// What the client asked for, at most 64 characters of it.
        requested: String,
    },
    /// No such method in this era.
    #[error("Method `{method}` does not exist here. This server has {available}.")]
    MethodNotFound {
        /// The request's id.
        id: RequestId,
        /// What was called, at most 64 characters of it.
        method: String,
        /// The rules that the request follows.
        era: Era,
        /// The methods that exist, for the message.
        available: &'static str,
    },
    /// `params` do not fit the method.
    #[error("{reason}")]
    InvalidParams {
        /// The request's id.
        id: RequestId,
        /// What is wrong and what would be right.
        reason: String,
    },
}

impl Rejection {
    /// The HTTP status: legacy callers get JSON-RPC errors as 200, modern ones by the tables of
    /// 2026-07-28, streamable HTTP.
    pub fn http_status(&self) -> u16 {
        match self {
            Self::Parse { .. }
            | Self::Batch
            | Self::Response
            | Self::InvalidRequest { .. }
            | Self::HeaderMismatch { .. }
            | Self::MetaMissing { .. }
            | Self::MissingRequiredClientCapability { .. }
            | Self::UnsupportedProtocolVersion { .. } => 400,
            Self::ContentType => 415,
            Self::MethodNotFound { era: Era::Modern, .. } => 404,
            Self::MethodNotFound { era: Era::Legacy, .. } | Self::InvalidParams { .. } => 200,
        }
    }

    /// The JSON-RPC code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Parse { .. } => ErrorCode::PARSE_ERROR,
            Self::Batch | Self::Response | Self::InvalidRequest { .. } | Self::ContentType => {
                ErrorCode::INVALID_REQUEST
            }
            Self::HeaderMismatch { .. } => ErrorCode::HEADER_MISMATCH,
            Self::MetaMissing { .. } | Self::InvalidParams { .. } => ErrorCode::INVALID_PARAMS,
            Self::MissingRequiredClientCapability { .. } => {
                ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY
            }
            Self::UnsupportedProtocolVersion { .. } => ErrorCode::UNSUPPORTED_PROTOCOL_VERSION,
            Self::MethodNotFound { .. } => ErrorCode::METHOD_NOT_FOUND,
        }
    }

    /// A stable word for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Parse { .. } => "parse",
            Self::Batch => "batch",
            Self::Response => "response",
            Self::InvalidRequest { .. } => "invalid_request",
            Self::ContentType => "content_type",
            Self::HeaderMismatch { .. } => "header_mismatch",
            Self::MetaMissing { .. } => "meta_missing",
            Self::MissingRequiredClientCapability { .. } => "missing_required_client_capability",
            Self::UnsupportedProtocolVersion { .. } => "unsupported_protocol_version",
            Self::MethodNotFound { .. } => "method_not_found",
            Self::InvalidParams { .. } => "invalid_params",
        }
    }

    /// The id to answer with, where the message had a readable one.
    pub fn request_id(&self) -> Option<&RequestId> {
        match self {
            Self::Parse { .. } | Self::Batch | Self::Response | Self::ContentType => None,
            Self::InvalidRequest { id, .. } => id.as_ref(),
            Self::HeaderMismatch { id, .. }
            | Self::MetaMissing { id, .. }
            | Self::MissingRequiredClientCapability { id }
            | Self::UnsupportedProtocolVersion { id, .. }
            | Self::MethodNotFound { id, .. }
            | Self::InvalidParams { id, .. } => Some(id),
        }
    }

    /// The `error` member of the response.
    pub fn error_data(&self) -> ErrorData {
        let data = match self {
            Self::UnsupportedProtocolVersion { requested, .. } => Some(json!({
                "requested": requested,
                "supported": ProtocolVersion::ALL.map(ProtocolVersion::as_str),
            })),
            Self::MissingRequiredClientCapability { .. } => Some(json!({
                "requiredCapabilities": {"extensions": {TASKS_EXTENSION: {}}},
            })),
            Self::Parse { .. }
            | Self::Batch
            | Self::Response
            | Self::InvalidRequest { .. }
            | Self::ContentType
            | Self::HeaderMismatch { .. }
            | Self::MetaMissing { .. }
            | Self::MethodNotFound { .. }
            | Self::InvalidParams { .. } => None,
        };
        ErrorData { code: self.code(), message: self.to_string(), data }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> RequestId {
        RequestId::Number(1.into())
    }

    #[test]
    fn the_message_of_an_unsupported_version_lists_the_same_versions_as_its_data() {
        let rejection =
            Rejection::UnsupportedProtocolVersion { id: id(), requested: "2099-01-01".to_owned() };
        let error = rejection.error_data();
        for version in ProtocolVersion::ALL {
            assert!(error.message.contains(version.as_str()));
        }
        // `UnsupportedProtocolVersionError`: data is {supported, requested}.
        let data = error.data.unwrap();
        assert_eq!(data["requested"], "2099-01-01");
        assert_eq!(data["supported"].as_array().map(Vec::len), Some(5));
    }

    #[test]
    fn an_unknown_method_is_404_for_modern_callers_and_200_for_legacy_ones() {
        // "it MUST respond with 404 Not Found and a JSON-RPC error with code -32601"
        for (era, status) in [(Era::Modern, 404), (Era::Legacy, 200)] {
            let rejection = Rejection::MethodNotFound {
                id: id(),
                method: "foo/bar".to_owned(),
                era,
                available: "tools/list",
            };
            assert_eq!(rejection.http_status(), status);
            assert_eq!(rejection.code(), ErrorCode::METHOD_NOT_FOUND);
        }
    }
}
