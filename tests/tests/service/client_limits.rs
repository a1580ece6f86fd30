//! What real clients wait for, replayed against every call that can be slow: a first byte soon, an
//! event now and then, and a handle before anyone gives up.
//!
//! It takes as long as `run_model` waits by default, in real time: all cases run beside each other.

use std::time::Duration;

use fal_sim::{Fault, FaultKind, Operation};
use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, join_all};
use serde_json::{Value, json};
use tests::{Era, Events, Outcome, Request, Rig, real_time};
use tokio::time::Instant;

use crate::shown;

/// What we promise to everyone.
const FIRST_BYTE: Duration = Duration::from_secs(3);
const BETWEEN_EVENTS: Duration = Duration::from_secs(15);
const WHOLE: Duration = Duration::from_secs(50);

/// A client's limits, as observed or documented. Progress extends none of them.
struct Client {
    name: &'static str,
    /// For the head of the answer.
    head: Duration,
    /// Between two messages.
    silence: Duration,
    /// For the whole call.
    whole: Duration,
}

const NONE: Duration = Duration::MAX;
const CLIENTS: [Client; 6] = [
    Client { name: "Claude Code 2.1", head: seconds(60), silence: seconds(300), whole: NONE },
    Client { name: "Codex 0.169", head: NONE, silence: NONE, whole: seconds(300) },
    Client { name: "Gemini CLI 0.61", head: NONE, silence: NONE, whole: seconds(600) },
    Client { name: "claude.ai connectors", head: seconds(60), silence: NONE, whole: seconds(300) },
    Client { name: "TypeScript SDK", head: seconds(60), silence: NONE, whole: seconds(60) },
    Client { name: "Python SDK", head: seconds(300), silence: seconds(300), whole: NONE },
];

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// How one call went.
struct Timing {
    case: String,
    first_byte: Duration,
    longest_gap: Duration,
    whole: Duration,
    outcome: Outcome,
}

#[tokio::test]
async fn every_slow_call_keeps_within_what_every_client_waits_for() {
    let cases =
        [waiting_for_jobs().boxed_local(), slow_hosts().boxed_local(), slow_jobs().boxed_local()];
    let timings: Vec<Timing> = join_all(cases).await.into_iter().flatten().collect();
    for timing in &timings {
        let Timing { case, first_byte, longest_gap, whole, .. } = timing;
        let text = format!("{case}: {first_byte:.1?}, gap {longest_gap:.1?}, whole {whole:.1?}");
        shown::measured(&text);
        assert!(*first_byte <= FIRST_BYTE, "{text}");
        assert!(*longest_gap <= BETWEEN_EVENTS, "{text}");
        assert!(*whole <= WHOLE, "{text}");
        for Client { name, head, silence, whole: patience } in &CLIENTS {
            let fits = first_byte < head && longest_gap < silence && whole < patience;
            assert!(fits, "{name} gives up on {text}");
        }
    }
}

/// Jobs that run for longer than a call waits.
async fn waiting_for_jobs() -> Vec<Timing> {
    let rig = Rig::with(real_time(), |_| ()).await.warm().await;
    let long = "a cat [sim:queue 0][sim:slow 300]";
    let mut arguments = Rig::ids(&rig.submit(long).await);
    // What the handle of a running job says to do next.
    arguments["wait_seconds"] = json!(45);
    let calls = [
        ("run_model, modern", rig.run(Era::Modern, long).progress("p")),
        ("run_model, legacy", rig.run(Era::Legacy, long).progress("p")),
        ("run_model without progress", rig.run(Era::Modern, long)),
        ("check_job", rig.tool(Era::Legacy, "check_job", arguments).progress("p")),
    ];
    let timings = time_all(calls).await;
    for Timing { case, outcome, .. } in &timings {
        assert_eq!(outcome.value()["status"], "processing", "{case}");
        assert!(outcome.value()["request_id"].is_string(), "{case}");
    }
    timings
}

/// A fal that answers no question of a tool.
async fn slow_hosts() -> Vec<Timing> {
    let rig = Rig::with(real_time(), |_| ()).await;
    let job = Rig::ids(&rig.submit("a cat [sim:queue 60]").await);
    rig.sim.faults().add(never());
    let model = json!({"endpoint_id": "fal-ai/flux/dev"});
    let calls = [
        ("search_docs", json!({"query": "queue"})),
        ("get_model_schema", model.clone()),
        ("get_pricing", model.clone()),
        ("list_jobs", model),
        ("check_job", job.clone()),
        ("get_job_result", job.clone()),
        ("cancel_job", job),
    ];
    let calls = calls.map(|(tool, arguments)| {
        let case = format!("{tool}, fal is silent");
        (case, rig.tool(Era::Modern, tool, arguments))
    });
    let timings = time_all(calls).await;
    for Timing { case, outcome, .. } in &timings {
        assert!(outcome.is_error(), "{case}: {}", outcome.result);
    }
    timings
}

/// A fal that falls silent somewhere in the life of a job: the answer is a handle, or says how to
/// find one.
async fn slow_jobs() -> Vec<Timing> {
    // It is over just before the waiting is.
    let late = "a cat [sim:queue 0][sim:slow 43]";
    let cases = [
        ("submit", Operation::Submit, "a cat"),
        ("status", Operation::Status, "a cat"),
        ("result", Operation::Result, late),
        ("preview", Operation::Cdn, late),
    ];
    let runs = cases.map(|(step, operation, prompt)| async move {
        let rig = Rig::with(real_time(), |_| ()).await.warm().await;
        rig.sim.faults().add(never().on(operation));
        let run = rig.run(Era::Legacy, prompt).progress("p");
        let run = run.set("/params/arguments/preview", json!(true));
        let timing = time(format!("run_model, fal is silent at the {step}"), run).await;
        match operation {
            Operation::Submit => {
                let next = timing.outcome.error("submit_outcome_unknown")["next_step"].clone();
                assert!(next.as_str().unwrap().contains("list_jobs"), "{next}");
            }
            _ => assert!(timing.outcome.value()["request_id"].is_string(), "{step}"),
        }
        timing
    });
    join_all(runs).await
}

fn never() -> Fault {
    Fault::new(FaultKind::SlowHeaders { milliseconds: 300_000 })
}

fn time_all<'a, C: Into<String>, const N: usize>(
    calls: [(C, Request); N],
) -> LocalBoxFuture<'a, Vec<Timing>> {
    join_all(calls.map(|(case, request)| time(case.into(), request))).boxed_local()
}

async fn time(case: String, request: Request) -> Timing {
    let sent = Instant::now();
    let mut events: Events = request.open().await;
    let mut last = sent;
    let mut timing = (None, Duration::ZERO);
    let mut response = None;
    while let Some(event) = events.next().await {
        let now = Instant::now();
        timing.0.get_or_insert(now - sent);
        timing.1 = timing.1.max(now - last);
        last = now;
        if let tests::Event::Message(message) = event {
            response = Some(message);
        }
    }
    let response: Value = response.expect("a response");
    Timing {
        case,
        first_byte: timing.0.expect("an event"),
        longest_gap: timing.1,
        whole: last - sent,
        outcome: Outcome::of_response(response),
    }
}
