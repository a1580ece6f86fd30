//! Promises over the whole list of tools as it is served. Each keeps some client from refusing the
//! list, or a model from guessing.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use tests::{Era, Rig};

use crate::shown;

/// The list may cost a model this many tokens, at four bytes each; a tool this many on average, so
/// that there is room for those to come.
const MAX_TOKENS: usize = 4_000;
const MAX_TOKENS_EACH: usize = 360;
/// Gemini CLI shortens names over 63 characters with its own prefix; Cursor filters tools whose name
/// and server name exceed 60.
const MAX_NAME: usize = 40;

async fn served() -> Vec<Value> {
    let rig = Rig::start().await;
    let list = rig.modern("tools/list", json!({})).send().await.result();
    list["tools"].as_array().unwrap().clone()
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("not an object: {value}"))
}

#[tokio::test]
async fn the_tools_are_these_in_this_order() {
    let tools = served().await;
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "search_models",
            "recommend_model",
            "get_model_schema",
            "get_pricing",
            "search_docs",
            "upload_file",
            "run_model",
            "submit_job",
            "check_job",
            "get_job_result",
            "cancel_job",
            "list_jobs",
        ]
    );
}

#[tokio::test]
async fn names_are_unique_and_short_in_lower_case() {
    let tools = served().await;
    let names: BTreeSet<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), tools.len());
    for name in names {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        assert!((1..=MAX_NAME).contains(&name.len()) && name.bytes().all(plain), "{name}");
    }
}

#[tokio::test]
async fn each_tool_has_a_title_a_description_and_all_four_hints() {
    for tool in served().await {
        for member in ["title", "description"] {
            assert!(!tool[member].as_str().unwrap().is_empty(), "{tool}");
        }
        let hints = object(&tool["annotations"]);
        let names: BTreeSet<&str> = hints.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            BTreeSet::from(["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"])
        );
        assert!(hints.values().all(Value::is_boolean), "{tool}");
    }
}

#[tokio::test]
async fn a_tool_that_costs_money_says_so_and_is_neither_read_only_nor_idempotent() {
    for tool in served().await {
        let costs = tool["description"].as_str().unwrap().contains("Costs money");
        let paid = ["run_model", "submit_job"].contains(&tool["name"].as_str().unwrap());
        assert_eq!(costs, paid, "{tool}");
        if paid {
            assert_eq!(tool["annotations"]["readOnlyHint"], false);
            assert_eq!(tool["annotations"]["idempotentHint"], false);
        }
    }
}

#[tokio::test]
async fn schemas_are_flat_closed_objects() {
    for tool in served().await {
        for member in ["inputSchema", "outputSchema"] {
            let Some(schema) = tool.get(member) else { continue };
            assert_eq!(schema["type"], "object", "{tool}");
            for combinator in ["oneOf", "anyOf", "allOf", "not", "$defs", "$schema"] {
                assert!(schema.get(combinator).is_none(), "{combinator} at the root: {tool}");
            }
            assert!(!schema.to_string().contains("\"$ref\""), "{tool}");
            jsonschema::draft202012::new(schema).unwrap();
        }
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{tool}");
    }
}

#[tokio::test]
async fn every_argument_is_described_and_has_one_type() {
    for tool in served().await {
        let schema = &tool["inputSchema"];
        let properties = object(&schema["properties"]);
        for (name, property) in properties {
            assert!(property["type"].is_string(), "{name}: {property}");
            let description = property["description"].as_str().unwrap_or_default();
            assert!(!description.is_empty(), "{name} of {}", tool["name"]);
            if let (Some(default), Some(choices)) = (property.get("default"), property.get("enum"))
            {
                assert!(choices.as_array().unwrap().contains(default), "{name}: {property}");
            }
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(properties.contains_key(required.as_str().unwrap()), "{required}");
        }
    }
}

#[tokio::test]
async fn the_list_costs_a_model_less_than_its_budget() {
    let tools = served().await;
    let tokens = json!(tools).to_string().len() / 4;
    let budget = MAX_TOKENS.min(tools.len() * MAX_TOKENS_EACH);
    shown::measured(&format!("{} tools in {tokens} tokens", tools.len()));
    assert!(tokens <= budget, "{tokens} tokens, {budget} are allowed");
}

#[tokio::test]
async fn a_tool_with_an_output_schema_answers_with_structured_content_that_fits_it() {
    let rig = Rig::start().await.warm().await;
    let ids = Rig::ids(&rig.submit("a cat").await);
    let model = json!({"endpoint_id": "fal-ai/flux/schnell"});
    let job = json!({"endpoint_id": "fal-ai/flux/schnell", "input": {"prompt": "a cat"}});
    for tool in served().await {
        let name = tool["name"].as_str().unwrap();
        let arguments = match name {
            "search_models" => json!({"limit": 3}),
            "recommend_model" => json!({"task": "animate this photo"}),
            "search_docs" => json!({"query": "queue"}),
            "get_model_schema" | "get_pricing" | "list_jobs" => model.clone(),
            "upload_file" => json!({"data": "AAAA"}),
            "run_model" | "submit_job" => job.clone(),
            "check_job" | "get_job_result" | "cancel_job" => ids.clone(),
            other => panic!("no arguments for {other}"),
        };
        // That both forms carry the same is checked for every outcome.
        let outcome = rig.call(Era::Modern, name, arguments).await;
        outcome.value();
        let structured = outcome.result.get("structuredContent");
        assert_eq!(structured.is_some(), tool.get("outputSchema").is_some(), "{name}");
        if let (Some(structured), Some(schema)) = (structured, tool.get("outputSchema")) {
            let problems: Vec<String> = jsonschema::draft202012::new(schema)
                .unwrap()
                .iter_errors(structured)
                .map(|error| error.to_string())
                .collect();
            assert_eq!(problems, [""; 0], "{name}");
        }
    }
}

#[tokio::test]
async fn the_list_is_what_the_library_says_it_is() {
    let defined = serde_json::to_value(gateway::tool_definitions()).unwrap();
    assert_eq!(json!(served().await), defined);
}
