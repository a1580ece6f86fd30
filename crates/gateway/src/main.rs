//! The binary: reads the configuration, serves until it is told to stop.

use std::process::ExitCode;

use clap::Parser as _;
use gateway::config::{Config, ENV_KEY, Flags, Transport};

/// Exit status for a configuration that cannot be used.
const BAD_CONFIGURATION: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect::<Vec<_>>();
    let key = environment.iter().find(|(name, _)| name == ENV_KEY).map(|(_, key)| key.clone());
    let (config, warnings) = match Config::resolve(&Flags::parse(), environment) {
        Ok(resolved) => resolved,
        Err(mistakes) => return refuse(&mistakes.to_string()),
    };
    if let Err(mistake) = gateway::logging::install(&config) {
        return refuse(&mistake);
    }
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let key = match (config.transport, key) {
        (Transport::Http, _) => None,
        (Transport::Stdio | Transport::Dual, None) => {
            return refuse("FAL_KEY is not set; the stdio transport needs the caller's key there");
        }
        (Transport::Stdio | Transport::Dual, Some(key)) => match fal::Key::parse(&key) {
            Ok(key) => Some(key),
            Err(problem) => return refuse(&format!("FAL_KEY: {problem}")),
        },
    };
    match run(config, key).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "cannot run");
            ExitCode::FAILURE
        }
    }
}

async fn run(
    config: Config,
    key: Option<fal::Key>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let listens = config.transport != Transport::Stdio;
    let gateway = if listens { Some(gateway::start(config.clone()).await?) } else { None };
    if let Some(gateway) = &gateway {
        tracing::info!(endpoint = gateway.endpoint_url(), addr = %gateway.addr(), "listening");
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

#[expect(clippy::print_stderr, reason = "there is no log before the configuration is read")]
fn refuse(mistakes: &str) -> ExitCode {
    eprintln!("{mistakes}");
    ExitCode::from(BAD_CONFIGURATION)
}
