//! Load. In a closed loop, each of so many connections sends its next request when it has the answer
//! to the last; servers take turns, because on a busy machine only rounds next to each other can be
//! compared. At a steady rate, requests are sent when they are due, whatever the answers do.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, timeout_at};

use crate::connection::Connection;
use crate::error::Error;
use crate::server::Running;
use crate::suites::Plan;

/// How long after a round's end its last answers may come.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// What a connection does again and again; it checks the answers.
pub(crate) trait Operation: Clone + Send + 'static {
    /// Does it once.
    fn run(
        &mut self,
        connection: &mut Connection,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

/// A server and what is asked of it.
#[derive(Debug)]
pub(crate) struct Side<'a, O> {
    /// The server.
    pub(crate) server: &'a Running,
    /// The operation.
    pub(crate) operation: O,
}

/// What one round came to.
#[derive(Debug)]
pub(crate) struct Round {
    elapsed: Duration,
    connections: usize,
    /// Nanoseconds, in ascending order.
    latencies: Vec<u32>,
    processor_time: Option<Duration>,
}

/// Runs the sides in turn, after a warm-up of each. Answers with the rounds of each in order.
pub(crate) async fn take_turns<O: Operation, const N: usize>(
    plan: &Plan,
    connections: usize,
    sides: &[Side<'_, O>; N],
) -> Result<[Vec<Round>; N], Error> {
    for side in sides {
        side.round(connections, plan.warm_up).await?;
    }
    let mut rounds = std::array::from_fn(|_| Vec::with_capacity(plan.rounds));
    for _ in 0..plan.rounds {
        for (side, rounds) in sides.iter().zip(&mut rounds) {
            rounds.push(side.round(connections, plan.round).await?);
        }
    }
    Ok(rounds)
}

/// Rounds of one side at `per_second` requests, all connections together, after a warm-up.
pub(crate) async fn steadily<O: Operation>(
    plan: &Plan,
    connections: usize,
    per_second: f64,
    side: &Side<'_, O>,
) -> Result<Vec<Round>, Error> {
    side.steady_round(connections, per_second, plan.warm_up).await?;
    let mut rounds = Vec::with_capacity(plan.rounds);
    for _ in 0..plan.rounds {
        rounds.push(side.steady_round(connections, per_second, plan.round).await?);
    }
    Ok(rounds)
}

impl<O: Operation> Side<'_, O> {
    /// One round at `per_second` requests, all connections together.
    pub(crate) async fn steady_round(
        &self,
        connections: usize,
        per_second: f64,
        length: Duration,
    ) -> Result<Round, Error> {
        let share = f64::from(u32::try_from(connections).unwrap_or(u32::MAX)) / per_second;
        let every = Duration::try_from_secs_f64(share).unwrap_or(length);
        load(self.server.addr, connections, length, &self.operation, Some(every)).await
    }

    /// One round as fast as the answers come.
    pub(crate) async fn round(&self, connections: usize, length: Duration) -> Result<Round, Error> {
        let before = self.server.processor_time();
        let mut round = load(self.server.addr, connections, length, &self.operation, None).await?;
        round.processor_time = before
            .zip(self.server.processor_time())
            .map(|(before, after)| after.saturating_sub(before));
        Ok(round)
    }
}

/// One round: a closed loop, or a request of each connection `every` so long.
async fn load<O: Operation>(
    addr: SocketAddr,
    connections: usize,
    length: Duration,
    operation: &O,
    every: Option<Duration>,
) -> Result<Round, Error> {
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(Connection::open(addr).await?);
    }
    let begin = Instant::now();
    let end = begin + length;
    let mut workers = JoinSet::new();
    let mut paced = Vec::with_capacity(connections);
    for connection in open {
        if every.is_none() {
            workers.spawn(work(connection, operation.clone(), end));
        } else {
            let (sender, due) = unbounded_channel();
            paced.push(sender);
            workers.spawn(work_steadily(connection, operation.clone(), due));
        }
    }
    if let Some(every) = every {
        let step = every.div_f64(f64::from(u32::try_from(connections).unwrap_or(u32::MAX)));
        drop(spawn_blocking(move || pace(&paced, begin, step, end)));
    }
    let mut latencies = Vec::new();
    while let Some(worker) = timeout_at(end + LAST_ANSWERS, workers.join_next())
        .await
        .map_err(|_| Error::TimedOut(length + LAST_ANSWERS))?
    {
        latencies.append(&mut worker.map_err(std::io::Error::from)??);
    }
    Ok(Round::new(begin.elapsed(), connections, latencies))
}

async fn work(
    mut connection: Connection,
    mut operation: impl Operation,
    end: Instant,
) -> Result<Vec<u32>, Error> {
    let mut latencies = Vec::with_capacity(16 * 1024);
    let mut before = Instant::now();
    while before < end {
        operation.run(&mut connection).await?;
        let now = Instant::now();
        latencies.push(u32::try_from((now - before).as_nanos()).unwrap_or(u32::MAX));
        before = now;
    }
    Ok(latencies)
}

/// Tells the connections in turn, one each `step`, that a request is due. It has a thread of its own:
/// the runtime's timer is no finer than a millisecond, which would make a burst of each millisecond's
/// requests.
fn pace(connections: &[UnboundedSender<Instant>], begin: Instant, step: Duration, end: Instant) {
    let mut due = begin;
    for connection in connections.iter().cycle() {
        due += step;
        if due >= end {
            return;
        }
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        // A connection that is gone has failed, and the round with it.
        if connection.send(Instant::now()).is_err() {
            return;
        }
    }
}

/// Sends a request when one is due, or as soon as the answer before has come. A request that had to
/// wait for that answer counts from when it was due, so a slow answer is not made up for by those
/// that it kept from being sent.
async fn work_steadily(
    mut connection: Connection,
    mut operation: impl Operation,
    mut due: UnboundedReceiver<Instant>,
) -> Result<Vec<u32>, Error> {
    let mut latencies = Vec::with_capacity(16 * 1024);
    while let Some(begun) = due.recv().await {
        operation.run(&mut connection).await?;
        latencies.push(u32::try_from(begun.elapsed().as_nanos()).unwrap_or(u32::MAX));
    }
    Ok(latencies)
}

impl Round {
    /// What was measured, the latencies in nanoseconds and any order.
    pub(crate) fn new(elapsed: Duration, connections: usize, mut latencies: Vec<u32>) -> Self {
        latencies.sort_unstable();
        Self { elapsed, connections, latencies, processor_time: None }
    }

    /// Operations a second, all connections together.
    pub(crate) fn per_second(&self) -> f64 {
        self.operations() / self.elapsed.as_secs_f64()
    }

    /// Milliseconds that one operation took on average.
    pub(crate) fn mean_ms(&self) -> f64 {
        let connections = u32::try_from(self.connections).unwrap_or(u32::MAX);
        (self.elapsed * connections).as_secs_f64() * 1000.0 / self.operations()
    }

    /// The latency in milliseconds that `percent` of the operations did not exceed.
    pub(crate) fn percentile_ms(&self, percent: usize) -> f64 {
        let rank = (self.latencies.len() * percent).div_ceil(100).saturating_sub(1);
        self.latencies.get(rank).map_or(f64::NAN, |nanos| f64::from(*nanos) / 1e6)
    }

    /// Microseconds of processor time of the server for one operation.
    pub(crate) fn processor_us(&self) -> Option<f64> {
        Some(self.processor_time?.as_secs_f64() * 1e6 / self.operations())
    }

    /// How many operations there were.
    pub(crate) fn operations(&self) -> f64 {
        f64::from(u32::try_from(self.latencies.len()).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// Asks a server that answers each request after a while.
    #[derive(Clone)]
    struct Ask;

    impl Operation for Ask {
        async fn run(&mut self, connection: &mut Connection) -> Result<(), Error> {
            connection.ask(b"GET ").await.map(drop)
        }
    }

    #[tokio::test]
    async fn at_a_steady_rate_waiting_for_a_slow_answer_counts_for_those_behind_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connection = Connection::open(listener.local_addr().unwrap()).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let serve = async {
            while stream.read_exact(&mut [0; 4]).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(30)).await;
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            }
        };
        let (sender, due) = unbounded_channel();
        let begin = Instant::now();
        let end = begin + Duration::from_millis(55);
        let step = Duration::from_millis(10);
        let paced = spawn_blocking(move || pace(&[sender], begin, step, end));
        let latencies = tokio::join!(serve, work_steadily(connection, Ask, due)).1.unwrap();
        paced.await.unwrap();
        assert_eq!(latencies.len(), 5);
        // The fifth is due after 50 ms and cannot be answered before 160 ms.
        let least = [30, 50, 70, 90, 110].map(|ms| ms * 1_000_000);
        assert!(latencies.iter().zip(least).all(|(is, least)| *is >= least), "{latencies:?}");
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn a_round_tells_rate_time_and_percentiles() {
        let round = Round {
            elapsed: Duration::from_secs(2),
            connections: 4,
            latencies: (1..=200).map(|ms| ms * 1_000_000).collect(),
            processor_time: Some(Duration::from_secs(1)),
        };
        assert!(close(round.per_second(), 100.0));
        assert!(close(round.mean_ms(), 40.0));
        assert!(close(round.percentile_ms(50), 100.0));
        assert!(close(round.percentile_ms(99), 198.0));
        assert!(close(round.processor_us().unwrap(), 5000.0));
    }
}
