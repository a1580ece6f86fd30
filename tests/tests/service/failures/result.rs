//! The result of a run that was waited for: failures that may pass, a job that failed, and results that
//! are too long to pass on.

use futures_util::future::join_all;

use super::*;

/// Runs a model while fetching its result goes wrong.
async fn run(kind: FaultKind, times: Option<u32>) -> (Rig, (u16, Value)) {
    let rig = rig_for(&kind).await;
    let fault = Fault::new(kind).on(Operation::Result);
    rig.sim.faults().add(Fault { times, ..fault });
    let got = came(&rig.run(Era::Legacy, "a cat").send().await);
    assert_eq!(rig.sim.ledger().calls(Operation::Submit), 1);
    (rig, got)
}

fn request_id(rig: &Rig) -> String {
    rig.sim.ledger().submits()[0].request_id.clone()
}

#[tokio::test]
async fn a_failure_that_passes_is_ridden_out() {
    for kind in [
        FaultKind::RateLimited { retry_after: None },
        FaultKind::Server { status: 503 },
        FaultKind::Ingress { status: 502 },
        FaultKind::DropBefore,
        FaultKind::CutBody,
    ] {
        let (rig, (status, body)) = run(kind.clone(), Some(1)).await;
        let text = &body["result"]["content"][0]["text"];
        assert_eq!((status, &text["status"]), (200, &json!("completed")), "{kind:?}");
        let fetched = ask(&rig, "get_job_result", &request_id(&rig), json!({})).await.1;
        assert_eq!(text["output"], fetched["result"]["content"][0]["text"]["output"]);
    }
}

#[tokio::test]
async fn a_failure_of_the_job_is_believed_when_it_comes_again_and_is_final() {
    for (status, said) in [
        (500, "(internal_error): Internal error"),
        (503, "(runner_connection_error): Connection to the runner failed"),
    ] {
        let (rig, got) = run(FaultKind::Server { status }, None).await;
        let message = format!("fal could not complete the request {said}");
        let next_step =
            "The job is over and has no result. Submitting the same input again may succeed.";
        let expected = failed("request_failed", &message, next_step, ids(&request_id(&rig)));
        assert_eq!(got, (200, expected));
    }
}

#[tokio::test]
async fn a_run_is_told_of_a_lost_result_as_a_question_about_it_is() {
    let kinds = [
        FaultKind::RateLimited { retry_after: Some(7) },
        FaultKind::Ingress { status: 503 },
        FaultKind::DropAfter,
        FaultKind::SlowHeaders { milliseconds: TOO_LONG },
        FaultKind::StalledBody,
        FaultKind::MalformedJson,
        FaultKind::AccountLocked,
    ];
    join_all(kinds.iter().map(async |kind| {
        let (rig, got) = run(kind.clone(), None).await;
        let asked = ask(&rig, "get_job_result", &request_id(&rig), json!({})).await;
        assert_eq!(got, asked, "{kind:?}");
        assert_eq!(got.1["result"]["content"][0]["text"]["request_id"], request_id(&rig));
    }))
    .await;
}

#[tokio::test]
async fn a_result_of_30_megabytes_is_cut_and_one_that_is_larger_is_left_to_the_caller() {
    let direct = |rig: &Rig| {
        format!(
            "GET https://queue.fal.run/fal-ai/flux/requests/{} with the header `Authorization: Key <fal key>`.",
            request_id(rig)
        )
    };
    let patient = |config: &mut gateway::Config| config.patience = Patience::default();
    let rig = Rig::with(instant(), patient).await;
    let padded = Fault::new(FaultKind::Padded { bytes: 30_000_000 });
    rig.sim.faults().add(padded.on(Operation::Result));
    let answer = rig.run(Era::Legacy, "a cat").send().await;
    assert!(answer.body.len() < 60_000, "{}", answer.body.len());
    let (status, body) = came(&answer);
    let text = &body["result"]["content"][0]["text"];
    assert_eq!((status, &text["status"]), (200, &json!("completed")));
    assert_eq!(
        text["truncated"],
        format!("Long values were cut. The whole result: {}", direct(&rig))
    );
    assert!(text["media"][0]["url"].is_string(), "what was asked for is there: {text}");

    let (rig, got) = run(FaultKind::Padded { bytes: TOO_LARGE }, None).await;
    let message = "fal's answer is larger than 33554432 bytes";
    let next_step = format!("It is too large to pass on. Get it from fal itself: {}", direct(&rig));
    let expected = failed("answer_too_large", message, &next_step, ids(&request_id(&rig)));
    assert_eq!(got, (200, expected));
}

#[tokio::test]
async fn a_result_that_fal_has_thrown_away_says_that_results_are_kept_for_a_time() {
    let rig = rig().await;
    let request_id = rig.submit("a cat").await;
    rig.sim.faults().add(Fault::new(FaultKind::ResultExpired));
    let next_step = "Check both ids: results are kept for a limited time, and only the key that submitted a job sees it. list_jobs with endpoint_id `fal-ai/flux/schnell` shows the account's recent jobs. Do not submit again before that.";
    let message = "fal has no such request, or no longer";
    let expected = (200, failed("request_not_found", message, next_step, ids(&request_id)));
    for tool in ["get_job_result", "check_job"] {
        assert_eq!(ask(&rig, tool, &request_id, json!({})).await, expected, "{tool}");
    }
}
