//! A fal that is down: from the start, for a while, and back again. The gateway says what it has,
//! how old it is, and what it cannot know.

use std::time::Duration;

use fal_sim::{Fault, FaultKind, Operation};
use serde_json::{Value, json};
use tests::{Era, Rig, eventually, eventually_within, instant};

const REFRESH: Duration = Duration::from_secs(1);

/// A fal behind an ingress that has nobody to pass requests on to.
fn down() -> Fault {
    Fault::new(FaultKind::Ingress { status: 503 })
}

/// A gateway that refreshes its catalogue all the time, and has loaded it once.
async fn warm() -> Rig {
    let often = |config: &mut gateway::Config| config.catalog_refresh = REFRESH;
    Rig::with(instant(), often).await.warm().await
}

async fn search(rig: &Rig) -> Value {
    rig.call(Era::Modern, "search_models", json!({"query": "flux"})).await.into_value()
}

async fn recommend(rig: &Rig) -> Value {
    let task = json!({"task": "a picture of a fox"});
    rig.call(Era::Modern, "recommend_model", task).await.into_value()
}

#[tokio::test]
async fn down_from_the_start_the_gateway_is_ready_and_its_tools_say_what_is_missing() {
    let sim = fal_sim::start(instant()).await.unwrap();
    sim.faults().add(down());
    let rig = Rig::in_front_of(sim, |_| ()).await;
    let ready = rig.plain(http::Method::GET, "/readyz").send().await;
    assert_eq!((ready.status, ready.json()), (200, json!({"status": "ready"})));
    let list = rig.modern("tools/list", json!({})).send().await.result();
    assert_eq!(list["tools"].as_array().map(Vec::len), Some(gateway::tool_definitions().len()));

    let outcome = rig.call(Era::Modern, "search_models", json!({"query": "flux"})).await;
    let next = outcome.error("ingress")["next_step"].as_str().unwrap();
    assert_eq!(next, "fal cannot be reached right now. Call again in a little while.");
    let outcome = rig.call(Era::Modern, "recommend_model", json!({"task": "a fox"})).await;
    let error = outcome.error("catalogue_loading");
    assert_eq!(error["message"], "The catalogue of models is not loaded yet.");
    let flux = json!({"endpoint_id": "fal-ai/flux/schnell"});
    let outcome = rig.call(Era::Modern, "get_model_schema", flux).await;
    let next = outcome.error("ingress")["next_step"].as_str().unwrap();
    assert!(next.ends_with("Nothing was submitted."), "{next}");
    assert_eq!(rig.sim.ledger().calls(Operation::Submit), 0);
}

#[tokio::test]
async fn a_catalogue_that_could_not_be_loaded_is_loaded_as_soon_as_fal_is_there() {
    let sim = fal_sim::start(instant()).await.unwrap();
    sim.faults().add(down());
    let rig = Rig::in_front_of(sim, |config| config.catalog_refresh = REFRESH).await;
    let failed = async || rig.pages_loaded().len() >= 5;
    eventually("a load failed and was begun again", failed).await;
    assert!(rig.catalogue_is_loading().await);
    rig.sim.faults().clear();
    let rig = rig.warm().await;
    assert!(search(&rig).await["total"].as_u64() > Some(0));
}

#[tokio::test]
async fn down_after_the_load_search_and_recommendations_go_on_and_say_how_old_they_are() {
    let rig = warm().await;
    let fresh = search(&rig).await;
    assert!(fresh.get("age_seconds").is_none(), "{fresh}");
    recommend(&rig).await;
    rig.sim.faults().add(down());

    let aged = async || search(&rig).await.get("age_seconds").is_some();
    eventually_within(Duration::from_secs(10), "the age is told", aged).await;
    let found = search(&rig).await;
    assert!(found["age_seconds"].as_u64() >= Some(1), "{found}");
    assert_eq!(found["models"], fresh["models"]);
    let recommended = recommend(&rig).await;
    assert!(recommended["age_seconds"].as_u64() >= Some(1), "{recommended}");
    assert!(!recommended["picks"].as_array().unwrap().is_empty(), "{recommended}");

    rig.sim.faults().clear();
    let fresh_again = async || search(&rig).await.get("age_seconds").is_none();
    eventually_within(Duration::from_secs(20), "it is refreshed", fresh_again).await;
    assert!(recommend(&rig).await.get("age_seconds").is_none());
}

#[tokio::test]
async fn down_after_it_was_read_a_schema_is_still_shown_and_still_guards_what_is_paid_for() {
    let rig = Rig::start().await.warm().await;
    let model = json!({"endpoint_id": "fal-ai/flux/schnell"});
    let schema = rig.call(Era::Modern, "get_model_schema", model.clone()).await.into_value();
    for operation in [Operation::Schema, Operation::Models] {
        rig.sim.faults().add(down().on(operation));
    }
    let again = rig.call(Era::Modern, "get_model_schema", model.clone()).await;
    assert_eq!(again.value(), &schema);
    let wrong = json!({"endpoint_id": "fal-ai/flux/schnell", "input": {"prompt": 7}});
    rig.call(Era::Modern, "run_model", wrong).await.error("input_refused");
    let right = json!({"endpoint_id": "fal-ai/flux/schnell", "input": {"prompt": "a cat"}});
    let run = rig.call(Era::Modern, "run_model", right).await;
    assert_eq!(run.value()["status"], "completed");
    let cold = json!({"endpoint_id": "fal-ai/flux/dev"});
    rig.call(Era::Modern, "get_model_schema", cold).await.error("ingress");
}

#[tokio::test]
async fn a_recommendation_needs_neither_schemas_nor_prices_to_be_there() {
    let rig = Rig::start().await.warm().await;
    rig.sim.faults().add(down());
    let picks = recommend(&rig).await["picks"].take();
    let picks = picks.as_array().unwrap();
    assert!(!picks.is_empty());
    for pick in picks {
        assert_eq!(pick["category"], "text-to-image", "{pick}");
        assert!(pick.get("required_inputs").is_none() && pick.get("price").is_none(), "{pick}");
    }
}
