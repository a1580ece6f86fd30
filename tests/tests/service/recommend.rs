//! `recommend_model`: what it reads in a task, and that each pick can be taken at its word.

use fal_sim::NO_SCOPE_KEY;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Era, Rig};

/// The sentence of the tool's own description.
const PRODUCT: &str = "turn this product photo into a 5 second vertical video under 50 cents";

/// Tasks, the files that each has, and the categories that the first pick may have.
const TASKS: [(&str, &[&str], &str); 15] = [
    ("a picture of a red fox in the snow", &[], "text-to-image"),
    ("turn this product photo into a 5 second video", &["image"], "image-to-video"),
    ("a short film of a robot walking through rain", &[], "text-to-video"),
    ("remove the background from this photo", &["image"], "image-to-image"),
    ("fill the masked area of this picture", &["image", "mask"], "image-to-image"),
    ("read this text aloud in a calm voice", &[], "text-to-speech"),
    ("transcribe this interview recording", &["audio"], "speech-to-text|audio-to-text"),
    ("compose background music for studying", &[], "text-to-audio"),
    ("a 3d model of a wooden chair", &[], "text-to-3d"),
    ("make a 3d mesh from this photo", &["image"], "image-to-3d"),
    ("make the lips in this video match this recording", &["video", "audio"], "video-to-video"),
    ("upscale this video", &["video"], "video-to-video"),
    ("what is in this picture?", &["image"], "vision"),
    ("split this song into vocals and drums", &["audio"], "audio-to-audio"),
    ("train a LoRA on these twenty photos", &["image", "archive"], "training"),
];

/// The file, or whatever else is no words, that a required input of the stand-in's models takes.
/// An input that is not listed fails the test.
fn taken_by(input: &str) -> Option<&'static str> {
    match input {
        "prompt" | "text" | "lyrics" | "messages" | "model" => None,
        "image_url" | "image_urls" => Some("image"),
        "mask_url" => Some("mask"),
        "video_url" => Some("video"),
        "audio_url" => Some("audio"),
        "model_mesh_url" => Some("mesh"),
        "images_data_url" => Some("archive"),
        "media_url" => Some("media"),
        "trajectories" => Some("drawn lines"),
        other => panic!("what does {other} take?"),
    }
}

async fn recommend(rig: &Rig, arguments: Value) -> Value {
    rig.call(Era::Modern, "recommend_model", arguments).await.into_value()
}

fn picks(recommended: &Value) -> &[Value] {
    recommended["picks"].as_array().unwrap()
}

/// What the model's own schema requires.
async fn required_by(rig: &Rig, pick: &Value) -> Vec<Value> {
    let arguments = json!({"endpoint_id": pick["endpoint_id"]});
    let schema = rig.call(Era::Modern, "get_model_schema", arguments).await.into_value();
    schema["input_schema"]["required"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_task_is_read_and_the_reading_is_told() {
    let rig = Rig::start().await.warm().await;
    let recommended = recommend(&rig, json!({"task": PRODUCT})).await;
    let understood = &recommended["understood"];
    assert_eq!(understood["inputs"], json!(["text", "image"]), "{understood}");
    for (fact, value) in [
        ("output", json!("video")),
        ("category", json!("image-to-video")),
        ("duration_seconds", json!(5.0)),
        ("aspect_ratio", json!("9:16")),
        ("max_price_usd", json!(0.5)),
    ] {
        assert_eq!(understood[fact], value, "{fact}: {understood}");
    }
    let first = &picks(&recommended)[0];
    assert_eq!(first["category"], "image-to-video", "{recommended}");
}

#[tokio::test]
async fn a_budget_is_kept_whether_the_sentence_or_the_argument_sets_it() {
    let rig = Rig::start().await.warm().await;
    for (arguments, most) in [
        (json!({"task": PRODUCT}), 0.5),
        (json!({"task": PRODUCT, "max_price_usd": 0.3}), 0.3),
        (json!({"task": "a picture of a fox", "max_price_usd": 0.03}), 0.03),
        (json!({"task": "a picture of a fox for at most 3 cents"}), 0.03),
    ] {
        let recommended = recommend(&rig, arguments.clone()).await;
        assert_eq!(recommended["understood"]["max_price_usd"], most, "{arguments}");
        assert!(!picks(&recommended).is_empty(), "{recommended}");
        for pick in picks(&recommended) {
            let estimate = pick["estimated_usd"].as_f64().unwrap();
            assert!(estimate <= most, "{arguments}: {pick}");
        }
        let left_out = recommended["left_out"].as_str().unwrap();
        assert!(left_out.contains("more would cost more than the limit"), "{left_out}");
    }
    let nothing = recommend(&rig, json!({"task": PRODUCT, "max_price_usd": 0.000_1})).await;
    assert_eq!(nothing["picks"], json!([]));
}

#[tokio::test]
async fn who_asks_for_something_cheap_gets_the_least_expensive_first() {
    let rig = Rig::start().await.warm().await;
    let estimates = async |task: &str| -> Vec<f64> {
        let recommended = recommend(&rig, json!({"task": task, "limit": 3})).await;
        let estimate = |pick: &Value| pick["estimated_usd"].as_f64().unwrap_or(f64::INFINITY);
        picks(&recommended).iter().map(estimate).collect()
    };
    let any = estimates("a video of a fox from a prompt").await;
    let cheap = estimates("a cheap video of a fox from a prompt").await;
    assert!(cheap.is_sorted(), "{cheap:?}");
    assert!(cheap[0] < any[0], "{cheap:?} {any:?}");
}

#[tokio::test]
async fn no_pick_needs_what_the_task_does_not_have() {
    let rig = Rig::start().await.warm().await;
    let checks = TASKS.map(|(task, has, category)| {
        let rig = &rig;
        async move {
            let recommended = recommend(rig, json!({"task": task, "limit": 10})).await;
            let first =
                picks(&recommended).first().unwrap_or_else(|| panic!("{task}: {recommended}"));
            let of_first = first["category"].as_str().unwrap();
            assert!(category.split('|').any(|name| name == of_first), "{task}: {recommended}");
            for pick in picks(&recommended) {
                let required = required_by(rig, pick).await;
                assert_eq!(pick["required_inputs"], json!(required), "{task}: {pick}");
                for input in required {
                    let taken = taken_by(input.as_str().unwrap());
                    let fits = taken.is_none_or(|taken| has.contains(&taken));
                    assert!(fits, "{task}: {input} of {}", pick["endpoint_id"]);
                }
            }
        }
    });
    join_all(checks).await;
}

#[tokio::test]
async fn each_pick_has_its_reason_its_price_and_a_next_call_that_works() {
    let rig = Rig::start().await.warm().await;
    let recommended = recommend(&rig, json!({"task": "a picture of a fox", "limit": 4})).await;
    assert_eq!(picks(&recommended).len(), 4);
    for pick in picks(&recommended) {
        assert!(!pick["name"].as_str().unwrap().is_empty(), "{pick}");
        assert!(pick["reason"].as_str().unwrap().ends_with('.'), "{pick}");
        assert_eq!(pick["required_inputs"], json!(["prompt"]), "{pick}");
        let id = json!({"endpoint_id": pick["endpoint_id"]});
        let priced = rig.call(Era::Modern, "get_pricing", id).await.into_value();
        for member in ["unit_price", "unit", "currency"] {
            assert_eq!(pick["price"][member], priced["prices"][0][member], "{pick}");
        }
        let next = &pick["next_call"];
        let tool = next["tool"].as_str().unwrap();
        let schema = rig.call(Era::Modern, tool, next["arguments"].clone()).await.into_value();
        assert_eq!(schema["endpoint_id"], pick["endpoint_id"]);
        let job = json!({"endpoint_id": pick["endpoint_id"], "input": schema["example_input"]});
        let run = rig.call(Era::Modern, "run_model", job).await.into_value();
        assert_eq!(run["status"], "completed", "{pick}");
    }
}

#[tokio::test]
async fn a_key_that_may_see_no_prices_gets_its_picks_without_them() {
    let rig = Rig::start().await.with_key(NO_SCOPE_KEY).warm().await;
    let recommended = recommend(&rig, json!({"task": "animate this photo"})).await;
    assert!(!picks(&recommended).is_empty());
    for pick in picks(&recommended) {
        assert!(pick.get("price").is_none() && pick.get("estimated_usd").is_none(), "{pick}");
        assert_eq!(pick["category"], "image-to-video", "{pick}");
    }
}

#[tokio::test]
async fn a_limit_holds_and_a_deprecated_model_is_never_picked() {
    let rig = Rig::start().await.warm().await;
    for limit in [1, 2, 10] {
        let task = json!({"task": "a picture made with sdxl or flux", "limit": limit});
        let recommended = recommend(&rig, task).await;
        let count = picks(&recommended).len();
        assert!((1..=limit).contains(&count), "{count} picks, {limit} asked for");
        let gone = ["fal-ai/fast-sdxl", "sim-labs/darkroom/v1/preview"];
        for pick in picks(&recommended) {
            assert!(!gone.contains(&pick["endpoint_id"].as_str().unwrap()), "{pick}");
        }
    }
}
