//! Tools: their definition, a call, its result.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::json_rpc::{self, Request};
use crate::rejection::Rejection;

/// An entry of `tools/list`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tool {
    /// `verb_noun`; an API once published.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// For the model.
    pub description: &'static str,
    /// A JSON Schema whose root is `type: object`, without `$ref` or root combinators: several
    /// clients refuse the whole list otherwise.
    pub input_schema: Value,
    /// The same rules; a tool that has one always answers with matching `structuredContent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// What a client may assume before it calls.
    pub annotations: ToolAnnotations,
}

/// The four hints. All are set on purpose: the defaults say "destructive" and "open world".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the specification's own four hints, each a boolean"
)]
pub struct ToolAnnotations {
    /// Changes nothing and costs nothing.
    pub read_only_hint: bool,
    /// May destroy something.
    pub destructive_hint: bool,
    /// A second call with the same arguments changes nothing more.
    pub idempotent_hint: bool,
    /// Brings in text from outside (VS Code asks before it shows such a result).
    pub open_world_hint: bool,
}

/// The result of `tools/list`: one page, always.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListToolsResult {
    /// In a fixed order.
    pub tools: Vec<Tool>,
}

/// The `params` of `tools/call`.
#[derive(Clone, Debug, PartialEq)]
pub struct CallToolParams {
    /// The tool's name.
    pub name: String,
    /// Its arguments; empty where the call has none.
    pub arguments: Map<String, Value>,
}

impl CallToolParams {
    /// Reads the `params` of a `tools/call` request.
    pub fn of(request: &mut Request) -> Result<Self, Rejection> {
        let invalid = |reason: &str| Rejection::InvalidParams {
            id: request.id.clone(),
            reason: reason.to_owned(),
        };
        let name = match request.params.get("name") {
            Some(Value::String(name)) => name.clone(),
            Some(_) => return Err(invalid("params.name must be a string: the tool's name.")),
            None => return Err(invalid("params.name is missing: the tool's name.")),
        };
        let arguments = match request.params.remove("arguments") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(arguments)) => arguments,
            Some(_) => return Err(invalid("params.arguments must be an object.")),
        };
        Ok(Self { name, arguments })
    }
}

/// The result of `tools/call`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallToolResult {
    /// What the model reads.
    pub content: Vec<Content>,
    /// The same value for programs, only from tools with an `outputSchema`, never on an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub structured_content: Option<Value>,
    /// A tool execution error: the call was understood and failed.
    pub is_error: bool,
}

/// A result that is serialised already, for answers that many callers get: `tools/call` then costs
/// a copy. It is a successful result, kept without the members that only modern callers get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadyCallToolResult(Arc<[u8]>);

impl ReadyCallToolResult {
    /// Serialises `result` once.
    pub fn new(result: &CallToolResult) -> Self {
        Self(json_rpc::to_bytes(result).into())
    }

    /// The result as legacy callers get it: a JSON object.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A content block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum Content {
    /// Text.
    Text {
        /// Compact JSON or a sentence.
        text: String,
    },
    /// An image the model can look at.
    Image {
        /// Base64.
        data: String,
        /// For example `image/png`.
        mime_type: String,
    },
}

impl CallToolResult {
    /// A success that reads as `value`; `structured` where the tool declares an `outputSchema`.
    pub fn json(value: Value, structured: bool) -> Self {
        Self {
            content: vec![Content::Text { text: value.to_string() }],
            structured_content: structured.then_some(value),
            is_error: false,
        }
    }

    /// A tool execution error that reads as `text`. Never with `structuredContent`: a client that
    /// prefers it would drop the text.
    pub fn error(text: String) -> Self {
        Self { content: vec![Content::Text { text }], structured_content: None, is_error: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json_rpc::RequestId;
    use crate::lifecycle::{Complete, Implementation};

    fn call(params: Value) -> Result<CallToolParams, Rejection> {
        let Value::Object(params) = params else { panic!("params are an object") };
        CallToolParams::of(&mut Request {
            id: RequestId::Number(1.into()),
            method: "tools/call".to_owned(),
            params,
        })
    }

    #[test]
    fn a_call_without_arguments_has_empty_ones() {
        let call = call(serde_json::json!({"name": "search_models"})).unwrap();
        assert!(call.arguments.is_empty());
    }

    #[test]
    fn a_call_with_a_wrong_shape_says_which_part_is_wrong() {
        for (params, named) in [
            (serde_json::json!({}), "params.name"),
            (serde_json::json!({"name": 1}), "params.name"),
            (serde_json::json!({"name": "x", "arguments": "y"}), "params.arguments"),
        ] {
            let error = call(params).unwrap_err();
            assert_eq!(error.kind(), "invalid_params");
            assert!(error.to_string().contains(named));
        }
    }

    #[test]
    fn text_and_structured_content_carry_the_same_value() {
        let value = serde_json::json!({"b": 1, "a": [2]});
        let result = serde_json::to_value(CallToolResult::json(value.clone(), true)).unwrap();
        assert_eq!(result["structuredContent"], value);
        assert_eq!(
            result["content"][0],
            serde_json::json!({"type": "text", "text": value.to_string()})
        );
    }

    #[test]
    fn a_ready_result_reads_the_same_as_the_one_it_was_made_of_in_both_eras() {
        let server = Implementation { name: "n", title: "t", version: "1" };
        let result = CallToolResult::json(serde_json::json!({"a": "\"b\""}), true);
        let ready = ReadyCallToolResult::new(&result);
        let id = RequestId::Number(1.into());
        let complete = Complete::new(&result, &server, None);
        assert_eq!(
            json_rpc::encode_ready_result(&id, ready.as_bytes()),
            json_rpc::encode_result(&id, &result)
        );
        let parse = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
        assert_eq!(
            parse(Complete::ready(&id, ready.as_bytes(), &server)),
            parse(json_rpc::encode_result(&id, &complete))
        );
    }

    #[test]
    fn an_image_block_is_written_with_the_specification_s_field_names() {
        let image = Content::Image { data: "AA==".to_owned(), mime_type: "image/png".to_owned() };
        assert_eq!(
            serde_json::to_value(image).unwrap(),
            serde_json::json!({"type": "image", "data": "AA==", "mimeType": "image/png"})
        );
    }
}
