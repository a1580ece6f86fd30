//! `x-request-id`: the caller's own or a new one, on the answer and in the log, so that one can be
//! found by the other. (A job of fal's has a `request_id` too; the two are not the same.)

use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// The header.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// A longer one of a caller's is replaced.
const MAX_BYTES: usize = 128;

/// The id of one HTTP request.
#[derive(Clone, Debug)]
pub(crate) struct HttpRequestId(HeaderValue);

impl HttpRequestId {
    /// For logs.
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

impl From<HttpRequestId> for HeaderValue {
    fn from(id: HttpRequestId) -> Self {
        id.0
    }
}

/// Makes ids: random once for the process, counted from there, which costs no system call.
#[derive(Debug)]
pub(super) struct RequestIds {
    process: String,
    count: AtomicU64,
}

impl RequestIds {
    pub(super) fn new() -> Self {
        let process = Uuid::new_v4().simple().to_string().chars().take(16).collect();
        Self { process, count: AtomicU64::new(0) }
    }

    /// The id that the caller gave, if it is printable and short, else a new one.
    pub(super) fn of(&self, headers: &HeaderMap) -> HttpRequestId {
        let given = headers.get(HEADER).filter(|value| {
            (1..=MAX_BYTES).contains(&value.len())
                && value.as_bytes().iter().all(u8::is_ascii_graphic)
        });
        let new = || {
            let count = self.count.fetch_add(1, Ordering::Relaxed);
            // Hexadecimal digits and a dash are always a header value.
            HeaderValue::try_from(format!("{}-{count:x}", self.process))
                .unwrap_or_else(|_| HeaderValue::from_static("none"))
        };
        // A copy: the header is a slice of the connection's read buffer, which it would keep whole.
        let copy = |given: &HeaderValue| HeaderValue::from_bytes(given.as_bytes()).ok();
        HttpRequestId(given.and_then(copy).unwrap_or_else(new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_s_id_is_kept_and_others_are_new_each_time() {
        let ids = RequestIds::new();
        let mut headers = HeaderMap::new();
        let (first, second) = (ids.of(&headers), ids.of(&headers));
        assert_ne!(first.as_str(), second.as_str());
        headers.insert(HEADER, HeaderValue::from_static("from-the-caller"));
        assert_eq!(ids.of(&headers).as_str(), "from-the-caller");
        headers.insert(HEADER, HeaderValue::from_str(&"x".repeat(129)).unwrap());
        assert_ne!(ids.of(&headers).as_str().len(), 129);
    }
}
