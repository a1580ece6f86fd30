//! `max_cost_usd`: what may not be spent is not sent. And what a run has cost.

use std::io::Write as _;
use std::time::Duration;

use fal_sim::{Fault, FaultKind, Models, NO_SCOPE_KEY, Operation};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tests::{Era, Outcome, Rig, instant};
use tokio::time::Instant;

const FLUX: &str = "fal-ai/flux/schnell";
/// A model of which fal tells no price.
const UNPRICED: &str = "lab/unpriced";
const PAID: [&str; 2] = ["run_model", "submit_job"];

/// A job of four images of a little over a megapixel, which is two begun, at 0.003 dollars each.
fn job(limit: f64) -> Value {
    let input = json!({"prompt": "a cat", "num_images": 4, "image_size": "square_hd"});
    json!({"endpoint_id": FLUX, "input": input, "max_cost_usd": limit})
}

fn submits(rig: &Rig) -> u64 {
    rig.sim.ledger().calls(Operation::Submit)
}

async fn call(rig: &Rig, tool: &str, arguments: Value) -> Outcome {
    rig.call(Era::Modern, tool, arguments).await
}

/// A stand-in with the one model that has no price.
fn without_prices() -> (fal_sim::Config, NamedTempFile) {
    let io = |input: Value| json!({"content": {"application/json": {"schema": input}}});
    let prompt = json!({"type": "object", "required": ["prompt"],
        "properties": {"prompt": {"type": "string"}}});
    let text = json!({"type": "object", "properties": {"text": {"type": "string"}}});
    let mut paths = serde_json::Map::new();
    paths.insert(format!("/{UNPRICED}"), json!({"post": {"requestBody": io(prompt)}}));
    let result = json!({"get": {"responses": {"200": io(text)}}});
    paths.insert(format!("/{UNPRICED}/requests/{{request_id}}"), result);
    let mut document = json!({"openapi": "3.0.4", "info": {"title": "Unpriced", "version": "1"}});
    document["paths"] = Value::Object(paths);
    let mut file = NamedTempFile::new().unwrap();
    write!(file, "{}", json!({"endpoint_id": UNPRICED, "openapi": document})).unwrap();
    let models = Models::Files { catalog: None, schemas: Some(file.path().to_owned()) };
    (fal_sim::Config { models, ..instant() }, file)
}

#[tokio::test]
async fn a_run_that_would_cost_more_is_refused_with_the_figures_and_not_sent() {
    let rig = Rig::start().await;
    for tool in PAID {
        let outcome = call(&rig, tool, job(0.023)).await;
        let error = outcome.error("too_expensive");
        assert_eq!(
            (&error["estimated_usd"], &error["max_cost_usd"]),
            (&json!(0.024), &json!(0.023))
        );
        assert_eq!(
            error["message"],
            "One run of `fal-ai/flux/schnell` is estimated at 0.024 USD (0.003 USD, counted in megapixels), more than the limit of 0.023 USD. Nothing was submitted, nothing is billed."
        );
        let next = error["next_step"].as_str().unwrap();
        assert!(next.contains("Ask the user") && next.contains("max_cost_usd"), "{next}");
    }
    assert_eq!(submits(&rig), 0);
}

#[tokio::test]
async fn a_run_within_its_limit_is_sent_once() {
    let rig = Rig::start().await;
    for (number, limit) in [(1, 0.024), (2, 0.5)] {
        let run = call(&rig, "run_model", job(limit)).await;
        assert_eq!(run.value()["status"], "completed");
        assert_eq!(submits(&rig), number);
    }
    call(&rig, "submit_job", job(0.024)).await.value();
    assert_eq!(submits(&rig), 3);
}

#[tokio::test]
async fn a_limit_of_nothing_refuses_all_that_costs() {
    let rig = Rig::start().await;
    call(&rig, "run_model", job(0.0)).await.error("too_expensive");
    assert_eq!(submits(&rig), 0);
}

#[tokio::test]
async fn an_input_that_does_not_fit_is_refused_before_its_price_is_asked_for() {
    let rig = Rig::start().await;
    let mut job = job(0.5);
    job["input"] = json!({});
    call(&rig, "run_model", job).await.error("input_refused");
    assert_eq!((submits(&rig), rig.sim.ledger().calls(Operation::Pricing)), (0, 0));
}

#[tokio::test]
async fn a_limit_that_nobody_can_keep_is_refused_and_the_run_without_one_is_sent() {
    let (sim, _models) = without_prices();
    let rig = Rig::with(sim, |_| ()).await;
    let job = json!({"endpoint_id": UNPRICED, "input": {"prompt": "a cat"}});
    for tool in PAID {
        let mut limited = job.clone();
        limited["max_cost_usd"] = json!(100.0);
        let outcome = call(&rig, tool, limited).await;
        let error = outcome.error("cost_unknown");
        assert!(error["message"].as_str().unwrap().contains("limit of 100 USD cannot be kept"));
        let next = error["next_step"].as_str().unwrap();
        assert!(next.contains("without max_cost_usd"), "{next}");
    }
    assert_eq!(submits(&rig), 0);
    let run = call(&rig, "run_model", job).await.into_value();
    assert_eq!((&run["status"], run.get("cost")), (&json!("completed"), None));
    assert_eq!(submits(&rig), 1);
}

#[tokio::test]
async fn prices_that_cannot_be_had_refuse_a_limited_run_and_only_that() {
    for (fault, kind) in [
        (FaultKind::Ingress { status: 503 }, "ingress"),
        (FaultKind::Server { status: 500 }, "server"),
        (FaultKind::RateLimited { retry_after: None }, "rate_limited"),
        (FaultKind::DropBefore, "dropped"),
        (FaultKind::MalformedJson, "answer_malformed"),
    ] {
        let rig = Rig::start().await;
        rig.sim.faults().add(Fault::new(fault).on(Operation::Pricing));
        for tool in PAID {
            let outcome = call(&rig, tool, job(1.0)).await;
            let next = outcome.error(kind)["next_step"].as_str().unwrap();
            assert!(next.ends_with("Nothing was submitted."), "{kind}: {next}");
        }
        assert_eq!(submits(&rig), 0, "{kind}");
        let run = rig.run(Era::Modern, "a cat").send().await;
        let run = Outcome::of(&run).into_value();
        assert_eq!((&run["status"], run.get("cost")), (&json!("completed"), None), "{kind}");
        assert_eq!(submits(&rig), 1, "{kind}");
    }
}

#[tokio::test]
async fn a_key_that_may_not_see_prices_can_set_no_limit() {
    let rig = Rig::start().await.with_key(NO_SCOPE_KEY);
    call(&rig, "run_model", job(1.0)).await.error("scope_missing");
    assert_eq!(submits(&rig), 0);
    let run = Outcome::of(&rig.run(Era::Modern, "a cat").send().await).into_value();
    assert_eq!((&run["status"], run.get("cost")), (&json!("completed"), None));
}

#[tokio::test]
async fn a_run_tells_what_it_cost_by_the_units_that_fal_counted() {
    let rig = Rig::start().await;
    for limit in [Some(1.0), None] {
        let mut job = job(1.0);
        if limit.is_none() {
            job.as_object_mut().unwrap().remove("max_cost_usd");
        }
        let run = call(&rig, "run_model", job).await.into_value();
        let units = run["billable_units"].as_f64().unwrap();
        assert_eq!(
            run["cost"],
            json!({"amount": 0.003 * units, "currency": "USD", "units": units, "unit": "megapixels", "unit_price": 0.003})
        );
        assert!((units - 8.0).abs() < f64::EPSILON, "{run}");
    }
}

#[tokio::test]
async fn a_slow_price_holds_no_finished_run_up() {
    let rig = Rig::start().await;
    // The schema is read first, so that the run alone is measured.
    call(&rig, "get_model_schema", json!({"endpoint_id": FLUX})).await.value();
    let slow = Fault::new(FaultKind::SlowHeaders { milliseconds: 8_000 });
    rig.sim.faults().add(slow.on(Operation::Pricing));
    let begun = Instant::now();
    let run = Outcome::of(&rig.run(Era::Modern, "a cat").send().await).into_value();
    let took = begun.elapsed();
    assert_eq!((&run["status"], run.get("cost")), (&json!("completed"), None));
    assert!(took < Duration::from_millis(1_500), "half a second and the run: {took:?}");
}
