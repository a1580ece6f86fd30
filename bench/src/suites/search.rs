//! `search_models` over a long catalogue, which is in memory by then: against the floor at the same
//! number of bytes, then at half the rate that it can bear, where an answer's time is its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt as _;
use serde_json::json;

use super::against_floor::{CONNECTIONS, Question};
use super::{
    MANY_MODELS, Plan, Suite, catalogue_loaded, latency, memory_after, side_figures, tool_call,
};
use crate::connection::Connection;
use crate::error::Error;
use crate::figure::{Case, Figure, Target, Unit};
use crate::load::{Operation, Round, Side, steadily, take_turns};
use crate::server::{Running, Server};

/// The suite.
pub(super) const SUITE: Suite = Suite { name: "search", run: |plan| run(plan).boxed_local() };

/// What is looked for: words as they are written, and one with a slip, which costs a look at the
/// vocabulary.
const QUERIES: [(&str, &str); 2] =
    [("words", "image to video with sound"), ("a misspelt word", "backgroud removal")];

async fn run(plan: &Plan) -> Result<Vec<Case>, Error> {
    let sim = Running::start(&Server::Sim { models: MANY_MODELS }).await?;
    let gateway = Running::start(&Server::Gateway { fal: sim.addr }).await?;
    catalogue_loaded(&gateway).await?;
    let mut cases = Vec::new();
    for (what, query) in QUERIES {
        let request = |addr| tool_call(addr, "search_models", &json!({"query": query}));
        let member = "/result/structuredContent/models/0/endpoint_id";
        let question = Question { gateway: &gateway, request: &request, member };
        let compared = question.against_floor(plan, 0.5).await?;
        let most = Figure::new("", Unit::PerSecond, compared.gateway.iter().map(Round::per_second));
        let steady = question.at_rate(plan, most.median / 2.0).await?;
        let mut figures = compared.figures;
        let side = "gateway at half its rate";
        figures.extend([
            Figure::new(side, Unit::PerSecond, steady.iter().map(Round::per_second)),
            latency(side, 50, &steady),
            latency(side, 99, &steady).hoped(Target::AtMost(2.0)),
        ]);
        let name = format!("{what}, {MANY_MODELS} models, {} bytes", compared.answer_bytes);
        cases.push(Case { name, figures });
    }
    cases.push(never_asked_before(plan, &gateway).await?);
    cases.push(memory_after(&gateway));
    Ok(cases)
}

/// Questions that no kept answer fits, so that each is searched for: as fast as they are answered,
/// then at half that rate.
async fn never_asked_before(plan: &Plan, gateway: &Running) -> Result<Case, Error> {
    let operation = Fresh { addr: gateway.addr, count: Arc::default() };
    let side = Side { server: gateway, operation };
    let sides = [side];
    let [fast] = take_turns(plan, CONNECTIONS, &sides).await?;
    let [side] = sides;
    let most = Figure::new("", Unit::PerSecond, fast.iter().map(Round::per_second));
    let steady = steadily(plan, CONNECTIONS, most.median / 2.0, &side).await?;
    let mut figures = side_figures("gateway", &fast);
    let half = "gateway at half its rate";
    figures.extend([
        latency(half, 50, &steady),
        latency(half, 99, &steady).hoped(Target::AtMost(2.0)),
    ]);
    Ok(Case { name: format!("never asked before, {MANY_MODELS} models"), figures })
}

/// The same words each time, told apart by the spaces around them.
#[derive(Debug, Clone)]
struct Fresh {
    addr: SocketAddr,
    count: Arc<AtomicUsize>,
}

impl Operation for Fresh {
    async fn run(&mut self, connection: &mut Connection) -> Result<(), Error> {
        const WIDEST: usize = 180;
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let spaces = |count: usize| " ".repeat(count % WIDEST);
        let [(_, words), ..] = QUERIES;
        let query = format!("{}{words}{}", spaces(count), spaces(count / WIDEST));
        let request = tool_call(self.addr, "search_models", &json!({"query": query}));
        let answer = connection.ask(&request).await?;
        // Nothing but a page of models is that long.
        if answer.len() > 4000 { Ok(()) } else { Err(Error::wrong("a page of models", answer)) }
    }
}
