//! How a connection begins, and how each request on it: tells HTTP/2 from HTTP/1.1, cuts connections
//! whose client takes too long, over the head of a request or over taking its answer, and lets idle
//! ones be.
//!
//! hyper's own limit counts the pause between two requests as time spent on the next head. Set to
//! seconds it would close the idle connections that load balancers keep for a minute, just when one
//! of them is about to be used; set to a minute it would let a client drip its headers for as long.
//! So hyper keeps the long limit, and this stream the short one, from a head's first byte on.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

/// How every HTTP/2 connection begins (RFC 9113, section 3.4), as far as no other does.
const HTTP_2_BEGINS: [u8; 3] = *b"PRI";
/// How long to rest before another look at a beginning that is still shorter.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// How long a client may take nothing at all of what is written to it. hyper has no such limit, so
/// one that asks and never reads would keep its answers in memory for as long as it likes.
const STALLED: Duration = Duration::from_secs(30);

const IDLE: u8 = 0;
const READING_HEAD: u8 = 1;
const SERVING: u8 = 2;
const READING_FIRST_HEAD: u8 = 3;

/// Whether the client speaks HTTP/2. It looks at the first bytes without taking them: hyper-util takes
/// them and hands them on by themselves, which makes hyper double the connection's read buffer.
pub(super) async fn begins_http_2(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0; HTTP_2_BEGINS.len()];
    loop {
        let count = stream.peek(&mut first).await?;
        if first == HTTP_2_BEGINS {
            return Ok(true);
        }
        let begins = first.get(..count).is_some_and(|seen| HTTP_2_BEGINS.starts_with(seen));
        if count == 0 || !begins {
            return Ok(false);
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// What a connection is doing; shared by its stream and its service.
#[derive(Clone, Debug)]
pub(super) struct Phase(Arc<AtomicU8>);

impl Phase {
    /// A new connection, whose client is expected to speak.
    pub(super) fn new() -> Self {
        Self(Arc::new(AtomicU8::new(READING_FIRST_HEAD)))
    }

    /// A head is complete.
    pub(super) fn serving(&self) {
        self.change(SERVING);
    }

    /// A request is answered: the next byte begins another head.
    pub(super) fn idle(&self) {
        self.change(IDLE);
    }

    /// Whether a head was complete so far.
    pub(super) fn has_served(&self) -> bool {
        self.get() != READING_FIRST_HEAD
    }

    fn change(&self, phase: u8) {
        self.0.store(phase, Ordering::Relaxed);
    }

    fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A stream that fails to be read once a head has taken `limit`, and to be written to once its other
/// end has taken nothing for [`STALLED`].
#[derive(Debug)]
pub(super) struct WatchedStream<S> {
    inner: S,
    phase: Phase,
    limit: Duration,
    /// Runs while a head is read.
    timer: Option<Pin<Box<Sleep>>>,
    /// Runs while a write makes no progress.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> WatchedStream<S> {
    pub(super) fn new(inner: S, phase: Phase, limit: Duration) -> Self {
        let timer = Some(Box::pin(sleep(limit)));
        Self { inner, phase, limit, timer, stalled: None }
    }

    fn arrived(&mut self) {
        if self.phase.get() == IDLE {
            self.phase.change(READING_HEAD);
            self.timer = Some(Box::pin(sleep(self.limit)));
        }
    }

    /// A write's outcome, or an error if none has made progress for too long.
    fn written(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let timer = self.stalled.get_or_insert_with(|| Box::pin(sleep(STALLED)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedStream<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        match Pin::new(&mut this.inner).poll_read(cx, buffer) {
            Poll::Ready(outcome) => {
                if buffer.filled().len() > before {
                    this.arrived();
                }
                Poll::Ready(outcome)
            }
            Poll::Pending => {
                if !matches!(this.phase.get(), READING_FIRST_HEAD | READING_HEAD) {
                    this.timer = None;
                }
                let Some(timer) = &mut this.timer else { return Poll::Pending };
                ready!(timer.as_mut().poll(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WatchedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.written(cx, outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        self.written(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::net::TcpListener;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_client_that_drips_a_head_is_cut_and_an_idle_one_is_not() {
        let (mut client, server) = duplex(64);
        let phase = Phase::new();
        let mut server = WatchedStream::new(server, phase.clone(), LIMIT);
        let mut byte = [0; 1];

        client.write_all(b"G").await.unwrap();
        server.read_exact(&mut byte).await.unwrap();
        phase.serving();
        phase.idle();
        let idle = tokio::time::timeout(LIMIT * 5, server.read_exact(&mut byte)).await;
        assert!(idle.is_err(), "an idle connection is left alone: {idle:?}");

        client.write_all(b"G").await.unwrap();
        server.read_exact(&mut byte).await.unwrap();
        let error = server.read_exact(&mut byte).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_connects_and_says_nothing_is_cut() {
        let (_client, server) = duplex(64);
        let mut server = WatchedStream::new(server, Phase::new(), LIMIT);
        let error = server.read_exact(&mut [0; 1]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_of_its_answer_is_cut_and_a_slow_one_is_not() {
        let (mut client, server) = duplex(64);
        let mut server = WatchedStream::new(server, Phase::new(), LIMIT);
        let slow = async {
            for _ in 0..4 {
                sleep(STALLED / 2).await;
                client.read_exact(&mut [0; 64]).await.unwrap();
            }
        };
        let (written, ()) = tokio::join!(server.write_all(&[0; 320]), slow);
        written.unwrap();

        let error = server.write_all(&[0; 320]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn http_2_is_told_by_its_first_bytes_however_they_come() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let cases: [(&[&[u8]], bool); 6] = [
            (&[b"PRI * HTTP/2.0"], true),
            (&[b"P", b"R", b"I"], true),
            (&[b"POST /mcp"], false),
            (&[b"P", b"OST"], false),
            (&[b"PROPFIND"], false),
            (&[], false),
        ];
        for (pieces, expected) in cases {
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (server, _) = listener.accept().await.unwrap();
            let write = async {
                for piece in pieces {
                    client.write_all(piece).await.unwrap();
                    sleep(LOOK_AGAIN * 2).await;
                }
                drop(client);
            };
            let (begins, ()) = tokio::join!(begins_http_2(&server), write);
            assert_eq!(begins.unwrap(), expected, "{pieces:?}");
        }
    }
}
