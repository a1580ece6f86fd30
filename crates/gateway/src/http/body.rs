//! Reads a request body within its limits: bytes, the pause between two pieces, the time in all, and
//! the memory that all large bodies share.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt as _;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout, timeout_at};

use crate::error::Failure;

/// The longest pause between two pieces of a body.
const IDLE: Duration = Duration::from_secs(10);
/// The longest that a whole body may take.
const TOTAL: Duration = Duration::from_mins(1);

/// What all bodies of more than one piece may hold at the same time, in bytes: requests in flight are
/// many and each may bring 16 MiB, which together no machine has.
const SHARED: usize = 256 * 1024 * 1024;

/// The memory that large bodies share; `limit` is that of one body, which always finds room alone.
pub(super) fn shared(limit: usize) -> Semaphore {
    Semaphore::new(SHARED.max(limit).min(Semaphore::MAX_PERMITS))
}

/// A body, with its part of the shared memory.
#[derive(Debug)]
pub(super) struct Whole<'a> {
    pub(super) bytes: Bytes,
    #[expect(dead_code, reason = "held, never read")]
    part: Option<SemaphorePermit<'a>>,
}

/// The whole body.
pub(super) async fn read<'a>(
    headers: &HeaderMap,
    mut body: Body,
    limit: usize,
    shared: &'a Semaphore,
) -> Result<Whole<'a>, Failure> {
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
    let mut part: Option<SemaphorePermit<'a>> = None;
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
        if first.is_none() && whole.is_empty() {
            first = Some(data);
            continue;
        }
        let before = first.take().unwrap_or_default();
        let more = u32::try_from(before.len() + data.len()).unwrap_or(u32::MAX);
        let more = shared.try_acquire_many(more).map_err(|_| Failure::Overloaded)?;
        if let Some(part) = &mut part {
            part.merge(more);
        } else {
            whole.reserve(declared.unwrap_or(0));
            part = Some(more);
        }
        whole.extend_from_slice(&before);
        whole.extend_from_slice(&data);
    }
    Ok(Whole { bytes: first.unwrap_or_else(|| whole.freeze()), part })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use std::convert::Infallible;

    async fn read_pieces<'a>(
        pieces: &'static [&'static str],
        shared: &'a Semaphore,
    ) -> Result<Whole<'a>, Failure> {
        let pieces =
            pieces.iter().map(|piece| Ok::<_, Infallible>(Bytes::from_static(piece.as_bytes())));
        read(&HeaderMap::new(), Body::from_stream(stream::iter(pieces)), 100, shared).await
    }

    #[tokio::test]
    async fn bodies_in_pieces_share_a_measure_of_memory_and_give_it_back() {
        let shared = Semaphore::new(10);
        let held = read_pieces(&["12", "34", "56"], &shared).await.unwrap();
        assert_eq!(held.bytes, "123456");
        assert!(read_pieces(&["a body of one piece"], &shared).await.is_ok());
        let refused = read_pieces(&["12", "345"], &shared).await.unwrap_err();
        assert!(matches!(refused, Failure::Overloaded), "{refused}");
        drop(held);
        assert_eq!(read_pieces(&["12", "345"], &shared).await.unwrap().bytes, "12345");
        assert_eq!(shared.available_permits(), 10);
    }
}
