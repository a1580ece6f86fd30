//! Listeners: plain HTTP for all hosts under prefixes, TLS for one host at the root.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::config::StartError;
use crate::dispatch;
use crate::hosts::Face;
use crate::state::State;
use crate::tls::Certificate;

/// Binds an address.
pub(crate) async fn bind(addr: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { addr, source };
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok((listener, addr))
}

/// Accepts connections until it is aborted, and takes them all along then.
pub(crate) async fn accept(
    listener: TcpListener,
    sim: Arc<State>,
    face: Face,
    tls: Option<TlsAcceptor>,
) {
    let face = Arc::new(face);
    // Dropped with this future, which aborts every connection.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    let connection = serve(socket, Arc::clone(&sim), Arc::clone(&face), tls.clone());
                    connections.spawn(connection);
                }
                // Out of descriptors, or the client is gone already: the next one may do better.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(socket: TcpStream, sim: Arc<State>, face: Arc<Face>, tls: Option<TlsAcceptor>) {
    // Answers are small; waiting to fill a packet would only cost time.
    if socket.set_nodelay(true).is_err() {
        return;
    }
    match tls {
        None => serve_http(socket, sim, face).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(socket).await {
                serve_http(stream, sim, face).await;
            }
        }
    }
}

async fn serve_http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    sim: Arc<State>,
    face: Arc<Face>,
) {
    let service =
        service_fn(move |request| dispatch::serve(Arc::clone(&sim), Arc::clone(&face), request));
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new());
    server.http2().timer(TokioTimer::new());
    // A connection ends in an error when the client leaves or a fault drops it.
    if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "connection ended");
    }
}

/// The certificate of one stand-in, made when the first TLS listener needs it.
#[derive(Debug, Default)]
pub(crate) struct Certificates(OnceLock<Certificate>);

impl Certificates {
    pub(crate) fn get(&self) -> Result<&Certificate, StartError> {
        if let Some(certificate) = self.0.get() {
            return Ok(certificate);
        }
        let made = Certificate::make()?;
        Ok(self.0.get_or_init(|| made))
    }
}
