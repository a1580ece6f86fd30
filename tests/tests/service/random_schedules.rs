//! Random schedules of jobs, failures and disconnects: whatever happens, no call submits twice, no
//! accepted job is lost to its caller, none is cancelled unless its caller left and meant that, and
//! progress only rises.
//!
//! `PROPTEST_CASES=1000` tries so many for each policy. Schedules that once failed are kept in
//! `proptest-regressions` and tried first.

use std::collections::BTreeSet;
use std::time::Duration;

use fal_sim::{Fault, FaultKind, Operation, Received, Submit};
use futures_util::future::join_all;
use gateway::config::OnDisconnect;
use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};
use tests::{Attempt, Era, Outcome, Rig, real_time};
use tokio::time::timeout;

const MODEL: &str = "fal-ai/flux/schnell";
/// Cases for each policy.
const CASES: u32 = 15;
/// Longer than any wait here.
const LONG_SECONDS: u16 = 60;
const PATIENCE: Duration = Duration::from_mins(1);

/// What happens in one case.
#[derive(Clone, Debug)]
struct Schedule {
    calls: Vec<Call>,
    faults: Vec<(FaultKind, Operation, u32)>,
}

/// One call, by a caller with a key of its own.
#[derive(Clone, Debug)]
struct Call {
    era: Era,
    tool: &'static str,
    queue_ms: u16,
    run_ms: u16,
    /// What the stand-in is told about its end.
    end: &'static str,
    wait_seconds: u8,
    /// When the caller leaves, if it does.
    leaves_after_ms: Option<u16>,
}

impl Call {
    fn is_long(&self) -> bool {
        self.run_ms == LONG_SECONDS * 1_000
    }
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let faults = prop::collection::vec((fault_kinds(), operations(), 1..4_u32), 0..4);
    (prop::collection::vec(calls(), 1..8), faults)
        .prop_map(|(calls, faults)| Schedule { calls, faults })
}

fn calls() -> impl Strategy<Value = Call> {
    let era = prop_oneof![Just(Era::Modern), Just(Era::Legacy)];
    let tool = prop_oneof![2 => Just("run_model"), 1 => Just("submit_job")];
    // Most are quick; some wait or run for long enough for their answer to be a stream.
    let queue_ms = prop_oneof![3 => 0..300_u16, 1 => 2_000..2_500_u16];
    let run_ms = prop_oneof![4 => 0..300_u16, 1 => Just(LONG_SECONDS * 1_000)];
    let end = prop_oneof![
        4 => Just(""),
        1 => Just("[sim:content_policy]"),
        1 => Just("[sim:fail runner_server_error]"),
        1 => Just("[sim:cancelled]"),
    ];
    let leaves = prop::option::weighted(0.3, 0..800_u16);
    (era, tool, queue_ms, run_ms, end, 1..4_u8, leaves).prop_map(
        |(era, tool, queue_ms, run_ms, end, wait_seconds, leaves_after_ms)| Call {
            era,
            tool,
            queue_ms,
            run_ms,
            end,
            wait_seconds,
            leaves_after_ms,
        },
    )
}

fn operations() -> impl Strategy<Value = Operation> {
    prop_oneof![
        Just(Operation::Submit),
        Just(Operation::Status),
        Just(Operation::Stream),
        Just(Operation::Result),
    ]
}

fn fault_kinds() -> impl Strategy<Value = FaultKind> {
    prop_oneof![
        Just(FaultKind::DropBefore),
        Just(FaultKind::DropAfter),
        Just(FaultKind::CutBody),
        Just(FaultKind::MalformedJson),
        Just(FaultKind::AccountLocked),
        Just(FaultKind::ResultExpired),
        Just(FaultKind::RateLimited { retry_after: None }),
        prop::sample::select(vec![500, 503]).prop_map(|status| FaultKind::Server { status }),
        prop::sample::select(vec![502, 503]).prop_map(|status| FaultKind::Ingress { status }),
        (50..400_u64).prop_map(|milliseconds| FaultKind::SlowHeaders { milliseconds }),
    ]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_job_is_lost_where_the_protocol_decides_what_a_disconnect_means(schedule in schedules()) {
        follow(OnDisconnect::Auto, &schedule);
    }

    #[test]
    fn no_job_is_lost_where_every_disconnect_cancels(schedule in schedules()) {
        follow(OnDisconnect::Cancel, &schedule);
    }

    #[test]
    fn no_job_is_lost_where_no_disconnect_cancels(schedule in schedules()) {
        follow(OnDisconnect::Keep, &schedule);
    }
}

fn config() -> Config {
    let default = Config::default();
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => default,
        // Each case takes seconds of real time.
        None => Config { cases: CASES, max_shrink_iters: 60, ..default },
    }
}

fn follow(policy: OnDisconnect, schedule: &Schedule) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(async {
        timeout(PATIENCE, play(policy, schedule)).await.expect("the end of the schedule");
    });
}

async fn play(policy: OnDisconnect, schedule: &Schedule) {
    let sim = fal_sim::Config { any_key: true, ..real_time() };
    let rig = Rig::with(sim, |config| config.on_disconnect = policy).await;
    for (kind, operation, times) in &schedule.faults {
        rig.sim.faults().add(Fault::new(kind.clone()).on(*operation).times(*times));
    }
    let calls = schedule.calls.iter().enumerate();
    let attempts = join_all(calls.map(|(number, call)| make(&rig, number, call))).await;

    rig.sim.faults().clear();
    for number in 0..schedule.calls.len() {
        assert_finds_its_job(&rig, number).await;
    }
    let Rig { sim, gateway, .. } = rig;
    // Submits and cancellations that go on without their callers are over after this.
    gateway.shutdown().await;
    let submits = sim.ledger().submits();
    let cancelled = cancelled(&sim.ledger().requests());
    for ((number, call), attempt) in schedule.calls.iter().enumerate().zip(&attempts) {
        let mut own = submits.iter().filter(|submit| submit.key_id == key_id(number));
        let job = own.next();
        assert_eq!(own.next(), None, "a second submit by one call: {call:?}");
        match attempt {
            Some(attempt) => assert_knows_its_job(attempt, job, call),
            None => assert_left(policy, schedule, call, job, &cancelled),
        }
        if attempt.is_some()
            && let Some(job) = job
        {
            assert!(!cancelled.contains(&job.request_id), "cancelled for a caller that stayed");
        }
    }
    let sent = sim.ledger().calls(Operation::Submit);
    assert!(sent <= schedule.calls.len() as u64, "{sent} submits were sent");
}

fn key_id(number: usize) -> String {
    format!("caller-{number}")
}

/// Makes a call; nothing for a caller that left before its answer.
async fn make(rig: &Rig, number: usize, call: &Call) -> Option<Attempt> {
    let Call { era, tool, queue_ms, run_ms, end, wait_seconds, leaves_after_ms } = call;
    let [queue, run] = [queue_ms, run_ms].map(|ms| f64::from(*ms) / 1000.0);
    let prompt = format!("{number} [sim:queue {queue}][sim:slow {run}]{end}");
    let mut arguments = json!({"endpoint_id": MODEL, "input": {"prompt": prompt}});
    if *tool == "run_model" {
        arguments["wait_seconds"] = json!(wait_seconds);
    }
    let request = rig.tool(*era, tool, arguments).bearer(&format!("{}:secret", key_id(number)));
    let attempt = request.progress("p").attempt();
    match leaves_after_ms {
        None => Some(attempt.await),
        Some(ms) => timeout(Duration::from_millis((*ms).into()), attempt).await.ok(),
    }
}

/// The answer names the job that fal accepted, or how to find it; its progress only rises.
fn assert_knows_its_job(attempt: &Attempt, job: Option<&Submit>, call: &Call) {
    let response = attempt.response().unwrap_or_else(|| panic!("no answer: {attempt:?}"));
    let outcome = Outcome::of_response(response);
    let text = outcome.result["content"][0]["text"].as_str().unwrap();
    let body: Value = serde_json::from_str(text).unwrap();
    match (job, outcome.is_error()) {
        (Some(job), false) => assert_eq!(body["request_id"], job.request_id.as_str(), "{call:?}"),
        (None, false) => panic!("a job that fal does not have: {body}"),
        (Some(job), true) if body["request_id"].is_string() => {
            assert_eq!(body["request_id"], job.request_id.as_str(), "{call:?}");
        }
        (Some(_), true) => {
            assert_eq!(body["error"], "submit_outcome_unknown", "{body}");
            let next = body["next_step"].as_str().unwrap();
            assert!(next.contains("Do not submit again") && next.contains("list_jobs"), "{next}");
        }
        (None, true) => assert_eq!(body["request_id"], Value::Null, "{body}"),
    }
    let messages = attempt.messages();
    let progress = messages.iter().filter_map(|message| message["params"]["progress"].as_f64());
    let progress: Vec<f64> = progress.collect();
    assert!(progress.is_sorted_by(|before, after| before < after), "{progress:?}");
}

/// A job whose caller left is cancelled only if that is what leaving means, and then it is, unless a
/// failure or its own end came before.
fn assert_left(
    policy: OnDisconnect,
    schedule: &Schedule,
    call: &Call,
    job: Option<&Submit>,
    cancelled: &BTreeSet<String>,
) {
    let Some(job) = job else { return };
    let leaving_cancels = match policy {
        OnDisconnect::Auto => call.era == Era::Modern,
        OnDisconnect::Cancel => true,
        OnDisconnect::Keep => false,
    };
    let is_cancelled = cancelled.contains(&job.request_id);
    assert!(leaving_cancels || !is_cancelled, "cancelled against the policy: {call:?}");
    let waits_for_its_job = call.is_long() && call.tool == "run_model";
    if leaving_cancels && waits_for_its_job && schedule.faults.is_empty() {
        assert!(is_cancelled, "runs on for nobody: {call:?}");
    }
}

/// `list_jobs` shows a caller the job that fal accepted from it, if it did.
async fn assert_finds_its_job(rig: &Rig, number: usize) {
    let list = rig.tool(Era::Legacy, "list_jobs", json!({"endpoint_id": MODEL}));
    let answer = list.bearer(&format!("{}:secret", key_id(number))).send().await;
    let listed = Outcome::of(&answer).into_value();
    for submit in rig.sim.ledger().submits() {
        if submit.key_id == key_id(number) {
            assert_eq!(listed["jobs"][0]["request_id"], submit.request_id.as_str(), "{listed}");
        }
    }
}

/// The jobs that fal was asked to cancel.
fn cancelled(requests: &[Received]) -> BTreeSet<String> {
    let cancels = requests.iter().filter(|request| request.operation == Operation::Cancel);
    let ids = cancels.filter_map(|request| request.path.rsplit('/').nth(1).map(str::to_owned));
    ids.collect()
}
