//! Reads a request body within its limits: bytes, the pause between two pieces, the time in all, the
//! memory that all large bodies share, and what one may grow to once it is read as JSON.

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

/// The room made at first for a body whose length is not declared. One that outgrows it gets room up to
/// the limit: to double it again and again would copy megabytes at a time, while others wait.
const ROOM: usize = 256 * 1024;

/// The most JSON values in a body. Two bytes (`0,`) are a value of 72 once they are read, so 16 MiB
/// of them would take close to a gigabyte; the inputs of models have hundreds.
const VALUES: usize = 100_000;

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
            part = Some(more);
        }
        let length = whole.len() + before.len() + data.len();
        if length > whole.capacity() {
            let room = declared.unwrap_or(if length <= ROOM { ROOM } else { limit });
            whole.reserve(room.max(length) - whole.len());
        }
        whole.extend_from_slice(&before);
        whole.extend_from_slice(&data);
    }
    // A single piece is too short for so many values.
    if more_values_than(VALUES, &whole) {
        return Err(Failure::BodyTooManyValues { limit: VALUES });
    }
    Ok(Whole { bytes: first.unwrap_or_else(|| whole.freeze()), part })
}

/// Whether JSON has more values than that, by its commas and brackets: without reading it.
fn more_values_than(limit: usize, json: &[u8]) -> bool {
    let begins_value = |byte: &u8| matches!(byte, b',' | b'[' | b'{');
    // Most large bodies are one long string of base64: with so few commas they need no closer look.
    if json.iter().filter(|byte| begins_value(byte)).count() <= limit {
        return false;
    }
    let (mut values, mut in_string, mut escaped) = (0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            byte if !in_string && begins_value(byte) => values += 1,
            _ => {}
        }
    }
    values > limit
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt as _, stream};
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

    #[tokio::test]
    async fn a_body_of_unknown_length_that_outgrows_its_first_room_comes_whole() {
        let pieces: Vec<Bytes> = (0..5).map(|piece| vec![piece; ROOM / 2].into()).collect();
        let body = stream::iter(pieces.clone()).map(Ok::<_, Infallible>);
        let (limit, shared) = (4 * ROOM, Semaphore::new(4 * ROOM));
        let headers = HeaderMap::new();
        let read = read(&headers, Body::from_stream(body), limit, &shared).await.unwrap();
        assert!(read.bytes == pieces.concat(), "{} bytes", read.bytes.len());
    }

    #[test]
    fn values_are_counted_as_json_has_them_and_not_in_its_strings() {
        for (json, values) in [
            ("[0,0,0]", 3),
            ("[[],[{}]]", 5),
            (r#"{"a":1,"b":{"c":2}}"#, 3),
            (r#"[",,,","\\",0]"#, 3),
            (r#"["\",[,{"]"#, 1),
        ] {
            assert!(more_values_than(values - 1, json.as_bytes()), "{json}");
            assert!(!more_values_than(values, json.as_bytes()), "{json}");
        }
    }
}
