//! fal's own clients, unchanged: if they are content, the stand-in is one.
//!
//! They are installed in `tests/clients` beforehand (`npm ci`; a virtual environment in `.venv`
//! with `requirements.txt`). Where they are not, these tests say so and do nothing, unless `CI` or
//! `REQUIRE_CLIENTS` is set.

use std::path::{Path, PathBuf};
use std::process::Command;

use fal_sim::{Config, DEMO_KEY, Host, UNKNOWN_KEY};
use serde_json::{Value, json};

use crate::support::start;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients"))
}

/// Whether a client is installed. Fails where it has to be.
#[expect(clippy::print_stderr, reason = "a test that did not run must not look as if it had")]
#[expect(clippy::disallowed_methods, reason = "the test's own switch, not configuration")]
fn is_installed(what: &Path) -> bool {
    if what.exists() {
        return true;
    }
    let is_required = ["CI", "REQUIRE_CLIENTS"].iter().any(|name| std::env::var(name).is_ok());
    assert!(!is_required, "{} is missing: install the clients first", what.display());
    eprintln!("SKIPPED: {} is missing, so fal's own client was not tried", what.display());
    false
}

/// Runs a script and reads the JSON object that it prints.
async fn run(mut command: Command) -> Value {
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    serde_json::from_str(&out).unwrap()
}

fn quick() -> Config {
    Config { speed: 100.0, ..Config::default() }
}

#[tokio::test]
async fn the_javascript_client_is_content() {
    if !is_installed(&folder().join("node_modules/@fal-ai/client")) {
        return;
    }
    let sim = start(quick()).await;
    let mut node = Command::new("node");
    node.arg(folder().join("client.mjs"))
        .env("SIM_URL", sim.url())
        .env("SIM_KEY", DEMO_KEY)
        .env("SIM_UNKNOWN_KEY", UNKNOWN_KEY);
    let seen = run(node).await;
    assert_eq!(seen["submitted"], "IN_QUEUE");
    assert_eq!(seen["firstStatus"], "IN_QUEUE");
    assert_eq!(seen["tooEarly"]["status"], 400);
    assert_eq!(seen["streamed"], json!(["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]));
    assert_eq!(seen["lastStatus"], "COMPLETED");
    assert_eq!(seen["logLines"], 5);
    assert_eq!(seen["resultRequestId"], true);
    assert_eq!(seen["image"], "image/png");
    assert_eq!(seen["updates"].as_array().unwrap().last(), Some(&json!("COMPLETED")));
    assert_eq!(seen["subscribed"], "a dog [sim:queue 0.1] [sim:slow 0.2]");
    assert_eq!(seen["run"], "a bird");
    assert_eq!(seen["cancelled"], "client_cancelled");
    assert_eq!(seen["invalid"]["name"], "ValidationError");
    assert_eq!(seen["invalid"]["status"], 422);
    assert_eq!(seen["invalid"]["body"]["detail"][0]["type"], "missing");
    assert_eq!(seen["refused"]["status"], 401);
    assert_eq!(seen["refused"]["body"], json!({ "detail": "No user found for Key ID and Secret" }));
    assert_eq!((&seen["uploaded"], &seen["uploadedType"]), (&json!(true), &json!("text/plain")));
}

#[tokio::test]
async fn the_python_client_is_content() {
    let python = folder().join(".venv/bin/python");
    if !is_installed(&python) {
        return;
    }
    let sim = start(quick()).await;
    let (queue, run_host) =
        (sim.tls(Host::Queue).await.unwrap(), sim.tls(Host::Run).await.unwrap());
    let trusted = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(trusted.path(), &queue.certificate_pem).unwrap();
    let mut command = Command::new(python);
    command
        .arg(folder().join("client.py"))
        .env("SSL_CERT_FILE", trusted.path())
        .env("FAL_QUEUE_RUN_HOST", queue.addr.to_string())
        .env("FAL_RUN_HOST", run_host.addr.to_string())
        .env("SIM_KEY", DEMO_KEY)
        .env("SIM_UNKNOWN_KEY", UNKNOWN_KEY);
    let seen = run(command).await;
    assert_eq!(seen["first_status"], "Queued");
    assert_eq!(seen["events"], json!(["Queued", "InProgress", "Completed"]));
    assert_eq!((&seen["log_lines"], &seen["inference_time"]), (&json!(5), &json!(0.8)));
    assert_eq!(seen["image"], "image/png");
    assert_eq!(seen["result_again"], "a cat");
    assert_eq!(seen["run"], "a bird");
    assert_eq!(seen["stream"], "a fish");
    assert_eq!(seen["cancelled"], "Completed");
    assert_eq!(seen["cancelled_result"]["status"], 499);
    assert_eq!(seen["invalid"]["status"], 422);
    assert_eq!(seen["refused"]["status"], 401);
}
