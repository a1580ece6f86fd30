//! Many callers that wait for their jobs at the same time, each on an SSE stream with progress: what
//! one of them costs the gateway in memory, and fal in requests.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, interval, sleep, timeout};

use super::{Plan, Suite, catalogue_loaded};
use crate::connection::Connection;
use crate::error::Error;
use crate::figure::{Case, Figure, Target, Unit};
use crate::request::{self, Form};
use crate::server::{Running, Server};

/// The suite.
pub(super) const SUITE: Suite = Suite { name: "waiting", run: |plan| run(plan).boxed_local() };

const MODEL: &str = "fal-ai/flux/schnell";
/// New callers come at this pace: a crowd, but not all in one moment.
const CALLERS_PER_SECOND: u32 = 1_000;
/// How long a job waits for its start, and how long it runs after the last caller has come.
const QUEUE_SECONDS: u32 = 5;
const RUN_SECONDS: u32 = 15;
/// How long after its job's end an answer may come: polling is slow by then, and the machine busy.
const LAST_ANSWERS: Duration = Duration::from_mins(1);
/// Open files beside one for each caller: the gateway's own connections to fal.
const OTHER_FILES: u64 = 5_000;
/// The end of a chunked body.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

/// Those who wait.
type Callers = JoinSet<Result<(), Error>>;

async fn run(plan: &Plan) -> Result<Vec<Case>, Error> {
    raise_open_files(u64::from(plan.waiting) + OTHER_FILES)?;
    let sim = Running::start(&Server::Sim { models: 0 }).await?;
    let gateway = Running::start(&Server::Gateway { fal: sim.addr }).await?;
    catalogue_loaded(&gateway).await?;
    // The first call loads the model's schema, which stays.
    wait_for_job(gateway.addr, call(gateway.addr, 1, 2), Arc::default()).await?;

    let job_seconds = QUEUE_SECONDS + plan.waiting / CALLERS_PER_SECOND + RUN_SECONDS;
    let request = call(gateway.addr, QUEUE_SECONDS, job_seconds - QUEUE_SECONDS);
    let memory_before = gateway.resident_kib();
    let processor_before = gateway.processor_time();
    let asked_before = asked(&sim).await?;

    let waiting = Arc::new(AtomicU32::new(0));
    let mut callers = Callers::new();
    let mut pace: Interval = interval(Duration::from_secs(1) / CALLERS_PER_SECOND);
    for _ in 0..plan.waiting {
        pace.tick().await;
        callers.spawn(wait_for_job(gateway.addr, request.clone(), Arc::clone(&waiting)));
    }
    all_wait(&waiting, plan.waiting, &mut callers).await?;
    let memory = gateway.resident_kib();
    let limit = Duration::from_secs(job_seconds.into()) + LAST_ANSWERS;
    timeout(limit, all_answered(&mut callers)).await.map_err(|_| Error::TimedOut(limit))??;
    let asked = asked(&sim).await? - asked_before;

    let each = |total: f64| total / f64::from(plan.waiting);
    let memory = memory.zip(memory_before).map(|(all, before)| each(all - before));
    let processor = gateway.processor_time().zip(processor_before);
    let processor =
        processor.map(|(all, before)| each(all.saturating_sub(before).as_secs_f64() * 1e6));
    let figures = vec![
        Figure::new("resident memory for each", Unit::Kibibytes, memory)
            .hoped(Target::AtMost(25.0)),
        Figure::new("requests to fal for each", Unit::Count, [each(asked)]),
        Figure::new("processor time for each", Unit::Microseconds, processor),
    ];
    let name = format!("{} callers that wait for jobs of {job_seconds} s", plan.waiting);
    Ok(vec![Case { name, figures }])
}

/// Lets this process and its children have as many open files as the system allows.
fn raise_open_files(needed: u64) -> Result<(), Error> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // None is no limit.
    if current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if let Some(limit) = maximum.filter(|maximum| *maximum < needed) {
        return Err(Error::OpenFiles { needed, limit });
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum })
        .map_err(std::io::Error::from)?;
    Ok(())
}

/// A `run_model` that waits for as long as the job takes, with progress.
fn call(gateway: SocketAddr, queue_seconds: u32, run_seconds: u32) -> Arc<[u8]> {
    let prompt = format!("a cat [sim:queue {queue_seconds}][sim:slow {run_seconds}]");
    let params = json!({
        "name": "run_model",
        "arguments": {"endpoint_id": MODEL, "input": {"prompt": prompt}, "wait_seconds": 300},
        "_meta": {"progressToken": 1},
    });
    // The legacy form leaves `_meta` as it is.
    request::mcp(gateway, Form::Legacy, "tools/call", None, params).into()
}

/// Waits for one job; counts itself in `waiting` once its progress has come.
async fn wait_for_job(
    gateway: SocketAddr,
    request: Arc<[u8]>,
    waiting: Arc<AtomicU32>,
) -> Result<(), Error> {
    let mut stream = TcpStream::connect(gateway).await?;
    stream.write_all(&request).await?;
    let mut answer = Vec::new();
    let mut counted = false;
    while !answer.ends_with(LAST_CHUNK) {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(Error::wrong("a whole stream", &answer));
        }
        if !counted && contains(&answer, b"notifications/progress") {
            counted = true;
            waiting.fetch_add(1, Ordering::Relaxed);
        }
    }
    let text = String::from_utf8_lossy(&answer);
    let last = text.lines().rev().find_map(|line| line.strip_prefix("data: "));
    let response: Value = last.and_then(|data| serde_json::from_str(data).ok()).unwrap_or_default();
    let result = response.pointer("/result/content/0/text").and_then(Value::as_str);
    if counted && result.is_some_and(|text| text.starts_with(r#"{"status":"completed""#)) {
        Ok(())
    } else {
        Err(Error::wrong("progress, then a completed job", &answer))
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Waits until every caller has had progress.
async fn all_wait(waiting: &AtomicU32, count: u32, callers: &mut Callers) -> Result<(), Error> {
    let limit = Duration::from_secs(u64::from(RUN_SECONDS));
    let end = Instant::now() + limit;
    while waiting.load(Ordering::Relaxed) < count {
        if Instant::now() > end {
            return Err(Error::TimedOut(limit));
        }
        // Nobody has an answer yet, so this is a failure.
        if let Some(caller) = callers.try_join_next() {
            caller.map_err(std::io::Error::from)??;
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn all_answered(callers: &mut Callers) -> Result<(), Error> {
    while let Some(caller) = callers.join_next().await {
        caller.map_err(std::io::Error::from)??;
    }
    Ok(())
}

/// How many requests the stand-in for fal has had.
async fn asked(sim: &Running) -> Result<f64, Error> {
    let request = request::get(sim.addr, "/_sim/ledger", &[]);
    let mut connection = Connection::open(sim.addr).await?;
    let ledger: Value = serde_json::from_slice(connection.ask(&request).await?).unwrap_or_default();
    let calls = ledger.get("calls").and_then(Value::as_object);
    let calls = calls.ok_or_else(|| Error::wrong("a ledger", ledger.to_string().as_bytes()))?;
    Ok(calls.values().filter_map(Value::as_f64).sum())
}
