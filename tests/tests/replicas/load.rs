//! A bounded load: agents of both eras, each with a key of its own, and what must be true of their
//! jobs in the end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use fal_sim::Sim;
use tests::{Era, http_client};
use tokio::task::JoinSet;

use crate::agent::{Agent, Way};
use crate::tally::Tally;

/// How many agents work at the same time.
const AGENTS: u32 = 50;

/// A stand-in that takes fal's own time and any key.
pub(crate) async fn sim() -> Sim {
    let config = fal_sim::Config {
        any_key: true,
        concurrency: usize::MAX,
        ledger_requests: 0,
        ..fal_sim::Config::default()
    };
    fal_sim::start(config).await.expect("the stand-in starts")
}

/// The jobs that are left to do, shared by the agents.
#[derive(Clone, Debug)]
pub(crate) struct Jobs(Arc<AtomicU32>);

impl Jobs {
    /// So many.
    pub(crate) fn new(count: u32) -> Self {
        Self(Arc::new(AtomicU32::new(count)))
    }

    /// No more are begun.
    pub(crate) fn stop(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Takes one; its number.
    fn take(&self) -> Option<u32> {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).ok()
    }

    /// Whether all were taken.
    pub(crate) fn are_taken(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

/// Has agents do `jobs` through the balancer's endpoint; the books of all.
pub(crate) async fn run(endpoint: &str, jobs: Jobs) -> Tally {
    let mut agents = JoinSet::new();
    for number in 0..AGENTS {
        let agent = Agent {
            endpoint: endpoint.to_owned(),
            client: http_client(),
            key: format!("agent-{number}:secret"),
            era: if number % 2 == 0 { Era::Modern } else { Era::Legacy },
            tally: Tally::default(),
        };
        agents.spawn(work(agent, jobs.clone()));
    }
    let mut tally = Tally::default();
    while let Some(agent) = agents.join_next().await {
        tally.add(agent.expect("an agent"));
    }
    tally
}

async fn work(mut agent: Agent, jobs: Jobs) -> Tally {
    while let Some(job) = jobs.take() {
        // Half of them run for longer than an answer may take before it becomes a stream.
        let (way, seconds) = match job % 4 {
            0 => (Way::Submit, 0.5),
            1 => (Way::Run, 1.0),
            2 => (Way::Submit, 2.5),
            _ => (Way::Run, 3.5),
        };
        let prompt = format!("job {job} [sim:queue 0.2][sim:slow {seconds}]");
        agent.do_job(way, &prompt).await;
    }
    agent.tally
}

/// Every job that fal accepted was fetched, and no prompt was accepted twice.
pub(crate) fn assert_each_job_once(sim: &Sim, tally: &Tally) {
    let submits = sim.ledger().submits();
    let accepted: BTreeSet<String> =
        submits.iter().map(|submit| submit.request_id.clone()).collect();
    assert_eq!(accepted, tally.fetched, "accepted, and fetched");
    // Every prompt is different, and equal inputs have equal hashes.
    let inputs: BTreeSet<&str> = submits.iter().map(|submit| submit.input_hash.as_str()).collect();
    assert_eq!(inputs.len(), submits.len(), "an input was accepted twice");
}
