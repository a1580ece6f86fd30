//! Hostile bytes for everything that reads what others wrote. What has to hold is written beside the
//! code that it holds for, in a module `fuzzing`; here is the list of it.
//!
//! `scripts/fuzz` looks for bytes that break a target, led by the code they reach. It begins with
//! those in `corpus/`: a few of each kind, and what broke a target before. `cargo test` tries them.

/// Takes any bytes; panics where something does not hold.
pub type Target = fn(&[u8]);

/// Every target, by the name of its corpus.
pub const TARGETS: [(&str, Target); 5] = [
    ("endpoint_id", fal::fuzzing::endpoint_id),
    ("headers", mcp::fuzzing::headers),
    ("message", mcp::fuzzing::message),
    ("schema", gateway::fuzzing::schema),
    ("sse", fal::fuzzing::sse),
];
