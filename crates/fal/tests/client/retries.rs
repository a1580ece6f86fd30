//! Trying again: what, how often, when, and when not.

use std::time::Duration;

use fal::{Cancellation, Error, State};
use openapi_contract::Operation;
use tokio::time::Instant;

use crate::{
    answers::{self, Answer},
    errors::error_of,
    server::{Fal, job, key, soon},
};

fn broken(operation: Operation) -> Answer {
    Answer::new(operation, 500, String::new())
}

#[tokio::test]
async fn a_read_survives_three_failures() {
    let fal = Fal::answering([
        broken(Operation::Status),
        answers::ingress(Operation::Status, 502),
        answers::rate_limited(Operation::Status, "0"),
        answers::completed(),
    ])
    .await;
    let status = fal.client().status(&key(), &job(), false, soon()).await.unwrap();
    assert_eq!(status.state, State::Completed);
    assert_eq!(fal.received().len(), 4);
}

#[tokio::test]
async fn a_cancellation_is_repeated_like_a_read() {
    let fal = Fal::answering([
        broken(Operation::Cancel),
        answers::cancellation(202, "CANCELLATION_REQUESTED"),
    ])
    .await;
    let cancelled = fal.client().cancel(&key(), &job(), soon()).await.unwrap();
    assert_eq!(cancelled, Cancellation::Requested);
    assert_eq!(fal.received().len(), 2);
}

#[tokio::test]
async fn a_read_is_tried_four_times_and_no_more() {
    for operation in [
        Operation::Status,
        Operation::Result,
        Operation::Cancel,
        Operation::ListModels,
        Operation::ListRequests,
        Operation::ModelDocument,
        Operation::GetPricing,
        Operation::EstimatePricing,
        Operation::SearchDocs,
    ] {
        let fal = Fal::answering([broken(operation)]).await;
        let error = error_of(&fal.client(), operation, soon()).await;
        assert!(matches!(error, Error::Server { status: 500 }), "{operation:?}: {error:?}");
        assert_eq!(fal.received().len(), 4, "{operation:?}");
    }
}

#[tokio::test]
async fn what_will_not_pass_is_not_tried_again() {
    let cases = [
        answers::detail(Operation::Result, 401, "No user found for Key ID and Secret"),
        answers::model_error(),
        answers::detail(Operation::Result, 503, "CUDA error: out of memory"),
        answers::request_error(Operation::Result, 503, "runner_disconnected"),
        answers::still_in_progress(),
        Answer::new(Operation::Result, 200, "oops".to_owned()),
    ];
    for given in cases {
        let what = format!("{} {}", given.status, given.body);
        let fal = Fal::answering([given]).await;
        error_of(&fal.client(), Operation::Result, soon()).await;
        assert_eq!(fal.received().len(), 1, "{what}");
    }
}

#[tokio::test]
async fn a_pause_that_fal_asks_for_is_kept() {
    let limited = answers::rate_limited(Operation::Status, "1");
    let fal = Fal::answering([limited, answers::completed()]).await;
    let begun = Instant::now();
    fal.client().status(&key(), &job(), false, soon()).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(fal.received().len(), 2);
}

#[tokio::test]
async fn a_pause_beyond_the_deadline_is_told_at_once() {
    let fal = Fal::answering([answers::rate_limited(Operation::Status, "60")]).await;
    let begun = Instant::now();
    let error = error_of(&fal.client(), Operation::Status, soon()).await;
    assert_eq!(error.retry_after(), Some(Duration::from_mins(1)));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(fal.received().len(), 1);
}

#[tokio::test]
async fn a_fal_that_is_down_is_asked_little_more_than_one_that_is_up() {
    const CALLS: usize = 60;
    let fal = Fal::answering([broken(Operation::Status)]).await;
    let client = fal.client();
    let begun = Instant::now();
    for _ in 0..CALLS {
        error_of(&client, Operation::Status, soon()).await;
    }
    // Ten to begin with, one for each ten calls, and one a second.
    let most = CALLS + 10 + CALLS / 10 + 1 + usize::try_from(begun.elapsed().as_secs()).unwrap();
    let asked = fal.received().len();
    assert!(asked > CALLS && asked <= most, "{asked} requests, at most {most} allowed");
}
