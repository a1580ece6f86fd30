//! fal's queue (fal docs, "Queue"): a job is submitted, watched, fetched, and perhaps cancelled.

mod cancel;
mod job;
mod result;
mod status;
mod stream;
mod submit;
mod watch;

pub use cancel::Cancellation;
pub use job::Job;
pub use result::JobResult;
pub use status::{LogLine, State, Status};
pub use submit::{Priority, SubmitOptions, Submitted};
