//! A client for the tests: it sends what it is told, follows nothing and repeats nothing.

use std::sync::OnceLock;
use std::time::Duration;

use fal_sim::{Config, DEMO_KEY, Host, Sim};
use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, Method, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// One request to a stand-in.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Ask {
    pub(crate) fn new(method: Method, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }

    pub(crate) fn put(url: impl Into<String>) -> Self {
        Self::new(Method::PUT, url)
    }

    pub(crate) fn post(url: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self::new(Method::POST, url).body(body)
    }

    pub(crate) fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Key {key}"))
    }

    /// With the ordinary key.
    pub(crate) fn demo(self) -> Self {
        self.key(DEMO_KEY)
    }

    pub(crate) async fn send(self) -> Reply {
        // Making a client costs more than most requests. Without a pool one can serve the runtimes of
        // all tests.
        static CLIENT: OnceLock<Client> = OnceLock::new();
        self.try_send(CLIENT.get_or_init(|| client(None))).await.unwrap()
    }

    pub(crate) async fn try_send(self, client: &Client) -> Result<Reply, reqwest::Error> {
        let mut request = client.request(self.method, &self.url).body(self.body);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        #[expect(clippy::disallowed_methods, reason = "the tests' own client")]
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await?.to_vec();
        Ok(Reply { status, headers, body })
    }
}

/// A client, which trusts this certificate besides.
pub(crate) fn client(trusted: Option<&str>) -> Client {
    // Another test of this process may have been first.
    drop(rustls::crypto::ring::default_provider().install_default());
    #[expect(clippy::disallowed_methods, reason = "the tests' own client")]
    let mut builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_secs(20));
    builder = match trusted {
        Some(pem) => builder.tls_certs_only([Certificate::from_pem(pem.as_bytes()).unwrap()]),
        None => builder.tls_certs_only([]),
    };
    builder.build().unwrap()
}

/// A stand-in whose jobs are done at once.
pub(crate) async fn instant() -> Sim {
    start(Config { speed: f64::INFINITY, ..Config::default() }).await
}

pub(crate) async fn start(config: Config) -> Sim {
    fal_sim::start(config).await.unwrap()
}

/// A job as its submit described it.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) request_id: String,
    pub(crate) status_url: String,
    pub(crate) response_url: String,
    pub(crate) cancel_url: String,
}

/// Submits with the ordinary key.
pub(crate) async fn submit(sim: &Sim, endpoint_id: &str, input: &Value) -> Job {
    let url = format!("{}/{endpoint_id}", sim.host_url(Host::Queue));
    let reply = Ask::post(url, input.to_string()).demo().send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let body = reply.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    Job {
        request_id: text("request_id"),
        status_url: text("status_url"),
        response_url: text("response_url"),
        cancel_url: text("cancel_url"),
    }
}

impl Job {
    pub(crate) async fn status(&self) -> Reply {
        Ask::get(format!("{}?logs=1", self.status_url)).demo().send().await
    }

    pub(crate) async fn state(&self) -> String {
        self.status().await.json()["status"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn result(&self) -> Reply {
        Ask::get(&self.response_url).demo().send().await
    }

    pub(crate) async fn cancel(&self) -> Reply {
        Ask::put(&self.cancel_url).demo().send().await
    }

    /// Waits until the job is in this state.
    pub(crate) async fn reach(&self, state: &str) {
        let give_up = Instant::now() + Duration::from_secs(10);
        while self.state().await != state {
            assert!(Instant::now() < give_up, "the job never was {state}");
            sleep(Duration::from_millis(5)).await;
        }
    }
}
