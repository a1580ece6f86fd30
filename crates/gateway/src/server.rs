//! The listener: hyper's own accept loop, because `axum::serve` installs no timer and so has no
//! limit on how long a client may take over its headers. And the end: notice, drain, hurry, stop.

mod head;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::{App, AppError};
use crate::config::Config;
use crate::http::{Admin, Service, Site};
use crate::telemetry::{self, Metrics};

/// How long a client may take over a request's head.
const HEAD_READ: Duration = Duration::from_secs(10);
/// How long a connection may be idle: longer than load balancers keep theirs, so that it is they who
/// close and no request meets a closing connection.
const IDLE: Duration = Duration::from_mins(2);
/// The largest head that is read at all, and the most headers over HTTP/1.1: twice what is taken, so
/// that `http/guard.rs` refuses in the form of every other refusal. Over these hyper answers by itself,
/// with a status and no more. HTTP/2 clients are told the bytes, and "for any given request, a lower limit
/// than what is advertised MAY be enforced" (RFC 9113, section 6.5.2).
const HEAD_BYTES: usize = 128 * 1024;
const HEADERS: usize = 200;
/// Requests at once on one HTTP/2 connection, the least that RFC 9113 recommends: whoever has more
/// opens another connection, which may end at another replica.
const STREAMS: u32 = 100;
/// Streams that a client has opened and reset before they were looked at; more of them is the rapid
/// reset of CVE-2023-44487, and the connection ends.
const UNSEEN_RESETS: usize = 20;
/// Calls that still wait this long before the grace ends answer with their handle.
const HURRY_BEFORE_END: Duration = Duration::from_secs(3);
/// How long to rest when the process has no file descriptor left for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A running gateway.
#[derive(Debug)]
pub struct Gateway {
    addr: SocketAddr,
    endpoint_url: String,
    admin_addr: Option<SocketAddr>,
    app: Arc<App>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// The gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}: {source}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The address for operators cannot be listened on.
    #[error(
        "cannot listen on {addr}, the admin address: {source}; --admin-addr (FAL_MCP_ADMIN_ADDR) takes another, or off"
    )]
    BindAdmin {
        /// The address.
        addr: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// What requests need cannot be made.
    #[error(transparent)]
    App(#[from] AppError),
}

/// Binds the address and serves until [`Gateway::shutdown`]. It is ready before fal was asked for
/// anything; the catalogue is loaded in the background.
pub async fn start(config: Config) -> Result<Gateway, StartError> {
    let app = App::new(config)?;
    start_app(app).await
}

/// Makes all that [`start`] makes before it binds the address, and drops it: whether it would start.
pub fn check(config: Config) -> Result<(), StartError> {
    drop(App::new(config)?);
    Ok(())
}

pub(crate) async fn start_app(app: Arc<App>) -> Result<Gateway, StartError> {
    let wanted = app.config.addr;
    let bind = |source| StartError::Bind { addr: wanted, source };
    let listener = TcpListener::bind(wanted).await.map_err(bind)?;
    let addr = listener.local_addr().map_err(bind)?;
    let admin = bind_admin(app.config.admin_addr).await?;
    let admin_addr = admin.as_ref().map(|(addr, _)| *addr);
    let endpoint_url = app.config.endpoint_url(addr);
    let site = Site::new(Arc::clone(&app), endpoint_url.clone());
    let stop = CancellationToken::new();
    app.keep_catalogue_fresh(stop.clone());
    let admin = admin.map(|(_, listener)| listener);
    let serve = serve(listener, admin, site, Arc::clone(&app), stop.clone());
    #[expect(clippy::disallowed_methods, reason = "the server itself; `shutdown` waits for it")]
    let task = tokio::spawn(serve);
    Ok(Gateway { addr, endpoint_url, admin_addr, app, stop, task })
}

async fn bind_admin(
    wanted: Option<SocketAddr>,
) -> Result<Option<(SocketAddr, TcpListener)>, StartError> {
    let Some(addr) = wanted else { return Ok(None) };
    let bind = |source| StartError::BindAdmin { addr, source };
    let listener = TcpListener::bind(addr).await.map_err(bind)?;
    Ok(Some((listener.local_addr().map_err(bind)?, listener)))
}

impl Gateway {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL of the MCP endpoint, as clients should write it.
    pub fn endpoint_url(&self) -> &str {
        &self.endpoint_url
    }

    /// Where operators and probes ask, if there is such a place.
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin_addr
    }

    pub(crate) fn app(&self) -> Arc<App> {
        Arc::clone(&self.app)
    }

    /// Says that it is not ready, goes on as before for the notice of the configuration, then stops
    /// taking connections, lets running calls end within the grace, and returns when all is done.
    pub async fn shutdown(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server ended unexpectedly");
        }
    }
}

async fn serve(
    listener: TcpListener,
    admin: Option<TcpListener>,
    site: Arc<Site>,
    app: Arc<App>,
    stop: CancellationToken,
) {
    let service = Service::new(Arc::clone(&site));
    let public = Server::new(&app.metrics, move |request| {
        let service = service.clone();
        async move { service.answer(request).await }
    });
    let told = async {
        stop.cancelled().await;
        site.drain();
        tokio::time::sleep(app.config.shutdown_notice).await;
    };
    let to_the_end = async {
        tokio::select! {
            () = public.accept(&listener) => {}
            () = told => {}
        }
        drop(listener);
        public.end(&app).await;
    };
    match admin {
        // Operators see the end too: their address is the last to be closed.
        Some(listener) => {
            let admin = Admin::new(Arc::clone(&site));
            let admin = Server::new(&app.metrics, move |request| {
                let admin = admin.clone();
                async move { admin.answer(request).await }
            });
            tokio::select! {
                () = admin.accept(&listener) => {}
                () = to_the_end => {}
            }
            admin.closing.cancel();
        }
        None => to_the_end.await,
    }
    telemetry::flush_metrics(Arc::clone(&app.metrics)).await;
}

/// One listener's connections, and what answers their requests.
struct Server<A> {
    answer: A,
    metrics: Arc<Metrics>,
    connections: TaskTracker,
    /// Set when no request may follow the one that is answered.
    closing: CancellationToken,
}

impl<A, R> Server<A>
where
    A: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response> + Send + 'static,
{
    fn new(metrics: &Arc<Metrics>, answer: A) -> Self {
        let connections = TaskTracker::new();
        Self {
            answer,
            metrics: Arc::clone(metrics),
            connections,
            closing: CancellationToken::new(),
        }
    }

    /// Takes connections until it is dropped.
    async fn accept(&self, listener: &TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.connected(stream),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn connected(&self, stream: TcpStream) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        let (answer, closing) = (self.answer.clone(), self.closing.clone());
        let metrics = Arc::clone(&self.metrics);
        self.connections.spawn(async move {
            let begins_http_2 = tokio::select! {
                biased;
                begins = timeout(HEAD_READ, head::begins_http_2(&stream)) => begins,
                () = closing.cancelled() => return,
            };
            let served = match begins_http_2 {
                Ok(Ok(is_http_2)) => serve_connection(stream, is_http_2, answer, closing).await,
                Ok(Err(_)) | Err(_) => return,
            };
            match served {
                Err(error) if error.is_parse() => {
                    let is_too_large = error.is_parse_too_large();
                    let kind = if is_too_large { "head_too_large" } else { "head_unreadable" };
                    metrics.refused(kind);
                    tracing::info!(kind, "refused");
                }
                // A connection that breaks is the client's doing; the request's own line says more.
                Err(error) => tracing::debug!(%error, "connection ended"),
                Ok(()) => {}
            }
        });
    }

    /// Lets what runs come to its end: calls that still wait near the end of the grace answer with
    /// their handles; submits and cancellations under way are finished.
    async fn end(&self, app: &App) {
        let grace = app.config.shutdown_grace;
        let hurry = async {
            tokio::time::sleep(grace.saturating_sub(HURRY_BEFORE_END)).await;
            app.hurry.cancel();
            std::future::pending::<()>().await;
        };
        let quiet = async {
            self.closing.cancel();
            self.connections.close();
            self.connections.wait().await;
            app.detached.close();
            app.detached.wait().await;
        };
        tokio::select! {
            () = quiet => tracing::info!("all calls have ended"),
            () = hurry => {}
            () = tokio::time::sleep(grace) => tracing::warn!("the grace is over, connections are cut"),
        }
    }
}

async fn serve_connection<A, R>(
    stream: TcpStream,
    is_http_2: bool,
    answer: A,
    closing: CancellationToken,
) -> hyper::Result<()>
where
    A: Fn(Request<Incoming>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response> + Send + 'static,
{
    let phase = head::Phase::new();
    let phase_of_stream = phase.clone();
    let answer = service_fn(move |request| {
        let (answer, phase) = (answer.clone(), phase.clone());
        phase.serving();
        async move {
            let answer = answer(request).await;
            phase.idle();
            Ok::<_, Infallible>(answer)
        }
    });
    if is_http_2 {
        // Its frames come at any time and have limits of their own.
        let connection = http_2().serve_connection(TokioIo::new(stream), answer);
        return until_closing(Box::pin(connection), closing).await;
    }
    let stream = head::WatchedStream::new(stream, phase_of_stream, HEAD_READ);
    let connection = http_1().serve_connection(TokioIo::new(stream), answer);
    until_closing(Box::pin(connection), closing).await
}

/// Serves a connection to its end, which comes after the answer under way once `closing` is set.
async fn until_closing<C: GracefulConnection>(
    mut connection: Pin<Box<C>>,
    closing: CancellationToken,
) -> Result<(), C::Error> {
    tokio::select! {
        // In this order a request that has arrived by now is read before the end is heard of.
        biased;
        served = &mut connection => served,
        () = closing.cancelled() => {
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
