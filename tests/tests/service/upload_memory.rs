//! What a copy costs the gateway in memory: a process of its own, read from outside.

use std::fs;
use std::net::SocketAddr;
use std::process::Stdio;

use fal_sim::{Config, DEMO_KEY};
use serde_json::json;
use tests::{Era, Outcome, Rig, Source, instant};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::shown;
use crate::upload_sources::{expected, served};

/// How much more than at rest the gateway may hold at any moment of a copy.
const MOST: u64 = 16 * 1024 * 1024;

/// A figure of `/proc/<pid>/status`, bytes.
fn figure(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let kibibytes: u64 = line.trim_matches([':', ' ', '\t', 'k', 'B']).parse().unwrap();
    kibibytes * 1024
}

async fn start(rig: &Rig) -> (Child, SocketAddr) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gateway-alone"))
        .envs(rig.sim.environment())
        .env("FAL_MCP_PORT", "0")
        .env("FAL_MCP_ALLOW_PRIVATE_URLS", "true")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let addr = lines.next_line().await.unwrap().unwrap().parse().unwrap();
    (child, addr)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copying_a_file_of_any_size_takes_little_memory() {
    let sim = Config { max_stored_bytes: 1024 * 1024 * 1024, ..instant() };
    let (rig, source) = (Rig::with(sim, |_| ()).await, Source::start().await);
    let (child, addr) = start(&rig).await;
    let process = child.id().unwrap();
    let copy = async |url: String| {
        let call = rig.tool(Era::Modern, "upload_file", json!({"url": url}));
        let answer = call.to(format!("http://{addr}/mcp")).bearer(DEMO_KEY).send().await;
        Outcome::of(&answer).into_value()["file_url"].clone()
    };
    copy(source.file(1000)).await;
    for (url, size) in
        [(source.file(89_000_000), 89_000_000), (source.chunked(200_000_000), 200_000_000)]
    {
        let idle = figure(process, "VmRSS");
        // The peak is counted from here.
        fs::write(format!("/proc/{process}/clear_refs"), "5").unwrap();
        let file_url = copy(url).await;
        let more = figure(process, "VmHWM").saturating_sub(idle);
        shown::measured(&format!("copying {size} bytes took {} KiB above idle", more / 1024));
        assert!(more <= MOST, "{more} bytes above idle");
        assert_eq!(served(&rig, &file_url).await, expected(size));
    }
}
