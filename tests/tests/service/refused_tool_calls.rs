//! Calls that a tool refuses: each says what was wrong, what would be right, and costs nothing.

use fal_sim::Operation;
use serde_json::{Value, json};
use tests::{Era, Outcome, Rig};

#[tokio::test]
async fn an_unknown_tool_is_answered_with_the_tools_that_exist() {
    let rig = Rig::start().await;
    let names: Vec<&str> = gateway::tool_definitions().iter().map(|tool| tool.name).collect();
    let names = names.join(", ");
    for era in [Era::Modern, Era::Legacy] {
        let answer = rig.tool(era, "generate_image", json!({})).send().await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.json(),
            json!({"jsonrpc": "2.0", "id": 1, "error": {
                "code": -32602,
                "message": format!("There is no tool `generate_image`. The tools are: {names}."),
            }})
        );
    }
}

#[tokio::test]
async fn a_call_of_the_wrong_shape_is_told_which_part_is_wrong() {
    let rig = Rig::start().await;
    let call = || rig.tool(Era::Legacy, "search_models", json!({}));
    for (request, message) in [
        (call().set("/params/name", Value::Null), "params.name is missing: the tool's name."),
        (call().set("/params/name", json!(7)), "params.name must be a string: the tool's name."),
        (call().set("/params/arguments", json!("q")), "params.arguments must be an object."),
    ] {
        assert_eq!(request.send().await.refusal(200, -32602), message);
    }
}

#[tokio::test]
async fn a_wrong_argument_is_named_with_what_is_accepted() {
    let rig = Rig::start().await;
    for (tool, arguments, problem) in [
        ("search_models", json!({"limt": 5}), "`limt` is not an argument; did you mean `limit`?"),
        (
            "search_models",
            json!({"limit": 500}),
            "`limit` is 500: expected a whole number from 1 to 100",
        ),
        (
            "search_models",
            json!({"limit": "five"}),
            "`limit` is \"five\": expected a whole number from 1 to 100",
        ),
        (
            "search_models",
            json!({"status": "old"}),
            "`status` is \"old\": expected one of active, deprecated",
        ),
        (
            "get_model_schema",
            json!({}),
            "`endpoint_id` is missing: a text of at most 256 characters",
        ),
        (
            "run_model",
            json!({"endpoint_id": "fal-ai/flux/schnell", "input": "{\"prompt\":\"a cat\"}"}),
            "`input` is \"{\\\"prompt\\\":\\\"a cat\\\"}\": expected an object (send the object itself, not a string that holds it)",
        ),
        (
            "submit_job",
            json!({"endpoint_id": "fal-ai/flux/schnell", "input": {"prompt": "a cat"}, "webhook_url": "http://127.0.0.1/"}),
            "`webhook_url` must be an https:// URL that fal can reach",
        ),
    ] {
        let outcome = rig.call(Era::Modern, tool, arguments).await;
        let error = outcome.error("invalid_arguments");
        assert_eq!(error["message"], format!("The arguments of {tool} are not valid."));
        assert_eq!(error["problems"], json!([problem]));
        assert_eq!(error["next_step"], format!("Correct the arguments and call {tool} again."));
    }
    assert_eq!(rig.asked(), []);
}

#[tokio::test]
async fn an_id_that_cannot_be_one_is_refused_before_anything_is_asked() {
    let rig = Rig::start().await;
    for endpoint_id in ["", "flux", "../../admin", "fal-ai/flux?x=1", "https://fal.ai/a/b"] {
        let arguments = json!({"endpoint_id": endpoint_id, "input": {"prompt": "a cat"}});
        let outcome = rig.call(Era::Modern, "run_model", arguments).await;
        let problem = outcome.error("invalid_arguments")["problems"][0].as_str().unwrap();
        assert!(problem.contains("`endpoint_id`"), "{problem}");
    }
    for request_id in ["", "../status", "a b", "x/cancel"] {
        let outcome = rig.call(Era::Modern, "check_job", Rig::ids(request_id)).await;
        let problem = outcome.error("invalid_arguments")["problems"][0].as_str().unwrap();
        assert!(problem.contains("`request_id`"), "{problem}");
    }
    assert_eq!(rig.asked(), []);
}

#[tokio::test]
async fn an_unknown_model_is_answered_with_the_ids_that_are_nearest() {
    let rig = Rig::start().await;
    for tool in ["get_model_schema", "run_model", "submit_job"] {
        let arguments = match tool {
            "get_model_schema" => json!({"endpoint_id": "fal-ai/flux/schnel"}),
            _ => json!({"endpoint_id": "fal-ai/flux/schnel", "input": {"prompt": "a cat"}}),
        };
        let outcome = rig.call(Era::Modern, tool, arguments).await;
        let error = outcome.error("unknown_endpoint_id");
        assert_eq!(error["message"], "No model has the endpoint_id `fal-ai/flux/schnel`.");
        assert_eq!(error["nearest_endpoint_ids"][0], "fal-ai/flux/schnell", "{error}");
        let next = error["next_step"].as_str().unwrap();
        assert!(next.contains("fal-ai/flux/schnell") && next.contains("search_models"), "{next}");
    }
    assert_eq!(rig.sim.ledger().calls(Operation::Submit), 0);
}

#[tokio::test]
async fn an_input_that_the_model_would_refuse_is_refused_before_it_is_paid_for() {
    let rig = Rig::start().await;
    let model = "fal-ai/flux/schnell";
    for (input, parts) in [
        (json!({}), ["`prompt`", "missing"].as_slice()),
        (json!({"prompt": "a cat", "output_format": "bmp"}), &["`output_format`", "jpeg", "png"]),
        (json!({"prompt": "a cat", "num_images": 40}), &["`num_images`", "40", "4"]),
        (json!({"prompt": 7}), &["`prompt`", "7"]),
        (json!({"prompt": "a cat", "num_images": "two"}), &["`num_images`", "two"]),
    ] {
        for tool in ["run_model", "submit_job"] {
            let arguments = json!({"endpoint_id": model, "input": input});
            let outcome = rig.call(Era::Modern, tool, arguments).await;
            let error = outcome.error("input_refused");
            assert_eq!(
                error["message"],
                format!(
                    "The input does not fit `{model}`. Nothing was submitted, nothing is billed."
                )
            );
            assert_eq!(error["problems"].as_array().map(Vec::len), Some(1), "{error}");
            let problem = error["problems"][0].as_str().unwrap();
            for part in parts {
                assert!(problem.contains(part), "no {part}: {problem}");
            }
            let next = error["next_step"].as_str().unwrap();
            assert!(next.contains("get_model_schema") && next.contains(model), "{next}");
        }
    }
    assert_eq!(rig.sim.ledger().calls(Operation::Submit), 0);
}

#[tokio::test]
async fn a_mistyped_input_name_is_pointed_out() {
    let rig = Rig::start().await;
    let input = json!({"prompt": "a cat", "num_image": 2});
    let arguments = json!({"endpoint_id": "fal-ai/flux/schnell", "input": input});
    let outcome = rig.call(Era::Modern, "run_model", arguments).await;
    let said = outcome.result.to_string();
    assert!(said.contains("num_image") && said.contains("num_images"), "{said}");
}

#[tokio::test]
async fn a_job_that_fal_does_not_know_is_answered_with_how_to_find_the_right_one() {
    let rig = Rig::start().await;
    let unknown = Rig::ids("0198c0de-0000-7000-8000-000000000000");
    for tool in ["check_job", "get_job_result", "cancel_job"] {
        let outcome = rig.call(Era::Modern, tool, unknown.clone()).await;
        let error = outcome.error("request_not_found");
        assert_eq!(error["request_id"], unknown["request_id"], "{tool}");
        let next = error["next_step"].as_str().unwrap();
        assert!(next.contains("list_jobs"), "{tool}: {next}");
    }
}

#[tokio::test]
async fn another_account_s_job_is_as_unknown_as_one_that_never_was() {
    let rig = Rig::start().await;
    let request_id = rig.submit("a cat").await;
    let rig = rig.with_key(fal_sim::PRIVATE_KEY);
    let outcome = rig.call(Era::Modern, "get_job_result", Rig::ids(&request_id)).await;
    outcome.error("request_not_found");
}

#[tokio::test]
async fn a_private_model_is_shown_and_run_for_its_owner_and_nobody_else() {
    let rig = Rig::start().await.with_key(fal_sim::PRIVATE_KEY);
    let arguments = json!({"endpoint_id": fal_sim::PRIVATE_MODEL});
    let owned = rig.call(Era::Modern, "get_model_schema", arguments.clone()).await;
    assert_eq!(owned.value()["endpoint_id"], fal_sim::PRIVATE_MODEL);
    let rig = rig.with_key(fal_sim::DEMO_KEY);
    let stranger = rig.call(Era::Modern, "get_model_schema", arguments).await;
    stranger.error("unknown_endpoint_id");
}

#[tokio::test]
async fn a_huge_wrong_value_is_not_repeated_whole() {
    let rig = Rig::start().await;
    let call = rig.tool(Era::Modern, "search_models", json!({"query": "x".repeat(1_000_000)}));
    let answer = call.send().await;
    Outcome::of(&answer).error("invalid_arguments");
    assert!(answer.body.len() < 2_000, "{} bytes", answer.body.len());
}
