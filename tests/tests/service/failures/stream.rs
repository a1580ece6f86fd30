//! The wait: a status stream that fails is given up for questions, questions that fail are repeated,
//! and when the time is up the answer is the handle.

use futures_util::future::join_all;

use super::*;

/// The whole response of a run whose time is up.
fn processing(request_id: &str, state: &str, queue_position: Option<u64>) -> Value {
    let mut text = json!({"status": "processing"});
    let members = text.as_object_mut().unwrap();
    members.extend(ids(request_id).as_object().unwrap().clone());
    members.insert("state".to_owned(), json!(state));
    if let Some(position) = queue_position {
        members.insert("queue_position".to_owned(), json!(position));
    }
    let mut arguments = ids(request_id);
    arguments["wait_seconds"] = json!(45);
    members.insert("next_call".to_owned(), json!({"tool": "check_job", "arguments": arguments}));
    response(&text, false)
}

#[tokio::test]
async fn a_stream_that_fails_is_given_up_for_questions() {
    for kind in [
        FaultKind::RateLimited { retry_after: Some(7) },
        FaultKind::Server { status: 500 },
        FaultKind::Ingress { status: 503 },
        FaultKind::DropBefore,
        FaultKind::DropAfter,
        FaultKind::CutBody,
        FaultKind::MalformedJson,
    ] {
        let rig = rig_with(&kind, Operation::Stream).await;
        let answer = rig.run(Era::Legacy, "a cat [sim:queue 0][sim:slow 0.3]").send().await;
        let (status, body) = came(&answer);
        let text = &body["result"]["content"][0]["text"];
        assert_eq!((status, &text["status"]), (200, &json!("completed")), "{kind:?} {body}");
        let ledger = rig.sim.ledger();
        assert_eq!((ledger.calls(Operation::Submit), ledger.calls(Operation::Stream)), (1, 1));
        assert!(ledger.calls(Operation::Status) >= 2, "{kind:?}");
    }
}

#[tokio::test]
async fn a_stream_that_does_not_open_holds_nobody_up_for_long() {
    let kind = FaultKind::SlowHeaders { milliseconds: TOO_LONG };
    let rig = rig_with(&kind, Operation::Stream).await;
    let answer = rig.run(Era::Legacy, "a cat [sim:queue 0][sim:slow 0.3]").send().await;
    assert_eq!(came(&answer).1["result"]["content"][0]["text"]["status"], "completed");
    assert_eq!(rig.sim.ledger().calls(Operation::Submit), 1);
}

#[tokio::test]
async fn a_stream_that_stalls_ends_with_the_handle_when_the_time_is_up() {
    let rig = rig_with(&FaultKind::StalledBody, Operation::Stream).await;
    let run = rig.run(Era::Legacy, "a cat [sim:queue 0][sim:slow 30]");
    let got = came(&run.set("/params/arguments/wait_seconds", json!(1)).send().await);
    let request_id = rig.sim.ledger().submits()[0].request_id.clone();
    assert_eq!(got, (200, processing(&request_id, "IN_PROGRESS", None)));
}

#[tokio::test]
async fn a_status_that_fails_for_the_whole_wait_ends_with_the_handle_as_fal_gave_it() {
    let kinds = [
        FaultKind::RateLimited { retry_after: None },
        FaultKind::RateLimited { retry_after: Some(7) },
        FaultKind::Server { status: 500 },
        FaultKind::Ingress { status: 502 },
        FaultKind::DropBefore,
        FaultKind::CutBody,
        FaultKind::SlowHeaders { milliseconds: TOO_LONG },
        FaultKind::StalledBody,
    ];
    join_all(kinds.iter().map(async |kind| {
        let rig = rig_with(kind, Operation::Status).await;
        let run = rig.run(Era::Legacy, "a cat [sim:queue 0]");
        let got = came(&run.set("/params/arguments/wait_seconds", json!(1)).send().await);
        let request_id = rig.sim.ledger().submits()[0].request_id.clone();
        assert_eq!(got, (200, processing(&request_id, "IN_QUEUE", Some(0))), "{kind:?}");
        assert_eq!(rig.sim.ledger().calls(Operation::Submit), 1);
        assert!(rig.sim.ledger().calls(Operation::Status) < 12, "{kind:?}");
    }))
    .await;
}

#[tokio::test]
async fn a_check_that_never_had_an_answer_does_not_claim_to_know_how_the_job_stands() {
    let kind = FaultKind::SlowHeaders { milliseconds: TOO_LONG };
    let rig = rig_for(&kind).await;
    let request_id = rig.submit("a cat").await;
    rig.sim.faults().add(Fault::new(kind).on(Operation::Status));
    let got = ask(&rig, "check_job", &request_id, json!({"wait_seconds": 1})).await;
    let next_step = format!(
        "Call again in a little while. The job {request_id} itself is not touched by this; ask for it again with check_job, do not submit it again."
    );
    let expected = failed("timed_out", "fal did not answer in time", &next_step, ids(&request_id));
    assert_eq!(got, (200, expected));
}

#[tokio::test]
async fn an_account_that_is_locked_in_the_middle_of_the_wait_ends_it_with_the_handle() {
    let rig = rig().await;
    let run = rig.run(Era::Legacy, "a cat [sim:queue 0.3][sim:slow 30]");
    rig.sim.faults().add(Fault::new(FaultKind::Server { status: 500 }).on(Operation::Stream));
    let lock = async {
        let asked = async || rig.sim.ledger().calls(Operation::Status) >= 2;
        tests::eventually("the job is polled", asked).await;
        rig.sim.faults().add(Fault::new(FaultKind::AccountLocked).on(Operation::Status));
    };
    let (answer, ()) = tokio::join!(run.send(), lock);
    let request_id = rig.sim.ledger().submits()[0].request_id.clone();
    let next_step = format!(
        "Do not submit more jobs. Ask the user to top up or unlock the account at https://fal.ai/dashboard/billing. The job {request_id} itself is not touched by this; ask for it again with check_job, do not submit it again."
    );
    let message = "fal has locked this account: Exhausted balance. Top up your balance at fal.ai/dashboard/billing.";
    let expected = failed("account_locked", message, &next_step, ids(&request_id));
    assert_eq!(came(&answer), (200, expected));
    assert_eq!(rig.sim.ledger().calls(Operation::Cancel), 0, "the job runs on");
}

#[tokio::test]
async fn a_question_that_fails_for_a_while_is_repeated_until_it_is_answered() {
    for kind in [
        FaultKind::RateLimited { retry_after: None },
        FaultKind::Server { status: 500 },
        FaultKind::Ingress { status: 502 },
        FaultKind::DropBefore,
        FaultKind::CutBody,
    ] {
        let rig = rig().await;
        rig.sim.faults().add(Fault::new(kind.clone()).on(Operation::Status).times(2));
        let (status, body) = came(&rig.run(Era::Legacy, "a cat").send().await);
        let text = &body["result"]["content"][0]["text"];
        assert_eq!((status, &text["status"]), (200, &json!("completed")), "{kind:?}");
        assert_eq!(rig.sim.ledger().calls(Operation::Submit), 1);
    }
}
