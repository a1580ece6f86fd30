//! How a job reads to a model: the same members in the same order from every tool.

use fal::{Job, JobResult, LogLine, State, Status};
use serde_json::{Map, Value, json};

use crate::progress::Report;

/// The most media URLs that are listed beside an output.
const MAX_MEDIA: usize = 50;
/// The most log lines that are shown, the newest.
const MAX_LOGS: usize = 20;
/// How much of a log line is shown, in characters.
const MAX_LOG_CHARS: usize = 300;
/// How long the next call should wait: within what every known client waits for.
const NEXT_WAIT_SECONDS: u64 = 45;

/// A job that is done.
pub(crate) fn completed(job: &Job, result: JobResult, status: &Status) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("status".to_owned(), json!("completed"));
    ids(&mut body, job);
    let media = media(&result.output);
    if !media.is_empty() {
        body.insert("media".to_owned(), Value::Array(media));
    }
    body.insert("output".to_owned(), result.output);
    if let Some(seconds) = status.inference_seconds {
        body.insert("inference_seconds".to_owned(), json!(seconds));
    }
    if let Some(units) = result.billable_units {
        body.insert("billable_units".to_owned(), json!(units));
    }
    logs(&mut body, status);
    body
}

/// A job that runs on: where it stands and the exact call that goes on with it.
pub(crate) fn processing(job: &Job, status: &Status) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("status".to_owned(), json!("processing"));
    ids(&mut body, job);
    body.insert("state".to_owned(), json!(status_word(&status.state)));
    if let State::InQueue { position: Some(position) } = status.state {
        body.insert("queue_position".to_owned(), json!(position));
    }
    logs(&mut body, status);
    body.insert(
        "next_call".to_owned(),
        json!({
            "tool": "check_job",
            "arguments": {
                "endpoint_id": job.endpoint_id.as_str(),
                "request_id": job.request_id.as_str(),
                "wait_seconds": NEXT_WAIT_SECONDS,
            },
        }),
    );
    body
}

/// fal's own word for a state; a failed job is one that fal calls completed with an error.
fn status_word(state: &State) -> &'static str {
    match state {
        State::InQueue { .. } => "IN_QUEUE",
        State::InProgress => "IN_PROGRESS",
        State::Completed | State::Failed { .. } => "COMPLETED",
    }
}

/// What of a job's log has been reported.
#[derive(Debug, Default)]
pub(super) struct Told {
    last: Option<LogLine>,
    lines: usize,
}

/// A progress report: each carries the `request_id`, so that a caller that loses the answer still
/// has the way back to its job.
pub(super) fn progress(job: &Job, status: &Status, told: &mut Told) -> Report {
    let (missed, new) = told.new_lines(status);
    let lines = new.iter().map(|line| shortened(&line.message)).filter(|line| !line.is_empty());
    Report { headline: standing(job, &status.state), missed, lines: lines.collect() }
}

impl Told {
    /// The lines that were not told yet, and how many before them were not told and are not there.
    /// fal repeats all lines with each status; all are new where the last one told is not among
    /// them.
    fn new_lines<'a>(&mut self, status: &'a Status) -> (usize, &'a [LogLine]) {
        let logs = status.logs.as_slice();
        let seen = self.last.as_ref().and_then(|last| logs.iter().rposition(|line| line == last));
        let missed =
            if seen.is_some() { 0 } else { status.earlier_logs.saturating_sub(self.lines) };
        if let Some(last) = logs.last() {
            self.last = Some(last.clone());
            self.lines = status.earlier_logs + logs.len();
        }
        (missed, logs.get(seen.map_or(0, |at| at + 1)..).unwrap_or_default())
    }
}

/// Where a job stands, in a line.
pub(crate) fn standing(job: &Job, state: &State) -> String {
    let state = match state {
        State::InQueue { position: Some(position) } => format!("in queue at position {position}"),
        State::InQueue { position: None } => "in queue".to_owned(),
        State::InProgress => "in progress".to_owned(),
        State::Completed => "completed".to_owned(),
        State::Failed { .. } => "failed".to_owned(),
    };
    format!("{} {state} (request_id {})", job.endpoint_id, job.request_id)
}

/// The URLs of produced media in `output`, with what is said about each, wherever they stand.
fn media(output: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    collect(output, &mut found);
    found
}

/// The URLs alone.
pub(crate) fn media_urls(output: &Value) -> impl Iterator<Item = String> {
    media(output)
        .into_iter()
        .filter_map(|entry| entry.get("url").and_then(Value::as_str).map(str::to_owned))
}

fn collect(value: &Value, found: &mut Vec<Value>) {
    if found.len() >= MAX_MEDIA {
        return;
    }
    match value {
        Value::Object(members) => match members.get("url").and_then(Value::as_str) {
            Some(url) if url.starts_with("http") => {
                let mut entry = Map::new();
                for name in ["url", "content_type", "width", "height", "duration"] {
                    if let Some(member) = members.get(name).filter(|value| !value.is_null()) {
                        entry.insert(name.to_owned(), member.clone());
                    }
                }
                found.push(Value::Object(entry));
            }
            _ => members.values().for_each(|member| collect(member, found)),
        },
        Value::Array(entries) => entries.iter().for_each(|entry| collect(entry, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn ids(body: &mut Map<String, Value>, job: &Job) {
    body.insert("endpoint_id".to_owned(), json!(job.endpoint_id.as_str()));
    body.insert("request_id".to_owned(), json!(job.request_id.as_str()));
}

fn logs(body: &mut Map<String, Value>, status: &Status) {
    let skipped = status.logs.len().saturating_sub(MAX_LOGS);
    let lines: Vec<Value> =
        status.logs.iter().skip(skipped).map(|line| json!(shortened(&line.message))).collect();
    if !lines.is_empty() {
        body.insert("logs".to_owned(), Value::Array(lines));
    }
}

/// A line that a model printed, bounded and without what would steer a terminal or reorder text.
fn shortened(text: &str) -> String {
    let steers =
        |c: char| c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|c| !steers(*c)).take(MAX_LOG_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_are_found_wherever_they_stand_in_an_output() {
        let output = json!({
            "images": [{"url": "https://x/a.png", "content_type": "image/png", "width": 4, "file_size": null}],
            "nested": {"video": {"url": "https://x/b.mp4"}},
            "seed": 7,
            "inline": {"url": "data:image/png;base64,AA=="},
        });
        assert_eq!(
            media(&output),
            [
                json!({"url": "https://x/a.png", "content_type": "image/png", "width": 4}),
                json!({"url": "https://x/b.mp4"}),
            ]
        );
    }

    #[test]
    fn a_running_job_names_the_call_that_goes_on_with_it() {
        let job = Job::new(
            fal::EndpointId::parse("fal-ai/flux/dev").unwrap(),
            fal::RequestId::parse("abc").unwrap(),
        );
        let status = Status {
            state: State::InQueue { position: Some(3) },
            logs: Vec::new(),
            earlier_logs: 0,
            inference_seconds: None,
        };
        let body = Value::Object(processing(&job, &status));
        assert_eq!(body["next_call"]["tool"], "check_job");
        assert_eq!(body["next_call"]["arguments"]["request_id"], "abc");
        assert_eq!(body["queue_position"], 3);
        assert!(standing(&job, &status.state).contains("abc"));
    }

    fn lines(texts: &[&str]) -> Vec<LogLine> {
        let line =
            |text: &&str| LogLine { message: (*text).to_owned(), timestamp: None, level: None };
        texts.iter().map(line).collect()
    }

    #[test]
    fn only_lines_after_the_last_one_told_are_new_and_those_that_are_gone_are_counted() {
        let mut told = Told::default();
        for (earlier, logs, missed, expected) in [
            (0, vec!["a", "b"], 0, vec!["a", "b"]),
            (0, vec!["a", "b", "c"], 0, vec!["c"]),
            (0, vec!["a", "b", "c"], 0, vec![]),
            (0, vec![], 0, vec![]),
            (2, vec!["c", "d"], 0, vec!["d"]),
            (9, vec!["j", "k"], 5, vec!["j", "k"]),
            // A stream that carries new lines alone.
            (0, vec!["l"], 0, vec!["l"]),
        ] {
            let status = Status {
                state: State::InProgress,
                logs: lines(&logs),
                earlier_logs: earlier,
                inference_seconds: None,
            };
            let new = told.new_lines(&status);
            assert_eq!(new, (missed, lines(&expected).as_slice()), "{logs:?}");
        }
    }

    #[test]
    fn a_log_line_is_shown_bounded_and_without_control_characters() {
        assert_eq!(shortened("\u{1b}[2J 50%\r\n\u{202E}txt"), "[2J 50%txt");
        assert_eq!(shortened(&"é".repeat(1000)).chars().count(), MAX_LOG_CHARS);
    }
}
