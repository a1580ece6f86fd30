//! The main job: find a model, read what it takes, run it, get the media. In both eras.

use http::Method;
use serde_json::{Value, json};
use tests::{Era, Rig, real_time};

/// The first eight bytes of every PNG.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

#[tokio::test]
async fn a_modern_caller_finds_a_model_reads_its_schema_runs_it_and_downloads_the_image() {
    let rig = Rig::start().await;
    let discovered = rig.modern("server/discover", json!({})).send().await.result();
    assert_eq!(discovered["supportedVersions"].as_array().unwrap().last().unwrap(), "2026-07-28");
    finds_runs_and_downloads(&rig, Era::Modern).await;
}

#[tokio::test]
async fn a_legacy_caller_finds_a_model_reads_its_schema_runs_it_and_downloads_the_image() {
    let rig = Rig::start().await;
    let params = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "rig", "version": "1"},
    });
    let initialized = rig.legacy("initialize", params).send().await.result();
    assert_eq!(initialized["protocolVersion"], "2025-11-25");
    let told = rig.legacy("notifications/initialized", json!({})).send().await;
    assert_eq!((told.status, told.text()), (202, ""));
    finds_runs_and_downloads(&rig, Era::Legacy).await;
}

async fn finds_runs_and_downloads(rig: &Rig, era: Era) {
    let tools = rig.request(era, "tools/list", json!({})).send().await.result();
    assert_eq!(tools["tools"].as_array().map(Vec::len), Some(gateway::tool_definitions().len()));

    let found = rig.call(era, "search_models", json!({"query": "text to image"})).await;
    let models = found.value()["models"].as_array().unwrap();
    let hit = models.iter().find(|model| model["category"] == "text-to-image").unwrap();
    let endpoint_id = &hit["endpoint_id"];

    let schema = rig.call(era, "get_model_schema", json!({"endpoint_id": endpoint_id})).await;
    let schema = schema.value();
    assert_eq!(&schema["endpoint_id"], endpoint_id);
    assert_eq!(schema["input_schema"]["type"], "object");
    assert!(schema["output_schema"]["properties"]["images"].is_object(), "{schema}");

    let arguments = json!({"endpoint_id": endpoint_id, "input": schema["example_input"]});
    let run = rig.call(era, "run_model", arguments).await;
    let run = run.value();
    assert_eq!(run["status"], "completed", "{run}");
    assert_eq!(&run["endpoint_id"], endpoint_id);
    assert_eq!(run["media"][0]["url"], run["output"]["images"][0]["url"]);
    assert_is_png(rig, &run["media"][0]["url"]).await;
}

async fn assert_is_png(rig: &Rig, url: &Value) {
    let image = rig.plain(Method::GET, "/").to(url.as_str().unwrap()).send().await;
    assert_eq!((image.status, image.header("content-type")), (200, "image/png"));
    assert!(image.body.starts_with(PNG));
}

#[tokio::test]
async fn a_submitted_job_is_checked_fetched_and_found_by_its_handle() {
    let rig = Rig::with(real_time(), |_| ()).await;
    for era in [Era::Modern, Era::Legacy] {
        let arguments = json!({
            "endpoint_id": "fal-ai/flux/schnell",
            "input": {"prompt": "a cat [sim:queue 0][sim:slow 0.6]"},
        });
        let submitted = rig.call(era, "submit_job", arguments).await.into_value();
        assert_eq!(submitted["status"], "processing");
        let request_id = submitted["request_id"].as_str().unwrap();
        let next = &submitted["next_call"];
        assert_eq!(next["tool"], "check_job");
        assert_eq!(next["arguments"]["request_id"], request_id);

        let running = rig.call(era, "check_job", Rig::ids(request_id)).await.into_value();
        assert_eq!(running["status"], "processing", "{running}");
        let early = rig.call(era, "get_job_result", Rig::ids(request_id)).await;
        assert_eq!(early.error("still_in_progress")["request_id"], request_id);

        let done = rig.call(era, "check_job", next["arguments"].clone()).await.into_value();
        assert_eq!(done["status"], "completed", "{done}");
        let result = rig.call(era, "get_job_result", Rig::ids(request_id)).await.into_value();
        assert_eq!(result["output"], done["output"]);
        assert!(rig.listed_jobs().await.contains(&request_id.to_owned()));

        let late = rig.call(era, "cancel_job", Rig::ids(request_id)).await.into_value();
        assert_eq!(late["cancellation"], "already_completed");
    }
}

#[tokio::test]
async fn check_job_with_an_action_does_what_the_tool_of_that_name_does() {
    let rig = Rig::start().await;
    let request_id = rig.submit("a cat").await;
    let mut result = Rig::ids(&request_id);
    result["action"] = json!("result");
    let checked = rig.call(Era::Modern, "check_job", result).await.into_value();
    let fetched = rig.call(Era::Modern, "get_job_result", Rig::ids(&request_id)).await;
    assert_eq!(&checked, fetched.value());
    let mut cancel = Rig::ids(&request_id);
    cancel["action"] = json!("cancel");
    let cancelled = rig.call(Era::Modern, "check_job", cancel).await.into_value();
    assert_eq!(cancelled["cancellation"], "already_completed");
}

#[tokio::test]
async fn any_replica_serves_any_call_about_a_job() {
    let rig = Rig::start().await;
    let replica = rig.replica().await;
    let request_id = rig.submit("a cat").await;
    let elsewhere = format!("http://{}/mcp", replica.addr());
    let call = rig.tool(Era::Modern, "check_job", Rig::ids(&request_id)).to(elsewhere);
    let checked = tests::Outcome::of(&call.send().await).into_value();
    assert_eq!(checked["status"], "completed");
}

#[tokio::test]
async fn a_preview_shows_the_first_image_itself() {
    let rig = Rig::start().await;
    let run = rig.run(Era::Modern, "a cat").set("/params/arguments/preview", json!(true));
    let outcome = tests::Outcome::of(&run.send().await);
    assert_eq!(outcome.value()["status"], "completed");
    let image = &outcome.result["content"][1];
    assert_eq!((&image["type"], &image["mimeType"]), (&json!("image"), &json!("image/png")));
    assert!(image["data"].as_str().unwrap().starts_with("iVBORw0KGgo"), "a PNG in base64");
    assert!(outcome.result.get("structuredContent").is_none());
}

#[tokio::test]
async fn a_search_goes_on_where_its_page_ended() {
    let rig = Rig::start().await;
    let mut seen = Vec::new();
    let mut arguments = json!({"limit": 7});
    loop {
        let page = rig.call(Era::Modern, "search_models", arguments.clone()).await.into_value();
        let models = page["models"].as_array().unwrap();
        assert_eq!(page["total_shown"], models.len());
        seen.extend(models.iter().map(|model| model["endpoint_id"].as_str().unwrap().to_owned()));
        if page["has_more"] == false {
            break;
        }
        arguments["cursor"] = page["next_cursor"].clone();
    }
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert!(count > 30 && seen.len() == count, "{count} models, {} different", seen.len());
}
