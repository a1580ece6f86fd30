//! Words that must show nowhere: a key, a prompt, a URL's query, a file's name, a model's output.
//! They are sent through every tool and every failure, and looked for in everything that the gateway
//! tells about itself: the log at its most talkative, spans, metrics, the process's own environment.

use fal_sim::{Fault, FaultKind, Operation, Sim};
use serde_json::{Value, json};
use tests::{Era, Log, Outcome, Request, Rig};

use crate::collector::Collector;
use crate::process::Process;

const KEY_ID: &str = "ca7a27e0-0000-4000-8000-00000000c0de";
const KEY_SECRET: &str = "5ec2e7ca7a27000000000000000000b1";
const PROMPT: &str = "canary-prompt-4711";
const QUERY: &str = "canary-query-4712";
const FILE: &str = "canary-file-4713";
/// What a token for the collector looks like; it is the operator's, and as secret.
const COLLECTOR_TOKEN: &str = "canary-token-4714";

fn key() -> String {
    format!("{KEY_ID}:{KEY_SECRET}")
}

fn sim() -> fal_sim::Config {
    fal_sim::Config { speed: f64::INFINITY, keys: vec![key()], ..fal_sim::Config::default() }
}

/// A caller of the rig's own gateway, or of another at `url`.
struct Caller<'a> {
    rig: &'a Rig,
    url: Option<String>,
}

impl Caller<'_> {
    fn request(&self, request: Request) -> Request {
        let url = self.url.clone().unwrap_or_else(|| self.rig.url("/mcp"));
        request.to(format!("{url}?token={QUERY}"))
    }

    async fn call(&self, era: Era, tool: &str, arguments: Value) -> Outcome {
        let request = self.request(self.rig.tool(era, tool, arguments));
        Outcome::of(&request.progress("token").send().await)
    }

    async fn run(&self, era: Era, prompt: &str) -> Outcome {
        let input = json!({"prompt": prompt});
        self.call(era, "run_model", json!({"endpoint_id": "fal-ai/flux/schnell", "input": input}))
            .await
    }

    /// Every tool, as it succeeds and as it fails. Answers with a medium's URL: what a model made is
    /// its caller's alone.
    async fn everything(&self, sim: &Sim) -> String {
        let mut media = String::new();
        for era in [Era::Modern, Era::Legacy] {
            let list = self.request(self.rig.request(era, "tools/list", json!({})));
            list.header("traceparent", PROMPT).send().await.result();
            let run = self.run(era, PROMPT).await.into_value();
            media = run["media"][0]["url"].as_str().unwrap().to_owned();
            let ids = Rig::ids(run["request_id"].as_str().unwrap());
            let image = format!("https://example.com/{FILE}.png?signature={QUERY}");
            let job = json!({
                "endpoint_id": "fal-ai/flux/dev/image-to-image",
                "input": {"prompt": PROMPT, "image_url": image},
                "webhook_url": format!("https://example.com/{FILE}?token={QUERY}"),
            });
            // Whatever comes of each: none may be told about.
            for tool in gateway::tool_definitions() {
                for arguments in [
                    ids.clone(),
                    job.clone(),
                    json!({"query": PROMPT}),
                    json!({"task": PROMPT}),
                    json!({"endpoint_id": "fal-ai/flux/schnell"}),
                    json!({"endpoint_id": "fal-ai/flux/schnell", "input": {"promt": PROMPT}}),
                    json!({"endpoint_id": format!("{PROMPT} is no id"), PROMPT: PROMPT}),
                    json!({"url": image, "path": format!("/{FILE}"), "data": PROMPT}),
                ] {
                    self.call(era, tool.name, arguments).await;
                }
            }
            self.run(era, &format!("{PROMPT} [sim:content_policy]")).await.error("model_refused");
        }
        for kind in [
            FaultKind::DropBefore,
            FaultKind::DropAfter,
            FaultKind::CutBody,
            FaultKind::MalformedJson,
            FaultKind::AccountLocked,
            FaultKind::RateLimited { retry_after: None },
            FaultKind::Server { status: 500 },
            FaultKind::Ingress { status: 502 },
        ] {
            for operation in [Operation::Submit, Operation::Status, Operation::Result] {
                sim.faults().add(Fault::new(kind.clone()).on(operation).times(1));
                self.run(Era::Modern, PROMPT).await;
            }
        }
        self.refusals().await;
        media
    }

    /// Requests for which no tool runs.
    async fn refusals(&self) {
        let key = key();
        let list = || self.request(self.rig.modern("tools/list", json!({})));
        for header in [
            format!("Key {key}"),
            format!("Bearer {key}:x"),
            format!("Bearer ${{{key}}}"),
            format!("Bearer {KEY_ID}"),
        ] {
            list().header("authorization", &header).send().await.refusal(401, 401);
        }
        for request in [
            list().body(format!("{{\"{PROMPT}\"")),
            list().header("host", &format!("{FILE}.example.com")),
            list().header("origin", &format!("https://{FILE}.example.com")),
            list().header("mcp-method", PROMPT),
            list().header("tracestate", &format!("a={PROMPT}")),
            self.request(self.rig.modern(PROMPT, json!({PROMPT: PROMPT}))),
            self.request(self.rig.tool(Era::Legacy, PROMPT, json!({}))),
        ] {
            request.send().await;
        }
    }
}

/// Fails where a canary is in `text`, with the line it is in.
fn assert_silent(place: &str, text: &str, media: &str) {
    for canary in [KEY_ID, KEY_SECRET, PROMPT, QUERY, FILE, COLLECTOR_TOKEN, media] {
        let line = text.lines().find(|line| line.contains(canary));
        assert_eq!(line, None, "{canary} is in {place}");
    }
}

#[tokio::test]
async fn no_line_of_any_crate_has_a_canary() {
    let (log, _guard) = Log::keep();
    let rig = Rig::with(sim(), |_| ()).await.with_key(key());
    let media = Caller { rig: &rig, url: None }.everything(&rig.sim).await;
    let text = log.text();
    assert!(text.contains("tools/call") && text.contains("asked fal"), "the log is kept");
    assert!(text.contains("TRACE"), "at the most talkative level");
    assert_silent("the log", &text, &media);
}

#[tokio::test]
async fn nothing_that_leaves_the_process_over_http_has_a_canary() {
    nothing_that_leaves_the_process_has_a_canary("http/protobuf").await;
}

#[tokio::test]
async fn nothing_that_leaves_the_process_over_grpc_has_a_canary() {
    nothing_that_leaves_the_process_has_a_canary("grpc").await;
}

async fn nothing_that_leaves_the_process_has_a_canary(protocol: &str) {
    let collector = Collector::start().await;
    let rig = Rig::with(sim(), |_| ()).await.with_key(key());
    let process = Process::start(
        &rig.sim,
        &[
            ("FAL_MCP_LOG_LEVEL", "trace"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_HEADERS", &format!("authorization={COLLECTOR_TOKEN}")),
            ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
        ],
    )
    .await;
    let media = Caller { rig: &rig, url: Some(process.url()) }.everything(&rig.sim).await;
    let metrics = rig.plain(http::Method::GET, "/metrics");
    let metrics = metrics.to(format!("http://{}/metrics", process.admin_addr)).send().await;
    // What a core dump would begin with: a caller's key is in neither. (The collector's token is in
    // the environment, where its operator put it.)
    let dumped = [process.proc("cmdline"), process.proc("environ").replace(COLLECTOR_TOKEN, "")];
    let log = process.stop().await;
    assert!(log.contains(r#""level":"TRACE""#) && log.contains("asked fal"), "it is talkative");
    assert!(!collector.spans().is_empty() && !collector.logs().is_empty(), "all is exported");
    assert!(collector.metrics().len() > 10, "{:?}", collector.metrics());
    assert_silent("the log", &log, &media);
    assert_silent("the metrics", metrics.text(), &media);
    assert_silent("the export", &String::from_utf8_lossy(&collector.bytes()), &media);
    assert_silent("the process", &dumped.concat(), &media);
}
