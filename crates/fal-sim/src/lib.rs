//! A stand-in for fal: every host of its public API on loopback, in one process, at no cost.
//!
//! It knows nothing of the gateway or of its client of fal, and so cannot share their mistakes.
//! Jobs are not computed; their outputs are made from the models' own output schemas, with files
//! that really open.
//!
//! Each host is a path prefix of one listener (see [`Host`]); [`Sim::tls`] serves one host at
//! the root of its own TLS listener. `POST /_sim/faults` and `GET /_sim/ledger` are the remote
//! forms of [`Faults`] and [`Ledger`]. A job can be steered by its own input, with one of these in
//! any of its texts:
//!
//! | text | what happens |
//! |---|---|
//! | `[sim:content_policy]` | the model refuses: 422 on the result |
//! | `[sim:fail startup_timeout]` | the platform gives up, with this request-level error type |
//! | `[sim:cancelled]` | the job ends as if its owner had cancelled it |
//! | `[sim:slow 30]` | it runs for 30 seconds, whatever the clock's speed |
//! | `[sim:queue 5]` | it waits for 5 seconds before it starts, whatever the clock's speed |
//!
//! Not served: web sockets, delivery of webhooks, and those
//! operations of the Platform API that the gateway has no use for.

mod auth;
mod call;
mod cdn;
mod clock;
mod config;
mod controls;
mod dispatch;
mod docs;
mod faults;
mod hash;
mod hosts;
mod input;
mod ledger;
mod media;
mod models;
mod outcome;
mod output;
mod platform;
mod profile;
mod queue;
mod reply;
mod router;
mod run;
mod server;
mod state;
mod steer;
mod storage;
mod tls;
mod units;
mod web;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;

pub use config::{
    Config, DEMO_KEY, LOCKED_KEY, Models, NO_SCOPE_KEY, PRIVATE_KEY, PRIVATE_MODEL, StartError,
    UNKNOWN_KEY,
};
pub use faults::{Fault, FaultKind, Faults};
pub use hosts::Host;
pub use ledger::{Ledger, Received, Snapshot, Submit};
pub use router::Operation;

use crate::hosts::Face;
use crate::server::Certificates;
use crate::state::State;

/// A running stand-in. It stops when dropped.
#[derive(Debug)]
pub struct Sim {
    state: Arc<State>,
    addr: SocketAddr,
    certificates: Certificates,
    /// The accept loops, aborted with the set.
    listeners: Mutex<JoinSet<()>>,
}

/// A TLS listener of a stand-in, for one host at its root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsListener {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The authority to trust, as PEM. The same for all listeners of one stand-in.
    pub certificate_pem: String,
}

/// Starts a stand-in and returns once it listens.
pub async fn start(config: Config) -> Result<Sim, StartError> {
    let (listener, addr) = server::bind(config.addr).await?;
    let state = Arc::new(State::new(config)?);
    let face = face(&state, addr, None);
    let mut listeners = JoinSet::new();
    listeners.spawn(server::accept(listener, Arc::clone(&state), face, None));
    let certificates = Certificates::default();
    Ok(Sim { state, addr, certificates, listeners: Mutex::new(listeners) })
}

impl Sim {
    /// Where the main listener listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Base URL of the main listener, such as `http://127.0.0.1:9000`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Base URL of one host on the main listener, such as `http://127.0.0.1:9000/queue`.
    pub fn host_url(&self, host: Host) -> String {
        format!("{}/{}", self.url(), host.prefix())
    }

    /// The variables that point the gateway at this stand-in, `FAL_QUEUE_URL` and the others.
    pub fn environment(&self) -> [(&'static str, String); 7] {
        controls::environment(|host| self.host_url(host))
    }

    /// What is to go wrong.
    pub fn faults(&self) -> &Faults {
        &self.state.faults
    }

    /// What has been asked.
    pub fn ledger(&self) -> &Ledger {
        &self.state.ledger
    }

    /// The paths of every file that was uploaded whole and is still held.
    pub fn stored_files(&self) -> Vec<String> {
        self.state.storage.paths()
    }

    /// Starts a TLS listener on a free loopback port that serves `host` at its root.
    pub async fn tls(&self, host: Host) -> Result<TlsListener, StartError> {
        self.tls_at(host, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// The same on an address of one's choice.
    pub async fn tls_at(&self, host: Host, addr: SocketAddr) -> Result<TlsListener, StartError> {
        let certificate = self.certificates.get()?;
        let acceptor = certificate.acceptor()?;
        let (listener, addr) = server::bind(addr).await?;
        let mut face = face(&self.state, addr, Some(host));
        face.main = self.url().into();
        let accept = server::accept(listener, Arc::clone(&self.state), face, Some(acceptor));
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).spawn(accept);
        Ok(TlsListener { addr, certificate_pem: certificate.authority_pem() })
    }

    /// Stops listening and closes every connection.
    pub async fn shutdown(self) {
        let mut listeners = self.listeners.into_inner().unwrap_or_else(PoisonError::into_inner);
        listeners.shutdown().await;
    }
}

fn face(state: &State, addr: SocketAddr, root: Option<Host>) -> Face {
    let public = state.config.public_url.as_deref();
    Face {
        scheme: if root.is_some() { "https" } else { "http" },
        root,
        authority: addr.to_string().into(),
        main: format!("http://{addr}").into(),
        public: public.map(|url| url.trim_end_matches('/').into()),
    }
}
