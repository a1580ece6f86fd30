//! The least that a server can do which stands between a caller and fal: the floor's stack and a
//! pooled client. It parses the request, makes the three calls of a run (submit, status, result)
//! one after the other, and passes the result on. It checks nothing, keeps nothing and retries
//! nothing.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use axum::http::{Request, Response, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::floor::{Floor, listen};

/// Where to relay to, and by what.
#[derive(Debug)]
struct Relay {
    submit: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// Starts a relay to the queue of the stand-in at `fal`, for one model.
pub(super) async fn start(fal: SocketAddr, model: &str) -> io::Result<Floor> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let relay = Relay {
        submit: format!("http://{fal}/queue/{model}"),
        client: Client::builder(TokioExecutor::new()).build(connector),
    };
    listen(Router::new().route("/mcp", post(answer)).with_state(Arc::new(relay))).await
}

async fn answer(
    State(relay): State<Arc<Relay>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response<Body>, StatusCode> {
    let key = headers.get(AUTHORIZATION).ok_or(StatusCode::UNAUTHORIZED)?;
    let output = relay.run(key, &body).await.ok_or(StatusCode::BAD_GATEWAY)?;
    let mut response = Response::new(Body::from(output));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

impl Relay {
    /// The model's output; nothing if anything goes otherwise than planned.
    async fn run(&self, key: &HeaderValue, body: &[u8]) -> Option<Bytes> {
        let input = serde_json::from_slice::<Value>(body).ok()?.to_string();
        let submit = Request::post(&self.submit).header(CONTENT_TYPE, "application/json");
        let submitted = self.ask(submit, key, input.into()).await?;
        let submitted: Value = serde_json::from_slice(&submitted).ok()?;
        let url = |name: &str| submitted.get(name)?.as_str();
        let status = self.ask(Request::get(url("status_url")?), key, Bytes::new()).await?;
        let status: Value = serde_json::from_slice(&status).ok()?;
        if status.get("status")?.as_str()? != "COMPLETED" {
            return None;
        }
        self.ask(Request::get(url("response_url")?), key, Bytes::new()).await
    }

    async fn ask(
        &self,
        request: axum::http::request::Builder,
        key: &HeaderValue,
        body: Bytes,
    ) -> Option<Bytes> {
        let request = request.header(AUTHORIZATION, key).body(Full::new(body)).ok()?;
        let response = self.client.request(request).await.ok()?;
        Some(response.into_body().collect().await.ok()?.to_bytes())
    }
}
