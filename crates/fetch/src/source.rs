//! A file on its way: streamed, and held against what its source announced.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use crate::Error;
use crate::connection::Connection;

/// How much, and until when.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest file, bytes.
    pub bytes: u64,
    /// When the whole of it must be there.
    pub deadline: Instant,
}

/// A file that is being fetched. Dropping it closes the connection.
#[derive(Debug)]
pub struct Source {
    content_type: Option<String>,
    length: Option<u64>,
    body: Incoming,
    /// Gone once it was seen that nothing follows the announced end.
    connection: Option<Connection>,
    received: u64,
    limits: Limits,
    silence: Duration,
}

impl Source {
    pub(crate) fn new(
        response: Response<Incoming>,
        connection: Connection,
        limits: Limits,
        silence: Duration,
    ) -> Result<Self, Error> {
        if is_compressed(response.headers()) {
            return Err(Error::Compressed);
        }
        let content_type =
            response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.map(str::to_owned);
        let body = response.into_body();
        let length = body.size_hint().exact();
        if length.is_some_and(|length| length > limits.bytes) {
            return Err(Error::TooLarge { limit: limits.bytes });
        }
        let connection = Some(connection);
        Ok(Self { content_type, length, body, connection, received: 0, limits, silence })
    }

    /// The `Content-Type` as the source sent it.
    pub fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// How many bytes the source announced, if it did.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next bytes; none after the last. The last ones of an announced length are given out only
    /// when nothing follows them, so whoever counts up to it has the whole file.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let (silence, deadline) = (self.silence, self.limits.deadline);
            let Some(frame) = within(silence, deadline, self.frame()).await? else {
                return if self.received == 0 { Err(Error::Empty) } else { Ok(None) };
            };
            let frame = frame.map_err(|error| Error::Cut { source: error.into() })?;
            // What is not data is a trailer, which says nothing about the file.
            let Ok(bytes) = frame.into_data() else { continue };
            self.received = self.received.saturating_add(bytes.len() as u64);
            if self.received > self.limits.bytes {
                return Err(Error::TooLarge { limit: self.limits.bytes });
            }
            if self.length == Some(self.received) {
                within(silence, deadline, self.end()).await??;
            }
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
    }

    async fn frame(&mut self) -> Option<Result<http_body::Frame<Bytes>, hyper::Error>> {
        poll_fn(|context| {
            if let Some(connection) = &mut self.connection {
                let _: Poll<()> = connection.poll(context);
            }
            Pin::new(&mut self.body).poll_frame(context)
        })
        .await
    }

    /// Makes sure that nothing follows the announced end.
    async fn end(&mut self) -> Result<(), Error> {
        let Some(mut connection) = self.connection.take() else { return Ok(()) };
        poll_fn(|context| connection.poll(context)).await;
        if connection.has_more().await { Err(Error::TooLong) } else { Ok(()) }
    }
}

/// Whether the body is something else than the file itself.
fn is_compressed(headers: &HeaderMap) -> bool {
    let is = |name, plain: &str| {
        headers
            .get_all(name)
            .iter()
            .any(|value| !value.as_bytes().eq_ignore_ascii_case(plain.as_bytes()))
    };
    is(CONTENT_ENCODING, "identity") || is(TRANSFER_ENCODING, "chunked")
}

/// What `work` comes to, if it does within `patience` and before the deadline.
pub(crate) async fn within<T>(
    patience: Duration,
    deadline: Instant,
    work: impl Future<Output = T>,
) -> Result<T, Error> {
    let until = (Instant::now() + patience).min(deadline);
    let error = if until == deadline { Error::TimedOut } else { Error::Stalled };
    timeout_at(until, work).await.map_err(|_| error)
}
