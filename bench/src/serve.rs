//! A server under load, from the inside: what the child process does. It prints its address on
//! standard output and serves until standard input closes.

mod attack;
mod floor;
mod relay;

use std::io::Write as _;
use std::net::SocketAddr;

use fal_sim::Host;
use gateway::{Config, Flags, Telemetry};
use tokio::io::AsyncReadExt as _;

use crate::error::Error;
use crate::server::Server;

pub(crate) use attack::Attack;

/// How many jobs the stand-in remembers: enough for those under way, few enough that its memory
/// stays what it was at the first round.
const JOBS: usize = 20_000;

/// Serves until standard input closes.
pub(crate) fn run(server: &Server) -> Result<(), Error> {
    // The runtime of the gateway's own binary.
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(server))
}

async fn serve(server: &Server) -> Result<(), Error> {
    let failed = |reason| server.failed(reason);
    match server {
        Server::Floor { answer_bytes } => {
            let floor = floor::start(*answer_bytes).await?;
            announce(floor.addr).await
        }
        Server::Relay { fal, model } => {
            let relay = relay::start(*fal, model).await?;
            announce(relay.addr).await
        }
        Server::Gateway { fal } => {
            serve_gateway(server, configuration(*fal).map_err(failed)?).await
        }
        Server::SmallGateway { fal, max_in_flight } => {
            let config = configuration(*fal).map_err(failed)?;
            let config = Config { max_in_flight: *max_in_flight, ..config };
            serve_gateway(server, config).await
        }
        Server::Sim { models } => serve_sim(server, *models, f64::INFINITY).await,
        Server::SlowSim => serve_sim(server, 0, 1.0).await,
        Server::Attack { attack, gateway, connections } => {
            let _attackers = attack.begin(*gateway, *connections).await?;
            announce(*gateway).await
        }
    }
}

async fn serve_gateway(server: &Server, config: Config) -> Result<(), Error> {
    // It exports nothing, so nothing is left to send at the end.
    drop(Telemetry::install(&config).map_err(|error| server.failed(error.to_string()))?);
    let gateway = gateway::start(config).await.map_err(|error| server.failed(error.to_string()))?;
    announce(gateway.addr()).await
}

async fn serve_sim(server: &Server, models: usize, speed: f64) -> Result<(), Error> {
    let config = fal_sim::Config {
        models: match models {
            0 => fal_sim::Models::BuiltIn,
            count => fal_sim::Models::Generated(count),
        },
        speed,
        any_key: true,
        concurrency: usize::MAX,
        ledger_requests: 0,
        ledger_submits: 1,
        max_jobs: JOBS,
        ..fal_sim::Config::default()
    };
    let sim = fal_sim::start(config).await.map_err(|error| server.failed(error.to_string()))?;
    announce(sim.addr()).await
}

/// The defaults, on a free port, in front of the stand-in, with a log as quiet as the floor's and a
/// catalogue that is loaded without long pauses.
fn configuration(fal: SocketAddr) -> Result<Config, String> {
    let host = |host: Host| format!("http://{fal}/{}", host.prefix());
    let environment = [
        ("FAL_MCP_PORT", "0".to_owned()),
        // Counting is on, as with the defaults, on a port of its own.
        ("FAL_MCP_ADMIN_ADDR", "127.0.0.1:0".to_owned()),
        ("FAL_MCP_LOG_LEVEL", "error".to_owned()),
        // The pause between two pages spares fal; here it would only be waited for.
        ("FAL_MCP_CATALOG_PAGE_INTERVAL_MS", "10".to_owned()),
        ("FAL_QUEUE_URL", host(Host::Queue)),
        ("FAL_RUN_URL", host(Host::Run)),
        ("FAL_REST_URL", host(Host::Rest)),
        ("FAL_API_URL", format!("{}/v1", host(Host::Api))),
        ("FAL_WEB_URL", host(Host::Web)),
        ("FAL_DOCS_URL", format!("{}/mcp", host(Host::Docs))),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    let (config, _) =
        Config::resolve(&Flags::default(), environment).map_err(|mistakes| mistakes.to_string())?;
    Ok(config)
}

/// Says where, and returns when there is nobody left to serve.
async fn announce(addr: SocketAddr) -> Result<(), Error> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{addr}")?;
    stdout.flush()?;
    let mut rest = [0; 64];
    while tokio::io::stdin().read(&mut rest).await? > 0 {}
    Ok(())
}
