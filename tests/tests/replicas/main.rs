//! Replicas as processes: the gateway's own binary, behind a real balancer and alone, killed and told
//! to stop.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests: whatever is not as expected fails the test"
)]

mod agent;
mod balancer;
mod behind_a_balancer;
mod load;
mod replica;
#[path = "../service/shown.rs"]
mod shown;
mod signals;
mod tally;
