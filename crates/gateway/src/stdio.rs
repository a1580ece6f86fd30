//! The stdio transport: JSON-RPC messages as lines on standard input and output, for hosts that
//! start their servers themselves. One caller, whose key is the process's own `FAL_KEY`.
//!
//! This is the one transport with a memory: `notifications/cancelled` names a request by its id, so
//! the requests under way are known by theirs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use mcp::{Era, Incoming, Message, Notification, Progress, RequestId, json_rpc};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::{App, AppError};
use crate::config::OnDisconnect;
use crate::context::Context;
use crate::dispatch::{self, Asked, Step};
use crate::error::Failure;
use crate::progress::{ProgressSink, ProgressUpdates};
use crate::telemetry::{self, NetworkTransport};
use crate::{Config, Gateway};

/// How many lines may wait to be written.
const WAITING_LINES: usize = 64;

/// Serves `input` and `output` until the input ends, with `key` for every call. A `gateway` that
/// serves HTTP beside it is shared; without one the process has this transport alone.
pub async fn serve(
    config: Config,
    gateway: Option<&Gateway>,
    key: fal::Key,
    input: impl AsyncRead + Unpin,
    output: impl AsyncWrite + Unpin + Send + 'static,
) -> Result<(), AppError> {
    let app = match gateway {
        Some(gateway) => gateway.app(),
        None => App::new(config)?,
    };
    let stop = CancellationToken::new();
    if gateway.is_none() {
        app.keep_catalogue_fresh(stop.clone());
    }
    let (lines, waiting) = mpsc::channel(WAITING_LINES);
    let session = Session {
        app: Arc::clone(&app),
        key,
        lines,
        running: Arc::default(),
        calls: TaskTracker::new(),
    };
    let writer = TaskTracker::new();
    writer.spawn(write_lines(waiting, output));
    session.read_lines(input).await;
    // "Servers SHOULD exit promptly when their standard input is closed": calls that wait answer
    // with their handles.
    app.hurry.cancel();
    stop.cancel();
    session.calls.close();
    session.calls.wait().await;
    drop(session);
    writer.close();
    writer.wait().await;
    app.detached.close();
    app.detached.wait().await;
    if gateway.is_none() {
        telemetry::flush_metrics(Arc::clone(&app.metrics)).await;
    }
    Ok(())
}

struct Session {
    app: Arc<App>,
    key: fal::Key,
    lines: mpsc::Sender<Vec<u8>>,
    running: Arc<Mutex<HashMap<RequestId, CancellationToken>>>,
    calls: TaskTracker,
}

impl Session {
    async fn read_lines(&self, input: impl AsyncRead + Unpin) {
        let mut input = BufReader::new(input);
        let mut line = Vec::new();
        while matches!(input.read_until(b'\n', &mut line).await, Ok(read) if read > 0) {
            if line.iter().any(|byte| !byte.is_ascii_whitespace())
                && let Some(answer) = self.take(&line)
            {
                self.send(answer).await;
            }
            line.clear();
        }
    }

    /// The immediate answer to a message, if it has one.
    fn take(&self, line: &[u8]) -> Option<Vec<u8>> {
        match self.step(line) {
            Ok(answer) => answer,
            Err(failure) => {
                self.app.metrics.refused(failure.kind());
                tracing::info!(kind = failure.kind(), "refused");
                Some(failure.body())
            }
        }
    }

    fn step(&self, line: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        let message = Message::decode(line)?;
        let (era, version, meta, request) = match mcp::transport::classify(None, message)? {
            Incoming::Request { era, version, meta, request } => (era, version, meta, request),
            Incoming::Notification(notification) => {
                dispatch::notified(&self.app, NetworkTransport::Pipe, &notification.method);
                self.notified(&notification);
                return Ok(None);
            }
        };
        let id = request.id.clone();
        let transport = NetworkTransport::Pipe;
        let asked = Asked { transport, era, version, key: &self.key, meta: &meta, request };
        let work = match dispatch::begin(&self.app, asked)? {
            Step::Answered(response) => return Ok(Some(response)),
            Step::Work(work) => work,
        };
        let (progress, updates) = ProgressSink::new(meta.progress_token);
        let context = Context {
            app: Arc::clone(&self.app),
            key: self.key.clone(),
            era,
            progress,
            takes_tasks: era == Era::Modern && meta.declares_tasks,
            http_request_id: None,
            // Only `notifications/cancelled` drops a call here, and that is meant, in either era.
            dropping_cancels: self.app.config.on_disconnect != OnDisconnect::Keep,
        };
        let cancelled = CancellationToken::new();
        self.running().insert(id.clone(), cancelled.clone());
        let running = Arc::clone(&self.running);
        let lines = self.lines.clone();
        self.calls.spawn(async move {
            let work = dispatch::perform(context, work);
            tokio::select! {
                // "MUST NOT send any further messages for it"
                () = cancelled.cancelled() => {}
                response = with_progress(work, updates, &lines) => {
                    // A closed output means that the host has gone; there is no one to tell.
                    drop(lines.send(response).await);
                }
            }
            running.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        });
        Ok(None)
    }

    fn notified(&self, notification: &Notification) {
        if notification.method != "notifications/cancelled" {
            return;
        }
        let id = notification.params.get("requestId").and_then(RequestId::from_value);
        if let Some(token) = id.and_then(|id| self.running().remove(&id)) {
            token.cancel();
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<RequestId, CancellationToken>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, line: Vec<u8>) {
        drop(self.lines.send(line).await);
    }
}

/// Runs a call and writes its progress as it comes; answers with the response.
async fn with_progress(
    work: impl Future<Output = Result<Vec<u8>, Failure>>,
    updates: Option<ProgressUpdates>,
    lines: &mpsc::Sender<Vec<u8>>,
) -> Vec<u8> {
    let report = async {
        if let Some(mut updates) = updates {
            while let Some(progress) = updates.next().await {
                let line = json_rpc::encode_notification(Progress::METHOD, &progress);
                drop(lines.send(line).await);
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        outcome = work => outcome.unwrap_or_else(|failure| failure.body()),
        () = report => Vec::new(),
    }
}

async fn write_lines(mut waiting: mpsc::Receiver<Vec<u8>>, mut output: impl AsyncWrite + Unpin) {
    while let Some(mut line) = waiting.recv().await {
        line.push(b'\n');
        if output.write_all(&line).await.is_err() || output.flush().await.is_err() {
            return;
        }
    }
}
