//! What the process does when it is told to stop.

use std::time::Duration;

use fal_sim::Sim;
use tests::{Era, Outcome, Request, eventually, http_client};
use tokio::time::sleep;

use crate::load;
use crate::replica::Replica;

/// A call that waits for a job.
fn run(replica: &Replica, prompt: &str) -> Request {
    let arguments = serde_json::json!({
        "endpoint_id": "fal-ai/flux/schnell",
        "input": {"prompt": prompt},
    });
    let endpoint = format!("http://{}/mcp", replica.addr);
    Request::tool_call(&http_client(), &endpoint, "a:b", Era::Legacy, "run_model", arguments)
}

async fn submitted(sim: &Sim) {
    eventually("the job is submitted", async || !sim.ledger().submits().is_empty()).await;
}

#[tokio::test]
async fn on_sigterm_it_finishes_the_running_call_and_exits_with_0() {
    let sim = load::sim().await;
    let mut replica = Replica::start(&sim, &[]).await;
    let running = run(&replica, "a cat [sim:queue 0][sim:slow 1.5]").send();
    let stop = async {
        submitted(&sim).await;
        replica.terminate().await;
        replica.ended().await
    };
    let (answer, status) = tokio::join!(running, stop);
    assert_eq!(Outcome::of(&answer).value()["status"], "completed");
    assert_eq!(status.code(), Some(0), "{status}");
}

#[tokio::test]
async fn a_second_sigterm_ends_it_at_once() {
    let sim = load::sim().await;
    let mut replica = Replica::start(&sim, &[]).await;
    let running = run(&replica, "a cat [sim:queue 0][sim:slow 30]").attempt();
    let stop = async {
        submitted(&sim).await;
        replica.terminate().await;
        sleep(Duration::from_millis(500)).await;
        assert!(replica.is_running(), "the first one waits for the call");
        replica.terminate().await;
        replica.ended().await
    };
    let (attempt, _) = tokio::join!(running, stop);
    assert_eq!(attempt.response(), None, "the call was cut");
}
