//! What came of a request that may fail on the way: for tests in which servers die.

use futures_util::StreamExt as _;
use http::HeaderMap;
use serde_json::Value;

/// An answer as far as it came.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    /// The HTTP status; none if no answer began.
    pub status: Option<u16>,
    /// The headers.
    pub headers: HeaderMap,
    /// Whether the body came to its end.
    pub whole: bool,
    body: Vec<u8>,
}

impl Attempt {
    pub(crate) async fn read(response: reqwest::Response) -> Self {
        let mut attempt = Self {
            status: Some(response.status().as_u16()),
            headers: response.headers().clone(),
            ..Self::default()
        };
        let mut pieces = response.bytes_stream();
        while let Some(piece) = pieces.next().await {
            let Ok(piece) = piece else { return attempt };
            attempt.body.extend_from_slice(&piece);
        }
        attempt.whole = true;
        attempt
    }

    /// The JSON-RPC messages that came whole: one body, or the events of a stream.
    pub fn messages(&self) -> Vec<Value> {
        let text = String::from_utf8_lossy(&self.body);
        let lines = text.lines().map(|line| line.strip_prefix("data: ").unwrap_or(line));
        lines.filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The response; none if it did not come.
    pub fn response(&self) -> Option<Value> {
        let is_answer = self.status == Some(200) && self.whole;
        self.messages().pop().filter(|message| is_answer && message.get("id").is_some())
    }
}
