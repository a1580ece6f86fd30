//! The listeners, from bound to closed. The end has four steps: notice, drain, hurry, stop.

mod connections;
mod head;
mod lifetime;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::{App, AppError};
use crate::config::Config;
use crate::http::{Admin, Service, Site};
use crate::telemetry;
use connections::Connections;

/// Calls that still wait this long before the grace ends answer with their handle.
const HURRY_BEFORE_END: Duration = Duration::from_secs(3);

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
    let public = Connections::new(&app.config, &app.metrics, move |request| {
        let service = service.clone();
        async move { service.answer(request).await }
    });
    public.observe();
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
        end(&app, public.end()).await;
    };
    match admin {
        // Operators see the end too: their address is the last to be closed.
        Some(listener) => {
            let admin = Admin::new(Arc::clone(&site));
            let admin = Connections::new(&app.config, &app.metrics, move |request| {
                let admin = admin.clone();
                async move { admin.answer(request).await }
            });
            tokio::select! {
                () = admin.accept(&listener) => {}
                () = to_the_end => {}
            }
            admin.close();
        }
        None => to_the_end.await,
    }
    telemetry::flush_metrics(Arc::clone(&app.metrics)).await;
}

/// Lets what runs come to its end: calls that still wait near the end of the grace answer with their
/// handles; submits and cancellations under way are finished.
async fn end(app: &App, connections_end: impl Future<Output = ()>) {
    let grace = app.config.shutdown_grace;
    let hurry = async {
        tokio::time::sleep(grace.saturating_sub(HURRY_BEFORE_END)).await;
        app.hurry.cancel();
        std::future::pending::<()>().await;
    };
    let quiet = async {
        connections_end.await;
        app.detached.close();
        app.detached.wait().await;
    };
    tokio::select! {
        () = quiet => tracing::info!("all calls have ended"),
        () = hurry => {}
        () = tokio::time::sleep(grace) => tracing::warn!("the grace is over, connections are cut"),
    }
}
