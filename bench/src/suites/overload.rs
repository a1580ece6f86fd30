//! Overload: callers for three times the requests that the gateway takes at the same time. Those it
//! takes are hoped to be as many as without the others, and those it refuses to know it at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{Plan, Suite, latency, memory_after, pairwise, side_figures, tool_call};
use crate::connection::Connection;
use crate::error::Error;
use crate::figure::{Case, Figure, Target, Unit};
use crate::load::{Operation, Round, Side};
use crate::server::{Running, Server};

/// The suite.
pub(super) const SUITE: Suite = Suite { name: "overload", run: |plan| run(plan).boxed_local() };

/// The gateway's limit of requests at the same time.
const CAPACITY: usize = 32;
/// How long each job takes, and how long a caller that was refused waits before it tries again: so
/// that the callers are always as many as they are.
const JOB: Duration = Duration::from_millis(50);
const MODEL: &str = "fal-ai/flux/schnell";
/// In the result of a run that came to its end, whose text is JSON within JSON.
const COMPLETED: &[u8] = br#"\"status\":\"completed\""#;

async fn run(plan: &Plan) -> Result<Vec<Case>, Error> {
    let sim = Running::start(&Server::SlowSim).await?;
    let small = Server::SmallGateway { fal: sim.addr, max_in_flight: CAPACITY };
    let gateway = Running::start(&small).await?;
    let prompt = format!("a cat [sim:queue 0][sim:slow {}]", JOB.as_secs_f64());
    let arguments = json!({"endpoint_id": MODEL, "input": {"prompt": prompt}});
    let request = tool_call(gateway.addr, "run_model", &arguments).into();
    let refusals = Refusals::default();
    let operation = Persistent { request, refusals: refusals.clone() };
    let side = Side { server: &gateway, operation };

    side.round(CAPACITY, plan.warm_up).await?;
    let (mut at_capacity, mut overloaded, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        at_capacity.push(side.round(CAPACITY, plan.round).await?);
        // What is refused so far is chance: an answer may arrive before its place is free.
        drop(refusals.take());
        overloaded.push(side.round(3 * CAPACITY, plan.round).await?);
        refused.push(Round::new(plan.round, 3 * CAPACITY, refusals.take()));
    }
    let mut figures = side_figures("at capacity", &at_capacity);
    let accepted = overloaded.iter().map(Round::per_second);
    let ratios = pairwise(&at_capacity, &overloaded, |capacity, overloaded| {
        overloaded.per_second() / capacity.per_second()
    });
    // What is used beyond the cost of those that were accepted.
    let cost = at_capacity.iter().zip(&overloaded).zip(&refused);
    let cost = cost.filter_map(|((capacity, overloaded), refused)| {
        let beyond = overloaded.processor_us()? - capacity.processor_us()?;
        Some(beyond * overloaded.operations() / refused.operations())
    });
    figures.extend([
        Figure::new("accepted at three times capacity", Unit::PerSecond, accepted),
        Figure::new("accepted, three times / once", Unit::Ratio, ratios)
            .hoped(Target::AtLeast(0.95)),
        Figure::new("refused", Unit::PerSecond, refused.iter().map(Round::per_second)),
        latency("refused", 50, &refused),
        latency("refused", 99, &refused).hoped(Target::AtMost(10.0)),
        Figure::new("refused, processor time", Unit::Microseconds, cost),
    ]);
    let name = format!("{} callers, {CAPACITY} requests at a time", 3 * CAPACITY);
    Ok(vec![Case { name, figures }, memory_after(&gateway)])
}

/// How long each refusal took, in nanoseconds.
#[derive(Debug, Clone, Default)]
struct Refusals(Arc<Mutex<Vec<u32>>>);

impl Refusals {
    fn add(&self, took: Duration) {
        let nanos = u32::try_from(took.as_nanos()).unwrap_or(u32::MAX);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(nanos);
    }

    fn take(&self) -> Vec<u32> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A run of a model by a caller who tries again until it is accepted.
#[derive(Debug, Clone)]
struct Persistent {
    request: Bytes,
    refusals: Refusals,
}

impl Operation for Persistent {
    async fn run(&mut self, connection: &mut Connection) -> Result<(), Error> {
        loop {
            let begun = Instant::now();
            match connection.exchange(&self.request).await? {
                (200, body) if body.windows(COMPLETED.len()).any(|bytes| bytes == COMPLETED) => {
                    return Ok(());
                }
                (503, _) => self.refusals.add(begun.elapsed()),
                (status, body) => {
                    return Err(Error::wrong(&format!("a run or 503 instead of {status}"), body));
                }
            }
            sleep(JOB).await;
        }
    }
}
