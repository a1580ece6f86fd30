//! The suites. [`SUITES`] is the only list of them. To add one: write `suites/<name>.rs` with a
//! `SUITE`, and add it to the list.

mod abuse;
mod against_floor;
mod overload;
mod process;
mod run_model;
mod schema;
mod search;
mod tools_list;
mod waiting;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::connection::Connection;
use crate::error::Error;
use crate::figure::{Case, Figure, Unit};
use crate::load::Round;
use crate::request::{self, Form};
use crate::server::Running;

/// Every suite, in the order in which they run.
pub(crate) const SUITES: [Suite; 8] = [
    process::SUITE,
    tools_list::SUITE,
    search::SUITE,
    schema::SUITE,
    run_model::SUITE,
    overload::SUITE,
    abuse::SUITE,
    waiting::SUITE,
];

/// A catalogue somewhat longer than fal's own.
const MANY_MODELS: usize = 1_500;
/// How long a gateway may take to load it.
const LOAD: Duration = Duration::from_mins(1);

/// A loopback address where nobody listens: the stand-in for fal of a gateway that needs none.
const NOBODY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

/// What a suite comes to.
type Measured<'a> = LocalBoxFuture<'a, Result<Vec<Case>, Error>>;

/// Something to measure, with servers of its own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Suite {
    /// What `--suite` calls it.
    pub(crate) name: &'static str,
    /// Measures.
    pub(crate) run: fn(&Plan) -> Measured<'_>,
}

/// How much is measured.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Rounds of each side.
    pub(crate) rounds: usize,
    /// The length of a round.
    pub(crate) round: Duration,
    /// How long each side runs before anything counts.
    pub(crate) warm_up: Duration,
    /// How often a process is started.
    pub(crate) starts: usize,
    /// Connections that are held idle; the other attacks are in proportion.
    pub(crate) attackers: u32,
    /// How many calls wait for their jobs at the same time.
    pub(crate) waiting: u32,
}

impl Plan {
    /// For figures to quote.
    pub(crate) const FULL: Self = Self {
        rounds: 7,
        round: Duration::from_secs(2),
        warm_up: Duration::from_millis(500),
        starts: 21,
        attackers: 10_000,
        waiting: 10_000,
    };
    /// For a look, and for CI.
    pub(crate) const QUICK: Self = Self {
        rounds: 3,
        round: Duration::from_millis(500),
        warm_up: Duration::from_millis(200),
        starts: 5,
        attackers: 500,
        waiting: 1_000,
    };
}

/// Throughput, latency and processor time of one side.
fn side_figures(side: &str, rounds: &[Round]) -> Vec<Figure> {
    let mut figures = vec![
        Figure::new(side, Unit::PerSecond, rounds.iter().map(Round::per_second)),
        latency(side, 50, rounds),
        latency(side, 99, rounds),
    ];
    let processor: Vec<f64> = rounds.iter().filter_map(Round::processor_us).collect();
    if !processor.is_empty() {
        figures.push(Figure::new(format!("{side}, processor time"), Unit::Microseconds, processor));
    }
    figures
}

fn latency(side: &str, percent: usize, rounds: &[Round]) -> Figure {
    let name = format!("{side}, p{percent}");
    Figure::new(name, Unit::Milliseconds, rounds.iter().map(|round| round.percentile_ms(percent)))
}

/// What `of` makes of each round and the one that followed it.
fn pairwise<'a>(
    first: &'a [Round],
    second: &'a [Round],
    of: impl Fn(&Round, &Round) -> f64 + 'a,
) -> impl Iterator<Item = f64> + 'a {
    first.iter().zip(second).map(move |(first, second)| of(first, second))
}

/// A call of a tool.
fn tool_call(addr: SocketAddr, tool: &str, arguments: &Value) -> Vec<u8> {
    let params = json!({"name": tool, "arguments": arguments});
    request::mcp(addr, Form::Modern, "tools/call", Some(tool), params)
}

/// Waits until the gateway has its catalogue in memory: it can say how many models there are then.
async fn catalogue_loaded(gateway: &Running) -> Result<(), Error> {
    let end = Instant::now() + LOAD;
    let request = tool_call(gateway.addr, "search_models", &json!({"limit": 1}));
    let mut connection = Connection::open(gateway.addr).await?;
    while Instant::now() < end {
        let answer: Value =
            serde_json::from_slice(connection.ask(&request).await?).unwrap_or_default();
        if answer.pointer("/result/structuredContent/total").is_some() {
            return Ok(());
        }
        sleep(Duration::from_millis(20)).await;
    }
    Err(Error::TimedOut(LOAD))
}

/// The gateway's memory at the end of a suite.
fn memory_after(gateway: &Running) -> Case {
    let memory = gateway.resident_mib();
    Case {
        name: "the gateway after all rounds".to_owned(),
        figures: vec![Figure::new("resident memory", Unit::Mebibytes, memory)],
    }
}
