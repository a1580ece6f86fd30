//! The rig of the service's tests: the gateway in front of the stand-in for fal, both on loopback
//! ports in this process, and clients that send exactly what a test writes. A failure of the rig
//! fails the test: nothing here runs in a task of its own, so no panic is lost.
//!
//! | to find | read |
//! |---|---|
//! | how the two are started | [`Rig`] |
//! | a request in either era, its whole answer | [`Request`], [`Answer`] |
//! | whatever came of a request that may break off | [`Attempt`] |
//! | an answer that comes in pieces | [`Events`] |
//! | what no HTTP client would send | [`raw`], [`http_2`] |
//! | a web server with files | [`Source`] |
//! | what no HTTP client would send | [`raw`] |
//! | what a tool said | [`Outcome`] |
//! | what is counted | [`prometheus`] |
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "the rig of tests: whatever is not as expected fails the test"
)]

mod answer;
mod attempt;
mod events;
pub mod http_2;
mod log;
mod outcome;
pub mod prometheus;
pub mod raw;
mod request;
mod rig;
mod source;

pub use answer::Answer;
pub use attempt::Attempt;
pub use events::{Event, Events};
pub use log::{Keeping, Log};
pub use outcome::Outcome;
pub use request::{Era, Request};
pub use rig::{
    Rig, eventually, eventually_within, gateway_config, http_2_client, http_client, https_client,
    instant, real_time,
};
pub use source::{Source, file_bytes};
