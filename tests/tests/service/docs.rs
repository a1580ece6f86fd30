//! `search_docs`: what fal's documentation says, kept for the next who asks the same.

use fal_sim::{Fault, FaultKind, Operation};
use serde_json::{Value, json};
use tests::{Era, Outcome, Rig};

async fn search(rig: &Rig, arguments: Value) -> Outcome {
    rig.call(Era::Modern, "search_docs", arguments).await
}

fn down() -> Fault {
    Fault::new(FaultKind::Ingress { status: 503 }).on(Operation::Docs)
}

fn asked(rig: &Rig) -> u64 {
    rig.sim.ledger().calls(Operation::Docs)
}

#[tokio::test]
async fn pages_come_with_title_link_and_excerpt() {
    let rig = Rig::start().await;
    let found = search(&rig, json!({"query": "webhooks"})).await.into_value();
    let first = &found["results"][0];
    assert_eq!(first["title"], "Webhooks");
    assert_eq!(first["url"], "https://fal.ai/docs/model-apis/inference/webhooks");
    assert!(first["excerpt"].as_str().unwrap().contains("fal_webhook"), "{first}");
    let members: Vec<&String> = first.as_object().unwrap().keys().collect();
    assert_eq!(members, ["title", "url", "excerpt"]);
    assert!(found.get("age_seconds").is_none(), "{found}");
}

#[tokio::test]
async fn a_limit_holds_and_one_answer_serves_every_limit() {
    let rig = Rig::start().await;
    for (limit, shown) in [(json!(1), 1), (json!(2), 2), (Value::Null, 5)] {
        let mut arguments = json!({"query": "the queue and its requests"});
        if !limit.is_null() {
            arguments["limit"] = limit;
        }
        let found = search(&rig, arguments).await.into_value();
        assert_eq!(found["results"].as_array().map(Vec::len), Some(shown), "{found}");
    }
    assert_eq!(asked(&rig), 1);
}

#[tokio::test]
async fn nothing_found_is_an_empty_list() {
    let rig = Rig::start().await;
    let found = search(&rig, json!({"query": "xyzzyplugh"})).await.into_value();
    assert_eq!(found, json!({"results": []}));
}

#[tokio::test]
async fn equal_questions_are_asked_once_whoever_asks_and_however_they_are_spaced() {
    let rig = Rig::start().await;
    let first = search(&rig, json!({"query": "key scopes"})).await.into_value();
    let rig = rig.with_key(fal_sim::PRIVATE_KEY);
    let second = search(&rig, json!({"query": "  key   scopes "})).await.into_value();
    assert_eq!(first, second);
    assert_eq!(asked(&rig), 1);
    let requests = rig.asked();
    assert!(requests.iter().all(|request| request.authorization.is_none()), "{requests:?}");
}

#[tokio::test]
async fn down_is_said_with_where_else_to_look_and_is_not_remembered() {
    let rig = Rig::start().await;
    rig.sim.faults().add(down());
    let outcome = search(&rig, json!({"query": "webhooks"})).await;
    let next = outcome.error("ingress")["next_step"].as_str().unwrap();
    assert!(next.contains("https://fal.ai/docs"), "{next}");
    rig.sim.faults().clear();
    let found = search(&rig, json!({"query": "webhooks"})).await;
    assert_eq!(found.value()["results"][0]["title"], "Webhooks");
}

/// That an answer of more than ten minutes is shown with its age when it cannot be had anew is
/// tested where the cache is: no test waits that long.
#[tokio::test]
async fn down_after_it_was_answered_a_question_is_still_answered() {
    let rig = Rig::start().await;
    let before = search(&rig, json!({"query": "webhooks"})).await.into_value();
    rig.sim.faults().add(down());
    assert_eq!(search(&rig, json!({"query": "webhooks"})).await.into_value(), before);
    search(&rig, json!({"query": "pricing"})).await.error("ingress");
}
