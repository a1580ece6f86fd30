//! A request as a test writes it: every header and every byte of the body.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{Answer, Attempt, Events};

/// The newest version of the protocol.
const MODERN: &str = "2026-07-28";
/// The newest version with a handshake.
const LEGACY: &str = "2025-11-25";

/// Which rules a caller follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// 2026-07-28.
    Modern,
    /// 2025-11-25.
    Legacy,
}

/// A request that is not sent yet.
#[derive(Clone, Debug)]
pub struct Request {
    client: reqwest::Client,
    method: http::Method,
    url: String,
    headers: HeaderMap,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Json(Value),
    Bytes(Bytes),
}

impl Request {
    pub(crate) fn new(client: reqwest::Client, method: http::Method, url: String) -> Self {
        Self { client, method, url, headers: HeaderMap::new(), body: Body::Bytes(Bytes::new()) }
    }

    /// A tool call by the rules of an era, complete with its headers and the caller's key.
    pub fn tool_call(
        client: &reqwest::Client,
        url: &str,
        key: &str,
        era: Era,
        name: &str,
        arguments: Value,
    ) -> Self {
        let request = Self::new(client.clone(), http::Method::POST, url.to_owned()).bearer(key);
        let mut params = json!({"name": name});
        params["arguments"] = arguments;
        match era {
            Era::Modern => request.modern("tools/call", params),
            Era::Legacy => request.legacy("tools/call", params),
        }
    }

    /// Sent with another client, for example one that speaks HTTP/2.
    #[must_use]
    pub fn through(self, client: &reqwest::Client) -> Self {
        Self { client: client.clone(), ..self }
    }

    /// Sent to another place.
    #[must_use]
    pub fn to(self, url: impl Into<String>) -> Self {
        Self { url: url.into(), ..self }
    }

    /// Sets a header, in place of any of that name.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a header value");
        self.headers.insert(HeaderName::try_from(name).expect("a header name"), value);
        self
    }

    /// Adds a header beside any of that name.
    #[must_use]
    pub fn another(mut self, name: &str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a header value");
        self.headers.append(HeaderName::try_from(name).expect("a header name"), value);
        self
    }

    /// Leaves a header out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name).expect("the header that is to be left out");
        self
    }

    /// `Authorization: Bearer …`
    #[must_use]
    pub fn bearer(self, key: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), &format!("Bearer {key}"))
    }

    /// The body as it is sent, with whatever headers there are.
    #[must_use]
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        Self { body: Body::Bytes(body.into()), ..self }
    }

    /// Replaces the member at a JSON pointer of the body; `null` removes it.
    #[must_use]
    pub fn set(mut self, pointer: &str, value: Value) -> Self {
        let Body::Json(body) = &mut self.body else { panic!("the body is not JSON") };
        let (parent, name) = pointer.rsplit_once('/').expect("a JSON pointer");
        let parent = body.pointer_mut(parent).and_then(Value::as_object_mut);
        let parent = parent.expect("the parent of the member");
        if value.is_null() {
            parent.remove(&name.replace("~1", "/"));
        } else {
            parent.insert(name.replace("~1", "/"), value);
        }
        self
    }

    /// Asks for progress notifications under this token.
    #[must_use]
    pub fn progress(mut self, token: &str) -> Self {
        let Body::Json(body) = &mut self.body else { panic!("the body is not JSON") };
        body["params"]["_meta"]["progressToken"] = json!(token);
        self
    }

    /// Declares the Tasks extension, for a call by the rules of 2026-07-28.
    #[must_use]
    pub fn taking_tasks(self) -> Self {
        let pointer = "/params/_meta/io.modelcontextprotocol~1clientCapabilities";
        self.set(pointer, json!({"extensions": {"io.modelcontextprotocol/tasks": {}}}))
    }

    pub(crate) fn modern(self, method: &str, mut params: Value) -> Self {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientInfo": {"name": "rig", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let mut request = self.header("mcp-protocol-version", MODERN).header("mcp-method", method);
        let name = params.get("name").or(params.get("taskId"));
        if let Some(name) = name.and_then(Value::as_str) {
            request = request.header("mcp-name", name);
        }
        request.rpc(method, params)
    }

    pub(crate) fn legacy(self, method: &str, params: Value) -> Self {
        let request = match method {
            "initialize" => self,
            _ => self.header("mcp-protocol-version", LEGACY),
        };
        request.rpc(method, params)
    }

    fn rpc(self, method: &str, params: Value) -> Self {
        let mut body = json!({"jsonrpc": "2.0", "method": method});
        body["params"] = params;
        if !method.starts_with("notifications/") {
            body["id"] = json!(1);
        }
        let request = self
            .header(CONTENT_TYPE.as_str(), "application/json")
            .header(ACCEPT.as_str(), "application/json, text/event-stream");
        Self { body: Body::Json(body), ..request }
    }

    /// The body's bytes.
    pub fn bytes(&self) -> Bytes {
        match &self.body {
            Body::Json(value) => Bytes::from(value.to_string()),
            Body::Bytes(bytes) => bytes.clone(),
        }
    }

    /// The request as HTTP/1.1 text, for [`crate::raw`].
    pub fn to_wire(&self) -> Vec<u8> {
        let url = url::Url::parse(&self.url).expect("a URL");
        let host = url.authority();
        let mut text = format!("{} {} HTTP/1.1\r\nhost: {host}\r\n", self.method, url.path());
        for (name, value) in &self.headers {
            text.extend([name.as_str(), ": ", value.to_str().expect("a text header"), "\r\n"]);
        }
        let body = self.bytes();
        let length = body.len();
        let mut wire = [text, format!("content-length: {length}\r\n\r\n")].concat().into_bytes();
        wire.extend_from_slice(&body);
        wire
    }

    /// Sends it; answers with the whole answer.
    pub async fn send(self) -> Answer {
        Answer::read(self.begin().await).await
    }

    /// Sends it; answers as soon as the head of a stream of events is there.
    pub async fn open(self) -> Events {
        let sent = Instant::now();
        Events::new(self.begin().await, sent)
    }

    /// Sends it; answers with whatever came, also of an answer that broke off.
    pub async fn attempt(self) -> Attempt {
        match self.try_begin().await {
            Ok(response) => Attempt::read(response).await,
            Err(_) => Attempt::default(),
        }
    }

    async fn begin(self) -> reqwest::Response {
        self.try_begin().await.expect("an answer")
    }

    async fn try_begin(self) -> reqwest::Result<reqwest::Response> {
        let body = self.bytes();
        let request = self.client.request(self.method, self.url).headers(self.headers).body(body);
        #[expect(clippy::disallowed_methods, reason = "the tests' own client")]
        let sending = request.send();
        sending.await
    }
}
