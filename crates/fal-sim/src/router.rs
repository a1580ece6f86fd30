//! Which operation of fal a request is. The only place that reads paths.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::hosts::Host;

/// What a request asks for, as faults and counts name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// `POST queue/{endpoint_id}`.
    Submit,
    /// `GET queue/{app}/requests/{request_id}/status`.
    Status,
    /// `GET queue/{app}/requests/{request_id}/status/stream`.
    Stream,
    /// `GET queue/{app}/requests/{request_id}`.
    Result,
    /// `PUT queue/{app}/requests/{request_id}/cancel`.
    Cancel,
    /// `POST run/{endpoint_id}`, also with `/stream`.
    Run,
    /// `GET api/v1/models`.
    Models,
    /// A model's OpenAPI document or `llms.txt` on the website's host.
    Schema,
    /// `GET api/v1/models/requests/by-endpoint`.
    Requests,
    /// Prices and estimates.
    Pricing,
    /// Account and platform facts.
    Account,
    /// The docs MCP server.
    Docs,
    /// Asking where to upload, and uploading.
    Upload,
    /// Reading a file.
    Cdn,
    /// Anything else.
    Other,
}

impl Operation {
    /// Every operation, in the order of its number.
    pub const ALL: [Self; 15] = [
        Self::Submit,
        Self::Status,
        Self::Stream,
        Self::Result,
        Self::Cancel,
        Self::Run,
        Self::Models,
        Self::Schema,
        Self::Requests,
        Self::Pricing,
        Self::Account,
        Self::Docs,
        Self::Upload,
        Self::Cdn,
        Self::Other,
    ];

    /// The word for this operation in faults and in the ledger.
    pub fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Status => "status",
            Self::Stream => "stream",
            Self::Result => "result",
            Self::Cancel => "cancel",
            Self::Run => "run",
            Self::Models => "models",
            Self::Schema => "schema",
            Self::Requests => "requests",
            Self::Pricing => "pricing",
            Self::Account => "account",
            Self::Docs => "docs",
            Self::Upload => "upload",
            Self::Cdn => "cdn",
            Self::Other => "other",
        }
    }
}

/// A request's place, read from its method and path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    Submit {
        endpoint_id: String,
    },
    /// A path under `…/requests/{request_id}`. `app` is what stood before `requests`.
    Job {
        app: String,
        request_id: String,
        action: JobAction,
    },
    Run {
        endpoint_id: String,
    },
    RunStream {
        endpoint_id: String,
    },
    Models,
    Requests,
    Prices,
    Estimate,
    Billing,
    Meta,
    SchemaDocument,
    LlmsText {
        endpoint_id: String,
    },
    Docs,
    Initiate {
        multipart: bool,
    },
    UploadToken,
    Cdn(CdnRoute),
    /// The stand-in's own controls.
    Faults,
    Ledger,
    /// A page that says what this is.
    Welcome,
    /// A known place, another method.
    WrongMethod,
    NotFound,
}

/// What is asked of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobAction {
    Status,
    Stream,
    Result,
    Cancel,
}

/// What is asked of the CDN. Paths start with `/files/…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CdnRoute {
    Read {
        path: String,
    },
    /// `PUT` to a URL that the initiate call signed.
    Put {
        path: String,
    },
    /// `PUT {path}/{n}` of a signed multipart upload.
    SignedPart {
        path: String,
        number: u32,
    },
    /// `POST {path}/complete` of a signed multipart upload.
    SignedComplete {
        path: String,
    },
    /// `POST /files/upload` with a token.
    TokenUpload,
    /// `POST /files/upload/multipart` with a token.
    TokenMultipart,
    /// `PUT {path}/multipart/{id}/{n}` with a token.
    TokenPart {
        path: String,
        upload_id: String,
        number: u32,
    },
    /// `POST {path}/multipart/{id}/complete` with a token.
    TokenComplete {
        path: String,
        upload_id: String,
    },
}

impl Route {
    /// Reads a path on a listener that serves `root` at its root, or every host under its prefix.
    pub(crate) fn parse(root: Option<Host>, method: &Method, path: &str) -> (Option<Host>, Self) {
        let path = path.trim_end_matches('/');
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        if let Some(host) = root {
            return (Some(host), Self::of_host(host, method, &segments));
        }
        match segments.split_first() {
            None => (None, Self::Welcome),
            Some((&"_sim", rest)) => (None, Self::of_controls(rest)),
            Some((prefix, rest)) => match Host::from_prefix(prefix) {
                Some(host) => (Some(host), Self::of_host(host, method, rest)),
                None => (None, Self::NotFound),
            },
        }
    }

    /// What faults and counts call this route. `host` is the one that [`Route::parse`] found.
    pub(crate) fn operation(&self, host: Option<Host>) -> Operation {
        match self {
            Self::Submit { .. } => Operation::Submit,
            Self::Job { action, .. } => match action {
                JobAction::Status => Operation::Status,
                JobAction::Stream => Operation::Stream,
                JobAction::Result => Operation::Result,
                JobAction::Cancel => Operation::Cancel,
            },
            Self::Run { .. } | Self::RunStream { .. } => Operation::Run,
            Self::Models => Operation::Models,
            Self::Requests => Operation::Requests,
            Self::Prices | Self::Estimate => Operation::Pricing,
            Self::Billing | Self::Meta => Operation::Account,
            Self::SchemaDocument | Self::LlmsText { .. } => Operation::Schema,
            Self::Docs => Operation::Docs,
            Self::Cdn(CdnRoute::Read { .. }) => Operation::Cdn,
            Self::Initiate { .. } | Self::UploadToken | Self::Cdn(_) => Operation::Upload,
            Self::WrongMethod if host == Some(Host::Docs) => Operation::Docs,
            Self::Faults | Self::Ledger | Self::Welcome | Self::WrongMethod | Self::NotFound => {
                Operation::Other
            }
        }
    }

    /// The endpoint id in the path, where there is one.
    pub(crate) fn endpoint_id(&self) -> Option<&str> {
        match self {
            Self::Submit { endpoint_id }
            | Self::Run { endpoint_id }
            | Self::RunStream { endpoint_id }
            | Self::LlmsText { endpoint_id } => Some(endpoint_id),
            _ => None,
        }
    }

    fn of_controls(segments: &[&str]) -> Self {
        match segments {
            ["faults"] => Self::Faults,
            ["ledger"] => Self::Ledger,
            _ => Self::NotFound,
        }
    }

    fn of_host(host: Host, method: &Method, segments: &[&str]) -> Self {
        match host {
            Host::Queue => Self::of_queue(method, segments),
            Host::Run => Self::of_run(method, segments),
            Host::Rest => Self::of_rest(method, segments),
            Host::Api => Self::of_api(method, segments),
            Host::Web => Self::of_web(method, segments),
            Host::Docs => match segments {
                ["mcp"] => Self::Docs.if_method(method, &Method::POST),
                _ => Self::NotFound,
            },
            Host::Cdn => Self::of_cdn(method, segments),
        }
    }

    fn of_queue(method: &Method, segments: &[&str]) -> Self {
        let Some(at) = segments.iter().position(|segment| *segment == "requests") else {
            return match segments.len() {
                0 | 1 => Self::NotFound,
                _ => Self::Submit { endpoint_id: segments.join("/") }
                    .if_method(method, &Method::POST),
            };
        };
        let (before, after) = segments.split_at(at);
        let (request_id, action, expected) = match after {
            [_, id] | [_, id, "response"] => (id, JobAction::Result, Method::GET),
            [_, id, "status"] => (id, JobAction::Status, Method::GET),
            [_, id, "status", "stream"] => (id, JobAction::Stream, Method::GET),
            [_, id, "cancel"] => (id, JobAction::Cancel, Method::PUT),
            _ => return Self::NotFound,
        };
        Self::Job { app: before.join("/"), request_id: (*request_id).to_owned(), action }
            .if_method(method, &expected)
    }

    fn of_run(method: &Method, segments: &[&str]) -> Self {
        let route = match segments {
            [] | [_] => return Self::NotFound,
            [rest @ .., "stream"] if rest.len() > 1 => {
                Self::RunStream { endpoint_id: rest.join("/") }
            }
            all => Self::Run { endpoint_id: all.join("/") },
        };
        route.if_method(method, &Method::POST)
    }

    fn of_rest(method: &Method, segments: &[&str]) -> Self {
        match segments {
            ["storage", "upload", "initiate"] => Self::Initiate { multipart: false },
            ["storage", "upload", "initiate-multipart"] => Self::Initiate { multipart: true },
            ["storage", "auth", "token"] => Self::UploadToken,
            _ => return Self::NotFound,
        }
        .if_method(method, &Method::POST)
    }

    fn of_api(method: &Method, segments: &[&str]) -> Self {
        let (route, expected) = match segments {
            ["v1", "models"] => (Self::Models, Method::GET),
            ["v1", "models", "pricing"] => (Self::Prices, Method::GET),
            ["v1", "models", "pricing", "estimate"] => (Self::Estimate, Method::POST),
            ["v1", "models", "requests", "by-endpoint"] => (Self::Requests, Method::GET),
            ["v1", "account", "billing"] => (Self::Billing, Method::GET),
            ["v1", "meta"] => (Self::Meta, Method::GET),
            _ => return Self::NotFound,
        };
        route.if_method(method, &expected)
    }

    fn of_web(method: &Method, segments: &[&str]) -> Self {
        match segments {
            ["api", "openapi", "queue", "openapi.json"] => Self::SchemaDocument,
            ["models", rest @ .., "llms.txt"] => Self::LlmsText { endpoint_id: rest.join("/") },
            _ => return Self::NotFound,
        }
        .if_method(method, &Method::GET)
    }

    fn of_cdn(method: &Method, segments: &[&str]) -> Self {
        let path = |parts: &[&str]| format!("/{}", parts.join("/"));
        let route = if method == Method::POST {
            match segments {
                ["files", "upload"] => CdnRoute::TokenUpload,
                ["files", "upload", "multipart"] => CdnRoute::TokenMultipart,
                [rest @ .., "multipart", id, "complete"] => {
                    CdnRoute::TokenComplete { path: path(rest), upload_id: (*id).to_owned() }
                }
                [rest @ .., "complete"] => CdnRoute::SignedComplete { path: path(rest) },
                _ => return Self::NotFound,
            }
        } else if method == Method::PUT {
            match segments {
                [rest @ .., "multipart", id, number] => match number.parse() {
                    Ok(number) => CdnRoute::TokenPart {
                        path: path(rest),
                        upload_id: (*id).to_owned(),
                        number,
                    },
                    Err(_) => return Self::NotFound,
                },
                [rest @ .., last] => match last.parse() {
                    // A file's own name is never a bare number: names end in an extension.
                    Ok(number) => CdnRoute::SignedPart { path: path(rest), number },
                    Err(_) => CdnRoute::Put { path: path(segments) },
                },
                [] => return Self::NotFound,
            }
        } else if method == Method::GET || method == Method::HEAD {
            CdnRoute::Read { path: path(segments) }
        } else {
            return Self::WrongMethod;
        };
        Self::Cdn(route)
    }

    fn if_method(self, method: &Method, expected: &Method) -> Self {
        if method == expected { self } else { Self::WrongMethod }
    }
}

/// The part of an endpoint id under which its jobs are found: owner and app, after a namespace
/// if there is one.
pub(crate) fn app_of(endpoint_id: &str) -> &str {
    let segments = match endpoint_id.split('/').next() {
        Some("workflows" | "comfy") => 3,
        _ => 2,
    };
    match endpoint_id.match_indices('/').nth(segments - 1) {
        Some((at, _)) => endpoint_id.get(..at).unwrap_or(endpoint_id),
        None => endpoint_id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_is_the_first_two_segments_or_three_after_a_namespace() {
        assert_eq!(app_of("fal-ai/kling-video/v3/pro"), "fal-ai/kling-video");
        assert_eq!(app_of("fal-ai/whisper"), "fal-ai/whisper");
        assert_eq!(app_of("workflows/me/flow/step"), "workflows/me/flow");
        assert_eq!(app_of("comfy/me/flow"), "comfy/me/flow");
    }

    #[test]
    fn a_trailing_slash_changes_nothing() {
        let get = |path| Route::parse(None, &Method::GET, path);
        assert_eq!(get("/queue/a/b/requests/1/status/"), get("/queue/a/b/requests/1/status"));
        assert_eq!(get("/queue/a/b/requests/1/"), get("/queue/a/b/requests/1/response"));
    }
}
