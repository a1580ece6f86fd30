//! Every operation's answers, good and bad, against the project's description of fal.

use std::sync::OnceLock;

use fal_sim::{
    Config, DEMO_KEY, Fault, FaultKind, Host, LOCKED_KEY, NO_SCOPE_KEY, Sim, UNKNOWN_KEY,
};
use openapi_contract::{Contract, Operation};
use serde_json::json;

use crate::outputs::catalogue;
use crate::support::{Ask, Job, Reply, instant, start, submit};

const MODEL: &str = "fal-ai/flux/schnell";

/// Asks, and collects what the description says against the answer.
#[derive(Debug)]
struct Checker {
    contract: &'static Contract,
    found: Vec<String>,
}

impl Checker {
    fn new() -> Self {
        // Compiled once for all tests.
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        let contract = CONTRACT.get_or_init(|| Contract::fal().unwrap());
        Self { contract, found: Vec::new() }
    }

    async fn ask(&mut self, operation: Operation, expected: u16, ask: Ask) -> Reply {
        let reply = ask.send().await;
        if reply.status != expected {
            self.found.push(format!("{operation:?}: {} instead of {expected}", reply.status));
        }
        let status = reply.status.as_u16();
        let verdict = self.contract.check_response(operation, status, &reply.headers, &reply.body);
        if let Err(differences) = verdict {
            self.found.extend(differences);
        }
        reply
    }

    fn finish(self) {
        assert!(self.found.is_empty(), "{:#?}", self.found);
    }
}

fn submit_ask(sim: &Sim, prompt: &str) -> Ask {
    let url = format!("{}/{MODEL}", sim.host_url(Host::Queue));
    Ask::post(url, json!({ "prompt": prompt }).to_string())
}

fn status(job: &Job) -> Ask {
    Ask::get(format!("{}?logs=1", job.status_url)).demo()
}

#[tokio::test]
async fn the_queue_answers_as_described() {
    let sim = start(Config::default()).await;
    let mut checker = Checker::new();
    checker.ask(Operation::Submit, 200, submit_ask(&sim, "a").demo()).await;
    checker.ask(Operation::Submit, 401, submit_ask(&sim, "a")).await;
    checker.ask(Operation::Submit, 401, submit_ask(&sim, "a").key(UNKNOWN_KEY)).await;
    checker.ask(Operation::Submit, 401, submit_ask(&sim, "a").key("nocolon")).await;
    checker.ask(Operation::Submit, 403, submit_ask(&sim, "a").key(LOCKED_KEY)).await;
    let unknown = format!("{}/nobody/nothing", sim.host_url(Host::Queue));
    checker.ask(Operation::Submit, 404, Ask::post(unknown, "{}").demo()).await;

    let waiting = submit(&sim, MODEL, &json!({ "prompt": "[sim:queue 60]" })).await;
    let running = submit(&sim, MODEL, &json!({ "prompt": "[sim:queue 0] [sim:slow 60]" })).await;
    let done = submit(&sim, MODEL, &json!({ "prompt": "[sim:queue 0] [sim:slow 0]" })).await;
    for (job, expected) in [(&waiting, 202), (&running, 202), (&done, 200)] {
        checker.ask(Operation::Status, expected, status(job)).await;
        checker.ask(Operation::Status, expected, Ask::get(&job.status_url).demo()).await;
    }
    checker.ask(Operation::Result, 400, Ask::get(&waiting.response_url).demo()).await;
    checker.ask(Operation::Result, 200, Ask::get(&done.response_url).demo()).await;
    let stream = format!("{}/stream?logs=1", done.status_url);
    checker.ask(Operation::StatusStream, 200, Ask::get(stream).demo()).await;

    checker.ask(Operation::Cancel, 202, Ask::put(&waiting.cancel_url).demo()).await;
    checker.ask(Operation::Cancel, 202, Ask::put(&running.cancel_url).demo()).await;
    checker.ask(Operation::Cancel, 400, Ask::put(&done.cancel_url).demo()).await;
    for job in [&waiting, &running] {
        checker.ask(Operation::Status, 200, status(job)).await;
        checker.ask(Operation::Result, 499, Ask::get(&job.response_url).demo()).await;
    }

    let removing = start(Config { cancel_removes: true, ..Config::default() }).await;
    let waiting = submit(&removing, MODEL, &json!({ "prompt": "[sim:queue 60]" })).await;
    checker.ask(Operation::Cancel, 200, Ask::put(&waiting.cancel_url).demo()).await;

    let nowhere = format!("{}/fal-ai/flux/requests/0", sim.host_url(Host::Queue));
    let long = format!("{}/{MODEL}/requests/{}", sim.host_url(Host::Queue), done.request_id);
    for (base, expected) in [(nowhere, 404), (long, 405)] {
        let get = |end: &str| Ask::get(format!("{base}{end}")).demo();
        checker.ask(Operation::Status, expected, get("/status")).await;
        checker.ask(Operation::StatusStream, expected, get("/status/stream")).await;
        checker.ask(Operation::Result, expected, get("")).await;
        checker.ask(Operation::Cancel, expected, Ask::put(format!("{base}/cancel")).demo()).await;
    }
    checker.finish();
}

#[tokio::test]
async fn failed_jobs_answer_as_described() {
    let sim = instant().await;
    let mut checker = Checker::new();
    let failures = [
        ("[sim:content_policy]", 422),
        ("[sim:cancelled]", 499),
        ("[sim:fail request_timeout]", 504),
        ("[sim:fail startup_timeout]", 504),
        ("[sim:fail runner_scheduling_failure]", 503),
        ("[sim:fail runner_connection_timeout]", 503),
        ("[sim:fail runner_disconnected]", 503),
        ("[sim:fail runner_connection_refused]", 503),
        ("[sim:fail runner_connection_error]", 503),
        ("[sim:fail runner_incomplete_response]", 502),
        ("[sim:fail runner_server_error]", 500),
        ("[sim:fail internal_error]", 500),
        ("[sim:fail bad_request]", 400),
    ];
    for (prompt, expected) in failures {
        let job = submit(&sim, MODEL, &json!({ "prompt": prompt })).await;
        checker.ask(Operation::Status, 200, status(&job)).await;
        checker.ask(Operation::Result, expected, Ask::get(&job.response_url).demo()).await;
        let stream = format!("{}/stream", job.status_url);
        checker.ask(Operation::StatusStream, 200, Ask::get(stream).demo()).await;
    }
    for input in [json!({}), json!({ "prompt": 1, "num_images": 0, "image_size": "huge" })] {
        let job = submit(&sim, MODEL, &input).await;
        checker.ask(Operation::Result, 422, Ask::get(&job.response_url).demo()).await;
    }
    let job = submit(&sim, "fal-ai/flux/no/such/path", &json!({})).await;
    checker.ask(Operation::Result, 404, Ask::get(&job.response_url).demo()).await;
    checker.finish();
}

#[tokio::test]
async fn faults_answer_as_described() {
    let sim = start(Config::default()).await;
    let mut checker = Checker::new();
    let job = submit(&sim, MODEL, &json!({ "prompt": "[sim:queue 60]" })).await;
    let kinds = [500, 502, 503, 504].map(|status| (FaultKind::Server { status }, status));
    let ingress = [502, 503, 504].map(|status| (FaultKind::Ingress { status }, status));
    let others = [
        (FaultKind::RateLimited { retry_after: Some(2) }, 429),
        (FaultKind::RateLimited { retry_after: None }, 429),
        (FaultKind::AccountLocked, 403),
    ];
    for (kind, expected) in kinds.into_iter().chain(ingress).chain(others) {
        let asks = [
            (Operation::Submit, submit_ask(&sim, "a").demo()),
            (Operation::Status, status(&job)),
            (Operation::Result, Ask::get(&job.response_url).demo()),
            (Operation::Cancel, Ask::put(&job.cancel_url).demo()),
        ];
        for (operation, ask) in asks {
            sim.faults().add(Fault::new(kind.clone()).times(1));
            checker.ask(operation, expected, ask).await;
        }
    }
    sim.faults().add(Fault::new(FaultKind::ResultExpired).times(1));
    checker.ask(Operation::Result, 404, Ask::get(&job.response_url).demo()).await;
    checker.finish();
}

#[tokio::test]
async fn the_catalogue_answers_as_described() {
    let sim = start(Config { anonymous_rate_limit: Some(12), ..Config::default() }).await;
    let mut checker = Checker::new();
    let models = |query: &str| format!("{}/v1/models{query}", sim.host_url(Host::Api));
    for query in [
        "",
        "?limit=7",
        "?limit=7&cursor=Mg",
        "?q=video&status=active",
        "?category=training",
        "?expand=openapi-3.0&limit=10",
        "?expand=openapi-3.0&endpoint_id=sim-labs/partner/turbo/image-to-video",
        "?expand=enterprise_status&limit=2",
    ] {
        checker.ask(Operation::ListModels, 200, Ask::get(models(query))).await;
        checker.ask(Operation::ListModels, 200, Ask::get(models(query)).demo()).await;
    }
    checker.ask(Operation::ListModels, 404, Ask::get(models("?endpoint_id=no/where"))).await;
    for query in ["?limit=0", "?cursor=%21", "?status=new", "?expand=all"] {
        checker.ask(Operation::ListModels, 400, Ask::get(models(query)).demo()).await;
    }
    checker.ask(Operation::ListModels, 401, Ask::get(models("")).key(UNKNOWN_KEY)).await;
    for _ in 0..4 {
        Ask::get(models("?limit=1")).send().await;
    }
    checker.ask(Operation::ListModels, 429, Ask::get(models(""))).await;
    checker.finish();
}

#[tokio::test]
async fn storage_answers_as_described() {
    let sim = instant().await;
    let mut checker = Checker::new();
    let initiate = |how: &str, kind: &str| {
        let url = format!("{}/storage/upload/{how}?storage_type={kind}", sim.host_url(Host::Rest));
        Ask::post(url, json!({ "content_type": "image/png", "file_name": "a.png" }).to_string())
    };
    let (single, multipart) = (Operation::InitiateUpload, Operation::InitiateMultipartUpload);
    for (operation, how) in [(single, "initiate"), (multipart, "initiate-multipart")] {
        checker.ask(operation, 401, initiate(how, "fal-cdn-v3")).await;
        checker.ask(operation, 401, initiate(how, "fal-cdn-v3").key(UNKNOWN_KEY)).await;
        checker.ask(operation, 403, initiate(how, "fal-cdn-v3").key(LOCKED_KEY)).await;
        checker.ask(operation, 400, initiate(how, "gcs").demo()).await;
    }
    let url = |reply: Reply| reply.json()["upload_url"].as_str().unwrap().to_owned();
    let file = url(checker.ask(single, 200, initiate("initiate", "fal-cdn-v3").demo()).await);
    let put = |url: &str| Ask::put(url).body("x").header("content-type", "image/png");
    let unsigned = file.split('?').next().unwrap();
    checker.ask(Operation::UploadFile, 403, put(unsigned)).await;
    checker.ask(Operation::UploadFile, 400, put(&file).demo()).await;
    checker.ask(Operation::UploadFile, 200, put(&file)).await;

    let parts = initiate("initiate-multipart", "fal-cdn-v3").demo();
    let parts = url(checker.ask(multipart, 200, parts).await);
    let (path, query) = parts.split_once('?').unwrap();
    checker.ask(Operation::UploadPart, 404, put(&format!("{path}/0?{query}"))).await;
    let part = checker.ask(Operation::UploadPart, 200, put(&format!("{path}/1?{query}"))).await;
    let complete = format!("{path}/complete?{query}");
    checker.ask(Operation::CompleteUpload, 400, Ask::post(&complete, r#"{"parts":[]}"#)).await;
    let body = json!({ "parts": [part.json()] }).to_string();
    checker.ask(Operation::CompleteUpload, 200, Ask::post(&complete, body)).await;
    checker.finish();
}

#[tokio::test]
async fn requests_and_documents_answer_as_described() {
    let sim = start(Config::default()).await;
    let mut checker = Checker::new();
    for prompt in ["[sim:queue 60]", "[sim:queue 0] [sim:slow 0]", "[sim:queue 0] [sim:slow 60]"] {
        submit(&sim, MODEL, &json!({ "prompt": prompt })).await;
    }
    submit(&sim, MODEL, &json!({})).await;
    let base = format!("{}/v1/models/requests/by-endpoint", sim.host_url(Host::Api));
    for query in ["", "&limit=1", "&limit=1&cursor=Mg", "&expand=payloads", "&status=success"] {
        let ask = Ask::get(format!("{base}?endpoint_id={MODEL}{query}")).key(DEMO_KEY);
        checker.ask(Operation::ListRequests, 200, ask).await;
    }
    checker.ask(Operation::ListRequests, 400, Ask::get(&base).demo()).await;
    let one = format!("{base}?endpoint_id={MODEL}");
    checker.ask(Operation::ListRequests, 401, Ask::get(&one)).await;
    checker.ask(Operation::ListRequests, 403, Ask::get(&one).key(NO_SCOPE_KEY)).await;

    let document = |id: &str| {
        Ask::get(format!(
            "{}/api/openapi/queue/openapi.json?endpoint_id={id}",
            sim.host_url(Host::Web)
        ))
    };
    for card in catalogue(&sim).await {
        let id = card["endpoint_id"].as_str().unwrap();
        let reply = document(id).send().await;
        if reply.status == 200 {
            checker.ask(Operation::ModelDocument, 200, document(id)).await;
        }
    }
    checker.ask(Operation::ModelDocument, 404, document("no/where")).await;
    checker.finish();
}
