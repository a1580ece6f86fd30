//! The official TypeScript and Python clients do the main job, unmodified, each in every mode it has.
//!
//! They are installed by `scripts/test`. Without them these tests skip and say so, unless `CI` or
//! `REQUIRE_CLIENTS` is set.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use fal_sim::{DEMO_KEY, Operation};
use futures_util::future::join_all;
use serde_json::Value;
use tests::Rig;
use tokio::process::Command;
use tokio::time::timeout;

use crate::shown;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients");
/// How long one client may take.
const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_typescript_client_of_the_legacy_versions_does_the_main_job() {
    do_the_main_job([(node("sdk-v1.mjs", &[]), "2025-11-25")]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_typescript_client_does_the_main_job_in_every_mode() {
    do_the_main_job([
        (node("client-v2.mjs", &["legacy"]), "2025-11-25"),
        (node("client-v2.mjs", &["auto"]), "2026-07-28"),
        (node("client-v2.mjs", &["2026-07-28"]), "2026-07-28"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_client_does_the_main_job_in_every_mode() {
    do_the_main_job([
        (python("legacy"), "2025-11-25"),
        (python("auto"), "2026-07-28"),
        (python("2026-07-28"), "2026-07-28"),
    ])
    .await;
}

/// Runs clients beside each other, each in front of services of its own: what takes their time is a
/// job that is slow on purpose.
async fn do_the_main_job<const N: usize>(clients: [(Option<Command>, &str); N]) {
    join_all(clients.map(|(command, version)| does_the_main_job(command, version))).await;
}

/// A script of the clients, run by Node; none where they are not installed.
pub(crate) fn node(script: &str, arguments: &[&str]) -> Option<Command> {
    let installed = installed(FOLDER, "node_modules/.package-lock.json")?;
    let mut command = Command::new("node");
    command.arg(script).args(arguments).current_dir(installed);
    Some(command)
}

fn python(mode: &str) -> Option<Command> {
    let installed = installed(FOLDER, ".venv/bin/python")?;
    let mut command = Command::new(installed.join(".venv/bin/python"));
    command.args(["main_job.py", mode]).current_dir(installed);
    Some(command)
}

/// A folder of clients if `file` is there; fails where the clients are required.
pub(crate) fn installed(folder: &str, file: &str) -> Option<PathBuf> {
    let folder = Path::new(folder);
    if folder.join(file).exists() {
        return Some(folder.to_owned());
    }
    let required = ["CI", "REQUIRE_CLIENTS"].iter().any(|name| std::env::var_os(name).is_some());
    assert!(!required, "{} has no {file}; scripts/test installs it", folder.display());
    shown::skipped(file);
    None
}

/// What a client prints. Fails if it does not end in time, or not well.
pub(crate) async fn output(mut command: Command, patience: Duration) -> String {
    command.env("NO_PROXY", "127.0.0.1").stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(patience, command.output()).await.expect("the client ends in time");
    let output = output.expect("the client starts");
    let [told, errors] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{command:?}: {told}{errors}");
    told
}

async fn does_the_main_job(command: Option<Command>, version: &str) {
    let Some(mut command) = command else { return };
    let sim = fal_sim::Config { speed: 20.0, ..fal_sim::Config::default() };
    let rig = Rig::with(sim, |_| ()).await;
    command.env("ENDPOINT", rig.gateway.endpoint_url()).env("KEY", DEMO_KEY);
    let told = output(command, PATIENCE).await;
    let seen: Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}"));

    assert_eq!(seen["version"], version, "{seen}");
    assert_eq!(seen["session"], Value::Null, "{seen}");
    assert_eq!(seen["tools"], gateway::tool_definitions().len(), "{seen}");
    assert!(seen["endpoint_id"].as_str().unwrap().contains('/'), "{seen}");
    assert!(seen["image"].as_str().unwrap().starts_with(&rig.sim_url()), "{seen}");
    assert_eq!(seen["is_png"], true, "{seen}");
    assert_eq!(seen["waited"], "completed", "{seen}");
    assert_eq!(seen["refused"], "unknown_endpoint_id", "{seen}");
    assert_progress(&seen);
    assert_eq!(rig.sim.ledger().calls(Operation::Submit), 2, "one job for each run");
    assert_eq!(rig.sim.ledger().calls(Operation::Cancel), 0, "no client left early");
}

fn assert_progress(seen: &Value) {
    let values: Vec<f64> =
        seen["progress"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    assert!(!values.is_empty() && values.is_sorted(), "{seen}");
    let request_id = seen["waited_for"].as_str().unwrap();
    for message in seen["messages"].as_array().unwrap() {
        assert!(message.as_str().unwrap().contains(request_id), "{seen}");
    }
}
