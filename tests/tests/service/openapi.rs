//! `openapi/gateway.openapi.json` says what the gateway does over HTTP: its paths are the router's,
//! and Schemathesis finds no request, allowed by the description or not, that is answered otherwise.
//!
//! Schemathesis is installed by `scripts/test`. Without it its test skips and says so, unless `CI` or
//! `REQUIRE_CLIENTS` is set.

use std::collections::BTreeSet;
use std::time::Duration;

use fal_sim::DEMO_KEY;
use http::Method;
use serde_json::Value;
use tests::Rig;
use tokio::process::Command;

use crate::clients::{installed, output};

const DESCRIPTION: &str = include_str!("../../../openapi/gateway.openapi.json");
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/tests/clients");
/// How long Schemathesis may take, on a machine with much else to do.
const PATIENCE: Duration = Duration::from_mins(2);

const METHODS: [Method; 5] =
    [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

#[tokio::test]
async fn what_is_described_is_there_and_takes_no_other_method() {
    let rig = Rig::start().await;
    let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
    assert_eq!(description["info"]["version"], env!("CARGO_PKG_VERSION"));
    for (path, item) in description["paths"].as_object().unwrap() {
        let described: BTreeSet<String> = item.as_object().unwrap().keys().cloned().collect();
        for method in METHODS {
            let answer = rig.plain(method.clone(), path).send().await;
            let is_taken = described.contains(&method.as_str().to_lowercase());
            let is_refused = answer.status == 405;
            assert_eq!(is_taken, !is_refused, "{method} {path}: {}", answer.status);
            assert_ne!(answer.status, 404, "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_no_answer_that_is_not_described() {
    let program = ".venv/bin/schemathesis";
    let Some(folder) = installed(FOLDER, program) else { return };
    let rig = Rig::start().await;
    let mut command = Command::new(folder.join(program));
    command
        .arg("run")
        .arg(folder.join("../../gateway.openapi.json"))
        .args(["--url", &rig.url("")])
        .args(["--header", &format!("Authorization: Bearer {DEMO_KEY}")])
        // Headers of MCP repeat what the body says, which a description cannot tell: of the messages
        // that it allows most are refused.
        .args(["--checks", "all", "--exclude-checks", "positive_data_acceptance"])
        .args(["--phases", "coverage,fuzzing", "--max-examples", "100", "--seed", "1"])
        .arg("--continue-on-failure")
        .current_dir(std::env::temp_dir());
    let report = output(command, PATIENCE).await;
    assert!(report.contains("7 passed"), "every operation was tried: {report}");
}
