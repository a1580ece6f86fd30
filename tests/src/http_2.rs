//! Frames of HTTP/2 (RFC 9113) as bytes, for what no client would send; and those of an answer.

/// How a connection begins: the preface and a `SETTINGS` frame that changes nothing.
pub const BEGIN: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Request headers, in a frame that ends them ([`END_HEADERS`]) or not.
pub const HEADERS: u8 = 1;
/// The end of a stream by whoever has enough of it.
pub const RST_STREAM: u8 = 3;
/// What the sender takes.
pub const SETTINGS: u8 = 4;
/// The end of a connection, with its reason.
pub const GOAWAY: u8 = 7;
/// More request headers.
pub const CONTINUATION: u8 = 9;

/// The flag of a request without a body.
pub const END_STREAM: u8 = 1;
/// The flag of the last headers.
pub const END_HEADERS: u8 = 4;

/// The headers of `GET /` by HPACK's static table, `localhost` as the authority.
pub const GET: &[u8] = b"\x82\x86\x84\x01\x09localhost";

/// A frame as it came or goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// [`HEADERS`], [`RST_STREAM`], …
    pub kind: u8,
    /// [`END_STREAM`], [`END_HEADERS`].
    pub flags: u8,
    /// The stream; odd for a client's, 0 for the connection.
    pub stream: u32,
    /// What it carries.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The frame on the wire.
    pub fn to_wire(&self) -> Vec<u8> {
        let length = u32::try_from(self.payload.len()).expect("a frame's length").to_be_bytes();
        let mut wire = vec![length[1], length[2], length[3], self.kind, self.flags];
        wire.extend(self.stream.to_be_bytes());
        wire.extend(&self.payload);
        wire
    }

    /// The whole frames that these bytes begin with.
    pub fn read(mut bytes: &[u8]) -> Vec<Self> {
        let mut frames = Vec::new();
        while let Some((head, rest)) = bytes.split_at_checked(9) {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let length = usize::try_from(length).expect("a frame's length");
            let Some((payload, rest)) = rest.split_at_checked(length) else { break };
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            let [kind, flags] = [head[3], head[4]];
            frames.push(Self { kind, flags, stream, payload: payload.to_vec() });
            bytes = rest;
        }
        frames
    }
}
