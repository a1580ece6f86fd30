//! The proxy examples of `deploy/`, each started for real in front of three replicas: what a caller
//! gets through them, and what the gateway learns of callers who leave.
//!
//! A proxy that is not installed is skipped with a word, unless `REQUIRE_DEPLOY_TOOLS` is set.
//! `PROXY_STREAM_SECONDS` is the length of the streamed answers.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fal_sim::{DEMO_KEY, Operation};
use futures_util::future::join_all;
use gateway::Gateway;
use serde_json::json;
use tempfile::TempDir;
use tests::{Era, Event, Outcome, Request, Rig, eventually_within, https_client, real_time};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::shown;

const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy");
/// The addresses of the gateways in every example.
const UPSTREAMS: [&str; 3] = ["127.0.0.1:8001", "127.0.0.1:8002", "127.0.0.1:8003"];
/// How long a proxy may take to start, or to tell that a caller has left.
const PATIENCE: Duration = Duration::from_secs(20);
/// Seconds that a job of a streamed answer waits in fal's queue: longer than a plain answer may take.
const QUEUED: u64 = 4;
/// How long before the end progress has come that was not held back until then.
const WELL_BEFORE: Duration = Duration::from_secs(3);

#[tokio::test]
async fn nginx_carries_answers_streams_and_departures() {
    let Some(nginx) = program("nginx") else { return };
    let place = Place::new().await;
    let site = place.example("nginx/fal-mcp-gateway.conf");
    let site = replaced(&site, "listen [::]:443 ssl http2;", "");
    let site = replaced(&site, "listen 443 ", &format!("listen {} ", place.addr));
    let site = replaced(&site, "/etc/nginx/tls/fullchain.pem", &place.path("certificate.pem"));
    let site = replaced(&site, "/etc/nginx/tls/privkey.pem", &place.path("key.pem"));
    place.write("site.conf", &site);
    // What the distribution's own nginx.conf says around such a file; one process, so that it ends
    // when it is killed.
    let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let folders = folders.map(|name| format!("{name}_temp_path {};", place.path(name))).concat();
    let main = format!(
        "daemon off; master_process off; pid {}; error_log stderr; events {{}}
         http {{ access_log {}; {folders} include {}; }}",
        place.path("nginx.pid"),
        place.path("access.log"),
        place.path("site.conf"),
    );
    place.write("nginx.conf", &main);
    let mut command = Command::new(nginx);
    command.arg("-p").arg(place.folder.path()).arg("-c").arg(place.path("nginx.conf"));
    place.carries_what_mcp_needs(command).await;
}

#[tokio::test]
async fn caddy_carries_answers_streams_and_departures() {
    let Some(caddy) = program("caddy") else { return };
    let place = Place::new().await;
    let file = fs::read_to_string(format!("{DEPLOY}/caddy/Caddyfile")).unwrap();
    let certificate = format!("tls {} {}", place.path("certificate.pem"), place.path("key.pem"));
    let commented = "# tls /etc/caddy/tls/fullchain.pem /etc/caddy/tls/privkey.pem";
    let file = replaced(&file, commented, &certificate);
    // Its API would listen on a fixed port.
    let file = replaced(&file, "\tauto_https", "\tadmin off\n\tauto_https");
    place.write("Caddyfile", &file);
    let mut command = Command::new(caddy);
    command
        .args(["run", "--adapter", "caddyfile", "--config", &place.path("Caddyfile")])
        .env("FAL_MCP_SITE", format!("https://localhost:{}", place.addr.port()))
        .env("FAL_MCP_UPSTREAMS", place.upstreams().map(|addr| addr.to_string()).join(" "))
        .env("HOME", place.folder.path())
        .env("XDG_DATA_HOME", place.folder.path())
        .env("XDG_CONFIG_HOME", place.folder.path());
    place.carries_what_mcp_needs(command).await;
}

#[tokio::test]
async fn haproxy_carries_answers_streams_and_departures() {
    let Some(haproxy) = program("haproxy") else { return };
    let place = Place::new().await;
    let file = place.example("haproxy/haproxy.cfg");
    let file = replaced(&file, "    user haproxy\n    group haproxy\n", "");
    let file = replaced(&file, "bind :443 ", &format!("bind {} ", place.addr));
    let both = place.path("certificate-and-key.pem");
    let file = replaced(&file, "/etc/haproxy/tls/fullchain-and-key.pem", &both);
    place.write("haproxy.cfg", &file);
    let mut command = Command::new(haproxy);
    command.args(["-db", "-f", &place.path("haproxy.cfg")]);
    place.carries_what_mcp_needs(command).await;
}

/// The program if it is installed; fails where it is required.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_file());
    let required = std::env::var_os("REQUIRE_DEPLOY_TOOLS").is_some();
    assert!(found.is_some() || !required, "{name} is not installed");
    if found.is_none() {
        shown::skipped(name);
    }
    found
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the example has no {from:?} any more");
    text.replace(from, to)
}

/// How long a streamed answer takes.
fn stream_seconds() -> u64 {
    let seconds = std::env::var_os("PROXY_STREAM_SECONDS");
    seconds.map_or(12, |text| text.to_str().unwrap().parse().unwrap())
}

/// Three replicas, and all that a proxy in front of them needs: an address, a certificate, a folder.
struct Place {
    rig: Rig,
    others: [Gateway; 2],
    addr: SocketAddr,
    certificate: String,
    folder: TempDir,
}

impl Place {
    async fn new() -> Self {
        let rig = Rig::with(real_time(), |_| ()).await;
        let others = [rig.replica().await, rig.replica().await];
        let addr = free_address();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = pem("CERTIFICATE", made.cert.der());
        let key = pem("PRIVATE KEY", &made.signing_key.serialize_der());
        let place = Self { rig, others, addr, certificate, folder: TempDir::new().unwrap() };
        place.write("certificate.pem", &place.certificate);
        place.write("key.pem", &key);
        place.write("certificate-and-key.pem", &format!("{}{key}", place.certificate));
        place
    }

    fn upstreams(&self) -> [SocketAddr; 3] {
        [self.rig.addr(), self.others[0].addr(), self.others[1].addr()]
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// An example with the addresses of the replicas in it.
    fn example(&self, name: &str) -> String {
        let text = fs::read_to_string(Path::new(DEPLOY).join(name)).unwrap();
        let pairs = UPSTREAMS.into_iter().zip(self.upstreams());
        pairs.fold(text, |text, (from, to)| replaced(&text, from, &to.to_string()))
    }

    /// Everything that the proxy has logged.
    fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.path(name)).unwrap_or_default();
        format!("{}{}", read("output.log"), read("access.log"))
    }

    async fn start(&self, mut command: Command) -> Child {
        let output = File::create(self.path("output.log")).unwrap();
        let mut proxy = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let up = async || {
            assert!(proxy.try_wait().unwrap().is_none(), "the proxy ended: {}", self.log());
            TcpStream::connect(self.addr).await.is_ok()
        };
        eventually_within(PATIENCE, "the proxy listens", up).await;
        proxy
    }

    async fn carries_what_mcp_needs(self, command: Command) {
        let proxy = self.start(command).await;
        let clients = [http::Version::HTTP_11, http::Version::HTTP_2];
        let clients = clients.map(|version| https_client(&self.certificate, version));
        let [http_1, http_2] = &clients;

        for client in &clients {
            let answer =
                self.through(self.rig.modern("tools/list", json!({})), client).send().await;
            let tools = answer.result()["tools"].as_array().unwrap().len();
            assert_eq!(tools, gateway::tool_definitions().len());
        }
        self.leaves_before_the_headers(http_1, 1).await;
        self.leaves_before_the_headers(http_2, 2).await;
        self.leaves_a_stream(http_1, 3).await;
        self.leaves_a_stream(http_2, 4).await;
        join_all(clients.iter().map(|client| self.streams(client))).await;

        let ledger = self.rig.sim.ledger();
        assert_eq!(ledger.calls(Operation::Submit), 6, "one for each call");
        assert_eq!(ledger.calls(Operation::Cancel), 4, "one for each caller who left");
        drop(proxy);
        let log = self.log();
        let secret = DEMO_KEY.split_once(':').unwrap().1;
        assert!(log.contains("/mcp"), "the proxy logs requests: {log}");
        assert!(!log.contains(secret), "the proxy logs keys");
    }

    fn through(&self, request: Request, client: &reqwest::Client) -> Request {
        request.to(format!("https://localhost:{}/mcp", self.addr.port())).through(client)
    }

    /// A call that takes a while: its events come when they happen, not at the end.
    async fn streams(&self, client: &reqwest::Client) {
        let seconds = stream_seconds();
        let prompt = format!("a cat [sim:queue {QUEUED}][sim:slow {}]", seconds - QUEUED);
        let call = self.rig.run(Era::Modern, &prompt).progress("token-7");
        let call = call.set("/params/arguments/wait_seconds", json!(seconds + 60));
        let begun = Instant::now();
        let mut events = self.through(call, client).open().await;
        assert_eq!(events.status, 200);
        assert_eq!(events.headers["content-type"], "text/event-stream");
        let mut came = Vec::new();
        while let Some(event) = events.next().await {
            came.push((begun.elapsed(), event));
        }
        let (ended, last) = came.pop().unwrap();
        let Event::Message(response) = last else { panic!("no response at the end: {came:?}") };
        assert_eq!(Outcome::of_response(response).value()["status"], "completed");
        let end = Duration::from_secs(seconds);
        assert!(ended > end.mul_f64(0.9), "too soon: {ended:?}");

        let early = came.iter().filter(|(at, _)| *at + WELL_BEFORE < ended);
        let progress = early.filter(|(_, event)| matches!(event, Event::Message(_))).count();
        assert!(progress >= 2, "in the queue, then in progress, long before {ended:?}: {came:?}");
        let comments = came.iter().filter(|(_, event)| *event == Event::Comment).count();
        assert!(comments as u64 > seconds / 15, "kept alive: {came:?}");
    }

    async fn leaves_before_the_headers(&self, client: &reqwest::Client, cancelled: u64) {
        let waits = || self.rig.sim.ledger().calls(Operation::Stream);
        let before = waits();
        let call = self.rig.run(Era::Modern, "a cat [sim:queue 0][sim:slow 200]");
        let call = self.through(call, client).header("accept", "application/json");
        tokio::select! {
            answer = call.send() => panic!("too soon: {}", answer.text()),
            () = eventually_within(PATIENCE, "the job is waited for", async || waits() > before) => {}
        }
        self.is_cancelled(cancelled).await;
    }

    async fn leaves_a_stream(&self, client: &reqwest::Client, cancelled: u64) {
        let call = self.rig.run(Era::Modern, "a cat [sim:queue 0][sim:slow 200]");
        let mut events = self.through(call, client).open().await;
        assert_eq!(events.next().await, Some(Event::Comment));
        drop(events);
        self.is_cancelled(cancelled).await;
    }

    async fn is_cancelled(&self, times: u64) {
        let cancelled = async || self.rig.sim.ledger().calls(Operation::Cancel) == times;
        eventually_within(PATIENCE, "the job is cancelled", cancelled).await;
    }
}

/// An address that stays free until the proxy takes it: its port is below those that the system hands
/// out by itself.
fn free_address() -> SocketAddr {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id() + TRIED.fetch_add(1, Ordering::Relaxed);
        let port = 20_000 + u16::try_from(number % 10_000).unwrap();
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(addr).is_ok() {
            return addr;
        }
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned());
    let lines: Vec<String> = lines.collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
