//! The caller's own recent requests (Platform API, "List requests by endpoint"): the way back to a
//! job whose id was lost.

use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    Client, EndpointId, Error, Key, RequestId,
    call::{Call, Operation},
    hosts, refusal,
};

/// Which requests to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestsQuery {
    /// Of which endpoint.
    pub endpoint_id: EndpointId,
    /// Only those that ended so.
    pub status: Option<RequestStatus>,
    /// Only this one; fal then looks back 90 days.
    pub request_id: Option<RequestId>,
    /// Only those since then, in RFC 3339; 24 hours ago when absent.
    pub start: Option<String>,
    /// How many to a page, at most 100; 50 when absent.
    pub limit: Option<u32>,
    /// Where the page begins: the `next_cursor` of the one before.
    pub cursor: Option<String>,
}

impl RequestsQuery {
    /// The latest requests of an endpoint.
    pub fn new(endpoint_id: EndpointId) -> Self {
        Self { endpoint_id, status: None, request_id: None, start: None, limit: None, cursor: None }
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestStatus {
    /// With a result.
    Success,
    /// With a failure of fal or the model.
    Error,
    /// With a refusal of its input.
    UserError,
}

impl RequestStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::UserError => "user_error",
        }
    }
}

/// A page of requests.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct RequestsPage {
    /// The requests, latest first.
    pub items: Vec<RequestItem>,
    /// Where the next page begins.
    #[serde(default)]
    pub next_cursor: Option<String>,
    /// Whether there is one.
    #[serde(default)]
    pub has_more: bool,
}

/// A request. Times are in RFC 3339.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct RequestItem {
    /// The job's id.
    pub request_id: String,
    /// What ran.
    pub endpoint_id: String,
    /// When it began to run.
    pub started_at: String,
    /// When it was sent to its runner.
    pub sent_at: String,
    /// When it ended.
    #[serde(default)]
    pub ended_at: Option<String>,
    /// The HTTP status that it ended with.
    #[serde(default)]
    pub status_code: Option<u16>,
    /// How long it took, in seconds.
    #[serde(default)]
    pub duration: Option<f64>,
}

impl Client {
    /// Lists the caller's requests of one endpoint.
    pub async fn requests_by_endpoint(
        &self,
        key: &Key,
        query: &RequestsQuery,
        deadline: Instant,
    ) -> Result<RequestsPage, Error> {
        let mut url = hosts::below(&self.hosts().api, ["models", "requests", "by-endpoint"]);
        let limit = query.limit.map(|limit| limit.to_string());
        let optional = [
            ("status", query.status.map(RequestStatus::as_str)),
            ("request_id", query.request_id.as_ref().map(RequestId::as_str)),
            ("start", query.start.as_deref()),
            ("limit", limit.as_deref()),
            ("cursor", query.cursor.as_deref()),
        ];
        url.query_pairs_mut()
            .append_pair("endpoint_id", query.endpoint_id.as_str())
            .extend_pairs(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
        let call = Call::get(Operation::ListRequests, url, Some(key));
        self.ask(&call, deadline, |outcome| {
            let answer = outcome?;
            if answer.status.is_success() {
                answer.json()
            } else {
                Err(refusal::read(Operation::ListRequests, &answer))
            }
        })
        .await
    }
}
