//! What a copy costs the gateway in memory: a process of its own, read from outside.

use std::fs;

use fal_sim::{Config, DEMO_KEY};
use serde_json::json;
use tests::{Era, Outcome, Rig, Source, instant};

use crate::process::Process;
use crate::shown;
use crate::upload_sources::{expected, served};

/// How much more than at rest the gateway may hold at any moment of a copy.
const MOST: u64 = 16 * 1024 * 1024;

/// A figure of `/proc/<pid>/status`, bytes.
fn figure(process: &Process, name: &str) -> u64 {
    let status = process.proc("status");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let kibibytes: u64 = line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().unwrap();
    kibibytes * 1024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copying_a_file_of_any_size_takes_little_memory() {
    let sim = Config { max_stored_bytes: 1024 * 1024 * 1024, ..instant() };
    let (rig, source) = (Rig::with(sim, |_| ()).await, Source::start().await);
    let process = Process::start(&rig.sim, &[("FAL_MCP_ALLOW_PRIVATE_URLS", "true")]).await;
    // Which takes memory of its own.
    process.logged("catalogue loaded").await;
    let copy = async |url: String| {
        let call = rig.tool(Era::Modern, "upload_file", json!({"url": url}));
        let answer = call.to(process.url()).bearer(DEMO_KEY).send().await;
        Outcome::of(&answer).into_value()["file_url"].clone()
    };
    copy(source.file(1000)).await;
    for (url, size) in
        [(source.file(89_000_000), 89_000_000), (source.chunked(200_000_000), 200_000_000)]
    {
        let idle = figure(&process, "VmRSS");
        // The peak is counted from here.
        fs::write(process.proc_path("clear_refs"), "5").unwrap();
        let file_url = copy(url).await;
        let more = figure(&process, "VmHWM").saturating_sub(idle);
        shown::measured(&format!("copying {size} bytes took {} KiB above idle", more / 1024));
        assert!(more <= MOST, "{more} bytes above idle");
        assert_eq!(served(&rig, &file_url).await, expected(size));
    }
}
