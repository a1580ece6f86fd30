//! What a run must show of a test that passes, past the harness that keeps such a test's words to
//! itself.

use std::io::Write as _;

/// A test did not run, for want of something.
pub(crate) fn skipped(missing: &str) {
    show(&format!("SKIPPED: {missing} is not there\n"));
}

/// Something was measured.
pub(crate) fn measured(figure: &str) {
    show(&format!("MEASURED: {figure}\n"));
}

fn show(line: &str) {
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}
