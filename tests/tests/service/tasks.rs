//! The Tasks extension (SEP-2663): a run that is not done at once is a task, which any replica can be
//! asked about, and only under the key that it was made with.

use std::time::Duration;

use fal_sim::{Fault, FaultKind, NO_SCOPE_KEY, Operation};
use gateway::config::Patience;
use serde_json::{Value, json};
use tests::raw::Connection;
use tests::{Era, Outcome, Request, Rig, eventually, instant, real_time};

/// A job that is not done before a minute has passed.
const LONG: &str = "a cat [sim:queue 0][sim:slow 60]";

async fn rig() -> Rig {
    Rig::with(real_time(), |_| ()).await
}

/// Runs a model for a caller that takes tasks; answers with the task.
async fn created(rig: &Rig, prompt: &str) -> Value {
    let answer = rig.run(Era::Modern, prompt).taking_tasks().send().await;
    let result = answer.result();
    assert_eq!(result["resultType"], "task", "{result}");
    result
}

/// A request about a task, not sent yet.
fn about(rig: &Rig, method: &str, task: &Value) -> Request {
    let mut params = json!({"taskId": task["taskId"]});
    if method == "tasks/update" {
        params["inputResponses"] = json!({});
    }
    rig.modern(method, params).taking_tasks()
}

async fn asked(rig: &Rig, method: &str, task: &Value) -> Value {
    about(rig, method, task).send().await.result()
}

/// Asks until the task is over; answers with its last state.
async fn ended(rig: &Rig, task: &Value) -> Value {
    let mut last = Value::Null;
    eventually("the task ends", async || {
        last = asked(rig, "tasks/get", task).await;
        last["status"] != "working"
    })
    .await;
    last
}

/// The same task without what differs from run to run: times, and how far the job is.
fn timeless(mut task: Value, request_id: &str) -> Value {
    let end = format!(" (request_id {request_id})");
    for (member, end) in
        [("createdAt", "Z"), ("lastUpdatedAt", "Z"), ("statusMessage", end.as_str())]
    {
        let text = task.as_object_mut().unwrap().remove(member).unwrap();
        assert!(text.as_str().unwrap().ends_with(end), "{text}");
    }
    task
}

#[tokio::test]
async fn a_run_that_is_not_done_at_once_is_a_task_whose_result_is_that_of_the_run() {
    let rig = rig().await;
    let discovered = rig.modern("server/discover", json!({})).send().await.result();
    let extensions = json!({"io.modelcontextprotocol/tasks": {}});
    assert_eq!(discovered["capabilities"], json!({"tools": {}, "extensions": extensions}));

    let task = created(&rig, "a cat [sim:queue 0][sim:slow 2.5]").await;
    let request_id = rig.sim.ledger().submits()[0].request_id.clone();
    let server_info = discovered["_meta"].clone();
    let working = json!({
        "resultType": "task",
        "taskId": task["taskId"],
        "status": "working",
        "ttlMs": null,
        "pollIntervalMs": 1000,
        "_meta": server_info,
    });
    assert_eq!(timeless(task.clone(), &request_id), working);
    let seen = asked(&rig, "tasks/get", &task).await;
    assert_eq!(seen["createdAt"], task["createdAt"]);
    let mut still_working = working;
    still_working["resultType"] = json!("complete");
    assert_eq!(timeless(seen, &request_id), still_working);

    let done = ended(&rig, &task).await;
    assert_eq!((&done["status"], &done["resultType"]), (&json!("completed"), &json!("complete")));
    let outcome = Outcome::of_response(json!({"result": done["result"]})).into_value();
    assert_eq!(
        (&outcome["status"], &outcome["request_id"]),
        (&json!("completed"), &json!(request_id))
    );
    assert!(outcome["cost"].is_object() || outcome["billable_units"].is_number(), "{outcome}");
    let checked = rig.call(Era::Modern, "check_job", Rig::ids(&request_id)).await.into_value();
    assert_eq!(outcome["output"], checked["output"]);
    assert_eq!(rig.sim.ledger().calls(Operation::Submit), 1);
}

#[tokio::test]
async fn a_run_that_is_done_at_once_and_a_caller_that_takes_no_tasks_get_the_result_itself() {
    let quick = Rig::start().await;
    // "At once" is half a second, which a busy machine may take for anything.
    eventually("a run is done at once", async || {
        let answer = quick.run(Era::Modern, "a cat").taking_tasks().send().await;
        let is_complete = answer.result()["resultType"] == "complete";
        is_complete && Outcome::of(&answer).value()["status"] == "completed"
    })
    .await;

    let rig = rig().await;
    for era in [Era::Modern, Era::Legacy] {
        let answer = rig.run(era, "a cat [sim:queue 0][sim:slow 0.9]").send().await;
        assert_eq!(Outcome::of(&answer).value()["status"], "completed");
        assert!(answer.result().get("taskId").is_none());
    }
    // In the versions with a handshake there is no extension to declare.
    let run = rig.run(Era::Legacy, LONG).set("/params/arguments/wait_seconds", json!(1));
    let meta = json!({"io.modelcontextprotocol/clientCapabilities":
        {"extensions": {"io.modelcontextprotocol/tasks": {}}}});
    let outcome = Outcome::of(&run.set("/params/_meta", meta).send().await);
    assert_eq!(outcome.value()["status"], "processing");
}

#[tokio::test]
async fn a_task_shows_the_preview_that_its_run_asked_for() {
    let rig = rig().await;
    let run = rig.run(Era::Modern, "a cat [sim:queue 0][sim:slow 1.5]").taking_tasks();
    let run = run.set("/params/arguments/preview", json!(true));
    let task = run.send().await.result();
    let done = ended(&rig, &task).await;
    assert_eq!(done["result"]["content"][1]["type"], "image", "{done}");
}

#[tokio::test]
async fn any_replica_answers_about_a_task_also_in_the_middle_and_after_the_end() {
    let rig = rig().await;
    let replica = format!("http://{}/mcp", rig.replica().await.addr());
    let task = created(&rig, LONG).await;
    let elsewhere = async |method| {
        let answer = about(&rig, method, &task).to(replica.clone()).send().await;
        answer.result()
    };
    assert_eq!(elsewhere("tasks/get").await["status"], "working");
    let taken = elsewhere("tasks/update").await;
    let ack = json!({"resultType": "complete", "_meta": taken["_meta"]});
    assert_eq!(taken, ack);
    assert_eq!(elsewhere("tasks/cancel").await, ack);
    let cancelled = asked(&rig, "tasks/get", &task).await;
    assert_eq!(cancelled["status"], "cancelled");
    assert!(cancelled.get("result").is_none(), "{cancelled}");
    assert_eq!(elsewhere("tasks/cancel").await, ack, "as often as one likes");
    assert_eq!(rig.sim.ledger().calls(Operation::Submit), 1);
}

#[tokio::test]
async fn a_job_that_fails_is_a_completed_task_with_an_error_for_a_result() {
    let rig = rig().await;
    for (directive, error) in
        [("fail runner_server_error", "request_failed"), ("content_policy", "model_refused")]
    {
        let prompt = format!("a cat [sim:queue 0][sim:slow 1.5][sim:{directive}]");
        let task = created(&rig, &prompt).await;
        let done = ended(&rig, &task).await;
        assert_eq!(done["status"], "completed", "{done}");
        let outcome = Outcome::of_response(json!({"result": done["result"]}));
        let request_id = rig.sim.ledger().submits().pop().unwrap().request_id;
        assert_eq!(outcome.error(error)["request_id"], request_id);
    }
}

#[tokio::test]
async fn a_made_up_or_changed_id_is_told_apart_and_never_reaches_fal() {
    let rig = rig().await;
    let task = created(&rig, LONG).await;
    let before = rig.asked().len();
    let mut changed = task["taskId"].as_str().unwrap().to_owned();
    let last = changed.pop();
    changed.push(if last == Some('A') { 'B' } else { 'A' });
    for id in ["786512e2-9e0d-44bd-8f29-789f320fe840", &changed] {
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            let answer = about(&rig, method, &json!({"taskId": id})).send().await;
            let error = json!({
                "code": -32602,
                "message": "params.taskId is not the id of a task of this server. Send it exactly as tools/call answered with it.",
            });
            assert_eq!(answer.status, 200);
            assert_eq!(
                answer.json(),
                json!({"jsonrpc": "2.0", "id": 1, "error": error}),
                "{method}"
            );
        }
    }
    assert_eq!(rig.asked().len(), before);
}

#[tokio::test]
async fn another_callers_task_reaches_fal_under_the_askers_own_key_and_is_unknown_there() {
    let rig = rig().await;
    let task = created(&rig, LONG).await;
    let request_id = rig.sim.ledger().submits()[0].request_id.clone();
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let answer = about(&rig, method, &task).bearer(NO_SCOPE_KEY).send().await;
        let message = answer.refusal(200, -32602);
        assert!(
            message.starts_with("fal has no such request, or no longer. Check both ids"),
            "{message}"
        );
        let data = &answer.json()["error"]["data"];
        assert_eq!(
            (&data["error"], &data["request_id"]),
            (&json!("request_not_found"), &json!(request_id))
        );
    }
    assert_eq!(asked(&rig, "tasks/get", &task).await["status"], "working", "nobody cancelled it");
    let refused = about(&rig, "tasks/get", &task).bearer(fal_sim::UNKNOWN_KEY).send().await;
    let message = refused.refusal(200, -32603);
    assert!(message.starts_with("fal does not know this key."), "{message}");
}

#[tokio::test]
async fn a_client_that_does_not_declare_the_extension_is_told_to() {
    let rig = rig().await;
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let params = json!({"taskId": "t", "inputResponses": {}});
        let answer = rig.modern(method, params.clone()).send().await;
        let error = json!({
            "code": -32021,
            "message": "Missing required client capability: declare the extension `io.modelcontextprotocol/tasks` in the request's client capabilities.",
            "data": {"requiredCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}}},
        });
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json(), json!({"jsonrpc": "2.0", "id": 1, "error": error}));
        rig.legacy(method, params).send().await.refusal(200, -32601);
    }
    for method in ["tasks/result", "tasks/list"] {
        rig.modern(method, json!({})).taking_tasks().send().await.refusal(404, -32601);
    }
}

#[tokio::test]
async fn an_id_in_the_header_that_is_not_the_body_s_is_refused() {
    let rig = rig().await;
    let task = json!({"taskId": "t"});
    about(&rig, "tasks/get", &task).header("mcp-name", "u").send().await.refusal(400, -32020);
    about(&rig, "tasks/get", &task).without("mcp-name").send().await.refusal(400, -32020);
}

#[tokio::test]
async fn a_question_that_fal_fails_to_answer_does_not_end_the_task() {
    let patience = Patience { question: Duration::from_secs(1), ..Patience::default() };
    let rig = Rig::with(real_time(), |config| config.patience = patience).await;
    let task = created(&rig, LONG).await;
    // One that passes is ridden out.
    rig.sim
        .faults()
        .add(Fault::new(FaultKind::Ingress { status: 503 }).on(Operation::Status).times(1));
    assert_eq!(asked(&rig, "tasks/get", &task).await["status"], "working");
    for (kind, code, error) in [
        (FaultKind::AccountLocked, -32603, "account_locked"),
        (FaultKind::MalformedJson, -32603, "answer_malformed"),
        (FaultKind::Ingress { status: 503 }, -32603, "timed_out"),
    ] {
        rig.sim.faults().add(Fault::new(kind).on(Operation::Status));
        let answer = about(&rig, "tasks/get", &task).send().await;
        let message = answer.refusal(200, code);
        assert!(message.contains("do not submit it again"), "{message}");
        assert_eq!(answer.json()["error"]["data"]["error"], error);
        rig.sim.faults().clear();
        assert_eq!(asked(&rig, "tasks/get", &task).await["status"], "working");
    }
}

#[tokio::test]
async fn a_caller_that_has_its_task_may_leave_and_one_that_has_not_cancels() {
    let rig = rig().await;
    let task = created(&rig, LONG).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(rig.sim.ledger().calls(Operation::Cancel), 0);
    assert_eq!(asked(&rig, "tasks/get", &task).await["status"], "working");

    let mut connection = Connection::open(rig.addr()).await;
    let slow = FaultKind::SlowHeaders { milliseconds: 700 };
    rig.sim.faults().add(Fault::new(slow).on(Operation::Submit));
    connection.write(&rig.run(Era::Modern, LONG).taking_tasks().to_wire()).await;
    let sent = async || rig.sim.ledger().calls(Operation::Submit) == 2;
    eventually("the submit is on its way", sent).await;
    drop(connection);
    eventually("it is cancelled", async || rig.sim.ledger().calls(Operation::Cancel) == 1).await;
}

#[tokio::test]
async fn a_result_that_fal_has_thrown_away_is_an_unknown_task() {
    let sim = fal_sim::Config { result_retention: Duration::from_millis(300), ..instant() };
    let rig = Rig::with(sim, |_| ()).await;
    let task = created(&rig, "a cat [sim:queue 0][sim:slow 1.5]").await;
    let mut answer = about(&rig, "tasks/get", &task).send().await;
    eventually("the task is forgotten", async || {
        answer = about(&rig, "tasks/get", &task).send().await;
        answer.json().get("error").is_some()
    })
    .await;
    let message = answer.refusal(200, -32602);
    assert!(message.contains("results are kept for a limited time"), "{message}");
}
