//! Calls that take a while: when the answer becomes a stream, what the stream carries, and how the
//! waiting ends.

use std::time::Duration;

use fal_sim::Operation;
use serde_json::{Value, json};
use tests::{Era, Event, Outcome, Rig, real_time};
use tokio::time::Instant;

/// A job that waits for longer than a plain answer may take, then runs for a moment.
const SLOW: &str = "a cat [sim:queue 2.4][sim:slow 0.5]";

async fn rig() -> Rig {
    Rig::with(real_time(), |_| ()).await
}

#[tokio::test]
async fn a_slow_answer_opens_a_stream_reports_progress_and_ends_with_the_response() {
    let rig = rig().await;
    let follow = async |era| {
        let mut events = rig.run(era, SLOW).progress("token-7").open().await;
        let opened = events.opened_after.as_secs_f64();
        assert!((1.8..3.5).contains(&opened), "headers after {opened} s");
        assert_eq!(events.status, 200);
        assert_eq!(events.headers["content-type"], "text/event-stream");
        assert_eq!(events.headers["cache-control"], "no-cache");
        assert_eq!(events.headers["x-accel-buffering"], "no");
        let first = tokio::time::timeout(Duration::from_millis(500), events.next()).await;
        assert_eq!(first.expect("bytes at once"), Some(Event::Comment));

        let mut messages = events.messages().await;
        let response = messages.pop().expect("the response is last");
        assert_eq!(response["id"], 1);
        let outcome = Outcome::of_response(response);
        assert_eq!(outcome.value()["status"], "completed");
        let request_id = outcome.value()["request_id"].as_str().unwrap();
        assert_progress(&messages, request_id);
    };
    tokio::join!(follow(Era::Modern), follow(Era::Legacy));
}

fn assert_progress(messages: &[Value], request_id: &str) {
    assert!(messages.len() >= 2, "in the queue, then in progress: {messages:?}");
    let mut last = 0.0;
    for message in messages {
        assert_eq!(message["method"], "notifications/progress");
        assert_eq!(message["params"]["progressToken"], "token-7");
        let progress = message["params"]["progress"].as_f64().unwrap();
        assert!(progress > last, "progress only rises: {messages:?}");
        last = progress;
        let text = message["params"]["message"].as_str().unwrap();
        assert!(text.contains(request_id), "each is a way back to the job: {text}");
    }
}

/// The headlines and the log lines of progress notifications.
fn told(messages: &[Value]) -> (Vec<&str>, Vec<&str>) {
    let texts = messages.iter().map(|message| message["params"]["message"].as_str().unwrap());
    let lines: Vec<&str> = texts.flat_map(str::lines).collect();
    lines.into_iter().partition(|line| !line.starts_with("log: "))
}

#[tokio::test]
async fn progress_carries_the_queue_position_the_state_and_each_log_line_once() {
    let rig = rig().await;
    let prompt = "a cat [sim:queue 2.6][sim:slow 1]";
    let mut messages =
        rig.run(Era::Modern, prompt).progress("token-7").open().await.messages().await;
    let outcome = Outcome::of_response(messages.pop().unwrap()).into_value();
    assert!(outcome.get("logs").is_none(), "nobody asked for logs in the result: {outcome}");
    let request_id = outcome["request_id"].as_str().unwrap();
    assert_progress(&messages, request_id);

    let (headlines, lines) = told(&messages);
    let running = format!("fal-ai/flux/schnell in progress (request_id {request_id})");
    let queued = format!("fal-ai/flux/schnell in queue at position 0 (request_id {request_id})");
    assert!(headlines.contains(&queued.as_str()), "{headlines:?}");
    assert!(headlines.contains(&running.as_str()), "{headlines:?}");
    let printed = [
        "log: Loading the input",
        "log:   0%|          | 0/4",
        "log:  50%|#####     | 2/4",
        "log: 100%|##########| 4/4",
        "log: Writing the output",
    ];
    assert!(lines.len() >= 4 && printed.starts_with(&lines), "{lines:?}");
}

#[tokio::test]
async fn check_job_reports_progress_as_run_model_does() {
    let rig = rig().await;
    let request_id = rig.submit("a cat [sim:queue 0][sim:slow 3]").await;
    let mut arguments = Rig::ids(&request_id);
    arguments["wait_seconds"] = json!(10);
    let check = rig.tool(Era::Legacy, "check_job", arguments).progress("token-7");
    let mut messages = check.open().await.messages().await;
    let outcome = Outcome::of_response(messages.pop().unwrap()).into_value();
    assert_eq!(outcome["status"], "completed");
    assert!(outcome.get("logs").is_none(), "{outcome}");
    assert_progress(&messages, &request_id);
    let (_, lines) = told(&messages);
    assert_eq!(lines.first(), Some(&"log: Loading the input"));
}

#[tokio::test]
async fn without_a_token_the_stream_carries_the_response_alone() {
    let rig = rig().await;
    let messages = rig.run(Era::Modern, SLOW).open().await.messages().await;
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(Outcome::of_response(messages[0].clone()).value()["status"], "completed");
}

#[tokio::test]
async fn a_caller_that_takes_json_only_gets_one_body_at_the_end() {
    let rig = rig().await;
    let ask = async |accept| {
        let begun = Instant::now();
        let run = rig.run(Era::Modern, SLOW).header("accept", accept).progress("token-7");
        let answer = run.send().await;
        assert!(begun.elapsed() > Duration::from_millis(2_500));
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(Outcome::of(&answer).value()["status"], "completed");
    };
    tokio::join!(ask("application/json"), ask("*/*"));
}

#[tokio::test]
async fn an_answer_that_is_ready_soon_is_one_json_body() {
    let rig = rig().await;
    let answer = rig.run(Era::Modern, "a cat [sim:queue 0.1][sim:slow 0.3]").send().await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(Outcome::of(&answer).value()["status"], "completed");
}

#[tokio::test]
async fn when_the_wait_is_over_the_answer_is_the_handle_and_a_call_that_goes_on() {
    let rig = rig().await;
    let begun = Instant::now();
    let run = rig.run(Era::Modern, "a cat [sim:queue 0][sim:slow 3]");
    let run = run.set("/params/arguments/wait_seconds", json!(1));
    let waiting = Outcome::of(&run.send().await).into_value();
    assert!((0.9..2.5).contains(&begun.elapsed().as_secs_f64()), "{:?}", begun.elapsed());
    assert_eq!(waiting["status"], "processing");
    assert_eq!(waiting["state"], "IN_PROGRESS");
    let next = &waiting["next_call"];
    assert_eq!(next["arguments"]["request_id"], waiting["request_id"]);
    let tool = next["tool"].as_str().unwrap();
    let done = rig.call(Era::Modern, tool, next["arguments"].clone()).await;
    assert_eq!(done.value()["status"], "completed");
    assert_eq!(rig.sim.ledger().calls(Operation::Submit), 1);
}

#[tokio::test]
async fn a_wait_of_no_seconds_answers_at_once() {
    let rig = rig().await;
    let begun = Instant::now();
    let run = rig.run(Era::Legacy, "a cat [sim:slow 30]");
    let run = run.set("/params/arguments/wait_seconds", json!(0));
    assert_eq!(Outcome::of(&run.send().await).value()["status"], "processing");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn check_job_waits_for_as_long_as_it_is_asked_to() {
    let rig = rig().await;
    let request_id = rig.submit("a cat [sim:queue 0][sim:slow 30]").await;
    let mut arguments = Rig::ids(&request_id);
    arguments["wait_seconds"] = json!(1);
    arguments["logs"] = json!(true);
    let begun = Instant::now();
    let checked = rig.call(Era::Modern, "check_job", arguments).await.into_value();
    assert!((0.9..2.5).contains(&begun.elapsed().as_secs_f64()), "{:?}", begun.elapsed());
    assert_eq!(checked["status"], "processing");
    assert_eq!(checked["logs"], json!(["Loading the input"]));
}

#[tokio::test]
async fn a_job_that_fails_names_itself_and_what_to_do() {
    let rig = Rig::start().await;
    let outcome =
        Outcome::of(&rig.run(Era::Modern, "a cat [sim:fail runner_server_error]").send().await);
    let error = outcome.error("request_failed");
    assert_eq!(error["endpoint_id"], "fal-ai/flux/schnell");
    let request_id = error["request_id"].as_str().unwrap();
    assert_eq!(request_id, rig.sim.ledger().submits()[0].request_id);
    assert!(error["next_step"].as_str().unwrap().starts_with("The job is over"), "{error}");
}

#[tokio::test]
async fn a_failure_arrives_on_the_stream_too() {
    let rig = rig().await;
    let prompt = "a cat [sim:queue 2.5][sim:slow 0.2][sim:fail runner_disconnected]";
    let mut messages =
        rig.run(Era::Legacy, prompt).progress("token-7").open().await.messages().await;
    let outcome = Outcome::of_response(messages.pop().unwrap());
    assert!(outcome.error("request_failed")["request_id"].is_string());
}

#[tokio::test]
async fn content_that_the_model_refuses_is_explained_in_the_model_s_own_words() {
    let rig = Rig::start().await;
    let outcome = Outcome::of(&rig.run(Era::Modern, "a cat [sim:content_policy]").send().await);
    let error = outcome.error("model_refused");
    assert_eq!(error["status"], 422);
    assert_eq!(error["details"][0]["type"], "content_policy_violation");
    assert_eq!(error["details"][0]["loc"], json!(["body", "prompt"]));
    assert!(error["request_id"].is_string(), "{error}");
    assert!(error["next_step"].as_str().unwrap().contains("new job"), "{error}");
    assert_eq!(rig.sim.ledger().calls(Operation::Submit), 1);
}
