//! Things going wrong on purpose.

use std::time::Duration;

use fal_sim::{Fault, FaultKind, Host, Operation, Sim};
use serde_json::json;
use tokio::time::Instant;

use crate::support::{Ask, Reply, client, instant, submit};

const MODEL: &str = "fal-ai/flux/schnell";

fn submit_ask(sim: &Sim) -> Ask {
    Ask::post(format!("{}/{MODEL}", sim.host_url(Host::Queue)), r#"{"prompt":"a cat"}"#).demo()
}

async fn try_submit(sim: &Sim) -> Result<Reply, reqwest::Error> {
    submit_ask(sim).try_send(&client(None)).await
}

#[tokio::test]
async fn a_fault_happens_as_often_as_it_says_and_only_where_it_says() {
    let sim = instant().await;
    let fault = Fault::new(FaultKind::RateLimited { retry_after: Some(3) });
    sim.faults().add(fault.on(Operation::Submit).on_endpoint(MODEL).times(2));
    let models = format!("{}/v1/models?limit=1", sim.host_url(Host::Api));
    assert_eq!(Ask::get(models).send().await.status, 200);
    for expected in [429, 429, 200] {
        let reply = submit_ask(&sim).send().await;
        assert_eq!(reply.status, expected);
        assert_eq!(reply.header("retry-after"), (expected == 429).then_some("3"));
    }
    assert_eq!(sim.faults().pending(), []);
}

#[tokio::test]
async fn faults_wait_for_each_other() {
    let sim = instant().await;
    sim.faults().add(Fault::new(FaultKind::Server { status: 503 }).times(1));
    sim.faults().add(Fault::new(FaultKind::RateLimited { retry_after: None }).times(1));
    assert_eq!(submit_ask(&sim).send().await.status, 503);
    assert_eq!(submit_ask(&sim).send().await.status, 429);
    assert_eq!(submit_ask(&sim).send().await.status, 200);
}

#[tokio::test]
async fn an_ingress_page_is_html_and_has_no_request_id() {
    let sim = instant().await;
    sim.faults().add(Fault::new(FaultKind::Ingress { status: 502 }).on_host(Host::Queue));
    let reply = submit_ask(&sim).send().await;
    assert_eq!(reply.status, 502);
    assert_eq!(reply.header("x-fal-request-id"), None);
    assert_eq!(reply.header("content-type"), Some("text/html"));
    assert!(reply.text().contains("<center>nginx</center>"));
}

#[tokio::test]
async fn a_connection_dropped_before_is_no_submit_and_one_dropped_after_is() {
    let sim = instant().await;
    sim.faults().add(Fault::new(FaultKind::DropBefore).times(1));
    assert!(try_submit(&sim).await.is_err());
    assert_eq!(sim.ledger().submits().len(), 0);
    sim.faults().add(Fault::new(FaultKind::DropAfter).times(1));
    assert!(try_submit(&sim).await.is_err());
    assert_eq!(sim.ledger().submits().len(), 1);
    assert_eq!(sim.ledger().calls(Operation::Submit), 2);
}

#[tokio::test]
async fn a_cut_answer_ends_early() {
    let sim = instant().await;
    sim.faults().add(Fault::new(FaultKind::CutBody).on(Operation::Submit).times(1));
    let error = try_submit(&sim).await.unwrap_err();
    assert!(error.is_body() || error.is_decode() || error.is_request(), "{error:?}");
    assert_eq!(sim.ledger().submits().len(), 1);
}

#[tokio::test]
async fn slow_headers_and_slow_bodies_take_their_time() {
    let sim = instant().await;
    for kind in
        [FaultKind::SlowHeaders { milliseconds: 200 }, FaultKind::SlowBody { milliseconds: 40 }]
    {
        sim.faults().add(Fault::new(kind).times(1));
        let began = Instant::now();
        let reply = submit_ask(&sim).send().await;
        assert!(began.elapsed() >= Duration::from_millis(200));
        assert_eq!(reply.json()["status"], "IN_QUEUE");
    }
}

#[tokio::test]
async fn a_stalled_answer_begins_and_never_ends() {
    let sim = instant().await;
    sim.faults().add(Fault::new(FaultKind::StalledBody).on(Operation::Submit).times(1));
    let stalled = tokio::time::timeout(Duration::from_millis(300), try_submit(&sim)).await;
    assert!(stalled.is_err(), "it ended");
    assert_eq!(sim.ledger().submits().len(), 1);
}

#[tokio::test]
async fn a_padded_answer_is_the_same_and_longer() {
    let sim = instant().await;
    sim.faults().add(Fault::new(FaultKind::Padded { bytes: 1000 }).on(Operation::Submit).times(1));
    let body = submit_ask(&sim).send().await.json();
    assert_eq!(body["padding"].as_str().map(str::len), Some(1000));
    assert_eq!(body["request_id"], sim.ledger().submits()[0].request_id.as_str());
}

#[tokio::test]
async fn malformed_json_is_not_json() {
    let sim = instant().await;
    sim.faults().add(Fault::new(FaultKind::MalformedJson).times(1));
    let reply = submit_ask(&sim).send().await;
    assert_eq!(reply.status, 200);
    assert!(serde_json::from_slice::<serde_json::Value>(&reply.body).is_err());
}

#[tokio::test]
async fn an_account_can_be_locked_in_the_middle_of_polling() {
    let sim = instant().await;
    let job = submit(&sim, MODEL, &json!({ "prompt": "a cat" })).await;
    sim.faults().add(Fault::new(FaultKind::AccountLocked).on(Operation::Status).times(1));
    let reply = job.status().await;
    assert_eq!(reply.status, 403);
    assert!(reply.json()["detail"].as_str().unwrap().starts_with("User is locked."));
    assert_eq!(job.status().await.status, 200);
}

#[tokio::test]
async fn a_submit_can_name_urls_of_another_origin() {
    let sim = instant().await;
    let origin = "http://127.0.0.1:1".to_owned();
    sim.faults().add(Fault::new(FaultKind::ForeignStatusUrl { origin }).times(1));
    let job = submit(&sim, MODEL, &json!({ "prompt": "a cat" })).await;
    assert!(job.status_url.starts_with("http://127.0.0.1:1/fal-ai/flux/requests/"));
    assert!(job.cancel_url.starts_with("http://127.0.0.1:1/"));
}

#[tokio::test]
async fn a_job_can_be_made_to_end_badly() {
    let sim = instant().await;
    let outcomes = [
        (FaultKind::ContentPolicy, 422),
        (FaultKind::Cancelled, 499),
        (FaultKind::JobError { error_type: "request_timeout".to_owned() }, 504),
    ];
    for (kind, expected) in outcomes {
        sim.faults().add(Fault::new(kind).times(1));
        let job = submit(&sim, MODEL, &json!({ "prompt": "a cat" })).await;
        assert_eq!(job.state().await, "COMPLETED");
        assert_eq!(job.result().await.status, expected);
    }
    let job = submit(&sim, MODEL, &json!({ "prompt": "a cat" })).await;
    sim.faults().add(Fault::new(FaultKind::ResultExpired).times(1));
    assert_eq!(job.result().await.status, 404);
    assert_eq!(job.result().await.status, 200);
}

#[tokio::test]
async fn a_fault_can_be_rare() {
    let sim = instant().await;
    sim.faults().add(Fault::new(FaultKind::Server { status: 500 }).with_probability(0.0));
    assert_eq!(submit_ask(&sim).send().await.status, 200);
    assert_eq!(sim.faults().pending().len(), 1);
}

#[tokio::test]
async fn another_process_adds_and_clears_faults_and_reads_the_ledger() {
    let sim = instant().await;
    let faults = format!("{}/_sim/faults", sim.url());
    let one = json!({ "kind": "server", "status": 500, "operation": "submit", "times": 1 });
    let many = json!([{ "kind": "job_error", "error_type": "internal_error", "host": "queue" }]);
    assert_eq!(Ask::post(&faults, one.to_string()).send().await.status, 200);
    let pending = Ask::post(&faults, many.to_string()).send().await.json();
    assert_eq!(pending.as_array().unwrap().len(), 2);
    assert_eq!(Ask::post(&faults, r#"{"kind":"no such"}"#).send().await.status, 400);
    assert_eq!(submit_ask(&sim).send().await.status, 500);
    assert_eq!(Ask::new(reqwest::Method::DELETE, &faults).send().await.json(), json!([]));
    assert_eq!(submit_ask(&sim).send().await.status, 200);

    let ledger = Ask::get(format!("{}/_sim/ledger", sim.url())).send().await.json();
    assert_eq!(ledger["calls"]["submit"], 2);
    assert_eq!(ledger["submits"][0]["endpoint_id"], MODEL);
    assert_eq!(ledger["requests"][0]["authorization"], "Key");
    let secret = fal_sim::DEMO_KEY.split_once(':').unwrap().1;
    assert!(!ledger.to_string().contains(secret));
}
