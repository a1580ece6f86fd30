//! The fetcher against a web of the test's own: real sockets, names that lie, sources that misbehave.
#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a rig that fails should fail the test"
)]

mod allowed;
mod bodies;
mod support;
