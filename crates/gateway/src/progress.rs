//! The progress of one call, from the tool that reports it to the caller that asked for it.

use std::collections::VecDeque;

use mcp::{Progress, ProgressToken};
use tokio::sync::watch;

/// The most log lines of one notification, the newest.
const MAX_LINES: usize = 10;

/// Takes the reports of one call. A slow reader costs no memory: what it has not taken yet is kept
/// as the last headline and the newest lines, and the next notification says how many are missing.
#[derive(Debug, Default)]
pub(crate) struct ProgressSink {
    reports: Option<watch::Sender<Report>>,
}

/// The end that the notifications are read from.
#[derive(Debug)]
pub(crate) struct ProgressUpdates {
    token: ProgressToken,
    reports: watch::Receiver<Report>,
    lines_told: usize,
}

/// Everything reported so far, as far as it is kept.
#[derive(Clone, Debug, Default)]
struct Report {
    count: u32,
    headline: String,
    newest_lines: VecDeque<String>,
    lines: usize,
}

impl ProgressSink {
    /// A sink for a caller that gave `token`, and the end to read from; a caller without one gets
    /// no progress notifications.
    pub(crate) fn new(token: Option<ProgressToken>) -> (Self, Option<ProgressUpdates>) {
        let Some(token) = token else {
            return (Self::default(), None);
        };
        let (sender, reports) = watch::channel(Report::default());
        (Self { reports: Some(sender) }, Some(ProgressUpdates { token, reports, lines_told: 0 }))
    }

    /// Whether anybody reads what is reported.
    pub(crate) fn is_read(&self) -> bool {
        self.reports.is_some()
    }

    /// Reports where the call stands, and what the model printed since the last report.
    pub(crate) fn report<L: IntoIterator<Item = String>>(
        &self,
        report: impl FnOnce() -> (String, L),
    ) {
        let Some(reports) = &self.reports else { return };
        let (headline, lines) = report();
        reports.send_modify(|report| {
            report.count = report.count.saturating_add(1);
            report.headline = headline;
            for line in lines {
                report.lines += 1;
                report.newest_lines.push_back(line);
                if report.newest_lines.len() > MAX_LINES {
                    report.newest_lines.pop_front();
                }
            }
        });
    }
}

impl ProgressUpdates {
    /// What has not been told yet; none once the call has ended. `progress` counts the reports, so
    /// it only rises.
    pub(crate) async fn next(&mut self) -> Option<Progress> {
        self.reports.changed().await.ok()?;
        let report = self.reports.borrow_and_update().clone();
        let new = report.lines - self.lines_told;
        self.lines_told = report.lines;
        let kept = report.newest_lines.len();
        let mut message = vec![report.headline];
        if new > kept {
            message.push(format!("({} log lines left out)", new - kept));
        }
        let untold = report.newest_lines.iter().skip(kept.saturating_sub(new));
        message.extend(untold.map(|line| format!("log: {line}")));
        Some(Progress {
            progress_token: self.token.clone(),
            progress: f64::from(report.count),
            message: Some(message.join("\n")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> (ProgressSink, ProgressUpdates) {
        let (sink, updates) = ProgressSink::new(Some(ProgressToken::String("t".to_owned())));
        (sink, updates.unwrap())
    }

    fn report(sink: &ProgressSink, headline: &str, lines: impl IntoIterator<Item = usize>) {
        let lines: Vec<String> = lines.into_iter().map(|line| line.to_string()).collect();
        sink.report(|| (headline.to_owned(), lines));
    }

    #[tokio::test]
    async fn a_prompt_reader_gets_each_report_with_its_own_lines_and_a_value_that_rises() {
        let (sink, mut updates) = told();
        report(&sink, "first", [1]);
        let first = updates.next().await.unwrap();
        report(&sink, "second", [2, 3]);
        let second = updates.next().await.unwrap();
        assert_eq!(first.message.unwrap(), "first\nlog: 1");
        assert_eq!(second.message.unwrap(), "second\nlog: 2\nlog: 3");
        assert!(second.progress > first.progress);
    }

    #[tokio::test]
    async fn a_slow_reader_gets_what_it_missed_in_one_or_is_told_how_much_that_was() {
        let (sink, mut updates) = told();
        report(&sink, "first", [1]);
        report(&sink, "second", [2]);
        let merged = updates.next().await.unwrap();
        assert_eq!(
            (merged.message.unwrap().as_str(), merged.progress),
            ("second\nlog: 1\nlog: 2", 2.0)
        );
        report(&sink, "third", 1..=30);
        let cut = updates.next().await.unwrap().message.unwrap();
        assert!(cut.starts_with("third\n(20 log lines left out)\nlog: 21\n"), "{cut}");
        assert!(cut.ends_with("\nlog: 30"), "{cut}");
    }

    #[tokio::test]
    async fn the_last_report_is_read_after_the_call_has_ended() {
        let (sink, mut updates) = told();
        report(&sink, "last", []);
        drop(sink);
        assert_eq!(updates.next().await.unwrap().message.unwrap(), "last");
        assert!(updates.next().await.is_none());
    }

    #[test]
    fn without_a_token_nothing_is_even_formatted() {
        let (sink, updates) = ProgressSink::new(None);
        assert!(updates.is_none() && !sink.is_read());
        sink.report::<Vec<String>>(|| panic!("no caller asked for this"));
    }
}
