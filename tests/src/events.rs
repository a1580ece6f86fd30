//! An answer that comes in pieces: server-sent events, each with the time it took to come.

use std::time::Duration;

use bytes::BytesMut;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use serde_json::Value;
use tokio::time::{Instant, timeout};

/// How long an event may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a stream carries.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A comment: bytes for the proxies on the way.
    Comment,
    /// A message of JSON-RPC.
    Message(Value),
}

/// An open stream. Dropping it closes the connection.
pub struct Events {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: http::HeaderMap,
    /// How long the headers took from when the request was sent.
    pub opened_after: Duration,
    pieces: BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    buffer: BytesMut,
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Events {
    pub(crate) fn new(response: reqwest::Response, sent: Instant) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            opened_after: sent.elapsed(),
            pieces: response.bytes_stream().boxed(),
            buffer: BytesMut::new(),
        }
    }

    /// The next event, or none at the end of the stream.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let event = self.buffer.split_to(at + 2);
                return Some(read(std::str::from_utf8(&event).expect("text")));
            }
            let piece = timeout(PATIENCE, self.pieces.next()).await.expect("an event in time");
            let Some(piece) = piece else {
                assert!(self.buffer.is_empty(), "the stream ended inside an event");
                return None;
            };
            self.buffer.extend_from_slice(&piece.expect("a piece of the stream"));
        }
    }

    /// The next message; comments are passed over.
    pub async fn message(&mut self) -> Option<Value> {
        loop {
            if let Event::Message(message) = self.next().await? {
                return Some(message);
            }
        }
    }

    /// Every message up to the end of the stream.
    pub async fn messages(mut self) -> Vec<Value> {
        let mut messages = Vec::new();
        while let Some(message) = self.message().await {
            messages.push(message);
        }
        messages
    }
}

fn read(event: &str) -> Event {
    let mut data = String::new();
    for line in event.trim_end().lines() {
        if let Some(rest) = line.strip_prefix("data:") {
            data.push_str(rest.trim_start());
        } else {
            assert!(line.starts_with(':'), "neither data nor a comment: {line}");
        }
    }
    if data.is_empty() {
        return Event::Comment;
    }
    Event::Message(serde_json::from_str(&data).expect("a JSON message"))
}
