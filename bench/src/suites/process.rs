//! What the gateway costs before anyone calls: time from start to ready, memory at rest and with a
//! long catalogue, size of the binary.

use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::Instant;

use super::{MANY_MODELS, NOBODY, Plan, Suite, catalogue_loaded};
use crate::connection::Connection;
use crate::error::Error;
use crate::figure::{Case, Figure, Target, Unit};
use crate::request;
use crate::server::{Running, Server};

/// The suite.
pub(super) const SUITE: Suite = Suite { name: "process", run: |plan| run(plan).boxed_local() };

/// Work that a start leaves behind is over by then.
const SETTLED: Duration = Duration::from_millis(100);

async fn run(plan: &Plan) -> Result<Vec<Case>, Error> {
    let mut ready_ms = Vec::with_capacity(plan.starts);
    let mut memory = Vec::with_capacity(plan.starts);
    for _ in 0..plan.starts {
        let begin = Instant::now();
        let gateway = Running::start(&Server::Gateway { fal: NOBODY }).await?;
        let readiness = request::get(gateway.addr, "/readyz", &[]);
        Connection::open(gateway.addr).await?.ask(&readiness).await?;
        ready_ms.push(begin.elapsed().as_secs_f64() * 1000.0);
        tokio::time::sleep(SETTLED).await;
        memory.extend(gateway.resident_mib());
    }
    let mut figures = vec![
        Figure::new("start to ready", Unit::Milliseconds, ready_ms).hoped(Target::AtMost(100.0)),
        Figure::new("resident memory, idle", Unit::Mebibytes, memory).hoped(Target::AtMost(30.0)),
    ];
    if let Some(size) = binary_mib() {
        let figure = Figure::new("size of the binary", Unit::Mebibytes, [size]);
        figures.push(figure.hoped(Target::AtMost(20.0)));
    }
    let at_rest = Case { name: "the gateway at rest".to_owned(), figures };
    Ok(vec![at_rest, with_catalogue(plan).await?])
}

/// The memory of a gateway that has loaded a long catalogue.
async fn with_catalogue(plan: &Plan) -> Result<Case, Error> {
    let sim = Running::start(&Server::Sim { models: MANY_MODELS }).await?;
    let mut memory = Vec::with_capacity(plan.rounds);
    for _ in 0..plan.rounds {
        let gateway = Running::start(&Server::Gateway { fal: sim.addr }).await?;
        catalogue_loaded(&gateway).await?;
        tokio::time::sleep(SETTLED).await;
        memory.extend(gateway.resident_mib());
    }
    let figure = Figure::new("resident memory", Unit::Mebibytes, memory);
    Ok(Case {
        name: format!("the gateway with {MANY_MODELS} models"),
        figures: vec![figure.hoped(Target::AtMost(30.0))],
    })
}

/// The gateway's own binary, if it was built beside this one and as a release.
fn binary_mib() -> Option<f64> {
    if cfg!(debug_assertions) {
        return None;
    }
    let here = std::env::current_exe().ok()?;
    let bytes = std::fs::metadata(here.with_file_name("fal-mcp-gateway")).ok()?.len();
    Some(f64::from(u32::try_from(bytes).ok()?) / f64::from(1 << 20))
}
