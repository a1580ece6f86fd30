//! The official conformance suite, for each version that it knows and for the Tasks extension. What it
//! may fail is listed in `tests/clients/conformance/`, each with its reason; a listed failure that
//! passes is a failure too.

use std::time::Duration;

use fal_sim::DEMO_KEY;
use tests::Rig;

use crate::clients::{node, output};

/// How long one run of the suite may take.
const PATIENCE: Duration = Duration::from_secs(90);

async fn passes(what: &str) {
    let Some(mut command) = node("conformance.mjs", &[what]) else { return };
    let rig = Rig::start().await;
    command.env("ENDPOINT", rig.gateway.endpoint_url()).env("KEY", DEMO_KEY);
    output(command, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suites_of_the_versions_with_a_handshake_find_what_is_expected() {
    for version in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        passes(version).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suite_of_2026_07_28_finds_what_is_expected() {
    passes("2026-07-28").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scenarios_of_the_tasks_extension_find_what_is_expected() {
    passes("tasks").await;
}
