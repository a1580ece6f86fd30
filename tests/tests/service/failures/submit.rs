//! The submit: sent once, whatever comes of it, and never said to have failed where it may not have.

use futures_util::future::join_all;

use super::*;

const THERE_IS_NO_JOB: &str = "There is no job and nothing is billed.";
const UNKNOWN: (&str, &str, &str) = (
    "submit_outcome_unknown",
    "the request was sent to fal and no answer came back; the job may or may not exist",
    "Do not submit again yet: the job may exist and be billed. Call list_jobs with endpoint_id `fal-ai/flux/schnell` now and in a minute (a job shows there once it has started); if it is there, go on with its request_id in check_job, if it is not, submit again.",
);
const MOST_LIKELY_NONE: &str = "fal answered the submit with an error, so there is most likely no job; to be certain, list_jobs with endpoint_id `fal-ai/flux/schnell` shows the account's recent jobs. Then call again in a little while.";

/// Both tools that submit, in front of the same failure.
async fn is_told(kind: &FaultKind, error: &str, message: &str, next_step: &str) {
    let mut more = json!({});
    if matches!(kind, FaultKind::RateLimited { retry_after: Some(_) }) {
        more = json!({"retry_after_seconds": 7});
    }
    for tool in ["run_model", "submit_job"] {
        let rig = rig_with(kind, Operation::Submit).await;
        let arguments = json!({"endpoint_id": "fal-ai/flux/schnell", "input": {"prompt": "a cat"}});
        let answer = rig.tool(Era::Legacy, tool, arguments).send().await;
        let expected = failed(error, message, next_step, more.clone());
        assert_eq!(came(&answer), (200, expected), "{tool} {kind:?}");
        assert_eq!(rig.sim.ledger().calls(Operation::Submit), 1, "{tool} {kind:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_as_one_and_costs_nothing() {
    let locked = "fal has locked this account: Exhausted balance. Top up your balance at fal.ai/dashboard/billing.";
    let rows: [Row; 4] = [
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
            FaultKind::Ingress { status: 503 },
            "ingress",
            "fal is not reachable behind its proxy (status 503)",
            "fal cannot be reached right now. Call again in a little while.",
        ),
        (
            FaultKind::AccountLocked,
            "account_locked",
            locked,
            "Do not submit more jobs. Ask the user to top up or unlock the account at https://fal.ai/dashboard/billing.",
        ),
    ];
    for (kind, error, message, next_step) in rows {
        let next_step = format!("{next_step} {THERE_IS_NO_JOB}");
        is_told(&kind, error, message, &next_step).await;
    }
}

#[tokio::test]
async fn an_error_of_fal_s_own_leaves_a_doubt_and_says_how_to_end_it() {
    for (status, said) in [
        (500, "(internal_error): Internal error"),
        (502, "(runner_incomplete_response): Runner answered incompletely"),
        (503, "(runner_connection_error): Connection to the runner failed"),
        (504, "(request_timeout): Request timed out"),
    ] {
        let kind = FaultKind::Server { status };
        let message = format!("fal could not complete the request {said}");
        is_told(&kind, "request_failed", &message, MOST_LIKELY_NONE).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_or_cannot_be_read_is_an_unknown_outcome() {
    let kinds = [
        FaultKind::Ingress { status: 502 },
        FaultKind::Ingress { status: 504 },
        FaultKind::DropBefore,
        FaultKind::DropAfter,
        FaultKind::SlowHeaders { milliseconds: TOO_LONG },
        FaultKind::StalledBody,
        FaultKind::CutBody,
        FaultKind::MalformedJson,
        FaultKind::Padded { bytes: TOO_LARGE },
    ];
    let (error, message, next_step) = UNKNOWN;
    join_all(kinds.iter().map(|kind| is_told(kind, error, message, next_step))).await;
}
