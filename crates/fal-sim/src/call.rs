//! One request in hand: what the handlers of every host are given.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::faults::FaultKind;
use crate::hosts::Bases;
use crate::state::State;

/// A request that has been read whole and routed.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) sim: &'a Arc<State>,
    pub(crate) bases: Bases,
    /// When the request had been read.
    pub(crate) now: Instant,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) query: Option<&'a str>,
    pub(crate) body: Bytes,
    /// The fault that the job of this submit or run is to have.
    pub(crate) job_fault: Option<FaultKind>,
}

impl Call<'_> {
    /// Every value of a query parameter, decoded.
    pub(crate) fn parameters<'q>(&'q self, name: &'q str) -> impl Iterator<Item = String> + 'q {
        url::form_urlencoded::parse(self.query.unwrap_or_default().as_bytes())
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The first value of a query parameter, decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.parameters(name).next()
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON. An empty one is `{}`, as fal's clients may send.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body)
    }
}
