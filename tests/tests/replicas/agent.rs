//! A caller that works as an agent does: one job after the other, under a key of its own, and after a
//! failed call it does what the tools tell it to do.
//!
//! Its rule after a submit without an answer: look with `list_jobs`, and once more after a pause; a
//! job there that it does not know is the one; only if there is none, submit again. This is certain
//! here because a job that the stand-in took is listed at once and the pause is longer than anything
//! under way. fal has no idempotency key and does not say when a waiting job begins to be listed, so
//! with fal the pause is a minute, and the rule is as good as that.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tests::{Attempt, Era, Outcome, Request};
use tokio::time::sleep;

use crate::balancer::REPLICA_HEADER;
use crate::tally::{Recovery, Tally};

const MODEL: &str = "fal-ai/flux/schnell";
/// Between two looks for a lost job: longer than a submit can be under way.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Before a question that failed is asked again.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// More calls for one job than this are a mistake.
const MAX_CALLS: u32 = 60;

/// How an agent has its jobs done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// `submit_job`, then `check_job`.
    Submit,
    /// `run_model`, and `check_job` if that was not enough.
    Run,
}

/// An agent.
pub(crate) struct Agent {
    pub(crate) endpoint: String,
    pub(crate) client: reqwest::Client,
    pub(crate) key: String,
    pub(crate) era: Era,
    pub(crate) tally: Tally,
}

/// What is known of a job after the call that was to start it.
enum Begun {
    Completed,
    Handle(String),
    Lost,
}

impl Agent {
    /// Has one job done, whatever fails on the way.
    pub(crate) async fn do_job(&mut self, way: Way, prompt: &str) {
        let calls_before = self.tally.calls;
        let (request_id, replica) = loop {
            assert!(self.tally.calls < calls_before + MAX_CALLS, "no end: {}", self.tally);
            let (begun, replica) = self.begin(way, prompt).await;
            match begun {
                Begun::Completed => return,
                Begun::Handle(request_id) => break (request_id, replica),
                Begun::Lost => {}
            }
            if let Some(request_id) = self.look_for_lost_job().await {
                self.recovered(Recovery::FoundByListJobs);
                break (request_id, replica);
            }
            self.recovered(Recovery::SubmittedAgain);
        };
        loop {
            assert!(self.tally.calls < calls_before + MAX_CALLS, "no end: {}", self.tally);
            let arguments =
                json!({"endpoint_id": MODEL, "request_id": request_id, "wait_seconds": 10});
            let (checked, by) = self.ask("check_job", arguments).await;
            if checked["status"] == "completed" {
                self.tally.moved += u32::from(by != replica);
                self.fetched(&checked);
                return;
            }
        }
    }

    async fn begin(&mut self, way: Way, prompt: &str) -> (Begun, String) {
        let tool = match way {
            Way::Submit => "submit_job",
            Way::Run => "run_model",
        };
        let arguments = json!({"endpoint_id": MODEL, "input": {"prompt": prompt}});
        let attempt = self.call(tool, arguments).await;
        let replica = answered_by(&attempt);
        let begun = if let Some(response) = attempt.response() {
            let value = Outcome::of_response(response).into_value();
            if value["status"] == "completed" {
                self.fetched(&value);
                Begun::Completed
            } else {
                Begun::Handle(value["request_id"].as_str().expect("a handle").to_owned())
            }
        } else {
            self.failed(tool, &attempt);
            match attempt.messages().iter().find_map(job_named_by) {
                Some(request_id) => {
                    self.recovered(Recovery::NamedByProgress);
                    Begun::Handle(request_id)
                }
                None => Begun::Lost,
            }
        };
        (begun, replica)
    }

    /// A job at fal that this agent has not fetched yet: it has one at a time, so that is the one.
    async fn look_for_lost_job(&mut self) -> Option<String> {
        for look in 0..2 {
            if look > 0 {
                sleep(LOOK_AGAIN).await;
            }
            let arguments = json!({"endpoint_id": MODEL, "limit": 100});
            let (listed, _) = self.ask("list_jobs", arguments).await;
            let jobs = listed["jobs"].as_array().expect("a list of jobs").iter();
            let ids: BTreeSet<String> =
                jobs.map(|job| job["request_id"].as_str().expect("an id").to_owned()).collect();
            let mut unknown = ids.difference(&self.tally.fetched);
            if let Some(lost) = unknown.next() {
                assert_eq!(unknown.next(), None, "more than one job that nobody knows");
                return Some(lost.clone());
            }
        }
        None
    }

    /// Asks a question that costs nothing, until it is answered. Also says who answered.
    async fn ask(&mut self, tool: &str, arguments: Value) -> (Value, String) {
        for _ in 0..MAX_CALLS {
            let attempt = self.call(tool, arguments.clone()).await;
            if let Some(response) = attempt.response() {
                return (Outcome::of_response(response).into_value(), answered_by(&attempt));
            }
            self.failed(tool, &attempt);
            self.recovered(Recovery::AskedAgain);
            sleep(ASK_AGAIN).await;
        }
        panic!("{tool} is not answered: {}", self.tally);
    }

    async fn call(&mut self, tool: &str, arguments: Value) -> Attempt {
        self.tally.calls += 1;
        let Self { client, endpoint, key, era, .. } = self;
        Request::tool_call(client, endpoint, key, *era, tool, arguments)
            .progress("p")
            .attempt()
            .await
    }

    fn fetched(&mut self, completed: &Value) {
        assert!(completed["output"]["images"][0]["url"].is_string(), "{completed}");
        let request_id = completed["request_id"].as_str().expect("an id").to_owned();
        assert!(self.tally.fetched.insert(request_id), "fetched twice: {completed}");
    }

    fn failed(&mut self, tool: &str, attempt: &Attempt) {
        let what = match attempt.status {
            None => "no answer".to_owned(),
            Some(200) => "a broken stream".to_owned(),
            Some(status) => status.to_string(),
        };
        *self.tally.failed.entry(format!("{tool}: {what}")).or_default() += 1;
    }

    fn recovered(&mut self, how: Recovery) {
        *self.tally.recovered.entry(how).or_default() += 1;
    }
}

fn answered_by(attempt: &Attempt) -> String {
    attempt.headers.get(REPLICA_HEADER).map_or("", |name| name.to_str().expect("text")).to_owned()
}

/// The job that a progress message names.
fn job_named_by(message: &Value) -> Option<String> {
    let text = message["params"]["message"].as_str()?;
    let (_, rest) = text.split_once("(request_id ")?;
    let (request_id, _) = rest.split_once(')')?;
    Some(request_id.to_owned())
}
