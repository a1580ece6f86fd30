//! Answers: the body type that every handler returns, and the few shapes that answers have.

use std::convert::Infallible;
use std::io;

use bytes::Bytes;
use futures_util::Stream;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Either, Full, StreamBody};
use serde::Serialize;

/// The body of an answer: whole, or a stream that may break off.
pub(crate) type Body = Either<Full<Bytes>, UnsyncBoxBody<Bytes, io::Error>>;
/// An answer.
pub(crate) type Answer = Response<Body>;

/// An answer that ends a request early. Boxed, since results that carry it are passed around.
#[derive(Debug)]
pub(crate) struct Refusal(Box<Answer>);

impl From<Answer> for Refusal {
    fn from(answer: Answer) -> Self {
        Self(Box::new(answer))
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        *refusal.0
    }
}

/// A body that is known whole.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Either::Left(Full::new(bytes.into()))
}

/// A body that is made while it is sent. An error breaks the connection.
pub(crate) fn streamed(chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Body {
    use futures_util::StreamExt as _;
    Either::Right(StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data))).boxed_unsync())
}

/// An answer of any type of content.
pub(crate) fn bytes(status: StatusCode, content_type: &str, body: impl Into<Bytes>) -> Answer {
    with_type(status, content_type, full(body))
}

/// An answer with this body.
pub(crate) fn with_type(status: StatusCode, content_type: &str, body: Body) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    if let Ok(value) = HeaderValue::from_str(content_type) {
        answer.headers_mut().insert(CONTENT_TYPE, value);
    }
    answer
}

/// A JSON answer from ready bytes.
pub(crate) fn json_bytes(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(full(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    json_bytes(status, serde_json::to_vec(value).unwrap_or_default())
}

/// `{"detail":"…"}`, as fal's queue, run and storage hosts refuse.
pub(crate) fn detail(status: StatusCode, text: &str) -> Answer {
    json(status, &serde_json::json!({ "detail": text }))
}

/// `{"error":{"type":"…","message":"…"}}`, as the Platform API refuses.
pub(crate) fn platform_error(status: StatusCode, kind: &str, message: &str) -> Answer {
    json(status, &serde_json::json!({ "error": { "type": kind, "message": message } }))
}

/// Adds a header whose value is ours, and so is printable.
pub(crate) fn set(answer: &mut Answer, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

/// Takes a body apart again: its bytes if it is whole, itself if it is a stream.
pub(crate) async fn whole(body: Body) -> Result<Bytes, Body> {
    match body {
        Either::Left(full) => {
            let collected: Result<_, Infallible> = full.collect().await;
            let Ok(collected) = collected;
            Ok(collected.to_bytes())
        }
        stream @ Either::Right(_) => Err(stream),
    }
}
