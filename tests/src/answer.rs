//! A whole answer.

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;

/// Status, headers and body.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The version of HTTP that it came over.
    pub version: http::Version,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, to its end.
    pub body: Bytes,
}

impl Answer {
    pub(crate) async fn read(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let version = response.version();
        let headers = response.headers().clone();
        let body = response.bytes().await.expect("the whole body");
        Self { status, version, headers, body }
    }

    /// A header's value; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a text header"))
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The `result` of a JSON-RPC response.
    #[track_caller]
    pub fn result(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        let mut response = self.json();
        assert!(response.get("error").is_none(), "{response}");
        response["result"].take()
    }

    /// The message of a JSON-RPC error, after its status and code were checked.
    #[track_caller]
    pub fn refusal(&self, status: u16, code: i64) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/json");
        let body = self.json();
        assert_eq!(body["jsonrpc"], "2.0", "{body}");
        assert_eq!(body["error"]["code"], code, "{body}");
        assert!(body.get("result").is_none(), "{body}");
        body["error"]["message"].as_str().expect("a message").to_owned()
    }
}
