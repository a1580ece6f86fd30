//! A fal that takes calls and answers none.

use std::time::Duration;

use fal::{Error, State, SubmitOptions};
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    raw::{Manner, Raw},
    server::{endpoint, job, key, soon},
};

/// A job that is done, on a connection that is closed afterwards.
const COMPLETED: &str =
    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 22\r\n\r\n{\"status\":\"COMPLETED\"}";

/// How many calls may wait at a host that says nothing.
const CROWD: usize = 64;

async fn connected(raw: &Raw, count: usize) {
    while raw.connections() < count {
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_silent_fal_collects_no_more_calls_until_it_answers_one() {
    let raw = Raw::start(Manner::SayLater(COMPLETED)).await;
    let client = raw.client("http");
    let (key, job) = (key(), job());
    let late = Instant::now() + Duration::from_mins(1);
    let ask = || client.status(&key, &job, false, late);
    let crowd = join_all((0..CROWD).map(|_| ask()));
    let script = async {
        connected(&raw, CROWD).await;
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(10)).await;
        tokio::time::resume();

        let others = async {
            connected(&raw, CROWD + 1).await;
            let soon = Instant::now() + Duration::from_millis(300);
            let input = json!({"prompt": "a cat"});
            let error = client
                .submit(&key, &endpoint(), &input, &SubmitOptions::default(), soon)
                .await
                .unwrap_err();
            assert!(matches!(error, Error::NotConnected { .. }), "{error:?}");
            assert_eq!(raw.connections(), CROWD + 1, "nothing was sent");
            raw.speak();
        };
        tokio::join!(ask(), others).0
    };
    let (statuses, probe) = tokio::join!(crowd, script);
    for status in statuses.into_iter().chain([probe]) {
        assert_eq!(status.unwrap().state, State::Completed);
    }
    let next = client.status(&key, &job, false, soon()).await;
    assert_eq!(next.unwrap().state, State::Completed, "it has recovered");
}
