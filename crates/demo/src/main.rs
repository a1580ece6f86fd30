//! The gateway and the stand-in for fal in one process, on loopback: the whole thing to try, with no
//! account, no network and no cost. Runs until Ctrl-C.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use clap::Parser;
use gateway::{Config, Gateway};
use url::Url;

/// Try the gateway against a stand-in for fal: no account, no network, no cost.
#[derive(Debug, Parser)]
#[command(name = "demo", version)]
struct Flags {
    /// Port of the MCP endpoint, 0 picks one
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// How much faster than fal the stand-in's models run
    #[arg(long, default_value_t = 10.0)]
    speed: f64,
}

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Flags::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!(
                "The demo cannot run: {error}\nAnother port: cargo run --release -p demo -- --port 0"
            ));
            ExitCode::FAILURE
        }
    }
}

async fn run(flags: &Flags) -> Result<(), Error> {
    let sim = fal_sim::start(fal_sim::Config { speed: flags.speed, ..fal_sim::Config::default() })
        .await?;
    let config = config(flags.port, &sim)?;
    // It exports nothing, so nothing is left to send at the end.
    drop(gateway::Telemetry::install(&config)?);
    let gateway = gateway::start(config).await?;
    say(&instructions(&gateway));
    tokio::signal::ctrl_c().await?;
    gateway.shutdown().await;
    sim.shutdown().await;
    Ok(())
}

/// The gateway's configuration with the stand-in in fal's place.
fn config(port: u16, sim: &fal_sim::Sim) -> Result<Config, Error> {
    let host = |path: &str| Url::parse(&format!("{}{path}", sim.url()));
    Ok(Config {
        addr: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        admin_addr: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
        log_level: "warn".to_owned(),
        hosts: gateway::Hosts {
            queue: host("/queue")?,
            api: host("/api/v1")?,
            rest: host("/rest")?,
            web: host("/web")?,
            docs: host("/docs/mcp")?,
            cdn: vec![sim.addr().to_string()],
        },
        ..Config::default()
    })
}

fn instructions(gateway: &Gateway) -> String {
    let url = gateway.endpoint_url();
    let key = fal_sim::DEMO_KEY;
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    let call = |tool: &str, arguments: &str| {
        format!(
            "curl -s {url} -H 'Authorization: Bearer {key}' \\\n  \
             -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\\n  \
             -H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: tools/call' -H 'Mcp-Name: {tool}' \\\n  \
             -d '{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{{\"name\":\"{tool}\",\"arguments\":{arguments},{meta}}}}}'"
        )
    };
    format!(
        "\n\
The MCP endpoint   {url}\n\
A key for it       {key}\n\
For people         {page}\n\
For Prometheus     {metrics}\n\
\n\
Find a model:\n\n{search}\n\n\
Read its schema:\n\n{schema}\n\n\
Run it:\n\n{run}\n\n\
Claude Code:\n\n\
claude mcp add --transport http fal-demo {url} --header \"Authorization: Bearer {key}\"\n\n\
MCP Inspector:\n\n\
npx @modelcontextprotocol/inspector --cli {url} --transport http --header \"Authorization: Bearer {key}\" --method tools/list\n\n\
Everything runs on this machine; nothing is billed. Ctrl-C ends it.\n",
        page = url.trim_end_matches("mcp"),
        metrics =
            gateway.admin_addr().map_or("off".to_owned(), |addr| format!("http://{addr}/metrics")),
        search = call("search_models", r#"{"query":"text to image","limit":3}"#),
        schema = call("get_model_schema", r#"{"endpoint_id":"fal-ai/flux/schnell"}"#),
        run = call(
            "run_model",
            r#"{"endpoint_id":"fal-ai/flux/schnell","input":{"prompt":"a lighthouse at dawn"}}"#
        ),
    )
}

#[expect(clippy::print_stdout, reason = "what the demo has to say is for the terminal")]
fn say(text: &str) {
    println!("{text}");
}
