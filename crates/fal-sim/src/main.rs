//! The stand-in as a process of its own: reads flags, prints where it is and how to point the
//! gateway at it, and runs until it is told to stop.

use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use fal_sim::{Config, DEMO_KEY, Host, LOCKED_KEY, Models, NO_SCOPE_KEY, PRIVATE_KEY, Sim};
use tracing_subscriber::EnvFilter;

/// A stand-in for fal's public API on loopback. Nothing here costs anything.
///
/// An input steers its own job with a text such as `[sim:slow 30]`, `[sim:queue 5]`,
/// `[sim:content_policy]`, `[sim:fail startup_timeout]` or `[sim:cancelled]` in any of its fields.
#[derive(Debug, Parser)]
#[command(name = "fal-sim")]
struct Flags {
    /// Address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Port to listen on; 0 picks one.
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// How much faster than fal jobs run; `inf` finishes them at once.
    #[arg(long, default_value_t = 10.0)]
    speed: f64,
    /// Decides latencies and outputs.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// A catalogue to load, one model a line, plain or gzipped.
    #[arg(long)]
    catalog: Option<PathBuf>,
    /// OpenAPI documents to load, one a line, plain or gzipped.
    #[arg(long)]
    schemas: Option<PathBuf>,
    /// Makes variations of the built-in models until there are so many.
    #[arg(long, conflicts_with_all = ["catalog", "schemas"])]
    models: Option<usize>,
    /// Another key to accept. May be repeated.
    #[arg(long = "key")]
    keys: Vec<String>,
    /// Accepts every well-formed key.
    #[arg(long)]
    any_key: bool,
    /// Jobs of one key in progress at the same time.
    #[arg(long, default_value_t = 40)]
    concurrency: usize,
    /// Seconds for which a finished job's result can be fetched.
    #[arg(long, default_value_t = 3600)]
    result_retention_seconds: u64,
    /// Platform API requests a minute without a key.
    #[arg(long)]
    anonymous_rate_limit: Option<u32>,
    /// Platform API requests a minute with a key.
    #[arg(long)]
    rate_limit: Option<u32>,
    /// The address that outsiders use, for media and upload URLs.
    #[arg(long)]
    public_url: Option<String>,
    /// How many requests the ledger remembers.
    #[arg(long, default_value_t = 10_000)]
    ledger_requests: usize,
    /// Serves the queue at the root of a TLS port.
    #[arg(long)]
    tls_queue_port: Option<u16>,
    /// Serves runs at the root of a TLS port.
    #[arg(long)]
    tls_run_port: Option<u16>,
    /// Where to write the certificate that the TLS ports' clients have to trust.
    #[arg(long)]
    certificate_out: Option<PathBuf>,
    /// What to log, as a filter; `fal_sim=debug` logs every request.
    #[arg(long, default_value = "info")]
    log: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let flags = Flags::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&flags.log))
        .with_writer(io::stderr)
        .init();
    match run(flags).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = %Chain(error.as_ref()), "the stand-in stops");
            ExitCode::FAILURE
        }
    }
}

/// An error with everything behind it, on one line.
struct Chain<'a>(&'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

async fn run(flags: Flags) -> Result<(), Box<dyn std::error::Error>> {
    let tls = [(Host::Queue, flags.tls_queue_port), (Host::Run, flags.tls_run_port)];
    let certificate_out = flags.certificate_out.clone();
    let address = flags.host;
    let sim = fal_sim::start(flags.into_config()).await?;
    let mut lines = describe(&sim);
    for (host, port) in tls {
        let Some(port) = port else { continue };
        let listener = sim.tls_at(host, SocketAddr::new(address, port)).await?;
        let variable = if host == Host::Queue { "FAL_QUEUE_RUN_HOST" } else { "FAL_RUN_HOST" };
        lines.push(format!("{variable}={}", listener.addr));
        if let Some(path) = &certificate_out {
            std::fs::write(path, &listener.certificate_pem)?;
        }
    }
    print(&lines)?;
    stopped().await?;
    sim.shutdown().await;
    Ok(())
}

impl Flags {
    fn into_config(self) -> Config {
        let models = match (self.catalog, self.schemas, self.models) {
            (None, None, None) => Models::BuiltIn,
            (None, None, Some(count)) => Models::Generated(count),
            (catalog, schemas, _) => Models::Files { catalog, schemas },
        };
        Config {
            addr: SocketAddr::new(self.host, self.port),
            speed: self.speed,
            seed: self.seed,
            models,
            keys: self.keys,
            any_key: self.any_key,
            concurrency: self.concurrency,
            result_retention: Duration::from_secs(self.result_retention_seconds),
            anonymous_rate_limit: self.anonymous_rate_limit,
            rate_limit: self.rate_limit,
            public_url: self.public_url,
            ledger_requests: self.ledger_requests,
            ..Config::default()
        }
    }
}

fn describe(sim: &Sim) -> Vec<String> {
    let mut lines = vec![
        format!("fal-sim listens on {}", sim.url()),
        format!("  key that works:        {DEMO_KEY}"),
        format!("  key of a locked account: {LOCKED_KEY}"),
        format!("  key without scopes:    {NO_SCOPE_KEY}"),
        format!("  key with a private model: {PRIVATE_KEY}"),
        String::new(),
    ];
    lines.extend(sim.environment().map(|(name, url)| format!("{name}={url}")));
    lines
}

fn print(lines: &[String]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in lines {
        writeln!(out, "{line}")?;
    }
    out.flush()
}

/// Ends with Ctrl-C, or where there is such a thing with a request to terminate.
async fn stopped() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
