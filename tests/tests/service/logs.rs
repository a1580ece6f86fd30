//! The lines of the log, as `docs/request-log.md` has them.

use std::collections::BTreeSet;

use serde_json::json;
use tests::{Era, Log, Outcome, Rig, Source, instant};

use crate::process::Process;

const DOCUMENT: &str = include_str!("../../../docs/request-log.md");

#[tokio::test]
async fn nothing_of_an_upload_is_in_any_line_of_any_crate() {
    let (log, _guard) = Log::keep();
    let rig = Rig::with(instant(), |config| config.allow_private_urls = true).await;
    let source = Source::start().await;
    let name = "canary-name.png";
    let named = |url: String| format!("{url}/canary-path?canary-query");
    let mut signature = String::new();
    for arguments in [
        json!({"url": named(source.file(1000)), "file_name": name}),
        json!({"url": named(source.chunked(1000)), "file_name": name}),
        json!({"url": named(source.lying(1000, 1001)), "file_name": name}),
        json!({"url": "https://canary-host.invalid/canary-path", "file_name": name}),
        json!({"url": "https://canary-user:canary-password@127.0.0.1/", "file_name": name}),
        json!({"data": "Y2FuYXJ5", "file_name": name}),
        json!({"data": "data:image/png;base64,canary!", "file_name": name}),
        json!({"path": format!("/home/canary-path/{name}")}),
        json!({"path": name, "file_size": 100_000_000}),
    ] {
        let outcome = rig.call(Era::Modern, "upload_file", arguments).await;
        if let Some(url) = outcome.result["content"][0]["text"].as_str()
            && let Some((_, rest)) = url.split_once("signature=")
        {
            signature = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        }
    }
    let text = log.text();
    assert!(text.contains("upload_file") && text.contains("asked fal"), "the log is kept");
    assert!(signature.len() > 20, "{signature}");
    for canary in ["canary-", "Y2FuYXJ5", signature.as_str()] {
        let line = text.lines().find(|line| line.contains(canary));
        assert_eq!(line, None, "{canary} is logged");
    }
}

#[tokio::test]
async fn each_call_of_a_tool_is_one_line_with_its_outcome() {
    let (log, _guard) = Log::keep();
    let rig = Rig::start().await;
    Outcome::of(&rig.run(Era::Modern, "a cat").send().await).value();
    Outcome::of(&rig.run(Era::Legacy, "a cat [sim:content_policy]").send().await);
    let text = log.text();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("tools/call")).collect();
    let lines: Vec<&&str> = lines.iter().filter(|line| line.contains("outcome=")).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("run_model") && lines[0].contains("outcome=\"ok\""), "{}", lines[0]);
    assert!(lines[1].contains("outcome=\"model_refused\""), "{}", lines[1]);
}

#[tokio::test]
async fn each_question_about_a_task_is_one_line_with_its_outcome() {
    let (log, _guard) = Log::keep();
    let rig = Rig::start().await;
    let question = rig.modern("tasks/get", json!({"taskId": "made-up"})).taking_tasks();
    question.send().await.refusal(200, -32602);
    let text = log.text();
    let about = |line: &&str| line.contains("outcome=") || line.contains("refused kind=");
    let lines: Vec<&str> = text.lines().filter(about).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = lines[0];
    assert!(line.contains("tasks/get") && line.contains("outcome=\"invalid_params\""), "{line}");
}

#[tokio::test]
async fn the_documented_fields_are_those_that_are_written() {
    let rig = Rig::start().await;
    let process = Process::start(&rig.sim, &[("FAL_MCP_CATALOG_PAGE_INTERVAL_MS", "0")]).await;
    let send = async |request: tests::Request| {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        request.to(process.url()).header("traceparent", trace).send().await
    };
    send(rig.run(Era::Modern, "a cat")).await;
    send(rig.tool(Era::Legacy, "no_such_tool", json!({}))).await;
    for message in ["tools/call", "refused", "listening", "catalogue loaded"] {
        let line = process.logged(message).await;
        let written: BTreeSet<&str> =
            line.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(written, documented(message), "{message}");
    }
}

/// The fields of the section about a message, and those that every line has.
fn documented(message: &str) -> BTreeSet<&'static str> {
    let section = |title: &str| {
        let (_, rest) = DOCUMENT.split_once(&format!("\n## {title}\n")).expect("a section");
        let section = rest.split("\n## ").next().unwrap_or(rest);
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
        rows.filter_map(|row| row.split('`').next()).collect::<Vec<_>>()
    };
    section("Every line").into_iter().chain(section(&format!("`{message}`"))).collect()
}
