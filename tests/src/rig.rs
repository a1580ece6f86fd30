//! The two services, started and connected.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use fal_sim::{DEMO_KEY, Models, Operation, Received, Sim};
use gateway::Gateway;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::prometheus::{self, Family};
use crate::{Era, Outcome, Request};

/// A model of the stand-in that takes a prompt and makes an image.
const IMAGE_MODEL: &str = "fal-ai/flux/schnell";

/// How long the catalogue may take to load.
const LOAD: Duration = Duration::from_secs(20);

/// A gateway in front of a stand-in. Both end with the test's runtime.
#[derive(Debug)]
pub struct Rig {
    /// The stand-in: its faults and its ledger.
    pub sim: Sim,
    /// The service under test.
    pub gateway: Gateway,
    client: reqwest::Client,
    key: String,
}

impl Rig {
    /// Both with their defaults; every job is done in the moment it starts, unless its prompt says
    /// otherwise.
    pub async fn start() -> Self {
        Self::with(instant(), |_| ()).await
    }

    /// Both as a test wants them. `adjust` sees the gateway's configuration after it was pointed at
    /// the stand-in.
    pub async fn with(sim: fal_sim::Config, adjust: impl FnOnce(&mut gateway::Config)) -> Self {
        let sim = fal_sim::start(sim).await.expect("the stand-in starts");
        Self::in_front_of(sim, adjust).await
    }

    /// A gateway as a test wants it, in front of a stand-in that runs already, perhaps with faults.
    pub async fn in_front_of(sim: Sim, adjust: impl FnOnce(&mut gateway::Config)) -> Self {
        let client = http_client();
        let mut config = gateway_config(&sim);
        adjust(&mut config);
        let gateway = gateway::start(config).await.expect("the gateway starts");
        Self { sim, gateway, client, key: DEMO_KEY.to_owned() }
    }

    /// With a gateway that reads the first page of its catalogue and does not come to the second.
    pub async fn never_warm() -> Self {
        let sim = fal_sim::Config { models: Models::Generated(150), ..instant() };
        Self::with(sim, |config| config.catalog_page_interval = Duration::from_hours(1)).await
    }

    /// The same rig once the gateway has its catalogue in memory.
    pub async fn warm(self) -> Self {
        let is_loaded = async || !self.catalogue_is_loading().await;
        eventually_within(LOAD, "the catalogue is loaded", is_loaded).await;
        self
    }

    /// Whether the gateway has no catalogue yet. Asks fal for nothing: no model is fit for the task.
    pub async fn catalogue_is_loading(&self) -> bool {
        let nothing = json!({"task": "xyzzy"});
        let outcome = self.call(Era::Modern, "recommend_model", nothing).await;
        if outcome.is_error() {
            outcome.error("catalogue_loading");
        }
        outcome.is_error()
    }

    /// The same rig for a caller with another key.
    #[must_use]
    pub fn with_key(self, key: impl Into<String>) -> Self {
        Self { key: key.into(), ..self }
    }

    /// A second gateway in front of the same stand-in: another replica, which shares nothing.
    pub async fn replica(&self) -> Gateway {
        gateway::start(gateway_config(&self.sim)).await.expect("the replica starts")
    }

    /// Where the gateway listens.
    pub fn addr(&self) -> SocketAddr {
        self.gateway.addr()
    }

    /// A URL of the gateway's.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr())
    }

    /// A request for `path` with nothing added: no key, no headers of MCP.
    pub fn plain(&self, method: http::Method, path: &str) -> Request {
        Request::new(self.client.clone(), method, self.url(path))
    }

    /// A call by the rules of 2026-07-28, complete with its headers and `_meta`.
    pub fn modern(&self, method: &str, params: Value) -> Request {
        self.plain(http::Method::POST, "/mcp").bearer(&self.key).modern(method, params)
    }

    /// A call by the rules of 2025-11-25.
    pub fn legacy(&self, method: &str, params: Value) -> Request {
        self.plain(http::Method::POST, "/mcp").bearer(&self.key).legacy(method, params)
    }

    /// A call by either rules.
    pub fn request(&self, era: Era, method: &str, params: Value) -> Request {
        match era {
            Era::Modern => self.modern(method, params),
            Era::Legacy => self.legacy(method, params),
        }
    }

    /// A tool call, not sent yet.
    pub fn tool(&self, era: Era, name: &str, arguments: Value) -> Request {
        Request::tool_call(&self.client, &self.url("/mcp"), &self.key, era, name, arguments)
    }

    /// A tool call and what came of it.
    pub async fn call(&self, era: Era, name: &str, arguments: Value) -> Outcome {
        Outcome::of(&self.tool(era, name, arguments).send().await)
    }

    /// `run_model` with a prompt for a model that makes images, not sent yet.
    pub fn run(&self, era: Era, prompt: &str) -> Request {
        self.tool(era, "run_model", image_job(prompt))
    }

    /// Submits a job that makes an image; answers with its `request_id`.
    pub async fn submit(&self, prompt: &str) -> String {
        let outcome = self.call(Era::Modern, "submit_job", image_job(prompt)).await;
        outcome.value()["request_id"].as_str().expect("a request_id").to_owned()
    }

    /// The ids of the caller's jobs that `list_jobs` shows, newest first.
    pub async fn listed_jobs(&self) -> Vec<String> {
        let arguments = json!({"endpoint_id": IMAGE_MODEL});
        let listed = self.call(Era::Modern, "list_jobs", arguments).await.into_value();
        let jobs = listed["jobs"].as_array().expect("a list of jobs").iter();
        jobs.map(|job| job["request_id"].as_str().expect("a request_id").to_owned()).collect()
    }

    /// The two ids of one of [`Self::submit`]'s jobs, as arguments.
    pub fn ids(request_id: &str) -> Value {
        json!({"endpoint_id": IMAGE_MODEL, "request_id": request_id})
    }

    /// What fal was asked for the callers' sake, oldest first: all but the pages of the catalogue,
    /// which the gateway reads by itself.
    pub fn asked(&self) -> Vec<Received> {
        let mut requests = self.sim.ledger().requests();
        requests.retain(|request| !is_of_the_load(request));
        requests
    }

    /// The pages of the catalogue that the gateway asked for by itself, oldest first.
    pub fn pages_loaded(&self) -> Vec<Received> {
        let mut requests = self.sim.ledger().requests();
        requests.retain(is_of_the_load);
        requests
    }

    /// Everything that the gateway counts.
    pub async fn metrics(&self) -> BTreeMap<String, Family> {
        let addr = self.gateway.admin_addr().expect("an admin address");
        let request = self.plain(http::Method::GET, "/metrics");
        let answer = request.to(format!("http://{addr}/metrics")).send().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        prometheus::read(answer.text())
    }

    /// The URL of the stand-in, without a trailing slash.
    pub fn sim_url(&self) -> String {
        self.sim.url().trim_end_matches('/').to_owned()
    }
}

/// Whether a request is one of the background load: a list without a key, not a question about a
/// model.
fn is_of_the_load(request: &Received) -> bool {
    let query = request.query.as_deref().unwrap_or_default();
    request.operation == Operation::Models
        && request.authorization.is_none()
        && !query.contains("endpoint_id=")
}

fn image_job(prompt: &str) -> Value {
    json!({"endpoint_id": IMAGE_MODEL, "input": {"prompt": prompt}})
}

/// A stand-in whose jobs are done in the moment they start.
pub fn instant() -> fal_sim::Config {
    fal_sim::Config { speed: f64::INFINITY, ..fal_sim::Config::default() }
}

/// A stand-in that takes fal's own time.
pub fn real_time() -> fal_sim::Config {
    fal_sim::Config::default()
}

/// The gateway's defaults on a free port, in front of `sim`.
pub fn gateway_config(sim: &Sim) -> gateway::Config {
    let base = |path: &str| {
        let text = format!("{}/{path}", sim.url().trim_end_matches('/'));
        url::Url::parse(&text).expect("a URL of the stand-in")
    };
    gateway::Config {
        addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        admin_addr: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        hosts: fal::Hosts {
            queue: base("queue"),
            api: base("api/v1"),
            rest: base("rest"),
            web: base("web"),
            docs: base("docs/mcp"),
            cdn: vec![sim.addr().to_string()],
        },
        ..gateway::Config::default()
    }
}

/// The client that the rig sends with: no proxy, no redirects, nothing repeated.
pub fn http_client() -> reqwest::Client {
    client_builder().build().expect("an HTTP client")
}

/// The same over HTTP/2 from the first byte.
pub fn http_2_client() -> reqwest::Client {
    client_builder().http2_prior_knowledge().build().expect("an HTTP/2 client")
}

/// The same over TLS, with one version of HTTP, to a server that has this certificate.
pub fn https_client(certificate_pem: &str, version: http::Version) -> reqwest::Client {
    let certificate = reqwest::Certificate::from_pem(certificate_pem.as_bytes());
    let builder = client_builder().tls_certs_only([certificate.expect("a certificate")]);
    let builder = match version {
        http::Version::HTTP_2 => builder.http2_prior_knowledge(),
        _ => builder.http1_only(),
    };
    builder.build().expect("an HTTPS client")
}

fn client_builder() -> reqwest::ClientBuilder {
    // An `Err` says that the process has a provider already, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    #[expect(clippy::disallowed_methods, reason = "the tests' own client; it never talks to fal")]
    let builder = reqwest::Client::builder();
    builder.no_proxy().redirect(reqwest::redirect::Policy::none()).retry(reqwest::retry::never())
}

/// Waits until `condition` holds; fails the test if it does not within five seconds.
pub async fn eventually(what: &str, condition: impl AsyncFnMut() -> bool) {
    eventually_within(Duration::from_secs(5), what, condition).await;
}

/// The same with another patience.
pub async fn eventually_within(
    patience: Duration,
    what: &str,
    mut condition: impl AsyncFnMut() -> bool,
) {
    let deadline = Instant::now() + patience;
    while !condition().await {
        assert!(Instant::now() < deadline, "not within {patience:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
