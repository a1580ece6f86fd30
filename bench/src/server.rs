//! A server under load, from the outside: a child process that is this executable again, its
//! address, its memory, its processor time. It ends when its handle is dropped, and also when this
//! process dies, because its standard input closes then.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use crate::error::Error;
use crate::serve::Attack;

/// How long a server may take to print its address.
const START: Duration = Duration::from_secs(20);
/// The unit of the times in `/proc/<pid>/stat` (`USER_HZ`), the same on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// Which server.
#[derive(Debug, Clone, clap::Subcommand)]
pub(crate) enum Server {
    /// A bare handler that parses the request and answers this many bytes
    Floor {
        /// The length of each answer.
        answer_bytes: usize,
    },
    /// A bare handler that makes a run's three calls and passes the result on
    Relay {
        /// Where the stand-in for fal listens.
        fal: SocketAddr,
        /// What it runs.
        model: String,
    },
    /// The gateway
    Gateway {
        /// Where the stand-in for fal listens.
        fal: SocketAddr,
    },
    /// The gateway with a limit of requests at the same time
    SmallGateway {
        /// Where the stand-in for fal listens.
        fal: SocketAddr,
        /// The limit.
        max_in_flight: usize,
    },
    /// The stand-in for fal; jobs are ready at once
    Sim {
        /// How many models it has; 0 for its own few.
        models: usize,
    },
    /// The stand-in for fal; jobs take the time that their prompts say
    SlowSim,
    /// No server: clients that do harm. The address that is printed is that of the gateway
    Attack {
        /// What they do.
        attack: Attack,
        /// The gateway that they do it to.
        gateway: SocketAddr,
        /// How many connections there are, or how many are made a second.
        connections: u32,
    },
}

impl Server {
    /// What a message calls it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Floor { .. } => "floor",
            Self::Relay { .. } => "relay",
            Self::Gateway { .. } => "gateway",
            Self::SmallGateway { .. } => "small-gateway",
            Self::Sim { .. } => "sim",
            Self::SlowSim => "slow-sim",
            Self::Attack { .. } => "attack",
        }
    }

    /// It did not come up.
    pub(crate) fn failed(&self, reason: String) -> Error {
        Error::NotStarted { server: self.name(), reason }
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["serve".to_owned(), self.name().to_owned()];
        match self {
            Self::Floor { answer_bytes } => arguments.push(answer_bytes.to_string()),
            Self::Relay { fal, model } => arguments.extend([fal.to_string(), model.clone()]),
            Self::Gateway { fal } => arguments.push(fal.to_string()),
            Self::SmallGateway { fal, max_in_flight } => {
                arguments.extend([fal.to_string(), max_in_flight.to_string()]);
            }
            Self::Sim { models } => arguments.push(models.to_string()),
            Self::SlowSim => {}
            Self::Attack { attack, gateway, connections } => {
                let attack = attack.name();
                arguments.extend([attack, gateway.to_string(), connections.to_string()]);
            }
        }
        arguments
    }
}

/// A server that runs.
#[derive(Debug)]
pub(crate) struct Running {
    /// Where it listens.
    pub(crate) addr: SocketAddr,
    child: Child,
    /// Open as long as the server is to run.
    stdin: Option<ChildStdin>,
}

impl Running {
    /// Starts a server and waits until it listens.
    pub(crate) async fn start(server: &Server) -> Result<Self, Error> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(server.arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let not_started = |reason: &str| server.failed(reason.to_owned());
        let stdout = child.stdout.take().ok_or_else(|| not_started("no standard output"))?;
        let mut line = String::new();
        timeout(START, BufReader::new(stdout).read_line(&mut line))
            .await
            .map_err(|_| not_started("it prints no address"))??;
        let addr = line.trim().parse().map_err(|_| not_started("it printed no address"))?;
        Ok(Self { addr, stdin: child.stdin.take(), child })
    }

    /// Ends it, and waits until it has.
    pub(crate) async fn stop(mut self) -> Result<(), Error> {
        drop(self.stdin.take());
        self.child.wait().await?;
        Ok(())
    }

    /// Resident memory in KiB; nothing where the system does not tell it in `/proc`.
    pub(crate) fn resident_kib(&self) -> Option<f64> {
        let status = self.proc("status")?;
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u32 = kib.split_whitespace().next()?.parse().ok()?;
        Some(f64::from(kib))
    }

    /// The same in MiB.
    pub(crate) fn resident_mib(&self) -> Option<f64> {
        Some(self.resident_kib()? / 1024.0)
    }

    /// Processor time that all its threads have used; nothing where `/proc` does not tell it.
    pub(crate) fn processor_time(&self) -> Option<Duration> {
        let stat = self.proc("stat")?;
        // The second field is the program's name in parentheses and may hold anything.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut times = fields.split_whitespace().skip(11).map(str::parse::<u32>);
        let user = times.next()?.ok()?;
        let system = times.next()?.ok()?;
        Some(TICK * (user + system))
    }

    fn proc(&self, file: &str) -> Option<String> {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id()?)).ok()
    }
}
