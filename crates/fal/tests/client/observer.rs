//! Whoever watches a client sees each try, and may add the headers of a trace.
#![expect(clippy::unwrap_used, reason = "a rig that fails should fail the test")]

use std::sync::{Arc, Mutex};

use fal::{Attempt, Client, Config, Observer};
use http::{HeaderMap, HeaderValue};
use openapi_contract::Operation;

use crate::{
    answers::{self, Answer},
    server::{Fal, job, key, soon},
};

#[derive(Debug, Default)]
struct Watcher {
    seen: Mutex<Vec<Attempt>>,
}

impl Observer for Watcher {
    fn sending(&self, headers: &mut HeaderMap) {
        headers.insert("traceparent", HeaderValue::from_static("of the watcher"));
    }

    fn sent(&self, attempt: &Attempt) {
        self.seen.lock().unwrap().push(attempt.clone());
    }
}

impl Watcher {
    fn told(&self) -> Vec<(&'static str, u32, Result<u16, &'static str>)> {
        let seen = self.seen.lock().unwrap();
        seen.iter().map(|attempt| (attempt.operation, attempt.number, attempt.outcome)).collect()
    }
}

fn watched(config: Config) -> (Client, Arc<Watcher>) {
    let watcher = Arc::new(Watcher::default());
    let observer = Some(Arc::clone(&watcher) as Arc<dyn Observer>);
    (Client::new(Config { observer, ..config }).unwrap(), watcher)
}

#[tokio::test]
async fn each_try_is_told_with_its_number_and_what_came_of_it() {
    let broken = Answer::new(Operation::Status, 500, String::new());
    let fal = Fal::answering([broken, answers::completed()]).await;
    let (client, watcher) = watched(fal.config());
    client.status(&key(), &job(), false, soon()).await.unwrap();
    assert_eq!(watcher.told(), [("status", 1, Ok(500)), ("status", 2, Ok(200))]);
    for request in fal.received() {
        assert_eq!(request.header("traceparent"), Some("of the watcher"));
    }
}

#[tokio::test]
async fn a_try_without_an_answer_is_told_with_the_word_for_why() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fal = Fal::answering([answers::completed()]).await;
    let mut config = fal.config();
    config.hosts.queue.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
    drop(listener);
    let (client, watcher) = watched(config);
    client.status(&key(), &job(), false, soon()).await.unwrap_err();
    assert_eq!(watcher.told().first(), Some(&("status", 1, Err("not_connected"))));
}
