//! Two request bodies: one that knows whether the transport ever asked for it, and one that comes in
//! chunks.
//!
//! A submit may be repeated only when nothing of it can have arrived. The transport's own errors
//! say so for a refused connection, but not for a deadline that passes while connecting, or for a
//! pooled connection that turns out to be closed. As long as nobody has asked for the body, fal has
//! at most seen a head that promises one, and makes no job from that.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// The bytes, and the mark that is set when they are taken.
#[derive(Debug)]
pub(crate) struct WatchedBody {
    bytes: Option<Bytes>,
    taken: Taken,
}

/// Whether a body was taken. Stays readable after the body is gone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Taken(Arc<AtomicBool>);

impl Taken {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl WatchedBody {
    pub(crate) fn new(bytes: Bytes) -> (Self, Taken) {
        let taken = Taken::default();
        (Self { bytes: Some(bytes), taken: taken.clone() }, taken)
    }
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.taken.0.store(true, Ordering::Release);
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    // An exact size makes a `Content-Length`, so that a head alone is visibly incomplete.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

/// Bytes of a known length, as they come. If the sender is dropped too early, the transport breaks
/// the request off: its `Content-Length` is not met.
#[derive(Debug)]
pub(crate) struct ChunkedBody {
    chunks: mpsc::Receiver<Bytes>,
    left: u64,
}

impl ChunkedBody {
    pub(crate) fn new(chunks: mpsc::Receiver<Bytes>, length: u64) -> Self {
        Self { chunks, left: length }
    }
}

impl Body for ChunkedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let chunk = std::task::ready!(self.chunks.poll_recv(context));
        Poll::Ready(chunk.map(|chunk| {
            self.left = self.left.saturating_sub(chunk.len() as u64);
            Ok(Frame::data(chunk))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
