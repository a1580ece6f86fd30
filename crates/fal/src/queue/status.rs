//! How far a job is.

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::job::Job;
use crate::{
    Client, Error, Key,
    answer::Answer,
    call::{Call, Operation},
    refusal, text,
};

/// How many lines of a job's log are kept, the newest: a status is held for as long as somebody waits.
const MAX_LINES: usize = 20;

/// A job's status.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Where it stands.
    pub state: State,
    /// The newest 20 lines that the model printed so far, each at most 500 characters; empty unless
    /// asked for. Not cleaned: a model may print anything.
    pub logs: Vec<LogLine>,
    /// How many lines came before those.
    pub earlier_logs: usize,
    /// How long the model computed, in seconds; known once the job has ended.
    pub inference_seconds: Option<f64>,
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum State {
    /// Waits for a runner.
    InQueue {
        /// How many jobs are before it.
        position: Option<u64>,
    },
    /// Runs.
    InProgress,
    /// Has ended. Whether the model was content with its input shows in the result.
    Completed,
    /// Has ended without a result: fal says `COMPLETED` and names an error.
    Failed {
        /// What fal said, on one line, at most 500 characters.
        message: String,
        /// fal's word for it, one of those of [`crate::RequestErrorType`].
        error_type: Option<String>,
    },
}

impl State {
    /// Whether nothing will change any more.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Completed | Self::Failed { .. })
    }
}

/// A line that a model printed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct LogLine {
    /// The line.
    #[serde(default)]
    pub message: String,
    /// When, in RFC 3339.
    #[serde(default)]
    pub timestamp: Option<String>,
    /// fal's level: `STDERR`, `STDOUT`, `ERROR`, `INFO`, `WARN` or `DEBUG`.
    #[serde(default)]
    pub level: Option<String>,
}

impl Client {
    /// Asks once how far a job is, with what it printed if `logs`.
    pub async fn status(
        &self,
        key: &Key,
        job: &Job,
        logs: bool,
        deadline: Instant,
    ) -> Result<Status, Error> {
        let call = Call::get(Operation::Status, self.status_url(job, logs), Some(key));
        self.ask(&call, deadline, |outcome| read(&outcome?)).await
    }

    /// The same in one try, for those who have a rhythm of their own.
    pub(super) async fn poll(
        &self,
        key: &Key,
        job: &Job,
        logs: bool,
        deadline: Instant,
    ) -> Result<Status, Error> {
        let call = Call::get(Operation::Status, self.status_url(job, logs), Some(key));
        read(&self.fetch(&call, 1, deadline).await?)
    }

    fn status_url(&self, job: &Job, logs: bool) -> Url {
        with_logs(job.status_url(self.hosts()), logs)
    }
}

/// Adds the question for logs.
pub(super) fn with_logs(mut url: Url, logs: bool) -> Url {
    url.query_pairs_mut().append_pair("logs", if logs { "1" } else { "0" });
    url
}

fn read(answer: &Answer) -> Result<Status, Error> {
    match answer.status {
        // 202 while the job waits or runs, 200 when it has ended; the body says the same.
        StatusCode::OK | StatusCode::ACCEPTED => parse(&answer.body),
        _ => Err(refusal::read(Operation::Status, answer)),
    }
}

#[derive(Deserialize)]
struct Wire {
    status: String,
    queue_position: Option<u64>,
    #[serde(default)]
    logs: Value,
    metrics: Option<Metrics>,
    error: Option<Value>,
    error_type: Option<String>,
}

#[derive(Deserialize)]
struct Metrics {
    inference_time: Option<f64>,
}

/// Reads a status, whether an answer or an event of the stream.
pub(super) fn parse(json: &[u8]) -> Result<Status, Error> {
    let wire: Wire = serde_json::from_slice(json).map_err(Error::malformed)?;
    let state = match (wire.status.as_str(), wire.error) {
        ("IN_QUEUE", _) => State::InQueue { position: wire.queue_position },
        ("IN_PROGRESS", _) => State::InProgress,
        ("COMPLETED", None) if wire.error_type.is_none() => State::Completed,
        ("COMPLETED", error) => State::Failed {
            message: match error {
                None => String::new(),
                Some(Value::String(message)) => text::clean(&message),
                Some(other) => text::clean(&other.to_string()),
            },
            error_type: wire.error_type.as_deref().map(text::clean),
        },
        ("NOT_FOUND", _) => return Err(Error::RequestNotFound),
        _ => return Err(Error::malformed("a status that fal does not document")),
    };
    let lines = wire.logs.as_array().map(Vec::as_slice).unwrap_or_default();
    let earlier_logs = lines.len().saturating_sub(MAX_LINES);
    Ok(Status {
        state,
        logs: lines.iter().skip(earlier_logs).filter_map(line).collect(),
        earlier_logs,
        inference_seconds: wire.metrics.and_then(|metrics| metrics.inference_time),
    })
}

/// A line, if it can be read: what a model printed must not make the status unreadable.
fn line(value: &Value) -> Option<LogLine> {
    let mut line = LogLine::deserialize(value).ok()?;
    if let Some((end, _)) = line.message.char_indices().nth(text::MAX_CHARS) {
        line.message.truncate(end);
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_that_cannot_be_read_is_left_out_and_harms_nothing() {
        for (logs, expected) in [
            ("null", vec![]),
            ("7", vec![]),
            (r#"[{"message":"a"},{"message":null},"b",{"message":"c","level":9}]"#, vec!["a"]),
        ] {
            let json = format!(r#"{{"status":"IN_PROGRESS","logs":{logs}}}"#);
            let status = parse(json.as_bytes()).unwrap();
            let texts: Vec<&str> = status.logs.iter().map(|line| line.message.as_str()).collect();
            assert_eq!((status.state, texts), (State::InProgress, expected), "{logs}");
        }
    }

    #[test]
    fn the_newest_lines_are_kept_and_the_others_counted() {
        let lines: Vec<Value> = (0..100)
            .map(|n| serde_json::json!({"message": format!("{n} {}", "é".repeat(9000))}))
            .collect();
        let json = serde_json::json!({"status": "IN_PROGRESS", "logs": lines}).to_string();
        let status = parse(json.as_bytes()).unwrap();
        assert_eq!((status.logs.len(), status.earlier_logs), (MAX_LINES, 80));
        assert!(status.logs[0].message.starts_with("80 "));
        assert!(status.logs.iter().all(|line| line.message.chars().count() == text::MAX_CHARS));
    }
}
