//! Makes a result fit what clients pass on to their models: long values are cut, longest limits
//! first, until the whole is short enough; control characters are taken out on the way.

use serde_json::{Map, Value, json};

/// Cuts are tried in this order: characters kept of a text, entries kept of a list.
const STEPS: [(usize, usize); 5] =
    [(20_000, 5_000), (4_000, 500), (1_000, 100), (300, 30), (80, 8)];

/// Takes control characters out of every text of `value` and, if its compact JSON is longer than
/// `max_chars`, cuts long texts and lists. Answers whether anything was cut.
pub(super) fn fit(value: &mut Value, max_chars: usize) -> bool {
    clean(value);
    if chars(value) <= max_chars {
        return false;
    }
    for (text, entries) in STEPS {
        cut(value, text, entries);
        if chars(value) <= max_chars {
            return true;
        }
    }
    *value = json!("[too large to show]");
    true
}

/// The length of the compact JSON of `value`, in characters, without making it.
fn chars(value: &Value) -> usize {
    struct Counter(usize);
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            // Every byte but a continuation byte of UTF-8 begins a character.
            self.0 += bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        Err(_) => usize::MAX,
    }
}

/// Output of a model is data for another model: without terminal escapes and the like.
fn clean(value: &mut Value) {
    match value {
        Value::String(text) => {
            let unwanted = |character: char| {
                character.is_control() && !matches!(character, '\n' | '\r' | '\t')
            };
            if text.contains(unwanted) {
                text.retain(|character| !unwanted(character));
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(clean),
        Value::Object(members) => members.values_mut().for_each(clean),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn cut(value: &mut Value, max_text: usize, max_entries: usize) {
    match value {
        Value::String(text) => {
            if let Some((at, _)) = text.char_indices().nth(max_text) {
                let rest = text.len() - at;
                text.truncate(at);
                text.extend(["… [", &rest.to_string(), " more bytes]"]);
            }
        }
        Value::Array(entries) => {
            let rest = entries.len().saturating_sub(max_entries);
            if rest > 0 {
                entries.truncate(max_entries);
                entries.push(json!(format!("… [{rest} more entries]")));
            }
            for entry in entries {
                cut(entry, max_text, max_entries);
            }
        }
        Value::Object(members) => cut_members(members, max_text, max_entries),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn cut_members(members: &mut Map<String, Value>, max_text: usize, max_entries: usize) {
    let rest = members.len().saturating_sub(max_entries);
    if rest > 0 {
        let mut kept = 0;
        members.retain(|_, _| {
            kept += 1;
            kept <= max_entries
        });
        members.insert("…".to_owned(), json!(format!("[{rest} more members]")));
    }
    for member in members.values_mut() {
        cut(member, max_text, max_entries);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_left_as_it_is() {
        let mut value = json!({"url": "https://v3.fal.media/files/a.png", "n": [1, 2]});
        let before = value.clone();
        assert!(!fit(&mut value, 40_000));
        assert_eq!(value, before);
    }

    #[test]
    fn a_long_text_is_cut_and_short_ones_beside_it_are_kept() {
        let mut value = json!({"url": "https://x/y.png", "data": "é".repeat(1_000_000)});
        assert!(fit(&mut value, 40_000));
        assert!(chars(&value) <= 40_000);
        assert_eq!(value["url"], "https://x/y.png");
        assert!(value["data"].as_str().unwrap().ends_with("more bytes]"));
    }

    #[test]
    fn anything_at_all_comes_out_within_the_limit() {
        let wide: Map<String, Value> =
            (0..10_000).map(|n| (format!("member-{n}"), json!(vec!["x"; 40]))).collect();
        let mut deep = json!("x".repeat(90));
        for _ in 0..100 {
            deep = json!([deep, "y".repeat(400), "z".repeat(400)]);
        }
        for mut value in [Value::Object(wide), deep, json!(vec!["word"; 1_000_000])] {
            assert!(fit(&mut value, 40_000));
            assert!(chars(&value) <= 40_000);
        }
    }

    #[test]
    fn control_characters_are_taken_out_and_line_breaks_stay() {
        let mut value = json!({"text": "a\u{1b}[31mb\nc\u{0}"});
        fit(&mut value, 40_000);
        assert_eq!(value["text"], "a[31mb\nc");
    }
}
