//! What a model says is wrong with a request (fal docs, "Errors", model errors).

use serde_json::Value;

use crate::text;

/// The most entries of one answer that are kept.
const MAX_DETAILS: usize = 32;

/// The most steps of a location that are kept.
const MAX_STEPS: usize = 16;

/// The largest `ctx` that is kept, in bytes of JSON.
const MAX_CTX_BYTES: usize = 2048;

/// One entry of `detail`. Its texts are on one line, without control characters, and at most 500
/// characters each.
#[derive(Debug, Clone, PartialEq)]
pub struct Detail {
    /// Where: `["body", "image_url"]`. Positions in a list are written as numbers. Empty when the
    /// model did not say.
    pub loc: Vec<String>,
    /// What, in the model's words.
    pub msg: String,
    /// fal's `type`, a word such as `image_too_large`; empty when the model did not give one.
    pub kind: String,
    /// The numbers that belong to `kind`, such as `{"max_width": 4096}`.
    pub ctx: Option<Value>,
}

/// Reads `detail`, which is a list of entries or, with some applications, one text. Nothing when it
/// is neither.
pub(crate) fn read(detail: &Value) -> Option<Vec<Detail>> {
    match detail {
        Value::String(text) => Some(vec![Detail {
            loc: Vec::new(),
            msg: text::clean(text),
            kind: String::new(),
            ctx: None,
        }]),
        Value::Array(entries) => Some(entries.iter().take(MAX_DETAILS).map(entry).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

fn entry(entry: &Value) -> Detail {
    let word = |name: &str| entry.get(name).and_then(Value::as_str).map(text::clean);
    let steps = entry.get("loc").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let step = |step: &Value| match step {
        Value::String(name) => Some(text::clean(name)),
        Value::Number(position) => Some(position.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    Detail {
        loc: steps.iter().take(MAX_STEPS).filter_map(step).collect(),
        msg: word("msg").unwrap_or_default(),
        kind: word("type").unwrap_or_default(),
        ctx: entry
            .get("ctx")
            .filter(|ctx| ctx.is_object() && ctx.to_string().len() <= MAX_CTX_BYTES)
            .cloned(),
    }
}

/// All entries on one bounded line: `body.image_url: too large; body.prompt: missing`.
pub(crate) fn summary(details: &[Detail]) -> String {
    let one = |detail: &Detail| match (detail.loc.join("."), &detail.msg) {
        (loc, msg) if loc.is_empty() => msg.clone(),
        (loc, msg) => format!("{loc}: {msg}"),
    };
    text::clean(&details.iter().map(one).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn entries_keep_their_documented_fields_only() {
        let details = read(&json!([
            {"loc": ["body", "images", 0], "msg": "too\nlarge", "type": "image_too_large",
             "ctx": {"max_width": 4096}, "input": "secret", "url": "https://docs.fal.ai"},
            {"msg": "missing"},
        ]))
        .unwrap();
        assert_eq!(
            details,
            [
                Detail {
                    loc: vec!["body".to_owned(), "images".to_owned(), "0".to_owned()],
                    msg: "too large".to_owned(),
                    kind: "image_too_large".to_owned(),
                    ctx: Some(json!({"max_width": 4096})),
                },
                Detail {
                    loc: Vec::new(),
                    msg: "missing".to_owned(),
                    kind: String::new(),
                    ctx: None
                },
            ]
        );
        assert_eq!(summary(&details), "body.images.0: too large; missing");
    }

    #[test]
    fn a_text_is_one_entry_and_anything_else_is_none() {
        assert_eq!(summary(&read(&json!("out of memory")).unwrap()), "out of memory");
        assert_eq!(read(&json!(null)), None);
        assert_eq!(read(&json!({"a": 1})), None);
    }

    #[test]
    fn hostile_entries_are_bounded() {
        let many: Vec<_> = (0..1000)
            .map(|_| {
                json!({"msg": "m".repeat(10_000), "loc": vec!["l"; 1000],
                       "ctx": {"big": "x".repeat(10_000)}})
            })
            .collect();
        let details = read(&json!(many)).unwrap();
        assert_eq!(details.len(), MAX_DETAILS);
        assert!(details.iter().all(|detail| detail.msg.len() == 500
            && detail.loc.len() == MAX_STEPS
            && detail.ctx.is_none()));
        assert_eq!(summary(&details).len(), 500);
    }
}
