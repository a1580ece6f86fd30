//! What other MCP servers for fal and its like got wrong, one test for each mistake.

use std::io::Write as _;
use std::time::Duration;

use fal_sim::{DEMO_KEY, Fault, FaultKind, Operation, PRIVATE_KEY, PRIVATE_MODEL};
use http::Method;
use serde_json::{Value, json};
use tests::{Era, Outcome, Rig, instant, real_time};
use tokio::net::TcpListener;
use tokio::time::timeout;

const MODEL: &str = "fal-ai/flux/schnell";

/// Every tool with arguments that it takes. A new tool needs a line here.
fn calls(endpoint_id: &str, request_id: &str) -> Vec<(&'static str, Value)> {
    let ids = json!({"endpoint_id": endpoint_id, "request_id": request_id});
    let run = json!({"endpoint_id": endpoint_id, "input": {"prompt": "a cat"}});
    let calls = vec![
        ("search_models", json!({"query": "image"})),
        ("recommend_model", json!({"task": "a picture of a fox"})),
        ("get_model_schema", json!({"endpoint_id": endpoint_id})),
        ("get_pricing", json!({"endpoint_id": endpoint_id})),
        ("search_docs", json!({"query": "queue"})),
        ("upload_file", json!({"data": "Y2FuYXJ5", "file_name": "canary.txt"})),
        ("run_model", run.clone()),
        ("submit_job", run),
        ("check_job", ids.clone()),
        ("get_job_result", ids.clone()),
        ("cancel_job", ids),
        ("list_jobs", json!({"endpoint_id": endpoint_id})),
    ];
    for tool in gateway::tool_definitions() {
        assert!(calls.iter().any(|(name, _)| *name == tool.name), "{} is not tried", tool.name);
    }
    calls
}

/// The second half of a key, which nobody but fal may see.
fn secret(key: &str) -> &str {
    key.split_once(':').unwrap().1
}

#[tokio::test]
async fn the_key_is_never_sent_to_an_address_that_the_caller_chose() {
    let foreign = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", foreign.local_addr().unwrap());
    let rig = Rig::start().await;
    let job = rig.submit("a cat").await;
    let url = format!("{address}/{MODEL}");
    let status_url = format!("{url}/requests/{job}/status");
    let by_url = calls(&url, &job).into_iter().chain(calls(MODEL, &status_url));
    for (tool, arguments) in by_url {
        // Whether it is refused or not understood: nothing may be asked there.
        rig.tool(Era::Modern, tool, arguments).send().await;
    }
    let submit = json!({
        "endpoint_id": MODEL,
        "input": {"prompt": "a cat", "image_url": url},
        "webhook_url": format!("{address}/done"),
    });
    rig.tool(Era::Modern, "submit_job", submit).send().await;
    for name in ["host", "x-forwarded-host", "forwarded", "x-original-url"] {
        let request = rig.run(Era::Modern, "a cat").header(name, &address.replace("http://", ""));
        request.send().await;
    }
    let connected = timeout(Duration::from_millis(200), foreign.accept()).await;
    assert!(connected.is_err(), "something connected to the caller's address");
}

#[tokio::test]
async fn no_tool_returns_the_key_whether_it_succeeds_or_fails() {
    let rig = Rig::start().await.warm().await;
    let job = rig.submit("a cat").await;
    let returns = async |what: &str| {
        for (tool, arguments) in calls(MODEL, &job) {
            for era in [Era::Modern, Era::Legacy] {
                let answer = rig.tool(era, tool, arguments.clone()).send().await;
                assert!(!answer.text().contains(secret(DEMO_KEY)), "{tool}, {what}");
                assert!(!format!("{:?}", answer.headers).contains(secret(DEMO_KEY)), "{tool}");
            }
        }
    };
    returns("when all is well").await;
    for kind in [
        FaultKind::Server { status: 500 },
        FaultKind::AccountLocked,
        FaultKind::DropAfter,
        FaultKind::MalformedJson,
    ] {
        rig.sim.faults().clear();
        let what = format!("{kind:?}");
        rig.sim.faults().add(Fault::new(kind));
        returns(&what).await;
    }
}

#[tokio::test]
async fn a_caller_without_a_key_does_not_get_the_one_of_the_caller_before() {
    let rig = Rig::start().await.with_key(PRIVATE_KEY);
    let run = rig.tool(
        Era::Modern,
        "run_model",
        json!({
            "endpoint_id": PRIVATE_MODEL,
            "input": {"prompt": "a cat"},
        }),
    );
    Outcome::of(&run.clone().send().await).value();
    let asked = rig.asked().len();
    run.clone().without("authorization").send().await.refusal(401, 401);
    assert_eq!(rig.asked().len(), asked, "nothing is asked in somebody else's name");

    let other = Outcome::of(&run.bearer(DEMO_KEY).send().await);
    assert!(other.is_error(), "a private model is nobody else's: {:?}", other.result);
    let submits = rig.sim.ledger().submits();
    assert!(submits.iter().all(|submit| PRIVATE_KEY.starts_with(&submit.key_id)), "{submits:?}");
}

#[tokio::test]
async fn no_upload_reads_a_file_of_the_server() {
    let rig = Rig::start().await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"a secret of the server").unwrap();
    let path = file.path().to_str().unwrap();
    for arguments in [
        json!({"path": path}),
        json!({"url": format!("file://{path}")}),
        json!({"url": path}),
        json!({"data": path}),
    ] {
        let answer = rig.tool(Era::Modern, "upload_file", arguments.clone()).send().await;
        assert!(!answer.text().contains("a secret"), "{arguments}");
    }
    assert_eq!(rig.sim.stored_files(), Vec::<String>::new(), "fal was sent nothing");
}

#[tokio::test]
async fn a_host_or_an_origin_that_is_not_ours_is_refused_before_anything_is_asked() {
    let rig = Rig::start().await;
    for (name, value) in [
        ("host", "attacker.example"),
        ("host", "127.0.0.1.attacker.example"),
        ("origin", "https://attacker.example"),
        ("origin", "null"),
    ] {
        for era in [Era::Modern, Era::Legacy] {
            let answer = rig.run(era, "a cat").header(name, value).send().await;
            answer.refusal(403, 403);
        }
    }
    assert_eq!(rig.asked(), []);
}

#[tokio::test]
async fn what_the_server_knows_itself_never_waits_for_fal() {
    let rig = Rig::start().await;
    rig.sim.faults().add(Fault::new(FaultKind::SlowHeaders { milliseconds: 60_000 }));
    let initialize = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "rig", "version": "1"},
    });
    let answers = async {
        for era in [Era::Modern, Era::Legacy] {
            rig.request(era, "tools/list", json!({})).send().await.result();
        }
        rig.modern("server/discover", json!({})).send().await.result();
        rig.legacy("initialize", initialize).send().await.result();
        rig.legacy("ping", json!({})).send().await.result();
        for path in ["/", "/healthz", "/readyz", "/mcp/server-card"] {
            assert_eq!(rig.plain(Method::GET, path).send().await.status, 200, "{path}");
        }
    };
    timeout(Duration::from_secs(10), answers).await.expect("all of them at once");
    assert_eq!(rig.asked(), []);
}

#[tokio::test]
async fn whatever_fails_is_reported_as_an_error() {
    let sim = fal_sim::start(instant()).await.unwrap();
    sim.faults().add(Fault::new(FaultKind::Ingress { status: 502 }));
    let rig = Rig::in_front_of(sim, |_| ()).await;
    for (tool, arguments) in calls(MODEL, "0198c0de-0000-7000-8000-000000000000") {
        for era in [Era::Modern, Era::Legacy] {
            let outcome = rig.call(era, tool, arguments.clone()).await;
            assert_eq!(outcome.result["isError"], true, "{tool}: {}", outcome.result);
        }
    }
}

#[tokio::test]
async fn a_wait_that_ends_before_the_job_leaves_its_id_and_the_next_call() {
    let rig = Rig::with(real_time(), |_| ()).await;
    let arguments = json!({
        "endpoint_id": MODEL,
        "input": {"prompt": "a cat [sim:queue 0][sim:slow 30]"},
        "wait_seconds": 1,
    });
    let waited = rig.call(Era::Modern, "run_model", arguments.clone()).await.into_value();
    rig.sim.faults().add(Fault::new(FaultKind::DropAfter).on(Operation::Stream));
    rig.sim.faults().add(Fault::new(FaultKind::Server { status: 500 }).on(Operation::Status));
    let broken = rig.call(Era::Modern, "run_model", arguments).await;
    rig.sim.faults().clear();

    assert_eq!(waited["status"], "processing");
    let submits = rig.sim.ledger().submits();
    assert_eq!(submits.len(), 2);
    let text = broken.result["content"][0]["text"].as_str().unwrap();
    assert!(text.contains(&submits[1].request_id), "{text}");
    assert_eq!(waited["request_id"], submits[0].request_id);
    for submit in submits {
        let checked = rig.call(Era::Modern, "check_job", Rig::ids(&submit.request_id)).await;
        assert_eq!(checked.value()["state"], "IN_PROGRESS");
    }
}
