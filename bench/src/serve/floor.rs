//! The floor: the gateway's stack (hyper's connections under an axum router, `TCP_NODELAY`) with
//! nothing on it. It reads the body, parses it as JSON and answers a fixed number of bytes. No
//! server on this stack that looks at its requests can do less.

use std::convert::Infallible;
use std::hint::black_box;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A running floor; it stops when dropped.
#[derive(Debug)]
pub(super) struct Floor {
    /// Where it listens.
    pub(super) addr: SocketAddr,
    _accepting: JoinSet<Infallible>,
}

/// Starts a floor whose answers have `answer_bytes` bytes.
pub(super) async fn start(answer_bytes: usize) -> io::Result<Floor> {
    listen(Router::new().route("/mcp", post(answer)).with_state(json_of(answer_bytes))).await
}

/// Serves `router` on a free port.
pub(super) async fn listen(router: Router) -> io::Result<Floor> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let addr = listener.local_addr()?;
    let mut accepting = JoinSet::new();
    accepting.spawn(accept(listener, router));
    Ok(Floor { addr, _accepting: accepting })
}

/// A JSON string of this many bytes, quotes included.
fn json_of(bytes: usize) -> Bytes {
    let filling = "x".repeat(bytes.saturating_sub(2));
    Bytes::from(format!("\"{filling}\""))
}

async fn accept(listener: TcpListener, router: Router) -> Infallible {
    let mut connections = JoinSet::new();
    let builder = auto::Builder::new(TokioExecutor::new());
    let service = TowerToHyperService::new(router);
    loop {
        // Without a connection there is nothing to do; the generator sees the failure itself.
        let Ok((stream, _)) = listener.accept().await else { continue };
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        let connection =
            builder.serve_connection(TokioIo::new(stream), service.clone()).into_owned();
        connections.spawn(async move { drop(connection.await) });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(State(answer): State<Bytes>, body: Bytes) -> Response<Body> {
    let parsed = serde_json::from_slice::<Value>(&body);
    let mut response = Response::new(Body::from(answer));
    if parsed.is_err() {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    black_box(parsed).ok();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
