//! One listener's connections: how many there may be, how each is served, how each ends. The accept
//! loop is our own, because `axum::serve` installs no timer and so has no limit on how long a client
//! may take over its headers.

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::response::Response;
use futures_util::FutureExt as _;
use http::Request;
use http::header::{CONNECTION, HeaderValue};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::head::{self, Phase, WatchedStream};
use super::lifetime::Lifetime;
use crate::config::Config;
use crate::telemetry::{self, Metrics};

/// How long a client may take over a request's head.
const HEAD_READ: Duration = Duration::from_secs(10);
/// How long a connection may be idle: longer than load balancers keep theirs, so that it is they who
/// close and no request meets a closing connection.
const IDLE: Duration = Duration::from_mins(2);
/// The largest head that is read at all: twice what is taken, so that `http/guard.rs` refuses in the form
/// of every other refusal. Over it hyper answers by itself, with a status and no more. HTTP/2 clients are
/// told it, and "for any given request, a lower limit than what is advertised MAY be enforced" (RFC 9113,
/// section 6.5.2).
const HEAD_BYTES: usize = 128 * 1024;
/// The same for the number of headers over HTTP/1.1. hyper's two lists of so many are 8 KiB each while a
/// head is read, as its buffers are: with 200 what they leave fits nothing, and an idle connection costs
/// a quarter more.
const HEADERS: usize = 256;
/// Requests at once on one HTTP/2 connection, the least that RFC 9113 recommends: whoever has more
/// opens another connection, which may end at another replica.
const STREAMS: u32 = 100;
/// Streams that a client has opened and reset before they were looked at; more of them is the rapid
/// reset of CVE-2023-44487, and the connection ends.
const UNSEEN_RESETS: usize = 20;
/// How long to rest when the process has no file descriptor left for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How many of the oldest connections are asked to end for one that finds no place, and how long it
/// waits after each: one that is idle ends at once, one with an answer under way after it.
const ASKED_TO_END: usize = 50;
const ROOM: Duration = Duration::from_millis(1);

/// The connections, and what answers their requests.
#[derive(Debug)]
pub(super) struct Connections<A> {
    shared: Arc<Shared<A>>,
    open: TaskTracker,
    places: Arc<Semaphore>,
    refused: Arc<AtomicU64>,
}

/// What each connection needs.
#[derive(Debug)]
struct Shared<A> {
    answer: A,
    metrics: Arc<Metrics>,
    max_age: Option<Duration>,
    /// Set when no request may follow the one that is answered.
    closing: CancellationToken,
    /// Tells the oldest of the connections that have not been told that its place is needed.
    crowded: Notify,
}

impl<A, R> Connections<A>
where
    A: Fn(Request<Incoming>) -> R + Send + Sync + 'static,
    R: Future<Output = Response> + Send + 'static,
{
    pub(super) fn new(config: &Config, metrics: &Arc<Metrics>, answer: A) -> Self {
        let shared = Shared {
            answer,
            metrics: Arc::clone(metrics),
            max_age: config.max_connection_age,
            closing: CancellationToken::new(),
            crowded: Notify::new(),
        };
        let limit = config.max_connections.min(Semaphore::MAX_PERMITS);
        Self {
            shared: Arc::new(shared),
            open: TaskTracker::new(),
            places: Arc::new(Semaphore::new(limit)),
            refused: Arc::default(),
        }
    }

    /// Lets `metrics` see how many there are.
    pub(super) fn observe(&self) {
        let limit = self.places.available_permits();
        let meter = self.shared.metrics.meter();
        telemetry::connections(&meter, &self.places, limit, &self.refused);
    }

    /// Takes connections until it is dropped.
    pub(super) async fn accept(&self, listener: &TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => match self.place().await {
                    Some(place) => self.connected(stream, place),
                    None => drop(self.refused.fetch_add(1, Ordering::Relaxed)),
                },
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// A place for one more connection, if need be that of one which is idle.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        let places = || Arc::clone(&self.places);
        if let Ok(place) = places().try_acquire_owned() {
            return Some(place);
        }
        let mut found = None;
        for _ in 0..ASKED_TO_END {
            self.shared.crowded.notify_one();
            if let Ok(Ok(place)) = timeout(ROOM, places().acquire_owned()).await {
                found = Some(place);
                break;
            }
        }
        // Where all had been told already, the next newcomer would hear of it.
        let _unheard = self.shared.crowded.notified().now_or_never();
        found
    }

    fn connected(&self, stream: TcpStream, place: OwnedSemaphorePermit) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        let shared = Arc::clone(&self.shared);
        self.open.spawn(async move {
            shared.serve(stream).await;
            drop(place);
        });
    }

    /// From now on each answer is the last on its connection, and idle connections are closed.
    pub(super) fn close(&self) {
        self.shared.closing.cancel();
    }

    /// Closes them and waits for the last answer.
    pub(super) async fn end(&self) {
        self.close();
        self.open.close();
        self.open.wait().await;
    }
}

impl<A, R> Shared<A>
where
    A: Fn(Request<Incoming>) -> R + Send + Sync + 'static,
    R: Future<Output = Response> + Send + 'static,
{
    async fn serve(self: Arc<Self>, stream: TcpStream) {
        let mut crowded = pin!(self.crowded.notified());
        let begins = tokio::select! {
            biased;
            begins = timeout(HEAD_READ, head::begins_http_2(&stream)) => begins,
            () = self.closing.cancelled() => return,
            () = &mut crowded => return,
        };
        let Ok(Ok(is_http_2)) = begins else { return };
        let served = if is_http_2 {
            self.serve_http_2(stream, crowded).await
        } else {
            self.serve_http_1(stream, crowded).await
        };
        match served {
            Err(error) if error.is_parse() => {
                let is_too_large = error.is_parse_too_large();
                let kind = if is_too_large { "head_too_large" } else { "head_unreadable" };
                self.metrics.refused(kind);
                tracing::info!(kind, "refused");
            }
            // A connection that breaks is the client's doing; the request's own line says more.
            Err(error) => tracing::debug!(%error, "connection ended"),
            Ok(()) => {}
        }
    }

    async fn serve_http_1(
        self: &Arc<Self>,
        stream: TcpStream,
        crowded: impl Future<Output = ()>,
    ) -> hyper::Result<()> {
        let phase = Phase::new();
        let stream = WatchedStream::new(stream, phase.clone(), HEAD_READ);
        let lifetime = Lifetime::new(self.max_age);
        let (shared, phase_of_service) = (Arc::clone(self), phase.clone());
        let answer = service_fn(move |request| {
            let (shared, phase) = (Arc::clone(&shared), phase_of_service.clone());
            phase.serving();
            // Not closed by itself when it is over: its next request may be on its way.
            let is_last = lifetime.request();
            async move {
                let mut response = (shared.answer)(request).await;
                phase.idle();
                if is_last {
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response)
            }
        });
        let connection = http_1().serve_connection(TokioIo::new(stream), answer);
        let told = async {
            tokio::select! {
                () = self.closing.cancelled() => true,
                () = crowded => phase.has_served(),
            }
        };
        until_told(Box::pin(connection), told).await
    }

    async fn serve_http_2(
        self: &Arc<Self>,
        stream: TcpStream,
        crowded: impl Future<Output = ()>,
    ) -> hyper::Result<()> {
        let lifetime = Arc::new(Lifetime::new(self.max_age));
        let (shared, lifetime_of_service) = (Arc::clone(self), Arc::clone(&lifetime));
        let answer = service_fn(move |request| {
            let shared = Arc::clone(&shared);
            lifetime_of_service.request();
            async move { Ok::<_, Infallible>((shared.answer)(request).await) }
        });
        let connection = http_2().serve_connection(TokioIo::new(stream), answer);
        let told = async {
            tokio::select! {
                () = self.closing.cancelled() => {}
                () = crowded => {}
                () = lifetime.over() => {}
            }
            true
        };
        until_told(Box::pin(connection), told).await
    }
}

/// Serves a connection to its end. Once `told`, that comes after what is under way, or at once if it
/// was told `false`.
async fn until_told<C: GracefulConnection>(
    mut connection: Pin<Box<C>>,
    told: impl Future<Output = bool>,
) -> Result<(), C::Error> {
    tokio::select! {
        // In this order a request that has arrived by now is read before the end is heard of.
        biased;
        served = &mut connection => served,
        may_finish = told => {
            if !may_finish {
                return Ok(());
            }
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

fn http_1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_headers(HEADERS)
        .max_buf_size(HEAD_BYTES);
    builder
}

fn http_2() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS)
        .max_pending_accept_reset_streams(UNSEEN_RESETS)
        .keep_alive_interval(Some(Duration::from_secs(20)))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}
