//! One complete answer of fal, read up to a size.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use crate::Error;

/// A status, headers, and a whole body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the call carried a key: a 401 means another thing then.
    pub(crate) key_sent: bool,
}

impl Answer {
    /// Reads what is left of a response, at most `limit` bytes of it after decompression.
    pub(crate) async fn read(
        mut response: reqwest::Response,
        key_sent: bool,
        limit: usize,
    ) -> Result<Self, Error> {
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
        if announced.is_some_and(|length| length > limit) {
            return Err(Error::AnswerTooLarge { limit });
        }
        let mut body = Vec::with_capacity(announced.unwrap_or_default());
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > limit {
                return Err(Error::AnswerTooLarge { limit });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Self {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body: body.into(),
            key_sent,
        })
    }

    /// The body as JSON of one shape.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(Error::malformed)
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What a failure is after the call was sent. The transport's error is freed of its URL first:
/// the query may hold what a caller typed.
pub(crate) fn broken(error: reqwest::Error) -> Error {
    let timed_out = error.is_timeout();
    let source = error.without_url().into();
    if timed_out { Error::TimedOut { source: Some(source) } } else { Error::Dropped { source } }
}
