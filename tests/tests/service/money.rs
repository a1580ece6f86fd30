//! Nothing that may cost money is sent twice, no job is lost, and a key goes to fal alone.

use std::time::Duration;

use fal_sim::{Fault, FaultKind, Operation};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Era, Outcome, Rig};
use tokio::net::TcpListener;
use tokio::time::timeout;

async fn run_with(kind: FaultKind) -> (Rig, Outcome) {
    let rig = Rig::start().await;
    rig.sim.faults().add(Fault::new(kind).on(Operation::Submit));
    let outcome = Outcome::of(&rig.run(Era::Modern, "a cat").send().await);
    assert_eq!(rig.sim.ledger().calls(Operation::Submit), 1, "sent once");
    (rig, outcome)
}

fn assert_says_how_to_find_the_job(error: &Value) {
    let next = error["next_step"].as_str().unwrap();
    assert!(next.contains("Do not submit again"), "{next}");
    assert!(next.contains("list_jobs") && next.contains("fal-ai/flux/schnell"), "{next}");
}

#[tokio::test]
async fn a_submit_whose_answer_never_came_is_not_sent_again_and_its_job_is_found() {
    for kind in [FaultKind::DropAfter, FaultKind::CutBody, FaultKind::MalformedJson] {
        let (rig, outcome) = run_with(kind).await;
        assert_says_how_to_find_the_job(outcome.error("submit_outcome_unknown"));

        let submits = rig.sim.ledger().submits();
        assert_eq!(submits.len(), 1, "the job exists");
        let listed = rig.listed_jobs().await;
        assert_eq!(listed, [submits[0].request_id.as_str()]);
        let checked = rig.call(Era::Modern, "check_job", Rig::ids(&listed[0])).await;
        assert_eq!(checked.value()["status"], "completed");
    }
}

#[tokio::test]
async fn a_submit_that_may_not_have_arrived_is_not_sent_again_either() {
    for kind in [
        FaultKind::DropBefore,
        FaultKind::Ingress { status: 502 },
        FaultKind::Ingress { status: 504 },
    ] {
        let (rig, outcome) = run_with(kind).await;
        assert_says_how_to_find_the_job(outcome.error("submit_outcome_unknown"));
        assert_eq!(rig.sim.ledger().submits(), []);
        let arguments = json!({"endpoint_id": "fal-ai/flux/schnell"});
        let listed = rig.call(Era::Modern, "list_jobs", arguments).await;
        assert_eq!(listed.value()["jobs"], json!([]));
        assert!(listed.value()["note"].as_str().unwrap().contains("again in a minute"));
    }
}

#[tokio::test]
async fn a_fal_that_is_not_there_costs_nothing_and_says_so() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nowhere = format!("http://{}/", closed.local_addr().unwrap());
    drop(closed);
    let rig = Rig::with(fal_sim::Config::default(), |config| {
        config.hosts.queue = nowhere.parse().unwrap();
    })
    .await;
    let outcome = Outcome::of(&rig.run(Era::Modern, "a cat").send().await);
    let error = outcome.error("not_connected");
    let next = error["next_step"].as_str().unwrap();
    assert!(next.contains("There is no job and nothing is billed."), "{next}");
    assert!(!error.to_string().contains("127.0.0.1"), "no address is shown: {error}");
}

#[tokio::test]
async fn two_runs_are_two_jobs_and_one_run_is_one() {
    let rig = Rig::start().await;
    for count in 1..=2 {
        let outcome = Outcome::of(&rig.run(Era::Legacy, "a cat").send().await);
        assert_eq!(outcome.value()["status"], "completed");
        assert_eq!(rig.sim.ledger().submits().len(), count);
    }
}

#[tokio::test]
async fn callers_at_the_same_time_each_get_a_job_of_their_own_under_their_own_key() {
    let rig = Rig::start().await;
    let keys = [fal_sim::DEMO_KEY, fal_sim::PRIVATE_KEY];
    let runs = (0..60).map(|number| {
        let key = keys[number % keys.len()];
        let run = rig.run(Era::Modern, &format!("cat number {number}")).bearer(key);
        async move { (key, Outcome::of(&run.send().await).into_value()) }
    });
    let runs = join_all(runs).await;
    let submits = rig.sim.ledger().submits();
    assert_eq!(submits.len(), 60);
    for (key, run) in runs {
        let submit = submits.iter().find(|submit| run["request_id"] == submit.request_id.as_str());
        assert!(key.starts_with(&submit.expect("its job").key_id), "{run}");
    }
}

#[tokio::test]
async fn an_address_in_fal_s_answer_that_is_not_fal_s_is_never_called() {
    let foreign = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", foreign.local_addr().unwrap());
    let rig = Rig::start().await;
    let fault = Fault::new(FaultKind::ForeignStatusUrl { origin });
    rig.sim.faults().add(fault.on(Operation::Submit));

    let outcome = Outcome::of(&rig.run(Era::Modern, "a cat").send().await);
    assert_eq!(outcome.value()["status"], "completed", "the job is found without that address");
    let submitted = rig.submit("a cat [sim:queue 60]").await;
    rig.call(Era::Modern, "cancel_job", Rig::ids(&submitted)).await.value();

    let connected = timeout(Duration::from_millis(200), foreign.accept()).await;
    assert!(connected.is_err(), "something connected to the foreign address");
}

#[tokio::test]
async fn the_key_goes_to_the_queue_and_the_platform_and_nowhere_else() {
    let rig = Rig::start().await;
    rig.call(Era::Modern, "search_models", json!({"query": "image"})).await.value();
    let run = rig.run(Era::Modern, "a cat").set("/params/arguments/preview", json!(true));
    Outcome::of(&run.send().await).value();
    let requests = rig.asked();
    for request in &requests {
        let host = request.host.unwrap();
        let expected = matches!(host, fal_sim::Host::Queue | fal_sim::Host::Api);
        assert_eq!(request.authorization.is_some(), expected, "{request:?}");
        assert!(request.authorization.as_deref().is_none_or(|scheme| scheme == "Key"));
        assert!(request.query.as_deref().is_none_or(|query| !query.contains("0de3")));
    }
    let seen = |host| requests.iter().any(|request| request.host == Some(host));
    assert!(seen(fal_sim::Host::Web) && seen(fal_sim::Host::Cdn) && seen(fal_sim::Host::Queue));
}

#[tokio::test]
async fn what_a_caller_asks_for_beside_the_input_reaches_fal() {
    let rig = Rig::start().await;
    let arguments = json!({
        "endpoint_id": "fal-ai/flux/schnell",
        "input": {"prompt": "a cat"},
        "expiration_seconds": 600,
        "store_payload": false,
        "priority": "low",
        "webhook_url": "https://hooks.example.com/done?x=1",
    });
    rig.call(Era::Modern, "submit_job", arguments).await.value();
    let submit = rig.sim.ledger().submits().remove(0);
    assert_eq!(
        submit.headers["x-fal-object-lifecycle-preference"],
        r#"{"expiration_duration_seconds":600}"#
    );
    assert_eq!(submit.headers["x-fal-store-io"], "0");
    assert_eq!(submit.headers["x-fal-queue-priority"], "low");
    let query = submit.query.unwrap();
    assert_eq!(query, "fal_webhook=https%3A%2F%2Fhooks.example.com%2Fdone%3Fx%3D1");
}
