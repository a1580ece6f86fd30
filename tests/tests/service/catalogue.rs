//! The catalogue in memory: how it gets there, and what searches find in it.

use std::time::Duration;

use fal_sim::{Fault, FaultKind, Models, Operation, PRIVATE_KEY, PRIVATE_MODEL};
use serde_json::{Value, json};
use tests::{Era, Rig, eventually_within, instant};
use tokio::time::Instant;

/// A stand-in whose catalogue has this many models, a hundred to a page.
fn long(count: usize) -> fal_sim::Config {
    fal_sim::Config { models: Models::Generated(count), ..instant() }
}

/// A gateway that has read a long catalogue as fast as it could.
async fn loaded(count: usize) -> Rig {
    let at_once = |config: &mut gateway::Config| config.catalog_page_interval = Duration::ZERO;
    Rig::with(long(count), at_once).await.warm().await
}

async fn search(rig: &Rig, arguments: Value) -> Value {
    rig.call(Era::Modern, "search_models", arguments).await.into_value()
}

fn ids(page: &Value) -> Vec<&str> {
    let models = page["models"].as_array().unwrap().iter();
    models.map(|model| model["endpoint_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn before_the_catalogue_is_loaded_fal_is_asked_with_the_caller_s_key_and_nothing_is_shared() {
    let rig = Rig::never_warm().await;
    let house_style = json!({"query": "house style"});
    for (key, found) in [
        (PRIVATE_KEY, [PRIVATE_MODEL].as_slice()),
        (fal_sim::DEMO_KEY, &[]),
        (PRIVATE_KEY, &[PRIVATE_MODEL]),
    ] {
        let call = rig.tool(Era::Modern, "search_models", house_style.clone()).bearer(key);
        let page = tests::Outcome::of(&call.send().await).into_value();
        assert_eq!(ids(&page), found);
        assert!(page.get("total").is_none(), "fal does not say how many there are: {page}");
    }
    let asked = rig.asked();
    assert_eq!(asked.len(), 3, "each search asks for itself");
    for request in asked {
        assert_eq!(request.operation, Operation::Models);
        assert_eq!(request.authorization.as_deref(), Some("Key"));
        assert_eq!(request.query.as_deref(), Some("q=house+style&status=active&limit=20"));
    }
    assert!(rig.catalogue_is_loading().await);
}

#[tokio::test]
async fn a_page_of_fal_s_own_search_leads_on_also_when_the_catalogue_is_loaded_by_then() {
    let rig = Rig::never_warm().await;
    let first = search(&rig, json!({"category": "text-to-image", "limit": 3})).await;
    let cursor = &first["next_cursor"];
    let next = json!({"category": "text-to-image", "limit": 3, "cursor": cursor});
    let here = search(&rig, next.clone()).await;
    let replica = loaded(150).await;
    assert_eq!(search(&replica, next).await["models"], here["models"]);
    assert!(ids(&first).iter().all(|id| !ids(&here).contains(id)), "{first} {here}");
}

#[tokio::test]
async fn once_it_is_loaded_no_search_asks_fal() {
    let rig = Rig::start().await.warm().await;
    for query in ["flux", "remove background", "lip sync", "no such thing at all"] {
        for key in [fal_sim::DEMO_KEY, PRIVATE_KEY] {
            let arguments = json!({"query": query});
            let call = rig.tool(Era::Modern, "search_models", arguments).bearer(key);
            let page = tests::Outcome::of(&call.send().await).into_value();
            assert!(page["total"].is_u64(), "{page}");
            assert!(page.get("age_seconds").is_none(), "{page}");
        }
    }
    assert_eq!(rig.asked(), []);
    assert_eq!(rig.pages_loaded().len(), 1);
}

#[tokio::test]
async fn the_load_carries_no_key_and_pauses_between_its_pages() {
    let interval = Duration::from_millis(300);
    let begun = Instant::now();
    let rig = Rig::with(long(350), |config| config.catalog_page_interval = interval).await;
    let rig = rig.warm().await;
    let took = begun.elapsed();
    assert!(took >= interval * 3, "four pages in {took:?}");
    let pages: Vec<String> = rig.pages_loaded().into_iter().filter_map(|page| page.query).collect();
    // fal's cursors are its page numbers in base64.
    assert_eq!(
        pages,
        ["limit=100", "limit=100&cursor=Mg", "limit=100&cursor=Mw", "limit=100&cursor=NA"]
    );
    assert_eq!(rig.asked(), [], "nobody's key was used");
}

#[tokio::test]
async fn a_load_that_fal_slows_down_goes_on_more_slowly_and_completes() {
    let client_tries = 4;
    let at_once = |config: &mut gateway::Config| config.catalog_page_interval = Duration::ZERO;
    let sim = fal_sim::start(long(250)).await.unwrap();
    let refuse = Fault::new(FaultKind::RateLimited { retry_after: Some(1) }).on(Operation::Models);
    sim.faults().add(refuse.times(client_tries));
    let begun = Instant::now();
    let rig = Rig::in_front_of(sim, at_once).await;
    let asked = || rig.sim.ledger().calls(Operation::Models);
    let patience = Duration::from_secs(20);
    eventually_within(patience, "every page is asked for", async || asked() >= 7).await;
    let took = begun.elapsed();
    let rig = rig.warm().await;
    assert_eq!(rig.pages_loaded().len(), 7, "four refusals and three pages");
    // A second after each refusal, then a second between the pages that had none between them.
    assert!(took >= Duration::from_secs(6), "{took:?}");
    assert!(search(&rig, json!({"limit": 1})).await["total"].as_u64() > Some(200));
}

#[tokio::test]
async fn deprecated_and_training_models_are_found_only_by_those_who_ask_for_them() {
    let rig = Rig::start().await.warm().await;
    let (deprecated, trainer) = ("fal-ai/fast-sdxl", "fal-ai/flux-lora-fast-training");
    for (arguments, found) in [
        (json!({"limit": 100}), [false, false]),
        (json!({"query": "fast sdxl"}), [false, false]),
        (json!({"query": "flux"}), [false, false]),
        (json!({"query": "fast sdxl", "status": "deprecated"}), [true, false]),
        (json!({"status": "deprecated"}), [true, false]),
        (json!({"kind": "training"}), [false, true]),
        (json!({"category": "training"}), [false, true]),
        (json!({"query": "train a lora"}), [false, true]),
        (json!({"query": "train a lora", "kind": "inference"}), [false, false]),
    ] {
        let page = search(&rig, arguments.clone()).await;
        let has = |id| ids(&page).contains(&id);
        assert_eq!([has(deprecated), has(trainer)], found, "{arguments}: {:?}", ids(&page));
    }
}

#[tokio::test]
async fn an_unknown_category_is_answered_with_those_that_exist() {
    let rig = Rig::start().await.warm().await;
    let outcome = rig.call(Era::Modern, "search_models", json!({"category": "txt2img"})).await;
    let error = outcome.error("invalid_arguments");
    let problem = error["problems"][0].as_str().unwrap();
    assert!(problem.starts_with("`category` is \"txt2img\": expected one of "), "{problem}");
    for category in ["text-to-image", "image-to-video", "training", "speech-to-text"] {
        assert!(problem.contains(category), "no {category}: {problem}");
    }
    for category in ["text-to-image", "training"] {
        let page = search(&rig, json!({"category": category})).await;
        assert!(!ids(&page).is_empty(), "{category}");
        let models = page["models"].as_array().unwrap();
        assert!(models.iter().all(|model| model["category"] == category), "{page}");
    }
}

#[tokio::test]
async fn pages_are_complete_and_never_repeat_a_model() {
    let rig = loaded(1_500).await;
    for (mut arguments, least) in [
        (json!({"limit": 100}), 1_300),
        (json!({"limit": 37, "query": "image to video"}), 50),
        (json!({"limit": 7, "category": "text-to-speech"}), 10),
    ] {
        let mut seen = Vec::new();
        let total = loop {
            let page = search(&rig, arguments.clone()).await;
            assert_eq!(page["total_shown"], ids(&page).len());
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            if page["has_more"] == false {
                assert!(page.get("next_cursor").is_none(), "{page}");
                break page["total"].clone();
            }
            assert_eq!(page["total_shown"], arguments["limit"], "only the last page is short");
            arguments["cursor"] = page["next_cursor"].clone();
        };
        let count = seen.len();
        assert_eq!(total, count, "{arguments}");
        assert!(count >= least, "{arguments}: {count}");
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count, "{arguments}");
    }
    assert_eq!(rig.asked(), []);
}

#[tokio::test]
async fn a_private_model_is_in_no_catalogue_and_works_for_its_owner_alone() {
    let rig = Rig::start().await.with_key(PRIVATE_KEY).warm().await;
    let model = json!({"endpoint_id": PRIVATE_MODEL});
    let run = json!({"endpoint_id": PRIVATE_MODEL, "input": {"prompt": "a cat"}});
    for query in ["house style", PRIVATE_MODEL] {
        let page = search(&rig, json!({"query": query})).await;
        assert!(!ids(&page).contains(&PRIVATE_MODEL), "{page}");
    }
    let schema = rig.call(Era::Modern, "get_model_schema", model.clone()).await;
    assert_eq!(schema.value()["endpoint_id"], PRIVATE_MODEL);
    let owned = rig.call(Era::Modern, "run_model", run.clone()).await;
    assert_eq!(owned.value()["status"], "completed");

    let rig = rig.with_key(fal_sim::DEMO_KEY);
    for (tool, arguments) in
        [("get_model_schema", &model), ("run_model", &run), ("submit_job", &run)]
    {
        let outcome = rig.call(Era::Modern, tool, arguments.clone()).await;
        let error = outcome.error("unknown_endpoint_id");
        assert!(!error["nearest_endpoint_ids"].to_string().contains(PRIVATE_MODEL), "{error}");
    }
    assert_eq!(rig.sim.ledger().submits().len(), 1, "the owner's own");
}

#[tokio::test]
async fn a_cursor_far_beyond_the_end_is_an_empty_last_page() {
    let rig = Rig::start().await.warm().await;
    let arguments = json!({"limit": 3, "cursor": format!("at-{}", usize::MAX)});
    let page = rig.call(Era::Modern, "search_models", arguments).await;
    let page = page.value();
    assert_eq!(page["models"], json!([]));
    assert_eq!(page["has_more"], false);
}
