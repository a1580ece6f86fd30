//! A fal that answers by a script and keeps what it was asked.
#![expect(clippy::unwrap_used, reason = "a rig that fails should fail the test")]

use std::{
    net::SocketAddr,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    response::Response,
};
use fal::{Client, Config, EndpointId, Hosts, Job, Key, RequestId};
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, Method};
use openapi_contract::{Contract, Operation};
use tokio::{net::TcpListener, task::AbortHandle, time::Instant};
use url::Url;

use crate::answers::Answer;

/// The key of every test. The word is looked for wherever it must not be.
pub(crate) const KEY: &str = "canary-id:canary-secret";

pub(crate) static CONTRACT: LazyLock<Contract> = LazyLock::new(|| Contract::fal().unwrap());

pub(crate) fn key() -> Key {
    Key::parse(KEY).unwrap()
}

pub(crate) fn endpoint() -> EndpointId {
    id("fal-ai/flux/dev")
}

pub(crate) fn id(text: &str) -> EndpointId {
    EndpointId::parse(text).unwrap()
}

pub(crate) fn job() -> Job {
    Job::new(endpoint(), RequestId::parse(crate::answers::REQUEST_ID).unwrap())
}

pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

/// What the server was asked.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    /// `GET /queue/fal-ai/flux?logs=1`.
    pub(crate) fn line(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{} {}{mark}{}", self.method, self.path, self.query)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Which of fal's operations this is, by its path.
    fn operation(&self) -> Operation {
        let path = self.path.as_str();
        if path == "/v1/models" {
            Operation::ListModels
        } else if path == "/v1/models/requests/by-endpoint" {
            Operation::ListRequests
        } else if path == "/v1/models/pricing" {
            Operation::GetPricing
        } else if path == "/v1/models/pricing/estimate" {
            Operation::EstimatePricing
        } else if path == "/rest/storage/upload/initiate" {
            Operation::InitiateUpload
        } else if path == "/rest/storage/upload/initiate-multipart" {
            Operation::InitiateMultipartUpload
        } else if path.starts_with("/cdn/") {
            match path.rsplit('/').next().unwrap() {
                "complete" => Operation::CompleteUpload,
                last if last.parse::<u32>().is_ok() => Operation::UploadPart,
                _ => Operation::UploadFile,
            }
        } else if path.starts_with("/docs/") {
            Operation::SearchDocs
        } else if path.starts_with("/web/") {
            Operation::ModelDocument
        } else if path.ends_with("/status/stream") {
            Operation::StatusStream
        } else if path.ends_with("/status") {
            Operation::Status
        } else if path.ends_with("/cancel") {
            Operation::Cancel
        } else if self.method == Method::GET {
            Operation::Result
        } else {
            Operation::Submit
        }
    }
}

type Script = Box<dyn Fn(&Received, usize) -> Answer + Send + Sync>;

/// The server: the queue under `/queue`, the Platform API under `/v1`, storage under `/rest`, the
/// CDN under `/cdn`, the website under `/web`, the documentation's endpoint at `/docs/mcp`.
pub(crate) struct Fal {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: AbortHandle,
}

struct Shared {
    script: Script,
    received: Mutex<Vec<Received>>,
}

impl Fal {
    /// Gives these answers in turn, and the last one for ever.
    pub(crate) async fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Vec<_> = answers.into_iter().collect();
        Self::scripted(move |_, nth| answers.get(nth).or(answers.last()).unwrap().clone()).await
    }

    /// Answers as the script says, given the request and how many came before it.
    pub(crate) async fn scripted(
        script: impl Fn(&Received, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { script: Box::new(script), received: Mutex::default() });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        #[expect(clippy::disallowed_methods, reason = "ended when the rig is dropped")]
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, server: server.abort_handle() }
    }

    pub(crate) fn base(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    pub(crate) fn config(&self) -> Config {
        let hosts = Hosts {
            queue: self.base("/queue"),
            api: self.base("/v1"),
            rest: self.base("/rest"),
            web: self.base("/web"),
            docs: self.base("/docs/mcp"),
            cdn: vec![self.address.to_string()],
        };
        Config { hosts, ..Config::default() }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.config()).unwrap()
    }

    /// Everything that was asked. Each must be what our description of fal allows.
    pub(crate) fn received(&self) -> Vec<Received> {
        let received = self.shared.received.lock().unwrap().clone();
        for request in &received {
            let checked = CONTRACT.check_request(
                request.operation(),
                &request.query,
                &request.headers,
                &request.body,
            );
            assert_eq!(checked, Ok(()), "{}", request.line());
        }
        received
    }

    /// The request lines of everything that was asked.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.received().iter().map(Received::line).collect()
    }
}

impl Drop for Fal {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let received = Received {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: to_bytes(body, usize::MAX).await.unwrap(),
    };
    let nth = {
        let mut all = shared.received.lock().unwrap();
        all.push(received.clone());
        all.len() - 1
    };
    let answer = (shared.script)(&received, nth);
    let body = if answer.stays_open {
        let first = stream::iter([Ok::<_, std::io::Error>(answer.body)]);
        Body::from_stream(first.chain(stream::pending()))
    } else {
        Body::from(answer.body)
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    response.headers_mut().extend(answer.headers);
    response
}
