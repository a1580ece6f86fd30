//! Time and size.

use std::time::Duration;

use fal::{Client, Config, Error};
use openapi_contract::Operation;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    answers::{self, Answer, answer},
    errors::{error_of, operations},
    raw::{Manner, Raw},
    server::{Fal, job, key, soon},
};

#[tokio::test]
async fn nothing_is_sent_after_the_deadline() {
    let fal = Fal::answering([answers::completed()]).await;
    for operation in operations() {
        if operation != Operation::StatusStream {
            let error = error_of(&fal.client(), operation, Instant::now()).await;
            assert!(matches!(error, Error::DeadlinePassed), "{operation:?}: {error:?}");
        }
    }
    assert!(fal.received().is_empty());
}

#[tokio::test]
async fn a_silent_fal_ends_with_the_deadline() {
    let raw = Raw::start(Manner::Silence).await;
    let begun = Instant::now();
    let deadline = begun + Duration::from_secs(1);
    let error = error_of(&raw.client("http"), Operation::Result, deadline).await;
    assert!(matches!(error, Error::TimedOut { source: None }), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_answer_that_stalls_ends_with_the_deadline() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
    let raw = Raw::start(Manner::SayAndStall(head)).await;
    let deadline = Instant::now() + Duration::from_secs(1);
    let error = error_of(&raw.client("http"), Operation::Result, deadline).await;
    assert!(matches!(error, Error::TimedOut { source: None }), "{error:?}");
}

#[tokio::test]
async fn an_answer_that_stalls_ends_with_the_read_timeout() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
    let raw = Raw::start(Manner::SayAndStall(head)).await;
    let config = Config { read_timeout: Duration::from_millis(50), ..raw.config("http") };
    let error = error_of(&Client::new(config).unwrap(), Operation::Result, soon()).await;
    assert!(matches!(error, Error::TimedOut { source: Some(_) }), "{error:?}");
    assert_eq!(raw.connections(), 4, "a read is tried four times");
}

#[tokio::test]
async fn an_answer_that_is_cut_is_dropped() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
    for manner in [Manner::ReadAndClose, Manner::Say(head)] {
        let raw = Raw::start(manner).await;
        let error = error_of(&raw.client("http"), Operation::Result, soon()).await;
        assert!(matches!(error, Error::Dropped { .. }), "{error:?}");
        assert_eq!(raw.connections(), 4, "a read is tried four times");
    }
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_not_connected() {
    let raw = Raw::start(Manner::Slam).await;
    let config = raw.config("http");
    drop(raw);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let error = error_of(&Client::new(config).unwrap(), Operation::Status, soon()).await;
    assert!(matches!(error, Error::NotConnected { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_over_the_limit_is_not_read() {
    let large = json!({"text": "x".repeat(2000)});
    let whole = answer(Operation::Result, 200, &large);
    // Without a length in its head, the answer is counted as it comes.
    for given in [whole.clone(), whole.staying_open()] {
        let fal = Fal::answering([given]).await;
        let config = Config { max_answer_bytes: 1000, ..fal.config() };
        let error = error_of(&Client::new(config).unwrap(), Operation::Result, soon()).await;
        assert!(matches!(error, Error::AnswerTooLarge { limit: 1000 }), "{error:?}");
        assert_eq!(fal.received().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_of_exactly_the_limit_is_read() {
    let body = json!({"text": "x".repeat(100)});
    let limit = body.to_string().len();
    let fal = Fal::answering([answer(Operation::Result, 200, &body)]).await;
    let config = Config { max_answer_bytes: limit, ..fal.config() };
    let result = Client::new(config).unwrap().result(&key(), &job(), soon()).await.unwrap();
    assert_eq!(result.output, body);
}

#[tokio::test]
async fn an_event_over_the_limit_ends_the_stream() {
    use futures_util::StreamExt as _;

    let endless = Answer::new(Operation::StatusStream, 200, "x".repeat(2 * 1024 * 1024))
        .with("content-type", "text/event-stream");
    let fal = Fal::answering([endless]).await;
    let stream = fal.client().status_stream(&key(), &job(), false).await.unwrap();
    let items: Vec<_> = stream.collect().await;
    assert!(matches!(items.as_slice(), [Err(Error::AnswerMalformed { .. })]), "{items:?}");
}
