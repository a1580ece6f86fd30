//! Reads a request body within its limits: bytes, the pause between two pieces, the time in all.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::Failure;

/// The longest pause between two pieces of a body.
const IDLE: Duration = Duration::from_secs(10);
/// The longest that a whole body may take.
const TOTAL: Duration = Duration::from_mins(1);

/// The whole body.
pub(super) async fn read(
    headers: &HeaderMap,
    mut body: Body,
    limit: usize,
) -> Result<Bytes, Failure> {
    let declared = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(Failure::BodyTooLarge { limit });
    }
    let deadline = Instant::now() + TOTAL;
    let mut first: Option<Bytes> = None;
    let mut whole = BytesMut::new();
    loop {
        let piece = timeout_at(deadline, timeout(IDLE, body.frame())).await;
        let frame = match piece {
            Ok(Ok(Some(Ok(frame)))) => frame,
            Ok(Ok(Some(Err(_)))) => return Err(Failure::BodyBroken),
            Ok(Ok(None)) => break,
            Ok(Err(_)) | Err(_) => return Err(Failure::BodyTooSlow),
        };
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if first.as_ref().map_or(0, Bytes::len) + whole.len() + data.len() > limit {
            return Err(Failure::BodyTooLarge { limit });
        }
        // Nearly every body is one piece, which is then passed on as it is.
        match first.take() {
            None if whole.is_empty() => first = Some(data),
            None => whole.extend_from_slice(&data),
            Some(before) => {
                whole.reserve(declared.unwrap_or(0).max(before.len() + data.len()));
                whole.extend_from_slice(&before);
                whole.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| whole.freeze()))
}
