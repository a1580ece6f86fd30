//! Waiting for a job.

use std::time::Duration;

use fal::{Client, Config, Error, State, Status};
use futures_util::{Stream, StreamExt as _};
use openapi_contract::Operation;
use tokio::time::{Instant, timeout};

use crate::{
    answers::{self, Answer},
    raw::{Manner, Raw},
    refusals::USER_LOCKED,
    server::{Fal, job, key},
};

#[expect(clippy::expect_used, reason = "a watch that does not end fails the test")]
/// All items, each by its state or its error.
async fn items(stream: impl Stream<Item = Result<Status, Error>>) -> Vec<String> {
    let named = stream.map(|item| match item {
        Ok(Status { state: State::InQueue { position }, .. }) => format!("queued {position:?}"),
        Ok(Status { state: State::InProgress, .. }) => "running".to_owned(),
        Ok(Status { state: State::Completed, .. }) => "completed".to_owned(),
        Ok(Status { state: State::Failed { message, .. }, .. }) => format!("failed: {message}"),
        Err(error) => error.kind().to_owned(),
    });
    timeout(Duration::from_secs(20), named.collect()).await.expect("the watch ends")
}

async fn watched(client: &Client) -> Vec<String> {
    items(client.watch(&key(), &job(), false)).await
}

/// How often the stream was asked for, and how often the plain status.
fn asked(fal: &Fal) -> (usize, usize) {
    let lines = fal.lines();
    let streams = lines.iter().filter(|line| line.contains("/status/stream?")).count();
    (streams, lines.len() - streams)
}

#[tokio::test]
async fn a_job_that_is_ready_takes_one_question() {
    let fal = Fal::answering([answers::completed()]).await;
    assert_eq!(watched(&fal.client()).await, ["completed"]);
    assert_eq!(asked(&fal), (0, 1));
}

#[tokio::test]
async fn changes_come_over_the_stream_and_repetitions_do_not() {
    let stream = answers::stream(&[
        answers::in_queue(1),
        answers::in_queue(0),
        answers::in_queue(0),
        answers::in_progress(),
        answers::in_progress(),
        answers::completed(),
    ]);
    // A stream that fal forgets to close ends with the last status all the same.
    let fal = Fal::answering([answers::in_queue(1), stream.staying_open()]).await;
    let expected = ["queued Some(1)", "queued Some(0)", "running", "completed"];
    assert_eq!(watched(&fal.client()).await, expected);
    assert_eq!(asked(&fal), (1, 1));
}

#[tokio::test]
async fn a_job_that_fails_ends_the_watch() {
    let fal = Fal::answering([answers::in_progress(), answers::stream(&[answers::failed()])]).await;
    assert_eq!(watched(&fal.client()).await, ["running", "failed: Request timed out"]);
}

#[tokio::test]
async fn without_a_stream_the_job_is_polled() {
    let no_streams = [
        answers::status_not_found(Operation::StatusStream),
        Answer::new(Operation::StatusStream, 405, String::new()),
        answers::in_queue(0),
        answers::ingress(Operation::StatusStream, 502),
        Answer::new(Operation::StatusStream, 200, "data: oops\n\n".to_owned())
            .with("content-type", "text/event-stream"),
        // It ends, or is cut, before the job does.
        answers::stream(&[]),
    ];
    for no_stream in no_streams {
        let what = format!("{} {}", no_stream.status, no_stream.body);
        let fal = Fal::answering([
            answers::in_queue(0),
            no_stream,
            answers::in_queue(0),
            answers::completed(),
        ])
        .await;
        let begun = Instant::now();
        assert_eq!(watched(&fal.client()).await, ["queued Some(0)", "completed"], "{what}");
        assert_eq!(asked(&fal), (1, 3), "{what}");
        // At least four fifths of 250 ms and of 375 ms.
        assert!(begun.elapsed() >= Duration::from_millis(500), "{what}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn failures_that_pass_are_ridden_out() {
    let ridden_out = [
        answers::rate_limited(Operation::Status, "0"),
        Answer::new(Operation::Status, 500, String::new()),
        answers::ingress(Operation::Status, 502),
        answers::request_error(Operation::Status, 503, "runner_connection_error"),
    ];
    let script = ridden_out.into_iter().chain([answers::completed()]);
    let fal = Fal::answering(script).await;
    assert_eq!(watched(&fal.client()).await, ["completed"]);
    assert_eq!(asked(&fal), (0, 5));
}

#[tokio::test]
async fn failures_in_a_row_end_the_watch_at_some_point() {
    let fal = Fal::answering([answers::rate_limited(Operation::Status, "0")]).await;
    assert_eq!(watched(&fal.client()).await, ["rate_limited"]);
    assert_eq!(asked(&fal), (0, 9));
}

#[tokio::test]
async fn an_error_that_does_not_pass_ends_the_watch_at_once() {
    let cases = [
        (answers::status_not_found(Operation::Status), "request_not_found"),
        (answers::detail(Operation::Status, 401, "No user found"), "key_rejected"),
        (answers::detail(Operation::Status, 403, USER_LOCKED), "account_locked"),
        (answers::rate_limited(Operation::Status, "3600"), "rate_limited"),
    ];
    for (given, kind) in cases {
        let fal = Fal::answering([given.clone()]).await;
        assert_eq!(watched(&fal.client()).await, [kind]);
        assert_eq!(asked(&fal), (0, 1));

        let no_stream = Answer::new(Operation::StatusStream, 404, String::new());
        let fal = Fal::answering([answers::in_queue(0), no_stream, given]).await;
        assert_eq!(watched(&fal.client()).await, ["queued Some(0)", kind]);
    }
}

#[tokio::test]
async fn a_connection_that_drops_is_a_failure_that_passes() {
    let raw = Raw::start(Manner::ReadAndClose).await;
    let stream = raw.client("http").watch(&key(), &job(), false);
    let mut stream = Box::pin(stream);
    let first = timeout(Duration::from_millis(700), stream.next()).await;
    assert!(first.is_err(), "it goes on asking");
    assert!(raw.connections() >= 2, "{}", raw.connections());
}

#[tokio::test]
async fn no_more_streams_are_open_than_allowed() {
    let fal = Fal::scripted(|request, _| match request.path.as_str() {
        path if path.ends_with("/stream") => answers::stream(&[]).staying_open(),
        _ => answers::in_queue(0),
    })
    .await;
    let client = Client::new(Config { max_status_streams: 1, ..fal.config() }).unwrap();
    let mut first = Box::pin(client.watch(&key(), &job(), false));
    let mut second = Box::pin(client.watch(&key(), &job(), false));
    for watch in [&mut first, &mut second] {
        assert!(watch.next().await.unwrap().is_ok());
        let more = timeout(Duration::from_millis(600), watch.next()).await;
        assert!(more.is_err(), "nothing changed");
    }
    let (streams, polls) = asked(&fal);
    assert_eq!(streams, 1);
    assert!(polls >= 3, "{polls}");

    // The place is free again as soon as the watch that had it is gone.
    drop(first);
    let mut third = Box::pin(client.watch(&key(), &job(), false));
    assert!(third.next().await.unwrap().is_ok());
    assert!(timeout(Duration::from_millis(100), third.next()).await.is_err());
    assert_eq!(asked(&fal).0, 2);
}

#[tokio::test]
async fn no_more_questions_are_under_way_than_allowed() {
    let raw = Raw::start(Manner::Silence).await;
    let config = Config { max_status_questions: 1, ..raw.config("http") };
    let client = Client::new(config).unwrap();
    let mut first = Box::pin(client.watch(&key(), &job(), false));
    let mut second = Box::pin(client.watch(&key(), &job(), false));
    let moment = Duration::from_millis(300);
    assert!(timeout(moment, first.next()).await.is_err(), "no answer comes");
    assert!(timeout(moment, second.next()).await.is_err(), "it waits for its turn");
    assert_eq!(raw.connections(), 1);

    // A watch that is gone takes its question along.
    drop(first);
    assert!(timeout(moment, second.next()).await.is_err(), "no answer comes");
    assert_eq!(raw.connections(), 2);
}

#[tokio::test]
async fn a_watch_lives_on_its_own() {
    let fal = Fal::answering([answers::completed()]).await;
    let stream = {
        let (client, key, job) = (fal.client(), key(), job());
        client.watch(&key, &job, false)
    };
    #[expect(clippy::disallowed_methods, reason = "proves that it can live in a task")]
    let task = tokio::spawn(items(stream));
    assert_eq!(task.await.unwrap(), ["completed"]);
}
