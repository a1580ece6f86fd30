//! The client against a scripted fal on real sockets.
//!
//! What the scripts say is in `answers.rs` and `refusals.rs`, and `contract.rs` holds it against the description of
//! fal that the stand-in is held against too, so that both stand-ins and the client agree.

mod answers;
mod breaker;
mod contract;
mod docs;
mod errors;
mod limits;
mod log;
mod models;
mod observer;
mod pricing;
mod queue;
mod raw;
mod refusals;
mod requests;
mod retries;
mod secrets;
mod server;
mod storage;
mod submit;
mod watch;
