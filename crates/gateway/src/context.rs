//! What a tool knows about the call it serves: whose key, by which rules, how to report progress.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mcp::{Era, Progress, ProgressToken};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::app::App;
use crate::config::OnDisconnect;
use crate::http::HttpRequestId;

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
    /// Whether fal's job is to be cancelled when this call is dropped before its answer; see
    /// [`lost_connection_cancels`].
    pub(crate) dropping_cancels: bool,
}

impl Context {
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

/// Takes progress messages of one call. Only the newest waits to be sent: a slow reader costs no
/// memory.
#[derive(Debug, Default)]
pub(crate) struct ProgressSink {
    channel: Option<(ProgressToken, watch::Sender<Option<Progress>>)>,
    count: AtomicU32,
}

impl ProgressSink {
    /// A sink for a caller that gave `token`, and the end to send from; a caller without one gets
    /// no progress notifications.
    pub(crate) fn new(
        token: Option<ProgressToken>,
    ) -> (Self, Option<watch::Receiver<Option<Progress>>>) {
        let Some(token) = token else {
            return (Self::default(), None);
        };
        let (sender, receiver) = watch::channel(None);
        (Self { channel: Some((token, sender)), count: AtomicU32::new(0) }, Some(receiver))
    }

    /// Reports `message`; `progress` counts the reports, so it only rises.
    pub(crate) fn report(&self, message: impl FnOnce() -> String) {
        if let Some((token, sender)) = &self.channel {
            let count = self.count.fetch_add(1, Ordering::Relaxed) + 1;
            sender.send_replace(Some(Progress {
                progress_token: token.clone(),
                progress: f64::from(count),
                message: Some(message()),
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_progress_waits_and_its_value_rises() {
        let (sink, receiver) = ProgressSink::new(Some(ProgressToken::String("t".to_owned())));
        let receiver = receiver.unwrap();
        sink.report(|| "first".to_owned());
        let first = receiver.borrow().clone().unwrap();
        sink.report(|| "second".to_owned());
        let second = receiver.borrow().clone().unwrap();
        assert!(second.progress > first.progress);
        assert_eq!(second.message.as_deref(), Some("second"));
    }

    #[test]
    fn without_a_token_nothing_is_even_formatted() {
        let (sink, receiver) = ProgressSink::new(None);
        assert!(receiver.is_none());
        sink.report(|| panic!("no caller asked for this"));
    }
}
