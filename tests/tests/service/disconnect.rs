//! A connection that closes before the answer: what becomes of fal's job.

use std::time::Duration;

use fal_sim::{Fault, FaultKind, Operation};
use gateway::config::OnDisconnect;
use serde_json::json;
use tests::raw::Connection;
use tests::{Era, Rig, eventually, real_time};

/// Longer than it takes the gateway to see that a connection is gone.
const LONG_ENOUGH: Duration = Duration::from_millis(600);

async fn rig(on_disconnect: OnDisconnect) -> Rig {
    Rig::with(real_time(), |config| config.on_disconnect = on_disconnect).await
}

/// Sends a call and closes the connection when fal has its job; answers with the job's id.
async fn leave_before_the_headers(rig: &Rig, era: Era) -> String {
    let mut connection = Connection::open(rig.addr()).await;
    connection.write(&rig.run(era, "a cat [sim:queue 0][sim:slow 30]").to_wire()).await;
    let polled = async || rig.sim.ledger().calls(Operation::Stream) > 0;
    eventually("the gateway waits for the job", polled).await;
    drop(connection);
    rig.sim.ledger().submits()[0].request_id.clone()
}

async fn assert_cancelled(rig: &Rig, request_id: &str) {
    eventually("the job is cancelled", async || rig.sim.ledger().calls(Operation::Cancel) == 1)
        .await;
    let checked = rig.call(Era::Modern, "check_job", Rig::ids(request_id)).await;
    checked.error("cancelled");
}

async fn assert_kept(rig: &Rig, request_id: &str) {
    tokio::time::sleep(LONG_ENOUGH).await;
    assert_eq!(rig.sim.ledger().calls(Operation::Cancel), 0);
    let checked = rig.call(Era::Modern, "check_job", Rig::ids(request_id)).await;
    assert_eq!(checked.value()["state"], "IN_PROGRESS");
    assert_eq!(rig.listed_jobs().await, [request_id]);
}

#[tokio::test]
async fn closing_a_modern_stream_cancels_the_job() {
    let rig = rig(OnDisconnect::Auto).await;
    let events = rig.run(Era::Modern, "a cat [sim:queue 0][sim:slow 30]").open().await;
    assert_eq!(rig.sim.ledger().calls(Operation::Cancel), 0);
    drop(events);
    let request_id = rig.sim.ledger().submits()[0].request_id.clone();
    assert_cancelled(&rig, &request_id).await;
}

#[tokio::test]
async fn closing_a_modern_connection_before_the_headers_cancels_the_job() {
    let rig = rig(OnDisconnect::Auto).await;
    let request_id = leave_before_the_headers(&rig, Era::Modern).await;
    assert_cancelled(&rig, &request_id).await;
}

#[tokio::test]
async fn a_legacy_caller_that_loses_its_connection_finds_its_job_with_list_jobs() {
    let rig = rig(OnDisconnect::Auto).await;
    let request_id = leave_before_the_headers(&rig, Era::Legacy).await;
    assert_kept(&rig, &request_id).await;
}

#[tokio::test]
async fn a_legacy_stream_that_is_lost_leaves_a_job_that_comes_to_its_end() {
    let rig = rig(OnDisconnect::Auto).await;
    let events = rig.run(Era::Legacy, "a cat [sim:queue 0][sim:slow 2.6]").open().await;
    drop(events);
    let listed = rig.listed_jobs().await;
    let mut arguments = Rig::ids(&listed[0]);
    arguments["wait_seconds"] = json!(10);
    let checked = rig.call(Era::Legacy, "check_job", arguments).await;
    assert_eq!(checked.value()["status"], "completed");
    assert_eq!(rig.sim.ledger().calls(Operation::Cancel), 0);
}

#[tokio::test]
async fn an_operator_may_have_every_lost_connection_cancel() {
    let rig = rig(OnDisconnect::Cancel).await;
    let request_id = leave_before_the_headers(&rig, Era::Legacy).await;
    assert_cancelled(&rig, &request_id).await;
}

#[tokio::test]
async fn an_operator_may_have_no_lost_connection_cancel() {
    let rig = rig(OnDisconnect::Keep).await;
    let request_id = leave_before_the_headers(&rig, Era::Modern).await;
    assert_kept(&rig, &request_id).await;
}

#[tokio::test]
async fn leaving_check_job_never_cancels_the_job_it_asked_about() {
    let rig = rig(OnDisconnect::Auto).await;
    let request_id = rig.submit("a cat [sim:queue 0][sim:slow 30]").await;
    let mut arguments = Rig::ids(&request_id);
    arguments["wait_seconds"] = json!(60);
    let mut connection = Connection::open(rig.addr()).await;
    connection.write(&rig.tool(Era::Modern, "check_job", arguments).to_wire()).await;
    let polled = async || rig.sim.ledger().calls(Operation::Stream) > 0;
    eventually("the gateway waits for the job", polled).await;
    drop(connection);
    assert_kept(&rig, &request_id).await;
}

/// Leaves while fal has the submit and has not answered it.
async fn leave_during_the_submit(rig: &Rig, era: Era, tool: &str) {
    let slow = FaultKind::SlowHeaders { milliseconds: 700 };
    rig.sim.faults().add(Fault::new(slow).on(Operation::Submit));
    let arguments = json!({
        "endpoint_id": "fal-ai/flux/schnell",
        "input": {"prompt": "a cat [sim:queue 0][sim:slow 30]"},
    });
    let mut connection = Connection::open(rig.addr()).await;
    connection.write(&rig.tool(era, tool, arguments).to_wire()).await;
    let sent = async || rig.sim.ledger().calls(Operation::Submit) == 1;
    eventually("the submit is on its way", sent).await;
    drop(connection);
    assert_eq!(rig.sim.ledger().submits(), []);
    let accepted = async || rig.sim.ledger().submits().len() == 1;
    eventually("fal takes the job all the same", accepted).await;
}

#[tokio::test]
async fn a_submit_under_way_is_finished_for_a_legacy_caller_that_left() {
    let rig = rig(OnDisconnect::Auto).await;
    leave_during_the_submit(&rig, Era::Legacy, "run_model").await;
    let request_id = rig.sim.ledger().submits()[0].request_id.clone();
    assert_kept(&rig, &request_id).await;
}

#[tokio::test]
async fn a_submit_under_way_is_finished_and_cancelled_for_a_modern_caller_that_left() {
    for tool in ["run_model", "submit_job"] {
        let rig = rig(OnDisconnect::Auto).await;
        leave_during_the_submit(&rig, Era::Modern, tool).await;
        let request_id = rig.sim.ledger().submits()[0].request_id.clone();
        assert_cancelled(&rig, &request_id).await;
        assert_eq!(rig.sim.ledger().calls(Operation::Submit), 1);
    }
}

#[tokio::test]
async fn leaving_ends_the_questions_about_the_job_at_once() {
    let rig = rig(OnDisconnect::Auto).await;
    rig.sim.faults().add(Fault::new(FaultKind::Server { status: 500 }).on(Operation::Stream));
    let mut connection = Connection::open(rig.addr()).await;
    let run = rig.run(Era::Legacy, "a cat [sim:queue 0][sim:slow 30]");
    connection.write(&run.to_wire()).await;
    let asked = async || rig.sim.ledger().calls(Operation::Status) >= 3;
    eventually("the job is polled", asked).await;
    drop(connection);
    tokio::time::sleep(LONG_ENOUGH).await;
    let before = rig.sim.ledger().calls(Operation::Status);
    // The pauses between two questions are shorter than this by now.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(rig.sim.ledger().calls(Operation::Status), before);
}
