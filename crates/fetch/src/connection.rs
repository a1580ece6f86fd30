//! The connection that carries one answer. No task of its own drives it: whoever waits for the
//! answer does, so dropping the answer ends everything.

use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use crate::dial::Stream;

/// How long we wait after the announced end for what should not come. A source that closes the
/// connection, as it was asked to, ends the wait at once.
const AFTER_THE_END: Duration = Duration::from_millis(500);

/// One connection for one request.
#[derive(Debug)]
pub(crate) struct Connection {
    inner: http1::Connection<TokioIo<Box<dyn Stream>>, Empty<Bytes>>,
    is_over: bool,
}

impl Connection {
    pub(crate) fn new(inner: http1::Connection<TokioIo<Box<dyn Stream>>, Empty<Bytes>>) -> Self {
        Self { inner, is_over: false }
    }

    /// Lets it work; ready when it has nothing left to do. What goes wrong with it shows in the
    /// answer.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.is_over {
            self.is_over = self.inner.poll_without_shutdown(context).is_ready();
        }
        if self.is_over { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Whether anything follows the answer, once that is over.
    pub(crate) async fn has_more(self) -> bool {
        let parts = self.inner.into_parts();
        let mut stream = parts.io.into_inner();
        !parts.read_buf.is_empty()
            || matches!(timeout(AFTER_THE_END, stream.read_u8()).await, Ok(Ok(_)))
    }
}
