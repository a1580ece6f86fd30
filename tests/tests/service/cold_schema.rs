//! Schemas that nobody has asked for yet, and ids that nobody knows: what they cost fal.

use fal_sim::{DEMO_KEY, Fault, FaultKind, Operation, PRIVATE_KEY, Received};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Era, Outcome, Rig};

const UNKNOWN: &str = "fal-ai/no-such/model";

fn model(endpoint_id: &str) -> Value {
    json!({"endpoint_id": endpoint_id})
}

fn without_key(requests: &[Received]) -> usize {
    requests.iter().filter(|request| request.authorization.is_none()).count()
}

#[tokio::test]
async fn a_hundred_callers_of_one_cold_schema_cause_one_request() {
    let rig = Rig::start().await.warm().await;
    // Slow enough that all of them wait for it.
    let slow = Fault::new(FaultKind::SlowHeaders { milliseconds: 500 });
    rig.sim.faults().add(slow.on(Operation::Schema));
    let calls = (0..100).map(|number| {
        let key = [DEMO_KEY, PRIVATE_KEY][number % 2];
        let call = rig.tool(Era::Modern, "get_model_schema", model("fal-ai/flux/dev"));
        async move { Outcome::of(&call.bearer(key).send().await).into_value() }
    });
    let schemas = join_all(calls).await;
    assert!(schemas.iter().all(|schema| *schema == schemas[0]));
    let asked = rig.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!((asked[0].operation, &asked[0].authorization), (Operation::Schema, &None));
}

#[tokio::test]
async fn a_warm_schema_is_asked_for_by_nobody() {
    let rig = Rig::start().await.warm().await;
    let first = rig.call(Era::Modern, "get_model_schema", model("fal-ai/flux/dev")).await;
    let asked = rig.asked().len();
    let again = rig.call(Era::Legacy, "get_model_schema", model("fal-ai/flux/dev")).await;
    assert_eq!(first.value(), again.value());
    let job = json!({"endpoint_id": "fal-ai/flux/dev", "input": {"prompt": 7}});
    rig.call(Era::Modern, "run_model", job).await.error("input_refused");
    assert_eq!(rig.asked().len(), asked);
}

#[tokio::test]
async fn an_id_that_is_unknown_to_all_is_asked_for_in_public_once() {
    let rig = Rig::start().await.warm().await;
    rig.call(Era::Modern, "get_model_schema", model(UNKNOWN)).await.error("unknown_endpoint_id");
    let first = rig.asked();
    for tool in ["get_model_schema", "run_model", "submit_job"] {
        let arguments = match tool {
            "get_model_schema" => model(UNKNOWN),
            _ => json!({"endpoint_id": UNKNOWN, "input": {}}),
        };
        rig.call(Era::Modern, tool, arguments).await.error("unknown_endpoint_id");
    }
    let all = rig.asked();
    assert_eq!(without_key(&all), without_key(&first), "{all:?}");
    // It may be private to the caller, so each call asks with its key: one request, no more.
    assert_eq!(all.len(), first.len() + 3, "{all:?}");
}

#[tokio::test]
async fn a_hundred_callers_of_an_unknown_id_ask_in_public_once() {
    let rig = Rig::start().await.warm().await;
    let calls = (0..100).map(|_| rig.call(Era::Modern, "get_model_schema", model(UNKNOWN)));
    for outcome in join_all(calls).await {
        outcome.error("unknown_endpoint_id");
    }
    let asked = rig.asked();
    assert!(without_key(&asked) <= 2, "the website and the catalogue: {}", without_key(&asked));
}

#[tokio::test]
async fn an_unknown_id_is_known_again_as_soon_as_fal_knows_it_for_the_caller() {
    let rig = Rig::start().await.warm().await;
    let private = model(fal_sim::PRIVATE_MODEL);
    for (key, is_known) in [(DEMO_KEY, false), (PRIVATE_KEY, true), (DEMO_KEY, false)] {
        let call = rig.tool(Era::Modern, "get_model_schema", private.clone()).bearer(key);
        let outcome = Outcome::of(&call.send().await);
        assert_eq!(!outcome.is_error(), is_known, "{}", outcome.result);
    }
}

#[tokio::test]
async fn a_renamed_id_is_answered_with_the_living_ones_that_are_nearest() {
    let rig = Rig::start().await.warm().await;
    for (renamed, near) in [
        ("fal-ai/flux-schnell", "fal-ai/flux/schnell"),
        ("fal-ai/flux/schnel", "fal-ai/flux/schnell"),
        ("fal-ai/kling-video/v2.6/pro/text-to-video", "fal-ai/kling-video/v3/pro/text-to-video"),
        ("fal-ai/nano-banana/edit", "fal-ai/nano-banana-2/edit"),
        ("fal-ai/birefnet", "fal-ai/birefnet/v2"),
        ("sim-labs/darkroom", ""),
    ] {
        let outcome = rig.call(Era::Modern, "get_model_schema", model(renamed)).await;
        let error = outcome.error("unknown_endpoint_id");
        let nearest = error["nearest_endpoint_ids"].as_array().unwrap();
        assert!(near.is_empty() || nearest.contains(&json!(near)), "{renamed}: {nearest:?}");
        for dead in ["fal-ai/fast-sdxl", "sim-labs/darkroom/v1/preview"] {
            assert!(!nearest.contains(&json!(dead)), "{renamed}: {nearest:?}");
        }
    }
}

#[tokio::test]
async fn a_deprecated_id_says_so_and_names_living_ones() {
    let rig = Rig::start().await.warm().await;
    // One that is gone, and one that still runs.
    let outcome =
        rig.call(Era::Modern, "get_model_schema", model("sim-labs/darkroom/v1/preview")).await;
    outcome.error("unknown_endpoint_id");
    let schema = rig.call(Era::Modern, "get_model_schema", model("fal-ai/fast-sdxl")).await;
    let schema = schema.value();
    assert_eq!(schema["status"], "deprecated", "{schema}");
    let nearest = schema["nearest_endpoint_ids"].as_array().unwrap();
    assert!(!nearest.is_empty() && !nearest.contains(&json!("fal-ai/fast-sdxl")), "{nearest:?}");
    let living = rig.call(Era::Modern, "get_model_schema", model("fal-ai/flux/dev")).await;
    assert!(living.value().get("nearest_endpoint_ids").is_none(), "{}", living.value());
}
