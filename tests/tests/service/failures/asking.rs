//! The questions about a job that is there: how it stands, what came of it, and the wish to cancel it.
//! Each failure names the job and the way back to it.

use futures_util::future::join_all;

use super::*;

/// How a failure of a question about a job is told, up to what is said of the job.
fn rows() -> Vec<Row> {
    let again = "Call again in a little while.";
    let unreachable = "fal cannot be reached right now. Call again in a little while.";
    let timed_out = "fal did not answer in time";
    let dropped = "the connection to fal broke before the answer was complete";
    vec![
        (
            FaultKind::RateLimited { retry_after: None },
            "rate_limited",
            "fal's rate limit is reached",
            "Wait a few seconds, then call again.",
        ),
        (
            FaultKind::RateLimited { retry_after: Some(7) },
            "rate_limited",
            "fal's rate limit is reached",
            "Wait 7 s, then call again.",
        ),
        (
            FaultKind::Ingress { status: 502 },
            "ingress",
            "fal is not reachable behind its proxy (status 502)",
            unreachable,
        ),
        (
            FaultKind::Ingress { status: 503 },
            "ingress",
            "fal is not reachable behind its proxy (status 503)",
            unreachable,
        ),
        (
            FaultKind::Ingress { status: 504 },
            "ingress",
            "fal is not reachable behind its proxy (status 504)",
            unreachable,
        ),
        (FaultKind::DropBefore, "dropped", dropped, again),
        (FaultKind::DropAfter, "dropped", dropped, again),
        (FaultKind::CutBody, "dropped", dropped, again),
        (FaultKind::SlowHeaders { milliseconds: TOO_LONG }, "timed_out", timed_out, again),
        (FaultKind::StalledBody, "timed_out", timed_out, again),
        (
            FaultKind::AccountLocked,
            "account_locked",
            "fal has locked this account: Exhausted balance. Top up your balance at fal.ai/dashboard/billing.",
            "Do not submit more jobs. Ask the user to top up or unlock the account at https://fal.ai/dashboard/billing.",
        ),
    ]
}

fn malformed() -> Row {
    let again = "Call again in a little while.";
    (FaultKind::MalformedJson, "answer_malformed", "fal's answer cannot be read", again)
}

fn server(status: u16) -> Row {
    let message =
        if status == 500 { "fal failed with status 500" } else { "fal failed with status 503" };
    (FaultKind::Server { status }, "server", message, "Call again in a little while.")
}

/// Asks each of `tools` about one job, while `operation` fails.
async fn is_told(row: Row, operation: Operation, tools: &[(&str, Value)], of_the_job: &str) {
    let (kind, error, message, next_step) = row;
    let rig = rig_for(&kind).await;
    let request_id = rig.submit("a cat").await;
    rig.sim.faults().add(Fault::new(kind.clone()).on(operation));
    for (tool, more) in tools {
        let next_step = format!("{next_step} {}", of_the_job.replace("{}", &request_id));
        let expected = failed(error, message, &next_step, ids_and_wait(&kind, &request_id));
        let got = ask(&rig, tool, &request_id, more.clone()).await;
        assert_eq!(got, (200, expected), "{tool} {kind:?}");
    }
    assert_eq!(rig.sim.ledger().calls(Operation::Submit), 1, "{kind:?}");
}

const NOT_TOUCHED: &str = "The job {} itself is not touched by this; ask for it again with check_job, do not submit it again.";

#[tokio::test]
async fn the_status() {
    let tools = [("check_job", json!({}))];
    let rows = rows().into_iter().chain([malformed(), server(500), server(503)]);
    join_all(rows.map(|row| is_told(row, Operation::Status, &tools, NOT_TOUCHED))).await;
}

#[tokio::test]
async fn the_result() {
    let tools = [
        ("get_job_result", json!({})),
        ("check_job", json!({})),
        ("check_job", json!({"action": "result"})),
        ("check_job", json!({"wait_seconds": 1})),
    ];
    let rows = rows().into_iter().chain([malformed()]);
    join_all(rows.map(|row| is_told(row, Operation::Result, &tools, NOT_TOUCHED))).await;
}

#[tokio::test]
async fn the_cancellation() {
    let tools = [("cancel_job", json!({})), ("check_job", json!({"action": "cancel"}))];
    let perhaps = "The job {} may not be cancelled: check_job shows how it stands, and cancel_job may be called again.";
    let rows = rows().into_iter().chain([server(500), server(503)]);
    join_all(rows.map(|row| is_told(row, Operation::Cancel, &tools, perhaps))).await;
}

#[tokio::test]
async fn a_job_that_fal_forgot_or_that_was_never_this_callers() {
    let rig = rig().await;
    let request_id = "019e6d0a-0000-7000-8000-000000000000";
    let next_step = "Check both ids: results are kept for a limited time, and only the key that submitted a job sees it. list_jobs with endpoint_id `fal-ai/flux/schnell` shows the account's recent jobs. Do not submit again before that.";
    let message = "fal has no such request, or no longer";
    let expected = failed("request_not_found", message, next_step, ids(request_id));
    for (tool, more) in [
        ("check_job", json!({})),
        ("check_job", json!({"wait_seconds": 1})),
        ("get_job_result", json!({})),
        ("cancel_job", json!({})),
        ("check_job", json!({"action": "cancel"})),
    ] {
        assert_eq!(ask(&rig, tool, request_id, more).await, (200, expected.clone()), "{tool}");
    }
}
