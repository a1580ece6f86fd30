//! What a tool knows about the call it serves: whose key, by which rules, how to report progress.

use std::sync::Arc;
use std::time::Duration;

use mcp::Era;
use tokio::time::Instant;

use crate::app::App;
use crate::config::OnDisconnect;
use crate::http::HttpRequestId;
use crate::progress::ProgressSink;

/// How long one plain question to fal may take, retries included.
const PLAIN_CALL: Duration = Duration::from_secs(30);

/// One call's surroundings, gathered once and passed down.
#[derive(Debug)]
pub(crate) struct Context {
    /// What the process shares.
    pub(crate) app: Arc<App>,
    /// The caller's key; it leaves through the fal client only.
    pub(crate) key: fal::Key,
    /// The rules that the caller follows.
    pub(crate) era: Era,
    /// Where progress goes.
    pub(crate) progress: ProgressSink,
    /// The HTTP request that brought the call, for the log; none over stdio.
    pub(crate) http_request_id: Option<HttpRequestId>,
    /// Whether the caller takes a task for an answer.
    pub(crate) takes_tasks: bool,
    /// Whether fal's job is to be cancelled when this call is dropped before its answer; see
    /// [`lost_connection_cancels`].
    pub(crate) dropping_cancels: bool,
}

impl Context {
    /// When a plain question about a job must be answered.
    pub(crate) fn question_deadline(&self) -> Instant {
        Instant::now() + self.app.config.patience.question
    }

    /// When a plain question to fal must be answered.
    pub(crate) fn plain_deadline() -> Instant {
        Instant::now() + PLAIN_CALL
    }
}

/// Whether a caller whose connection is lost before its answer means to cancel fal's job. In
/// 2026-07-28 "closing the response stream is cancellation"; before, "disconnection SHOULD NOT be
/// interpreted as the client cancelling its request".
pub(crate) fn lost_connection_cancels(policy: OnDisconnect, era: Era) -> bool {
    match policy {
        OnDisconnect::Cancel => true,
        OnDisconnect::Keep => false,
        OnDisconnect::Auto => era == Era::Modern,
    }
}
