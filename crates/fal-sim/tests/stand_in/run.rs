//! Synchronous runs.

use std::time::Duration;

use fal_sim::{Config, Host};
use serde_json::{Value, json};

use crate::support::{Ask, instant, start, submit};

#[tokio::test]
async fn a_run_answers_with_the_output() {
    let sim = instant().await;
    let url = format!("{}/fal-ai/flux/schnell", sim.host_url(Host::Run));
    let reply = Ask::post(url, r#"{"prompt":"a cat","num_images":2}"#).demo().send().await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("x-fal-billable-units"), Some("2"));
    assert!(reply.header("x-fal-request-id").is_some());
    let body = reply.json();
    assert_eq!(body["images"].as_array().unwrap().len(), 2);
    assert_eq!(body["prompt"], "a cat");
}

#[tokio::test]
async fn a_model_billed_by_compute_seconds_names_no_units() {
    let sim = instant().await;
    let url = format!("{}/fal-ai/whisper", sim.host_url(Host::Run));
    let reply = Ask::post(url, r#"{"audio_url":"https://example.com/a.wav"}"#).demo().send().await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("x-fal-billable-units"), None);
    let job = submit(&sim, "fal-ai/whisper", &json!({ "audio_url": "https://e.com/a.wav" })).await;
    assert!(job.status().await.json()["metrics"]["inference_time"].as_f64().unwrap() > 0.0);
    assert_eq!(job.result().await.header("x-fal-billable-units"), None);
}

#[tokio::test]
async fn a_run_over_the_limit_is_refused_and_hanging_up_frees_the_place() {
    let sim = start(Config { concurrency: 1, ..Config::default() }).await;
    let url = format!("{}/fal-ai/flux/schnell", sim.host_url(Host::Run));
    let slow = Ask::post(&url, r#"{"prompt":"[sim:slow 60]"}"#).demo();
    let quick = Ask::post(&url, r#"{"prompt":"[sim:slow 0]"}"#).demo();

    let client = crate::support::client(None);
    let mut run = Box::pin(slow.try_send(&client));
    let refused = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        quick.clone().send().await
    };
    let refused = tokio::select! {
        _ = &mut run => unreachable!("a run of a minute does not end here"),
        reply = refused => reply,
    };
    assert_eq!(refused.status, 429);
    assert_eq!(refused.json()["error_type"], "concurrent_requests_limit");
    assert_eq!(refused.header("x-fal-error-type"), Some("concurrent_requests_limit"));

    // Dropping the request closes its connection.
    drop(run);
    let mut status = 429;
    for _ in 0..100 {
        status = quick.clone().send().await.status.as_u16();
        if status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_stream_ends_with_the_whole_output() {
    let sim = instant().await;
    let url = format!("{}/fal-ai/flux/schnell/stream", sim.host_url(Host::Run));
    let reply = Ask::post(url, r#"{"prompt":"a cat"}"#).demo().send().await;
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    let last = reply.text().trim_end().rsplit("data: ").next().unwrap();
    let output: Value = serde_json::from_str(last).unwrap();
    assert_eq!(output["prompt"], "a cat");
}
