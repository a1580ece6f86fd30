//! The binary: reads the configuration, serves until it is told to stop.

mod probe;

use std::process::ExitCode;

use clap::Parser as _;
use gateway::Telemetry;
use gateway::config::{Config, Flags, Transport};

#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit status for a configuration that cannot be used.
const BAD_CONFIGURATION: u8 = 2;

/// A stateless Streamable HTTP MCP gateway to fal
#[derive(Debug, clap::Parser)]
#[command(name = "fal-mcp-gateway", version = gateway::VERSION)]
struct Command {
    #[command(flatten)]
    flags: Flags,
    /// Read every setting, say what they come to (exit 0) or all that is wrong with them (exit 2)
    #[arg(long)]
    check_config: bool,
    /// Ask the gateway that runs with the same settings whether it is alive: exit 0 if it is, else 1
    #[arg(long, conflicts_with = "check_config")]
    probe: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = Command::parse();
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let (mut config, warnings) = match Config::resolve(&command.flags, environment) {
        Ok(resolved) => resolved,
        Err(mistakes) => return refuse(&mistakes.to_string()),
    };
    if command.check_config {
        return check(config, &warnings);
    }
    if command.probe {
        return match probe::probe(config.addr).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(problem) => fail(&problem, ExitCode::FAILURE),
        };
    }
    let telemetry = match Telemetry::install(&config) {
        Ok(telemetry) => telemetry,
        Err(mistake) => return refuse(&mistake.to_string()),
    };
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let key = config.key.take();
    let ran = run(config, key).await;
    if let Err(error) = &ran {
        tracing::error!(%error, "cannot run");
    }
    telemetry.shutdown().await;
    if ran.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Says what the gateway would do, or why it would not start.
#[expect(clippy::print_stdout, reason = "the answer to a question on the command line")]
fn check(config: Config, warnings: &[String]) -> ExitCode {
    let summary = config.summary();
    if let Err(error) = gateway::check(config) {
        return refuse(&error.to_string());
    }
    println!("{summary}");
    for warning in warnings {
        println!("Warning: {warning}");
    }
    ExitCode::SUCCESS
}

async fn run(
    config: Config,
    key: Option<fal::Key>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let listens = config.transport != Transport::Stdio;
    let gateway = if listens { Some(gateway::start(config.clone()).await?) } else { None };
    if let Some(gateway) = &gateway {
        let admin_addr = gateway.admin_addr().map(tracing::field::display);
        let (endpoint, addr) = (gateway.endpoint_url(), gateway.addr());
        tracing::info!(endpoint, %addr, admin_addr, "listening");
    }
    match key {
        None => stop_signal().await?,
        Some(key) => {
            let (input, output) = (tokio::io::stdin(), tokio::io::stdout());
            let lines = gateway::serve_stdio(config, gateway.as_ref(), key, input, output);
            tokio::select! {
                served = lines => served?,
                signal = stop_signal() => signal?,
            }
        }
    }
    if let Some(gateway) = gateway {
        tracing::info!("stopping; running calls may end, a second signal ends at once");
        tokio::select! {
            () = gateway.shutdown() => {}
            signal = stop_signal() => signal?,
        }
    }
    Ok(())
}

/// Resolves on SIGTERM or Ctrl-C.
async fn stop_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupt = tokio::signal::ctrl_c() => interrupt,
    }
}

fn refuse(mistakes: &str) -> ExitCode {
    fail(mistakes, ExitCode::from(BAD_CONFIGURATION))
}

#[expect(clippy::print_stderr, reason = "there is no log before the configuration is read")]
fn fail(problem: &str, status: ExitCode) -> ExitCode {
    eprintln!("{problem}");
    status
}
