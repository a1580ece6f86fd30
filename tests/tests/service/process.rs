//! The gateway as a process of its own, with the environment that a test gives it and no other.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fal_sim::Sim;
use serde_json::Value;
use tests::eventually_within;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long it may take to start, and to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running gateway; it is killed when this is dropped.
pub(crate) struct Process {
    /// Where callers ask.
    pub(crate) addr: SocketAddr,
    /// Where operators ask.
    pub(crate) admin_addr: SocketAddr,
    child: Child,
    log: Arc<Mutex<Vec<u8>>>,
    reading: JoinSet<()>,
}

impl Process {
    /// Starts it in front of `sim`, with free ports and a log in JSON.
    pub(crate) async fn start(sim: &Sim, variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_service"))
            .env_clear()
            .env("FAL_MCP_PORT", "0")
            .env("FAL_MCP_ADMIN_ADDR", "127.0.0.1:0")
            .env("FAL_MCP_LOG_FORMAT", "json")
            .envs(sim.environment())
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the gateway's process");
        let mut lines = child.stderr.take().expect("standard error");
        let log = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&log);
        let mut reading = JoinSet::new();
        reading.spawn(async move {
            let mut piece = [0; 16 * 1024];
            while let Ok(length @ 1..) = lines.read(&mut piece).await {
                kept.lock().unwrap().extend_from_slice(&piece[..length]);
            }
        });
        let listening = line(&log, "listening").await;
        let addr = |member: &str| listening[member].as_str().unwrap().parse().unwrap();
        Self { addr: addr("addr"), admin_addr: addr("admin_addr"), child, log, reading }
    }

    /// Its endpoint.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.addr)
    }

    /// The first line of its log with this message, once it is there.
    pub(crate) async fn logged(&self, message: &str) -> Value {
        line(&self.log, message).await
    }

    /// What the system tells of it: `cmdline`, `environ`, `status`.
    pub(crate) fn proc(&self, file: &str) -> String {
        let bytes = std::fs::read(self.proc_path(file)).expect("a file of Linux");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// A file of the system's about it.
    pub(crate) fn proc_path(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.child.id().expect("it runs"))
    }

    /// Ends it as an orchestrator does; answers with everything that it logged.
    pub(crate) async fn stop(mut self) -> String {
        let id = self.child.id().expect("it runs").to_string();
        let signalled = Command::new("kill").args(["-TERM", &id]).status().await.unwrap();
        assert!(signalled.success());
        let ended = timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap();
        assert!(ended.success(), "{ended}");
        while self.reading.join_next().await.is_some() {}
        let log = self.log.lock().unwrap();
        String::from_utf8_lossy(&log).into_owned()
    }
}

async fn line(log: &Mutex<Vec<u8>>, message: &str) -> Value {
    let mut found = None;
    eventually_within(PATIENCE, message, async || {
        let log = log.lock().unwrap();
        found = String::from_utf8_lossy(&log)
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|line| line["message"] == message);
        found.is_some()
    })
    .await;
    found.expect("the line")
}
