//! The life of a job in the queue.

use std::time::Duration;

use fal_sim::{Config, Host, PRIVATE_KEY};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::{Ask, instant, start, submit};

const MODEL: &str = "fal-ai/flux/schnell";

#[tokio::test]
async fn a_job_is_queued_then_runs_then_is_completed() {
    let sim = start(Config::default()).await;
    let input = json!({ "prompt": "a cat [sim:queue 1] [sim:slow 0.8]" });
    let job = submit(&sim, MODEL, &input).await;

    let queued = job.status().await;
    assert_eq!(queued.status, 202);
    let body = queued.json();
    assert_eq!(body["status"], "IN_QUEUE");
    assert!(body["queue_position"].is_u64());
    assert_eq!(body["request_id"], json!(job.request_id));
    assert_eq!(body["status_url"], json!(job.status_url));
    assert_eq!((&body["logs"], &body["metrics"]), (&Value::Null, &json!({})));

    job.reach("IN_PROGRESS").await;
    let running = job.status().await;
    assert_eq!(running.status, 202);
    let body = running.json();
    assert!(body.get("queue_position").is_none());
    assert_eq!(body["logs"][0]["source"], "USER");
    assert_eq!(body["metrics"], json!({}));

    job.reach("COMPLETED").await;
    let done = job.status().await;
    assert_eq!(done.status, 200);
    let body = done.json();
    assert_eq!(body["logs"].as_array().unwrap().len(), 5);
    assert_eq!(body["metrics"], json!({ "inference_time": 0.8 }));
    assert!(body.get("error").is_none());
    assert_eq!(done.header("x-fal-request-id"), Some(job.request_id.as_str()));
}

#[tokio::test]
async fn logs_are_null_unless_asked_for() {
    let sim = instant().await;
    let job = submit(&sim, MODEL, &json!({ "prompt": "a cat" })).await;
    let body = Ask::get(&job.status_url).demo().send().await.json();
    assert_eq!(body["logs"], Value::Null);
    let body = Ask::get(format!("{}?logs=true", job.status_url)).demo().send().await.json();
    assert!(body["logs"].is_array());
}

#[tokio::test]
async fn the_urls_of_a_job_are_those_of_its_app() {
    let sim = instant().await;
    let id = "fal-ai/kling-video/v3/pro/text-to-video";
    let job = submit(&sim, id, &json!({ "prompt": "waves" })).await;
    let request =
        format!("{}/fal-ai/kling-video/requests/{}", sim.host_url(Host::Queue), job.request_id);
    assert_eq!(job.response_url, request);
    assert_eq!(job.status_url, format!("{request}/status"));
    assert_eq!(job.cancel_url, format!("{request}/cancel"));
    for url in [format!("{request}/"), format!("{request}/response"), format!("{request}/status/")]
    {
        assert_eq!(Ask::get(&url).demo().send().await.status, 200, "{url}");
    }
}

#[tokio::test]
async fn the_long_form_of_a_job_url_is_not_allowed_unless_configured() {
    let sim = instant().await;
    let job = submit(&sim, MODEL, &json!({ "prompt": "a cat" })).await;
    let long = |sim: &fal_sim::Sim, id: &str| {
        format!("{}/{MODEL}/requests/{id}/status", sim.host_url(Host::Queue))
    };
    assert_eq!(Ask::get(long(&sim, &job.request_id)).demo().send().await.status, 405);
    let config = Config { long_form_urls: true, speed: f64::INFINITY, ..Config::default() };
    let sim = start(config).await;
    let job = submit(&sim, MODEL, &json!({ "prompt": "a cat" })).await;
    assert_eq!(Ask::get(long(&sim, &job.request_id)).demo().send().await.status, 200);
}

#[tokio::test]
async fn an_unknown_job_is_not_found() {
    let sim = instant().await;
    let url = format!("{}/fal-ai/flux/requests/0", sim.host_url(Host::Queue));
    let replies = [
        Ask::get(format!("{url}/status")).demo().send().await,
        Ask::get(&url).demo().send().await,
        Ask::put(format!("{url}/cancel")).demo().send().await,
    ];
    for reply in replies {
        assert_eq!(reply.status, 404);
        assert_eq!(reply.json(), json!({ "status": "NOT_FOUND" }));
    }
}

#[tokio::test]
async fn an_unknown_application_is_refused_and_an_unknown_path_fails_when_it_runs() {
    let sim = instant().await;
    let queue = sim.host_url(Host::Queue);
    let reply = Ask::post(format!("{queue}/fal-ai/h3-max"), "{}").demo().send().await;
    assert_eq!(reply.status, 404);
    assert_eq!(reply.json(), json!({ "detail": "Application \"h3-max\" not found" }));

    let job = submit(&sim, "fal-ai/flux/xyz", &json!({})).await;
    let reply = job.result().await;
    assert_eq!(reply.status, 404);
    assert_eq!(reply.json(), json!({ "detail": "Path /xyz not found" }));
    assert_eq!(reply.header("x-fal-billable-units"), Some("0"));
}

#[tokio::test]
async fn a_result_before_the_end_is_still_in_progress() {
    let sim = start(Config::default()).await;
    let job = submit(&sim, MODEL, &json!({ "prompt": "[sim:slow 30]" })).await;
    let reply = job.result().await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json(), json!({ "detail": "Request is still in progress" }));
}

#[tokio::test]
async fn only_so_many_jobs_of_one_key_run_and_the_others_wait() {
    let sim = start(Config { concurrency: 1, ..Config::default() }).await;
    let slow = json!({ "prompt": "[sim:queue 0] [sim:slow 60]" });
    let first = submit(&sim, MODEL, &slow).await;
    let second = submit(&sim, MODEL, &slow).await;
    let third = submit(&sim, MODEL, &slow).await;
    assert_eq!(first.state().await, "IN_PROGRESS");
    assert_eq!(second.status().await.json()["queue_position"], 0);
    assert_eq!(third.status().await.json()["queue_position"], 1);

    // Another key has places of its own.
    let url = format!("{}/{MODEL}", sim.host_url(Host::Queue));
    let other = Ask::post(url, slow.to_string()).key(PRIVATE_KEY).send().await.json();
    let status = Ask::get(other["status_url"].as_str().unwrap()).key(PRIVATE_KEY).send().await;
    assert_eq!(status.json()["status"], "IN_PROGRESS");

    first.cancel().await;
    assert_eq!(second.state().await, "IN_PROGRESS");
    assert_eq!(third.state().await, "IN_QUEUE");
    second.cancel().await;
    assert_eq!(third.state().await, "IN_PROGRESS");
}

#[tokio::test]
async fn a_waiting_job_starts_when_the_one_before_it_ends() {
    let sim = start(Config { concurrency: 1, ..Config::default() }).await;
    let brief = json!({ "prompt": "[sim:queue 0] [sim:slow 1]" });
    let first = submit(&sim, MODEL, &brief).await;
    let second = submit(&sim, MODEL, &brief).await;
    assert_eq!(second.state().await, "IN_QUEUE");
    second.reach("COMPLETED").await;
    assert_eq!(first.state().await, "COMPLETED");
    let lines = |body: Value| body["logs"].as_array().unwrap().clone();
    let (first, second) = (lines(first.status().await.json()), lines(second.status().await.json()));
    let (last, next) = (first.last().unwrap()["timestamp"].clone(), second[0]["timestamp"].clone());
    assert!(last.as_str() < next.as_str(), "{last} {next}");
}

#[tokio::test]
async fn a_waiting_or_running_job_can_be_cancelled_and_a_finished_one_cannot() {
    let sim = start(Config::default()).await;
    for prompt in ["[sim:queue 30]", "[sim:queue 0] [sim:slow 30]"] {
        let job = submit(&sim, MODEL, &json!({ "prompt": prompt })).await;
        let reply = job.cancel().await;
        assert_eq!(reply.status, 202);
        assert_eq!(reply.json(), json!({ "status": "CANCELLATION_REQUESTED" }));

        let status = job.status().await;
        assert_eq!(status.status, 200);
        assert_eq!(status.json()["status"], "COMPLETED");
        assert_eq!(status.json()["error_type"], "client_cancelled");
        let result = job.result().await;
        assert_eq!(result.status, 499);
        assert_eq!(result.json()["error_type"], "client_cancelled");
        assert_eq!(result.header("x-fal-error-type"), Some("client_cancelled"));

        let again = job.cancel().await;
        assert_eq!(again.status, 400);
        assert_eq!(again.json(), json!({ "status": "ALREADY_COMPLETED" }));
    }
}

#[tokio::test]
async fn a_bad_input_is_accepted_and_refused_by_the_result() {
    let sim = instant().await;
    let input = json!({ "num_images": 9, "acceleration": "warp" });
    let job = submit(&sim, MODEL, &input).await;
    let status = job.status().await;
    assert_eq!(status.status, 200);
    assert!(status.json().get("error").is_none());
    let reply = job.result().await;
    assert_eq!(reply.status, 422);
    assert_eq!(reply.header("x-fal-billable-units"), Some("0"));
    let body = reply.json();
    let details = body["detail"].as_array().unwrap();
    let found: Vec<(&Value, &Value)> = details.iter().map(|d| (&d["loc"], &d["type"])).collect();
    assert!(found.contains(&(&json!(["body", "prompt"]), &json!("missing"))), "{body}");
    assert!(found.contains(&(&json!(["body", "num_images"]), &json!("less_than_equal"))), "{body}");
    assert!(found.contains(&(&json!(["body", "acceleration"]), &json!("literal_error"))), "{body}");
    assert_eq!(found.len(), 3, "{body}");
}

#[tokio::test]
async fn an_input_can_ask_for_its_own_failure() {
    let sim = instant().await;
    let job = submit(&sim, MODEL, &json!({ "prompt": "x [sim:content_policy]" })).await;
    let reply = job.result().await;
    assert_eq!(reply.status, 422);
    assert_eq!(reply.json()["detail"][0]["type"], "content_policy_violation");
    assert_eq!(reply.header("x-fal-retryable"), Some("false"));

    let job = submit(&sim, MODEL, &json!({ "prompt": "x [sim:fail startup_timeout]" })).await;
    let status = job.status().await.json();
    assert_eq!(
        (&status["status"], &status["error_type"]),
        (&json!("COMPLETED"), &json!("startup_timeout"))
    );
    let reply = job.result().await;
    assert_eq!(reply.status, 504);
    assert_eq!(reply.header("x-fal-error-type"), Some("startup_timeout"));
    assert_eq!(reply.json()["error_type"], "startup_timeout");
}

#[tokio::test]
async fn a_job_that_does_not_start_in_the_callers_time_fails() {
    let sim = start(Config::default()).await;
    let url = format!("{}/{MODEL}", sim.host_url(Host::Queue));
    let input = json!({ "prompt": "[sim:queue 30]" }).to_string();
    let ask = Ask::post(url, input).demo().header("x-fal-request-timeout", "1.2");
    let submitted = ask.send().await.json();
    let status_url = submitted["status_url"].as_str().unwrap();
    assert_eq!(Ask::get(status_url).demo().send().await.status, 202);
    sleep(Duration::from_millis(1300)).await;
    let status = Ask::get(status_url).demo().send().await;
    assert_eq!(status.json()["error_type"], "request_timeout");
    let reply = Ask::get(submitted["response_url"].as_str().unwrap()).demo().send().await;
    assert_eq!(reply.status, 504);
    assert_eq!(reply.header("x-fal-request-timeout-type"), Some("user"));
}

#[tokio::test]
async fn a_result_is_kept_for_a_while_only() {
    let config = Config {
        speed: f64::INFINITY,
        result_retention: Duration::from_secs(1),
        ..Config::default()
    };
    let sim = start(config).await;
    let job = submit(&sim, MODEL, &json!({ "prompt": "a cat" })).await;
    assert_eq!(job.result().await.status, 200);
    sleep(Duration::from_millis(1100)).await;
    assert_eq!(job.result().await.status, 404);
}

#[tokio::test]
async fn a_large_result_is_kept_for_a_tenth_of_that() {
    let config = Config {
        speed: f64::INFINITY,
        result_retention: Duration::from_secs(12),
        ..Config::default()
    };
    let sim = start(config).await;
    let job = submit(&sim, MODEL, &json!({ "prompt": "a cat", "sync_mode": true })).await;
    assert!(job.result().await.body.len() > 10 * 1024);
    sleep(Duration::from_millis(1300)).await;
    assert_eq!(job.result().await.status, 404);
    assert_eq!(job.status().await.status, 200);
}

#[tokio::test]
async fn a_status_stream_tells_each_change_and_ends_with_the_job() {
    let sim = start(Config::default()).await;
    let input = json!({ "prompt": "[sim:queue 0.8] [sim:slow 0.8]" });
    let job = submit(&sim, MODEL, &input).await;
    let began = Instant::now();
    let reply = Ask::get(format!("{}/stream?logs=1", job.status_url)).demo().send().await;
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    let events: Vec<Value> = reply
        .text()
        .split("\n\n")
        .filter_map(|event| serde_json::from_str(event.strip_prefix("data: ")?).ok())
        .collect();
    let mut states: Vec<&str> = events.iter().map(|e| e["status"].as_str().unwrap()).collect();
    states.dedup();
    assert_eq!(states, ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]);
    assert!(events.windows(2).all(|pair| pair[0] != pair[1]));
}

#[tokio::test]
async fn cancelling_ends_an_open_status_stream_at_once() {
    let sim = start(Config::default()).await;
    let job = submit(&sim, MODEL, &json!({ "prompt": "[sim:queue 0] [sim:slow 60]" })).await;
    let stream = Ask::get(format!("{}/stream", job.status_url)).demo();
    let (reply, ()) = tokio::join!(stream.send(), async {
        sleep(Duration::from_millis(100)).await;
        job.cancel().await;
    });
    assert!(reply.text().ends_with("\"error_type\":\"client_cancelled\"}\n\n"), "{}", reply.text());
}

#[tokio::test]
async fn a_submit_can_be_refused_for_the_length_of_the_queue() {
    let sim = start(Config { concurrency: 1, ..Config::default() }).await;
    for _ in 0..3 {
        submit(&sim, MODEL, &json!({ "prompt": "[sim:slow 30]" })).await;
    }
    let url = format!("{}/{MODEL}?fal_max_queue_length=1", sim.host_url(Host::Queue));
    assert_eq!(Ask::post(url, "{}").demo().send().await.status, 429);
}

#[tokio::test]
async fn the_ledger_has_every_accepted_submit_with_its_headers() {
    let sim = instant().await;
    let queue = sim.host_url(Host::Queue);
    let url = format!("{queue}/{MODEL}?fal_webhook=https%3A%2F%2Fexample.com%2Fdone");
    let ask = Ask::post(url, r#"{"prompt":"a cat"}"#).demo().header("x-fal-store-io", "0");
    let answer = ask.send().await.json();
    assert_eq!(answer["gateway_request_id"], answer["request_id"]);
    Ask::post(format!("{queue}/{MODEL}"), "{}").send().await;

    let submits = sim.ledger().submits();
    assert_eq!(submits.len(), 1);
    assert_eq!(submits[0].endpoint_id, MODEL);
    assert_eq!(json!(submits[0].request_id), answer["request_id"]);
    assert_eq!(submits[0].key_id, "0de30000-0000-4000-8000-000000000001");
    assert_eq!(submits[0].headers["x-fal-store-io"], "0");
    assert!(submits[0].query.as_deref().unwrap().starts_with("fal_webhook="));
    assert_eq!(sim.ledger().calls(fal_sim::Operation::Submit), 2);
    let received = sim.ledger().requests();
    assert_eq!(received[0].authorization.as_deref(), Some("Key"));
    assert_eq!(received[1].authorization, None);
}
