//! What is logged: at the most talkative level, no key, no prompt and nothing that a model said.

use fal_sim::{Fault, FaultKind, Operation};
use serde_json::json;
use tests::{Era, Log, Outcome, Rig, Source, instant};

const KEY_ID: &str = "ca7a27e0-0000-4000-8000-00000000c0de";
const KEY_SECRET: &str = "5ec2e7ca7a27000000000000000000b1";
const PROMPT: &str = "canary-prompt-4711";

#[tokio::test]
async fn no_key_no_prompt_and_no_media_url_is_in_any_line_of_any_crate() {
    let (log, _guard) = Log::keep();
    let key = format!("{KEY_ID}:{KEY_SECRET}");
    let sim = fal_sim::Config {
        speed: f64::INFINITY,
        keys: vec![key.clone()],
        ..fal_sim::Config::default()
    };
    let rig = Rig::with(sim, |_| ()).await.with_key(&key);
    let mut media = String::new();
    for era in [Era::Modern, Era::Legacy] {
        rig.request(era, "tools/list", json!({})).send().await.result();
        rig.call(era, "search_models", json!({"query": PROMPT})).await;
        let run = Outcome::of(&rig.run(era, PROMPT).progress("token").send().await).into_value();
        media = run["media"][0]["url"].as_str().unwrap().to_owned();
        let ids = Rig::ids(run["request_id"].as_str().unwrap());
        for tool in ["check_job", "get_job_result", "cancel_job"] {
            rig.call(era, tool, ids.clone()).await;
        }
        rig.listed_jobs().await;
        assert!(
            Outcome::of(&rig.run(era, &format!("{PROMPT} [sim:content_policy]")).send().await)
                .is_error()
        );
        let wrong = json!({"endpoint_id": "fal-ai/flux/schnell", "input": {"promt": PROMPT}});
        assert!(rig.call(era, "run_model", wrong).await.is_error());
    }
    for kind in [FaultKind::DropAfter, FaultKind::CutBody, FaultKind::Server { status: 500 }] {
        rig.sim.faults().add(Fault::new(kind).on(Operation::Submit).times(1));
        assert!(Outcome::of(&rig.run(Era::Modern, PROMPT).send().await).is_error());
    }
    for header in [format!("Key {key}"), format!("Bearer {key}:x"), format!("Bearer ${{{key}}}")] {
        let refused = rig.modern("tools/list", json!({})).header("authorization", &header);
        refused.send().await.refusal(401, 401);
    }
    rig.modern("tools/list", json!({})).body(format!("{{\"{PROMPT}\"")).send().await;

    let text = log.text();
    assert!(text.contains("tools/call") && text.contains("asked fal"), "the log is kept");
    assert!(text.contains("TRACE"), "at the most talkative level");
    for canary in [KEY_ID, KEY_SECRET, PROMPT, media.as_str()] {
        let line = text.lines().find(|line| line.contains(canary));
        assert_eq!(line, None, "{canary} is logged");
    }
}

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
    let about = |line: &&str| line.contains("outcome=") || line.contains("refused");
    let lines: Vec<&str> = text.lines().filter(about).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = lines[0];
    assert!(line.contains("tasks/get") && line.contains("outcome=\"invalid_params\""), "{line}");
}
