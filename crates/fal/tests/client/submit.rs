//! The call that costs money.

use std::time::Duration;

use fal::{Client, Error, Priority, SubmitOptions, Submitted};
use openapi_contract::Operation;
use serde_json::json;
use tokio::time::Instant;
use url::Url;

use crate::{
    answers::{self, Answer},
    errors::error_of,
    raw::{Manner, Raw},
    server::{Fal, KEY, endpoint, id, job, key, soon},
};

async fn submit(client: &Client, options: &SubmitOptions) -> Result<Submitted, Error> {
    let input = json!({"prompt": "a cat", "seed": 7});
    client.submit(&key(), &endpoint(), &input, options, soon()).await
}

#[tokio::test]
async fn the_input_is_the_body_and_the_answer_is_a_job() {
    let fal = Fal::answering([answers::submitted()]).await;
    let submitted = submit(&fal.client(), &SubmitOptions::default()).await.unwrap();
    assert_eq!(submitted, Submitted { job: job(), queue_position: Some(0) });

    let received = fal.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].line(), "POST /queue/fal-ai/flux/dev");
    assert_eq!(received[0].body, r#"{"prompt":"a cat","seed":7}"#);
    assert_eq!(received[0].header("authorization"), Some(format!("Key {KEY}").as_str()));
    assert_eq!(received[0].header("content-type"), Some("application/json"));
    assert_eq!(received[0].header("content-length"), Some("27"));
    assert_eq!(received[0].header("accept-encoding"), Some("gzip"));
    assert!(received[0].header("user-agent").unwrap().starts_with("fal-mcp-gateway/"));
    let own = received[0].headers.keys().filter(|name| name.as_str().starts_with("x-fal"));
    assert_eq!(own.count(), 0, "nothing that was not asked for");
}

#[tokio::test]
async fn options_are_fals_headers_and_query() {
    let fal = Fal::answering([answers::submitted()]).await;
    let options = SubmitOptions {
        expiration_seconds: Some(3600),
        store_payload: Some(false),
        webhook_url: Some(Url::parse("https://example.com/hook?a=1&b=2").unwrap()),
        priority: Some(Priority::Low),
    };
    submit(&fal.client(), &options).await.unwrap();

    let received = fal.received();
    assert_eq!(
        received[0].line(),
        "POST /queue/fal-ai/flux/dev?fal_webhook=https%3A%2F%2Fexample.com%2Fhook%3Fa%3D1%26b%3D2"
    );
    let lifecycle = received[0].header("x-fal-object-lifecycle-preference");
    assert_eq!(lifecycle, Some(r#"{"expiration_duration_seconds":3600}"#));
    assert_eq!(received[0].header("x-fal-store-io"), Some("0"));
    assert_eq!(received[0].header("x-fal-queue-priority"), Some("low"));
}

#[tokio::test]
async fn the_whole_endpoint_id_is_in_the_path() {
    let fal = Fal::answering([answers::submitted()]).await;
    let deep = id("openrouter/router/openai/v1/responses");
    let options = SubmitOptions::default();
    fal.client().submit(&key(), &deep, &json!({}), &options, soon()).await.unwrap();
    assert_eq!(fal.lines(), ["POST /queue/openrouter/router/openai/v1/responses"]);
}

#[tokio::test]
async fn no_answer_leads_to_a_second_submit() {
    let text = |status, body: &str| Answer::new(Operation::Submit, status, body.to_owned());
    let unknown = "submit_outcome_unknown";
    let cases = [
        (answers::rate_limited(Operation::Submit, "0"), "rate_limited"),
        (text(500, ""), "server"),
        (text(503, ""), "server"),
        (answers::ingress(Operation::Submit, 503), "ingress"),
        (answers::ingress(Operation::Submit, 502), unknown),
        (answers::ingress(Operation::Submit, 504), unknown),
        (text(200, ""), unknown),
        (text(200, "<html>"), unknown),
        (text(200, r#"{"status":"IN_QUEUE"}"#), unknown),
        (text(200, r#"{"request_id":"../../x"}"#), unknown),
        (text(307, "").with("location", "/queue/fal-ai/flux/dev"), "redirected"),
    ];
    for (given, kind) in cases {
        let what = format!("{} {}", given.status, given.body);
        let fal = Fal::answering([given, answers::submitted()]).await;
        let error = error_of(&fal.client(), Operation::Submit, soon()).await;
        assert_eq!(error.kind(), kind, "{what}");
        assert_eq!(fal.received().len(), 1, "{what}");
    }
}

#[tokio::test]
async fn a_cut_answer_leaves_the_outcome_unknown_and_is_not_repeated() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"request_id\":";
    let refused_and_cut = "HTTP/1.1 422 Nope\r\ncontent-length: 100\r\n\r\n{";
    for manner in [Manner::ReadAndClose, Manner::Say(cut), Manner::Say(refused_and_cut)] {
        let raw = Raw::start(manner).await;
        let error = submit(&raw.client("http"), &SubmitOptions::default()).await.unwrap_err();
        assert!(matches!(error, Error::SubmitOutcomeUnknown { .. }), "{error:?}");
        assert!(!error.is_transient());
        assert_eq!(raw.connections(), 1);
        assert_eq!(raw.heard().matches("POST ").count(), 1);
    }
}

#[tokio::test]
async fn a_late_answer_leaves_the_outcome_unknown_and_is_not_repeated() {
    let raw = Raw::start(Manner::SayAndStall("")).await;
    let deadline = Instant::now() + Duration::from_secs(1);
    let error = error_of(&raw.client("http"), Operation::Submit, deadline).await;
    assert!(matches!(error, Error::SubmitOutcomeUnknown { .. }), "{error:?}");
    assert_eq!(raw.connections(), 1);
    assert!(raw.heard().starts_with("POST /fal-ai/flux/dev HTTP/1.1\r\n"), "{}", raw.heard());
}

#[tokio::test]
async fn a_connection_that_never_comes_up_is_tried_again() {
    // A TLS handshake that fails is before any byte of the request.
    let raw = Raw::start(Manner::Slam).await;
    let error = submit(&raw.client("https"), &SubmitOptions::default()).await.unwrap_err();
    assert!(matches!(error, Error::NotConnected { .. }), "{error:?}");
    assert_eq!(raw.connections(), 4);
}

#[tokio::test]
async fn a_deadline_that_passes_while_connecting_says_that_nothing_was_sent() {
    let raw = Raw::start(Manner::Silence).await;
    let deadline = Instant::now() + Duration::from_millis(200);
    let error = error_of(&raw.client("https"), Operation::Submit, deadline).await;
    assert!(matches!(error, Error::DeadlinePassed), "{error:?}");
}
