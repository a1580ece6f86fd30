//! A well-behaved client beside clients that do harm: how long its answers take, against how long
//! they take when all is quiet, and what the gateway's memory comes to.

use clap::ValueEnum as _;
use futures_util::FutureExt as _;
use serde_json::json;

use super::against_floor::Question;
use super::{NOBODY, Plan, Suite};
use crate::error::Error;
use crate::figure::{Case, Figure, Target, Unit};
use crate::load::Round;
use crate::request::{self, Form};
use crate::serve::Attack;
use crate::server::{Running, Server};

/// The suite.
pub(super) const SUITE: Suite = Suite { name: "abuse", run: |plan| run(plan).boxed_local() };

/// The well-behaved client: far below what the gateway can do, so that waiting is not its own doing.
const CONNECTIONS: usize = 4;
const PER_SECOND: f64 = 400.0;

async fn run(plan: &Plan) -> Result<Vec<Case>, Error> {
    let mut cases = Vec::new();
    for attack in Attack::value_variants() {
        cases.push(beside(plan, *attack).await?);
    }
    Ok(cases)
}

/// How many connections an attack holds or makes each second.
fn connections(plan: &Plan, attack: Attack) -> u32 {
    match attack {
        Attack::Idle => plan.attackers,
        Attack::SlowHeads | Attack::SlowBodies => plan.attackers / 10,
        Attack::LargeHeads | Attack::RapidReset => plan.attackers / 100,
        Attack::LargeBodies => plan.attackers.div_ceil(2_500),
    }
}

async fn beside(plan: &Plan, attack: Attack) -> Result<Case, Error> {
    let gateway = Running::start(&Server::Gateway { fal: NOBODY }).await?;
    let request = |addr| request::mcp(addr, Form::Modern, "tools/list", None, json!({}));
    let question = Question { gateway: &gateway, request: &request, member: "/result/tools" };
    let client = question.side(&gateway).await?;
    let round = async |length| client.steady_round(CONNECTIONS, PER_SECOND, length).await;
    let connections = connections(plan, attack);
    let attack_server = Server::Attack { attack, gateway: gateway.addr, connections };

    round(plan.warm_up).await?;
    let before = gateway.resident_mib();
    let (mut quiet, mut beside, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        quiet.push(round(plan.round).await?);
        let attackers = Running::start(&attack_server).await?;
        beside.push(round(plan.round).await?);
        memory.extend(gateway.resident_mib());
        attackers.stop().await?;
        // The end of so many connections is work too, and no part of the next round.
        round(plan.warm_up).await?;
    }
    let p99 = |name: &str, rounds: &[Round]| {
        Figure::new(name, Unit::Milliseconds, rounds.iter().map(|round| round.percentile_ms(99)))
    };
    let ratios = super::pairwise(&quiet, &beside, |quiet, beside| {
        beside.percentile_ms(99) / quiet.percentile_ms(99)
    });
    let figures = vec![
        p99("p99, quiet", &quiet),
        p99("p99, beside it", &beside),
        Figure::new("p99, beside it / quiet", Unit::Ratio, ratios).hoped(Target::AtMost(2.0)),
        Figure::new("resident memory before", Unit::Mebibytes, before),
        Figure::new("resident memory beside it", Unit::Mebibytes, memory),
    ];
    let every = if attack.holds() { "" } else { " a second" };
    Ok(Case { name: format!("{}, {connections} connections{every}", attack.name()), figures })
}
