//! A replica: the gateway's own binary as a process, at an address that it keeps over its restarts.

use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use fal_sim::Sim;
use tests::eventually_within;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a process may take to start or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running replica. It is killed when dropped.
pub(crate) struct Replica {
    pub(crate) addr: SocketAddr,
    settings: Vec<(String, String)>,
    child: Child,
}

impl Replica {
    /// Starts one in front of `sim` and waits until it is ready.
    pub(crate) async fn start(sim: &Sim, settings: &[(&str, &str)]) -> Self {
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let port = addr.port().to_string();
        let own = [
            ("FAL_MCP_PORT", port.as_str()),
            ("FAL_MCP_ADMIN_ADDR", "off"),
            ("FAL_MCP_LOG_LEVEL", "error"),
        ];
        let of_sim = sim.environment().map(|(name, value)| (name.to_owned(), value));
        let settings = own
            .iter()
            .chain(settings)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings: Vec<_> = settings.chain(of_sim).collect();
        let mut replica = Self { addr, child: spawn(&settings), settings };
        replica.wait_until_ready().await;
        replica
    }

    /// Starts it again after its end, and waits until it is ready.
    pub(crate) async fn start_again(&mut self) {
        self.child = spawn(&self.settings);
        self.wait_until_ready().await;
    }

    /// SIGKILL: it ends in the middle of whatever it does.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.expect("it is killed");
    }

    /// SIGTERM: it is asked to end.
    pub(crate) async fn terminate(&self) {
        let command = format!("kill -TERM {}", self.child.id().expect("it runs"));
        let told = Command::new("sh").args(["-c", &command]).status().await.expect("a shell");
        assert!(told.success(), "{command}: {told}");
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.expect("it ends in time").expect("its status")
    }

    /// Whether it runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("its status").is_none()
    }

    async fn wait_until_ready(&mut self) {
        let (addr, child) = (self.addr, &mut self.child);
        let ready = async || {
            let ended = child.try_wait().expect("its status");
            assert_eq!(ended, None, "the replica ended before it was ready");
            is_ready(addr).await.unwrap_or_default()
        };
        eventually_within(PATIENCE, "the replica is ready", ready).await;
    }
}

async fn is_ready(addr: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n").await?;
    let mut status = [0; 12];
    stream.read_exact(&mut status).await?;
    Ok(status == *b"HTTP/1.1 200")
}

fn spawn(settings: &[(String, String)]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_service"))
        .env_clear()
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the replica starts")
}

/// A port that nobody listens on, below those that the system gives to outgoing connections: nothing
/// takes it while its replica is down.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).expect("a small number");
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
