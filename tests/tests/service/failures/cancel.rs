//! What a cancellation comes to, and how a job reads that has no result.

use super::*;

/// The whole response of a cancellation.
fn cancellation(outcome: &str, message: &str, request_id: &str) -> (u16, Value) {
    let mut text = json!({"cancellation": outcome, "message": message});
    text.as_object_mut().unwrap().extend(ids(request_id).as_object().unwrap().clone());
    (200, response(&text, false))
}

/// Cancels by one of the two ways.
async fn cancel(rig: &Rig, way: (&str, Value), request_id: &str) -> (u16, Value) {
    ask(rig, way.0, request_id, way.1).await
}

fn ways() -> [(&'static str, Value); 2] {
    [("cancel_job", json!({})), ("check_job", json!({"action": "cancel"}))]
}

#[tokio::test]
async fn both_ways_to_cancel_say_what_it_came_to() {
    let removing = fal_sim::Config { cancel_removes: true, ..instant() };
    let rig = Rig::with(removing, |_| ()).await;
    for way in ways() {
        let waiting = rig.submit("a cat [sim:queue 60]").await;
        let message = "The job was removed from the queue before it started; it is not billed.";
        let removed = cancellation("removed", message, &waiting);
        assert_eq!(cancel(&rig, way.clone(), &waiting).await, removed);

        let running = rig.submit("a cat [sim:queue 0][sim:slow 60]").await;
        let message = "fal was asked to stop the job. A model that runs already may finish and be billed; check_job shows how it ended.";
        let requested = cancellation("requested", message, &running);
        assert_eq!(cancel(&rig, way.clone(), &running).await, requested);

        let done = rig.submit("a cat").await;
        let message = "The job was over before; get_job_result has its output.";
        let over = cancellation("already_completed", message, &done);
        assert_eq!(cancel(&rig, way, &done).await, over);
    }
}

#[tokio::test]
async fn a_job_that_was_cancelled_reads_as_such_everywhere() {
    let rig = rig().await;
    let request_id = rig.submit("a cat [sim:queue 60]").await;
    cancel(&rig, ways()[0].clone(), &request_id).await;
    let message = "the request was cancelled";
    let next_step = "The job was cancelled and has no result.";
    let expected = (200, failed("cancelled", message, next_step, ids(&request_id)));
    for (tool, more) in [
        ("check_job", json!({})),
        ("check_job", json!({"wait_seconds": 1})),
        ("get_job_result", json!({})),
    ] {
        assert_eq!(ask(&rig, tool, &request_id, more).await, expected, "{tool}");
    }
}

#[tokio::test]
async fn a_job_that_ends_by_itself_without_a_result_is_never_a_success() {
    for (directive, error, message, next_step) in [
        (
            "cancelled",
            "cancelled",
            "the request was cancelled",
            "The job was cancelled and has no result.",
        ),
        (
            "fail startup_timeout",
            "request_failed",
            "fal could not complete the request (startup_timeout): Runner did not start in time",
            "The job is over and has no result. Submitting the same input again may succeed.",
        ),
    ] {
        let rig = rig().await;
        let answer = rig.run(Era::Legacy, &format!("a cat [sim:{directive}]")).send().await;
        let request_id = rig.sim.ledger().submits()[0].request_id.clone();
        let expected = failed(error, message, next_step, ids(&request_id));
        assert_eq!(came(&answer), (200, expected));
        assert_eq!(rig.sim.ledger().calls(Operation::Submit), 1);
    }
}
