//! fal's own clients, unchanged, read a file that `upload_file` brought in, and use it.
//!
//! They are installed by `scripts/test`. Without them these tests skip and say so, unless `CI` or
//! `REQUIRE_CLIENTS` is set.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use fal_sim::{DEMO_KEY, Host};
use serde_json::{Value, json};
use tests::{Rig, Source, file_bytes};
use tokio::process::Command;

use crate::clients::{installed, output};
use crate::upload_sources::{hash, rig, upload};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/fal-sim/tests/clients");

/// How long one client may take.
const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_javascript_client_uses_an_uploaded_file() {
    let Some(folder) = installed(FOLDER, "node_modules/.package-lock.json") else { return };
    let rig = rig().await;
    let mut command = Command::new("node");
    command.arg("use-file.mjs").current_dir(folder);
    uses_a_file(&rig, command).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_client_uses_an_uploaded_file() {
    let Some(folder) = installed(FOLDER, ".venv/bin/python") else { return };
    let rig = rig().await;
    let queue = rig.sim.tls(Host::Queue).await.unwrap();
    let run = rig.sim.tls(Host::Run).await.unwrap();
    let trusted = tempfile::NamedTempFile::new().unwrap();
    fs::write(trusted.path(), &queue.certificate_pem).unwrap();
    let mut command = Command::new(PathBuf::from(".venv/bin/python"));
    command
        .arg("use_file.py")
        .current_dir(folder)
        .env("SSL_CERT_FILE", trusted.path())
        .env("FAL_QUEUE_RUN_HOST", queue.addr.to_string())
        .env("FAL_RUN_HOST", run.addr.to_string());
    uses_a_file(&rig, command).await;
}

async fn uses_a_file(rig: &Rig, mut command: Command) {
    let (source, size) = (Source::start().await, 12_345);
    let uploaded = upload(rig, json!({"url": source.file(size)})).await.into_value();
    command
        .env("SIM_URL", rig.sim.url())
        .env("SIM_KEY", DEMO_KEY)
        .env("FILE_URL", uploaded["file_url"].as_str().unwrap());
    let seen: Value = serde_json::from_str(&output(command, PATIENCE).await).unwrap();
    let mut sha256 = String::new();
    for byte in hash(&file_bytes(size)) {
        write!(sha256, "{byte:02x}").unwrap();
    }
    let expected = json!({"type": "image/png", "sha256": sha256, "output": "video/mp4"});
    assert_eq!(seen, expected);
}
