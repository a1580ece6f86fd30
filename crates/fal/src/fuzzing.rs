//! What holds for any bytes that fal or a caller may send, for the fuzz crate.

use url::Url;

use crate::endpoint_id::EndpointId;
use crate::hosts::below;
use crate::sse::Reader;

/// A stream of events reads the same however the network cuts it.
pub fn sse(stream: &[u8]) {
    let whole = Reader::default().push(stream);
    let mut reader = Reader::default();
    let pieces: Result<Vec<_>, _> = stream.chunks(1).map(|byte| reader.push(byte)).collect();
    assert_eq!(whole, pieces.map(|events| events.concat()));
}

/// What is taken for an endpoint id is one: it is read back as itself, and in a URL each of its
/// segments is one segment.
pub fn endpoint_id(text: &[u8]) {
    let Ok(id) = EndpointId::parse(&String::from_utf8_lossy(text)) else { return };
    assert_eq!(EndpointId::parse(id.as_str()).as_ref(), Ok(&id));
    assert!(id.as_str().starts_with(&id.app()));
    let base = Url::parse("https://queue.fal.run/base");
    let url = base.map(|base| below(&base, id.segments()));
    let expected = format!("https://queue.fal.run/base/{id}");
    assert_eq!(url.as_ref().map(Url::as_str), Ok(expected.as_str()));
}
