//! The end under load: whoever was taken in has an answer.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use tests::raw::Connection;
use tests::{Era, Outcome, Rig, eventually_within, gateway_config, real_time};
use tokio::runtime;

const CALLERS: usize = 30;
/// Longer than the grace.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes one call after the other on one connection until the gateway closes it; answers with what
/// came back.
async fn call_until_the_end(addr: SocketAddr, call: &[u8], answered: &AtomicUsize) -> Vec<Value> {
    let mut connection = Connection::open(addr).await;
    let mut answers = Vec::new();
    loop {
        connection.write(call).await;
        let Some(answer) = connection.read_answer(PATIENCE).await else { return answers };
        let answer = serde_json::from_str(&answer).expect("a JSON-RPC response");
        answers.push(Outcome::of_response(answer).into_value());
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn every_job_that_fal_has_is_known_to_the_caller_that_asked_for_it() {
    let sim = fal_sim::Config { concurrency: usize::MAX, ..real_time() };
    let rig = Rig::with(sim, |_| ()).await;
    // A runtime of its own ends with the gateway, as its process does, and with whatever it left.
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let config =
        gateway::Config { shutdown_grace: Duration::from_secs(6), ..gateway_config(&rig.sim) };
    let gateway = runtime.spawn(gateway::start(config)).await.unwrap().expect("the gateway starts");
    let addr = gateway.addr();
    let run = |seconds: f32| {
        let prompt = format!("a cat [sim:queue 0][sim:slow {seconds}]");
        let run = rig.run(Era::Modern, &prompt).header("accept", "application/json");
        run.to(format!("http://{addr}/mcp")).to_wire()
    };
    // Some jobs end while the gateway does, the others long after it.
    let (short, long) = (run(0.1), run(60.0));
    let calls = (0..CALLERS).map(|caller| if caller % 3 == 0 { &long } else { &short });
    let answered = AtomicUsize::new(0);
    let callers = join_all(calls.map(|call| call_until_the_end(addr, call, &answered)));
    let end = async {
        let busy = async || {
            let answered = answered.load(Ordering::Relaxed);
            answered >= 2 * CALLERS && rig.sim.ledger().submits().len() >= answered + CALLERS / 3
        };
        eventually_within(PATIENCE, "there is load", busy).await;
        runtime.spawn(gateway.shutdown()).await.unwrap();
        runtime.shutdown_background();
    };
    let (answers, ()) = tokio::join!(callers, end);

    let answers: Vec<Value> = answers.concat();
    let handles = answers.iter().filter(|answer| answer["status"] == "processing").count();
    assert!(handles >= CALLERS / 3, "{handles} handles");
    let known: BTreeSet<&str> =
        answers.iter().map(|answer| answer["request_id"].as_str().expect("a request_id")).collect();
    let submits = rig.sim.ledger().submits();
    let accepted: BTreeSet<&str> =
        submits.iter().map(|submit| submit.request_id.as_str()).collect();
    assert_eq!(known, accepted);
}
