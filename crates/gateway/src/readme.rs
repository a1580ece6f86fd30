//! The generated parts of the README, for the tests that keep them true.

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");

/// Compares the part between two markers with `expected`, or writes it if `UPDATE_DOCS` is set.
pub(crate) fn check(part: &str, expected: &str) {
    let readme = std::fs::read_to_string(PATH).unwrap();
    let begin = format!("<!-- {part}: begin (generated; see CONTRIBUTING.md) -->\n");
    let end = format!("<!-- {part}: end -->");
    let (before, rest) = readme.split_once(&begin).expect("the README has the marker");
    let (found, after) = rest.split_once(&end).expect("the README has the end marker");
    if found == expected {
        return;
    }
    assert!(
        std::env::var_os("UPDATE_DOCS").is_some(),
        "README.md is out of date; run: UPDATE_DOCS=1 cargo test -p gateway readme -- --test-threads 1"
    );
    std::fs::write(PATH, format!("{before}{begin}{expected}{end}{after}")).unwrap();
}
