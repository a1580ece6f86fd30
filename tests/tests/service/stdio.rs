//! The stdio transport: lines in, lines out, one caller whose key is the process's own.

use std::time::Duration;

use fal_sim::{DEMO_KEY, Operation};
use serde_json::{Value, json};
use tests::{Outcome, Rig, eventually, real_time};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines};
use tokio::time::timeout;

/// The host's end of the pipes.
struct Host {
    input: DuplexStream,
    output: Lines<BufReader<DuplexStream>>,
}

impl Host {
    async fn say(&mut self, message: &Value) {
        self.input.write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        let line = timeout(Duration::from_secs(10), self.output.next_line()).await;
        let line = line.expect("a line in time").unwrap().expect("a line before the end");
        serde_json::from_str(&line).unwrap()
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.say(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})).await;
        let mut answer = self.hear().await;
        assert_eq!(answer["id"], 1, "{answer}");
        answer["result"].take()
    }

    /// Closes the input; answers with the lines that still come.
    async fn leave(self) -> Vec<Value> {
        let Self { input, mut output } = self;
        drop(input);
        let mut rest = Vec::new();
        while let Some(line) = output.next_line().await.unwrap() {
            rest.push(serde_json::from_str(&line).unwrap());
        }
        rest
    }
}

/// Serves over pipes while `script` speaks with it, and until it has ended.
async fn session(rig: &Rig, script: impl AsyncFnOnce(Host)) {
    let (input, served_input) = tokio::io::duplex(64 * 1024);
    let (served_output, output) = tokio::io::duplex(64 * 1024);
    let host = Host { input, output: BufReader::new(output).lines() };
    let key = fal::Key::parse(DEMO_KEY).unwrap();
    let config = gateway::Config::default();
    let serving =
        gateway::serve_stdio(config, Some(&rig.gateway), key, served_input, served_output);
    let both = async { tokio::join!(serving, script(host)) };
    let (served, ()) =
        timeout(Duration::from_secs(15), both).await.expect("it ends with its input");
    served.unwrap();
}

fn run(id: &str, prompt: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {
        "name": "run_model",
        "arguments": {"endpoint_id": "fal-ai/flux/schnell", "input": {"prompt": prompt}},
        "_meta": {"progressToken": "token-7"},
    }})
}

#[tokio::test]
async fn a_host_initializes_lists_the_tools_and_runs_a_model_with_progress() {
    let rig = Rig::with(real_time(), |_| ()).await;
    session(&rig, async |mut host| {
        let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {}});
        let initialized = host.ask("initialize", params).await;
        assert_eq!(initialized["protocolVersion"], "2025-06-18");
        host.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        let list = host.ask("tools/list", json!({})).await;
        let count = gateway::tool_definitions().len();
        assert_eq!(list["tools"].as_array().map(Vec::len), Some(count));

        host.say(&run("run", "a cat [sim:queue 0.3][sim:slow 0.3]")).await;
        let mut progress = Vec::new();
        let response = loop {
            let message = host.hear().await;
            if message.get("id").is_some() {
                break message;
            }
            assert_eq!(message["params"]["progressToken"], "token-7");
            progress.push(message["params"]["progress"].as_f64().unwrap());
        };
        assert_eq!(response["id"], "run");
        assert_eq!(Outcome::of_response(response).value()["status"], "completed");
        assert!(progress.len() >= 2 && progress.is_sorted(), "{progress:?}");
        assert_eq!(host.leave().await, [json!(null); 0]);
    })
    .await;
}

#[tokio::test]
async fn a_modern_host_needs_no_handshake() {
    let rig = Rig::start().await;
    session(&rig, async |mut host| {
        let meta = json!({"_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }});
        let discovered = host.ask("server/discover", meta.clone()).await;
        assert_eq!(discovered["resultType"], "complete");
        let list = host.ask("tools/list", meta).await;
        assert_eq!(list["resultType"], "complete");
        host.leave().await;
    })
    .await;
}

#[tokio::test]
async fn a_modern_host_that_takes_tasks_gets_one_for_a_long_run() {
    let rig = Rig::with(real_time(), |_| ()).await;
    session(&rig, async |mut host| {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities":
                {"extensions": {"io.modelcontextprotocol/tasks": {}}},
        });
        let mut call = run("run", "a cat [sim:queue 0][sim:slow 60]")["params"].take();
        call["_meta"] = meta.clone();
        let task = host.ask("tools/call", call).await;
        assert_eq!(task["resultType"], "task", "{task}");
        let about = json!({"taskId": task["taskId"], "_meta": meta});
        assert_eq!(host.ask("tasks/get", about.clone()).await["status"], "working");
        host.ask("tasks/cancel", about.clone()).await;
        assert_eq!(host.ask("tasks/get", about).await["status"], "cancelled");
        host.leave().await;
    })
    .await;
}

#[tokio::test]
async fn calls_run_beside_each_other_and_a_bad_line_harms_none() {
    let rig = Rig::with(real_time(), |_| ()).await;
    session(&rig, async |mut host| {
        host.say(&run("slow", "a cat [sim:queue 0][sim:slow 0.8]")).await;
        host.input.write_all(b"\nnot json\n").await.unwrap();
        let mut errors = 0;
        host.say(&json!({"jsonrpc": "2.0", "id": "ping", "method": "ping"})).await;
        let mut order = Vec::new();
        while order.len() < 2 {
            let message = host.hear().await;
            if message.get("error").is_some() {
                assert_eq!(message["error"]["code"], -32700);
                errors += 1;
            } else if let Some(id) = message.get("id") {
                order.push(id.clone());
            }
        }
        assert_eq!((order, errors), (vec![json!("ping"), json!("slow")], 1));
        host.leave().await;
    })
    .await;
}

#[tokio::test]
async fn a_cancelled_call_says_nothing_more() {
    let rig = Rig::with(real_time(), |_| ()).await;
    session(&rig, async |mut host| {
        host.say(&run("run", "a cat [sim:queue 0][sim:slow 30]")).await;
        let polled = async || rig.sim.ledger().calls(Operation::Stream) > 0;
        eventually("the gateway waits for the job", polled).await;
        let params = json!({"requestId": "run", "reason": "enough"});
        host.say(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}))
            .await;
        let cancelled = async || rig.sim.ledger().calls(Operation::Cancel) == 1;
        eventually("the job is cancelled", cancelled).await;
        for message in host.leave().await {
            assert!(message.get("id").is_none(), "{message}");
        }
    })
    .await;
}

#[tokio::test]
async fn when_the_input_ends_waiting_calls_answer_with_their_handles() {
    let rig = Rig::with(real_time(), |_| ()).await;
    session(&rig, async |mut host| {
        host.say(&run("run", "a cat [sim:queue 0][sim:slow 30]")).await;
        let polled = async || rig.sim.ledger().calls(Operation::Stream) > 0;
        eventually("the gateway waits for the job", polled).await;
        let last = host.leave().await.pop().expect("an answer");
        assert_eq!(last["id"], "run");
        assert_eq!(Outcome::of_response(last).value()["status"], "processing");
    })
    .await;
}
