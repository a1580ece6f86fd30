//! The stand-in from outside: a real one on a real socket, asked as fal is asked.
//!
//! One binary, so that it is linked once. Each module is one part of fal's contract.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed step of a test is a failed test, also in a function that tests share"
)]

mod auth;
mod clients;
mod contract;
mod docs;
mod faults;
mod files;
mod hosts;
mod media;
mod models;
mod outputs;
mod platform;
mod queue;
mod run;
mod storage;
mod support;
