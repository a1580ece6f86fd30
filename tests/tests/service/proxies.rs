//! The proxy examples of `deploy/`, each started for real: what a caller gets through them, what the
//! gateway learns of callers who leave, and that no request is repeated.
//!
//! A proxy that is not installed is skipped with a word, unless `REQUIRE_DEPLOY_TOOLS` is set.
//! `PROXY_STREAM_SECONDS` is the length of the streamed answers.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fal_sim::{DEMO_KEY, Operation};
use futures_util::future::join_all;
use serde_json::json;
use tempfile::TempDir;
use tests::{Era, Event, Outcome, Request, Rig, eventually_within, https_client, real_time};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
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

/// Makes a proxy's files out of its example; answers with how to start it, if it is installed.
type Example = fn(&Place) -> Option<Command>;

#[tokio::test]
async fn nginx_carries_answers_streams_and_departures() {
    carries_what_mcp_needs(nginx).await;
}

#[tokio::test]
async fn caddy_carries_answers_streams_and_departures() {
    carries_what_mcp_needs(caddy).await;
}

#[tokio::test]
async fn haproxy_carries_answers_streams_and_departures() {
    carries_what_mcp_needs(haproxy).await;
}

#[tokio::test]
async fn nginx_sends_a_post_once_whatever_becomes_of_it() {
    sends_a_post_once(nginx).await;
}

#[tokio::test]
async fn caddy_sends_a_post_once_whatever_becomes_of_it() {
    sends_a_post_once(caddy).await;
}

#[tokio::test]
async fn haproxy_sends_a_post_once_whatever_becomes_of_it() {
    sends_a_post_once(haproxy).await;
}

fn nginx(place: &Place) -> Option<Command> {
    let program = program("nginx")?;
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
    let mut command = Command::new(program);
    command.arg("-p").arg(place.folder.path()).arg("-c").arg(place.path("nginx.conf"));
    Some(command)
}

fn caddy(place: &Place) -> Option<Command> {
    let program = program("caddy")?;
    let file = fs::read_to_string(format!("{DEPLOY}/caddy/Caddyfile")).unwrap();
    let certificate = format!("tls {} {}", place.path("certificate.pem"), place.path("key.pem"));
    let commented = "# tls /etc/caddy/tls/fullchain.pem /etc/caddy/tls/privkey.pem";
    let file = replaced(&file, commented, &certificate);
    // Its API would listen on a fixed port.
    let file = replaced(&file, "\tauto_https", "\tadmin off\n\tauto_https");
    place.write("Caddyfile", &file);
    let mut command = Command::new(program);
    command
        .args(["run", "--adapter", "caddyfile", "--config", &place.path("Caddyfile")])
        .env("FAL_MCP_SITE", format!("https://localhost:{}", place.addr.port()))
        .env("FAL_MCP_UPSTREAMS", place.upstreams.map(|addr| addr.to_string()).join(" "))
        .env("HOME", place.folder.path())
        .env("XDG_DATA_HOME", place.folder.path())
        .env("XDG_CONFIG_HOME", place.folder.path());
    Some(command)
}

fn haproxy(place: &Place) -> Option<Command> {
    let program = program("haproxy")?;
    let file = place.example("haproxy/haproxy.cfg");
    let file = replaced(&file, "    user haproxy\n    group haproxy\n", "");
    let file = replaced(&file, "bind :443 ", &format!("bind {} ", place.addr));
    let both = place.path("certificate-and-key.pem");
    let file = replaced(&file, "/etc/haproxy/tls/fullchain-and-key.pem", &both);
    place.write("haproxy.cfg", &file);
    let mut command = Command::new(program);
    command.args(["-db", "-f", &place.path("haproxy.cfg")]);
    Some(command)
}

async fn carries_what_mcp_needs(example: Example) {
    let rig = Rig::with(real_time(), |_| ()).await;
    let others = [rig.replica().await, rig.replica().await];
    let place = Place::new([rig.addr(), others[0].addr(), others[1].addr()]);
    let Some(command) = example(&place) else { return };
    let proxy = place.start(command).await;
    let clients = [http::Version::HTTP_11, http::Version::HTTP_2];
    let clients = clients.map(|version| https_client(&place.certificate, version));
    let callers = clients.each_ref().map(|client| Caller { rig: &rig, client, url: place.url() });

    for caller in &callers {
        let list = rig.modern("tools/list", json!({}));
        let tools = caller.through(list).send().await.result()["tools"].as_array().unwrap().len();
        assert_eq!(tools, gateway::tool_definitions().len());
        caller.leaves_before_the_headers().await;
        caller.leaves_a_stream().await;
    }
    join_all(callers.iter().map(Caller::streams)).await;

    let ledger = rig.sim.ledger();
    assert_eq!(ledger.calls(Operation::Submit), 6, "one for each call");
    assert_eq!(ledger.calls(Operation::Cancel), 4, "one for each caller who left");
    drop(proxy);
    let log = place.log();
    let secret = DEMO_KEY.split_once(':').unwrap().1;
    assert!(log.contains("/mcp"), "the proxy logs requests: {log}");
    assert!(!log.contains(secret), "the proxy logs keys");
}

/// In front of servers that die over every third POST, over new connections and over kept ones.
async fn sends_a_post_once(example: Example) {
    let posts = Arc::new(AtomicU32::new(0));
    let mut servers = JoinSet::new();
    let mut upstreams = Vec::new();
    for _ in UPSTREAMS {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        upstreams.push(listener.local_addr().unwrap());
        servers.spawn(die_over_every_third_post(listener, Arc::clone(&posts)));
    }
    let place = Place::new(upstreams.try_into().unwrap());
    let Some(command) = example(&place) else { return };
    let proxy = place.start(command).await;

    let mut died = 0;
    for version in [http::Version::HTTP_11, http::Version::HTTP_2] {
        let client = https_client(&place.certificate, version);
        for _ in 0..12 {
            let before = posts.load(Ordering::SeqCst);
            let post = client.post(place.url()).body("{}");
            #[expect(clippy::disallowed_methods, reason = "the tests' own client")]
            let answer = post.send().await;
            let times = posts.load(Ordering::SeqCst) - before;
            let answered = answer.is_ok_and(|answer| answer.status() == 200);
            assert!(times == 1 || (times == 0 && !answered), "sent {times} times");
            died += u32::from(times == 1 && !answered);
        }
    }
    assert!(died >= 3, "only {died} of the requests met their server's death: {}", place.log());
    drop(proxy);
}

/// A server that takes a whole POST and closes the connection over every third of them; it answers
/// whatever else it is asked.
async fn die_over_every_third_post(listener: tokio::net::TcpListener, posts: Arc<AtomicU32>) {
    let mut connections = JoinSet::new();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let posts = Arc::clone(&posts);
        connections.spawn(async move {
            let mut request = Vec::new();
            while stream.read_buf(&mut request).await.is_ok_and(|length| length > 0) {
                let is_post = request.starts_with(b"POST ");
                if !request.ends_with(if is_post { b"\r\n\r\n{}" } else { b"\r\n\r\n" }) {
                    continue;
                }
                request.clear();
                if is_post && posts.fetch_add(1, Ordering::SeqCst) % 3 == 2 {
                    return;
                }
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                drop(stream.write_all(answer).await);
            }
        });
    }
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

/// All that a proxy needs: what is behind it, an address, a certificate, a folder.
struct Place {
    upstreams: [SocketAddr; 3],
    addr: SocketAddr,
    certificate: String,
    folder: TempDir,
}

impl Place {
    fn new(upstreams: [SocketAddr; 3]) -> Self {
        let addr = free_address();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = pem("CERTIFICATE", made.cert.der());
        let key = pem("PRIVATE KEY", &made.signing_key.serialize_der());
        let place = Self { upstreams, addr, certificate, folder: TempDir::new().unwrap() };
        place.write("certificate.pem", &place.certificate);
        place.write("key.pem", &key);
        place.write("certificate-and-key.pem", &format!("{}{key}", place.certificate));
        place
    }

    fn url(&self) -> String {
        format!("https://localhost:{}/mcp", self.addr.port())
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// An example with what is behind the proxy in it.
    fn example(&self, name: &str) -> String {
        let text = fs::read_to_string(Path::new(DEPLOY).join(name)).unwrap();
        let pairs = UPSTREAMS.into_iter().zip(self.upstreams);
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
}

/// Someone who calls through the proxy.
struct Caller<'a> {
    rig: &'a Rig,
    client: &'a reqwest::Client,
    url: String,
}

impl Caller<'_> {
    fn through(&self, request: Request) -> Request {
        request.to(&self.url).through(self.client)
    }

    /// A call that takes a while: its events come when they happen, not at the end.
    async fn streams(&self) {
        let seconds = stream_seconds();
        let prompt = format!("a cat [sim:queue {QUEUED}][sim:slow {}]", seconds - QUEUED);
        let call = self.rig.run(Era::Modern, &prompt).progress("token-7");
        let call = call.set("/params/arguments/wait_seconds", json!(seconds + 60));
        let begun = Instant::now();
        let mut events = self.through(call).open().await;
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

    async fn leaves_before_the_headers(&self) {
        let calls = |operation| self.rig.sim.ledger().calls(operation);
        let (waits, cancelled) = (calls(Operation::Stream), calls(Operation::Cancel));
        let call = self.rig.run(Era::Modern, "a cat [sim:queue 0][sim:slow 200]");
        let call = self.through(call).header("accept", "application/json");
        let is_waited_for = async || calls(Operation::Stream) > waits;
        tokio::select! {
            answer = call.send() => panic!("too soon: {}", answer.text()),
            () = eventually_within(PATIENCE, "the job is waited for", is_waited_for) => {}
        }
        self.is_cancelled(cancelled + 1).await;
    }

    async fn leaves_a_stream(&self) {
        let cancelled = self.rig.sim.ledger().calls(Operation::Cancel);
        let call = self.rig.run(Era::Modern, "a cat [sim:queue 0][sim:slow 200]");
        let mut events = self.through(call).open().await;
        assert_eq!(events.next().await, Some(Event::Comment));
        drop(events);
        self.is_cancelled(cancelled + 1).await;
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

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned());
    let lines: Vec<String> = lines.collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
