//! One call to fal before it is sent.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use url::Url;

use crate::Key;

/// What a call is for. Decides how a refusal is read, and is its name in logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Submit,
    Status,
    StatusStream,
    Result,
    Cancel,
    ListModels,
    ListRequests,
    ModelDocument,
    Pricing,
    Estimate,
    SearchDocs,
    Media,
    InitiateUpload,
    /// Anything that goes to the CDN by a signed URL.
    Upload,
}

impl Operation {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Status => "status",
            Self::StatusStream => "status_stream",
            Self::Result => "result",
            Self::Cancel => "cancel",
            Self::ListModels => "list_models",
            Self::ListRequests => "list_requests",
            Self::ModelDocument => "model_document",
            Self::Pricing => "pricing",
            Self::Estimate => "estimate",
            Self::SearchDocs => "search_docs",
            Self::Media => "media",
            Self::InitiateUpload => "initiate_upload",
            Self::Upload => "upload",
        }
    }

    /// The path below its base, with names in the place of what differs between calls: a path in a
    /// span must not tell what a caller asked for.
    pub(crate) fn url_template(self) -> &'static str {
        match self {
            Self::Submit => "/{endpoint_id}",
            Self::Status => "/{app}/requests/{request_id}/status",
            Self::StatusStream => "/{app}/requests/{request_id}/status/stream",
            Self::Result => "/{app}/requests/{request_id}",
            Self::Cancel => "/{app}/requests/{request_id}/cancel",
            Self::ListModels => "/models",
            Self::ListRequests => "/models/requests/by-endpoint",
            Self::ModelDocument => "/api/openapi/queue/openapi.json",
            Self::Pricing => "/models/pricing",
            Self::Estimate => "/models/pricing/estimate",
            Self::SearchDocs => "/docs/mcp",
            Self::Media | Self::Upload => "/{file}",
            Self::InitiateUpload => "/storage/upload/{initiate}",
        }
    }
}

/// When a call may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Whenever it may help: sending it twice does no more than sending it once.
    Always,
    /// Only if nothing of it was sent: a second one may cost money.
    Unsent,
}

/// A call: everything but the deadline.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) operation: Operation,
    pub(crate) repeat: Repeat,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) key: Option<&'a Key>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
}

impl<'a> Call<'a> {
    /// A call that reads.
    pub(crate) fn get(operation: Operation, url: Url, key: Option<&'a Key>) -> Self {
        Self {
            operation,
            repeat: Repeat::Always,
            method: Method::GET,
            url,
            key,
            headers: HeaderMap::new(),
            body: None,
        }
    }

    /// A call that changes something to what it already is when sent again.
    pub(crate) fn put(operation: Operation, url: Url, key: &'a Key) -> Self {
        Self { method: Method::PUT, ..Self::get(operation, url, Some(key)) }
    }

    /// A call that makes something, with a JSON body.
    pub(crate) fn post(operation: Operation, url: Url, key: &'a Key, json: Bytes) -> Self {
        Self { repeat: Repeat::Unsent, ..Self::question(operation, url, Some(key), json) }
    }

    /// A call that reads, and says in a JSON body what.
    pub(crate) fn question(
        operation: Operation,
        url: Url,
        key: Option<&'a Key>,
        json: Bytes,
    ) -> Self {
        let mut call =
            Self { method: Method::POST, body: Some(json), ..Self::get(operation, url, key) };
        call.set(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        call
    }

    /// Sets one header.
    pub(crate) fn set(&mut self, name: impl header::IntoHeaderName, value: HeaderValue) {
        self.headers.insert(name, value);
    }
}
