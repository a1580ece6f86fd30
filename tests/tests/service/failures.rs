//! Every way in which fal fails, at each stage of a job: what the caller is told, to the last word,
//! and that nothing that may cost money was sent twice.

mod asking;
mod cancel;
mod result;
mod stream;
mod submit;

use std::time::Duration;

use fal_sim::{Fault, FaultKind, Operation};
use gateway::config::Patience;
use serde_json::{Map, Value, json};
use tests::{Answer, Era, Rig, instant};

/// Longer than any patience here.
const TOO_LONG: u64 = 60_000;
/// More than is read of an answer.
const TOO_LARGE: usize = 33 * 1024 * 1024;

/// fal's failure, and what is said of it: the word, the message and the next step.
type Row = (FaultKind, &'static str, &'static str, &'static str);

/// A gateway in front of jobs that are done at once. Its patience is shorter than the seven seconds
/// that a rate limit may ask for.
async fn rig() -> Rig {
    rig_with_patience(Duration::from_secs(5)).await
}

/// The same for what goes wrong, which is soon given up where it would never end.
async fn rig_for(kind: &FaultKind) -> Rig {
    let endless = matches!(kind, FaultKind::SlowHeaders { .. } | FaultKind::StalledBody);
    rig_with_patience(Duration::from_secs(if endless { 1 } else { 5 })).await
}

async fn rig_with_patience(patience: Duration) -> Rig {
    let patience = Patience { submit: patience, result: patience, question: patience };
    Rig::with(instant(), |config| config.patience = patience).await
}

/// The same with something that goes wrong from now on.
async fn rig_with(kind: &FaultKind, operation: Operation) -> Rig {
    let rig = rig_for(kind).await;
    rig.sim.faults().add(Fault::new(kind.clone()).on(operation));
    rig
}

/// The whole response to a tool call that failed, its text read as JSON.
fn failed(error: &str, message: &str, next_step: &str, more: Value) -> Value {
    let mut text = json!({"error": error, "message": message, "next_step": next_step});
    let Value::Object(more) = more else { panic!("more members") };
    text.as_object_mut().unwrap().extend(more);
    response(&text, true)
}

/// The whole response to a tool call.
fn response(text: &Value, is_error: bool) -> Value {
    let content = json!([{"type": "text", "text": text}]);
    json!({"jsonrpc": "2.0", "id": 1, "result": {"content": content, "isError": is_error}})
}

/// The members that name a job.
fn ids(request_id: &str) -> Value {
    json!({"endpoint_id": "fal-ai/flux/schnell", "request_id": request_id})
}

/// Those, and when to come back where fal said so.
fn ids_and_wait(kind: &FaultKind, request_id: &str) -> Value {
    let mut members = ids(request_id);
    if matches!(kind, FaultKind::RateLimited { retry_after: Some(_) }) {
        members["retry_after_seconds"] = json!(7);
    }
    members
}

/// What came, whole: the status, and the body with its text read as JSON.
fn came(answer: &Answer) -> (u16, Value) {
    let mut body = match answer.header("content-type") {
        "text/event-stream" => {
            let last =
                answer.text().lines().filter_map(|line| line.strip_prefix("data: ")).next_back();
            serde_json::from_str(last.expect("a message")).unwrap()
        }
        _ => answer.json(),
    };
    let text = &mut body["result"]["content"][0]["text"];
    *text = serde_json::from_str(text.as_str().expect("a text")).unwrap();
    (answer.status, body)
}

/// A tool call about a job, by the rules of 2025-11-25: its response is the result alone.
async fn ask(rig: &Rig, tool: &str, request_id: &str, more: Value) -> (u16, Value) {
    let mut arguments: Map<String, Value> = Rig::ids(request_id).as_object().unwrap().clone();
    arguments.extend(more.as_object().unwrap().clone());
    came(&rig.tool(Era::Legacy, tool, Value::Object(arguments)).send().await)
}
