//! The generated parts of documents: compared by the tests, written by `UPDATE_DOCS=1`.

use std::{env, fs};

/// Where the README is.
pub(crate) const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");

/// Compares the part of a document between two markers with `expected`, or writes it if `UPDATE_DOCS`
/// is set.
pub(crate) fn check(path: &str, part: &str, expected: &str) {
    let document = fs::read_to_string(path).unwrap();
    let begin = format!("<!-- {part}: begin (generated; see CONTRIBUTING.md) -->\n");
    let end = format!("<!-- {part}: end -->");
    let (before, rest) = document.split_once(&begin).expect("the document has the marker");
    let (found, after) = rest.split_once(&end).expect("the document has the end marker");
    if found == expected {
        return;
    }
    assert!(
        env::var_os("UPDATE_DOCS").is_some(),
        "{path} is out of date; run: UPDATE_DOCS=1 cargo test -p gateway table_of -- --test-threads 1"
    );
    fs::write(path, format!("{before}{begin}{expected}{end}{after}")).unwrap();
}
