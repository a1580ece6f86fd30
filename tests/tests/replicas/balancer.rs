//! HAProxy in front of replicas: plain round robin, health checks on `/readyz`, and nothing that
//! sends a request a second time once a server may have seen it.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tests::eventually_within;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::replica::free_port;
use crate::shown;

/// Where Debian's package puts it, which is not in everybody's path.
const HAPROXY: &str = "/usr/sbin/haproxy";
const PATIENCE: Duration = Duration::from_secs(20);
/// How often a replica is asked whether it is ready.
pub(crate) const CHECK_INTERVAL: Duration = Duration::from_millis(200);
/// The response header that names the replica that answered.
pub(crate) const REPLICA_HEADER: &str = "x-replica";

/// `retry-on conn-failure` tries another server only when no connection came up. A balancer's own
/// refusals are 502 (the server went away), 503 (no server) and 504.
const SETTINGS: &str = "
listen mcp
    mode http
    balance roundrobin
    timeout connect 5s
    timeout check 5s
    timeout client 5m
    timeout server 5m
    option redispatch 1
    retries 3
    retry-on conn-failure
    option httpchk GET /readyz
    http-check expect status 200
    http-response set-header x-replica %s
    default-server check inter 200ms fall 2 rise 1
";

/// A running balancer. It ends when dropped.
pub(crate) struct Balancer {
    /// The MCP endpoint behind it.
    pub(crate) endpoint: String,
    _child: Child,
    _folder: tempfile::TempDir,
}

impl Balancer {
    /// Starts one in front of `replicas`.
    pub(crate) async fn start(replicas: impl Iterator<Item = SocketAddr>) -> Self {
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut settings = format!("{SETTINGS}    bind {addr}\n");
        for (number, replica) in replicas.enumerate() {
            writeln!(settings, "    server replica-{number} {replica}").expect("a text");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, settings).expect("the settings are written");
        let child = Command::new(HAPROXY)
            .args(["-q", "-db", "-f"])
            .arg(&file)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the balancer starts");
        let listens = async || TcpStream::connect(addr).await.is_ok();
        eventually_within(PATIENCE, "the balancer listens", listens).await;
        Self { endpoint: format!("http://{addr}/mcp"), _child: child, _folder: folder }
    }
}

/// Whether HAProxy is there; fails where it is required, and says so where it is not.
pub(crate) fn is_installed() -> bool {
    let installed = std::path::Path::new(HAPROXY).exists();
    let required = ["CI", "REQUIRE_BALANCER"].iter().any(|name| std::env::var_os(name).is_some());
    assert!(
        installed || !required,
        "{HAPROXY} is not there; `apt-get install haproxy` puts it there"
    );
    if !installed {
        shown::skipped(HAPROXY);
    }
    installed
}
