//! An event stream against its description: every event's data is checked.
//!
//! Event names, ids and retry hints are left aside: fal sends none, and a client may ignore them.

use serde_json::Value;

use crate::operation::Events;

/// Adds a sentence to `found` for each difference.
pub(crate) fn check(events: &Events, body: &[u8], found: &mut Vec<String>) {
    let Ok(text) = std::str::from_utf8(body) else {
        found.push("body is not UTF-8".to_owned());
        return;
    };
    let (data, whole) = split(text);
    if !whole {
        found.push("body ends within an event".to_owned());
    }
    if data.is_empty() {
        found.push("body holds no event".to_owned());
    }
    let mut ended = false;
    for (number, data) in data.iter().enumerate() {
        let what = format!("event {number}");
        if ended {
            found.push(format!("{what} comes after the last one"));
        }
        match serde_json::from_str::<Value>(data) {
            Ok(value) => {
                events.each.check(&what, &value, found);
                ended |= events.last.as_ref().is_some_and(|last| last.matches(&value));
            }
            Err(error) => found.push(format!("{what} is not JSON: {error}")),
        }
    }
}

/// The data of each event, and whether the last one was ended by an empty line.
fn split(text: &str) -> (Vec<String>, bool) {
    let mut complete = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        if line.is_empty() {
            complete.extend(open.take());
        } else if let Some(data) = line.strip_prefix("data:") {
            let data = data.strip_prefix(' ').unwrap_or(data);
            match &mut open {
                Some(event) => {
                    event.push('\n');
                    event.push_str(data);
                }
                None => open = Some(data.to_owned()),
            }
        }
    }
    (complete, open.is_none())
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn events_end_at_empty_lines_and_comments_are_no_events() {
        let text = ": ping\n\ndata: {\ndata: }\n\r\ndata:1\r\n\r\n";
        assert_eq!(split(text), (vec!["{\n}".to_owned(), "1".to_owned()], true));
    }

    #[test]
    fn an_event_without_an_empty_line_after_it_is_not_whole() {
        assert_eq!(split("data: 1\n"), (vec![], false));
    }
}
