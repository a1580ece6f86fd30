//! What a tool said, with the promises that hold for every result checked on the way.

use serde_json::Value;

use crate::Answer;

/// Results stay below this many characters.
const MAX_RESULT_CHARS: usize = 40_000;

/// A tool's result: its text block, read as JSON.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The result as it came.
    pub result: Value,
    text: Value,
}

impl Outcome {
    /// Reads a response, be it one JSON body or a stream that ends with it.
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.text());
        let response = match answer.header("content-type") {
            "text/event-stream" => {
                let mut data = answer.text().lines().filter_map(|line| line.strip_prefix("data: "));
                serde_json::from_str(data.next_back().expect("an event")).expect("a JSON message")
            }
            _ => answer.json(),
        };
        Self::of_response(response)
    }

    /// Reads a JSON-RPC response.
    #[track_caller]
    pub fn of_response(mut response: Value) -> Self {
        assert!(response.get("error").is_none(), "{response}");
        let result = response["result"].take();
        let text = result["content"][0]["text"].as_str().expect("a text block");
        assert!(text.chars().count() <= MAX_RESULT_CHARS, "a result of {} bytes", text.len());
        let text: Value = serde_json::from_str(text).expect("the text is compact JSON");
        if let Some(structured) = result.get("structuredContent") {
            assert_eq!(structured, &text, "both forms carry the same");
        }
        Self { result, text }
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        self.result["isError"] == true
    }

    /// What a success says.
    #[track_caller]
    pub fn value(&self) -> &Value {
        assert!(!self.is_error(), "{}", self.text);
        &self.text
    }

    /// What a success says, for keeps.
    #[track_caller]
    pub fn into_value(self) -> Value {
        assert!(!self.is_error(), "{}", self.text);
        self.text
    }

    /// What an error says, after it was checked that it is one of the kind `error` and says what to
    /// do next.
    #[track_caller]
    pub fn error(&self, error: &str) -> &Value {
        assert!(self.is_error(), "{}", self.text);
        assert_eq!(self.text["error"], error, "{}", self.text);
        assert!(self.result.get("structuredContent").is_none(), "{}", self.result);
        for member in ["message", "next_step"] {
            let text = self.text[member].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "no {member}: {}", self.text);
        }
        &self.text
    }
}
