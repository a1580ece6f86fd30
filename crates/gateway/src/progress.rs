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
    reports: Option<watch::Sender<Kept>>,
}

/// What there is to report.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// Where the call stands.
    pub(crate) headline: String,
    /// How many lines the model printed since the last report that are not here.
    pub(crate) missed: usize,
    /// What it printed after those.
    pub(crate) lines: Vec<String>,
}

/// The end that the notifications are read from.
#[derive(Debug)]
pub(crate) struct ProgressUpdates {
    token: ProgressToken,
    reports: watch::Receiver<Kept>,
    lines_told: usize,
}

/// Everything reported so far, as far as it is kept.
#[derive(Clone, Debug, Default)]
struct Kept {
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
        let (sender, reports) = watch::channel(Kept::default());
        (Self { reports: Some(sender) }, Some(ProgressUpdates { token, reports, lines_told: 0 }))
    }

    /// Whether anybody reads what is reported.
    pub(crate) fn is_read(&self) -> bool {
        self.reports.is_some()
    }

    /// Reports where the call stands.
    pub(crate) fn report(&self, report: impl FnOnce() -> Report) {
        let Some(reports) = &self.reports else { return };
        let Report { headline, missed, lines } = report();
        reports.send_modify(|kept| {
            kept.count = kept.count.saturating_add(1);
            kept.headline = headline;
            kept.lines += missed + lines.len();
            if missed > 0 {
                // What is kept ends with the newest line and has no gap.
                kept.newest_lines.clear();
            }
            kept.newest_lines.extend(lines);
            let surplus = kept.newest_lines.len().saturating_sub(MAX_LINES);
            kept.newest_lines.drain(..surplus);
        });
    }
}

impl ProgressUpdates {
    /// What has not been told yet; none once the call has ended. `progress` counts the reports, so
    /// it only rises.
    pub(crate) async fn next(&mut self) -> Option<Progress> {
        self.reports.changed().await.ok()?;
        let Kept { count, headline, newest_lines, lines } =
            self.reports.borrow_and_update().clone();
        let untold = lines - self.lines_told;
        self.lines_told = lines;
        let known = newest_lines.len();
        let mut message = vec![headline];
        if untold > known {
            message.push(format!("({} log lines left out)", untold - known));
        }
        let told = newest_lines.iter().skip(known.saturating_sub(untold));
        message.extend(told.map(|line| format!("log: {line}")));
        Some(Progress {
            progress_token: self.token.clone(),
            progress: f64::from(count),
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
        report_after(sink, headline, 0, lines);
    }

    fn report_after(
        sink: &ProgressSink,
        headline: &str,
        missed: usize,
        lines: impl IntoIterator<Item = usize>,
    ) {
        let lines = lines.into_iter().map(|line| line.to_string()).collect();
        sink.report(|| Report { headline: headline.to_owned(), missed, lines });
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
        report_after(&sink, "fourth", 5, [31]);
        let after_missed = updates.next().await.unwrap().message.unwrap();
        assert_eq!(after_missed, "fourth\n(5 log lines left out)\nlog: 31");
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
        sink.report(|| panic!("no caller asked for this"));
    }
}
