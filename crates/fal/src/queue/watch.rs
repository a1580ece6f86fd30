//! Waiting for a job, by whatever way fal offers.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    pin::Pin,
    time::Duration,
};

use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep, timeout},
};

use super::{job::Job, status::Status};
use crate::{Client, Error, Key, retry};

/// How long a single question may take.
const POLL_LIMIT: Duration = Duration::from_secs(30);

/// How long a stream may take to open before the job is polled instead.
const OPEN_LIMIT: Duration = Duration::from_secs(3);

/// The pause between the first two questions, what it grows by, and where it stops growing.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const GROWTH: f64 = 1.5;
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How many questions in a row may fail before we stop asking.
const MAX_FAILURES: u32 = 8;

/// The longest pause that fal may ask for; a longer one ends the wait with its error.
const LONGEST_ASKED_PAUSE: Duration = Duration::from_mins(1);

impl Client {
    /// Follows a job to its end: each status that differs from the one before, the last one final.
    ///
    /// One plain question comes first, which is all that a job needs that is ready at once. Then
    /// fal's stream, and questions at growing intervals where fal has none, it breaks, or too many
    /// are open. Failures that pass are ridden out, up to eight in a row. An error is the last item.
    ///
    /// Nothing runs unless the stream is polled, and dropping it ends everything.
    pub fn watch(
        &self,
        key: &Key,
        job: &Job,
        logs: bool,
    ) -> impl Stream<Item = Result<Status, Error>> + Send + use<> {
        let watcher = Watcher {
            client: self.clone(),
            key: key.clone(),
            job: job.clone(),
            logs,
            phase: Phase::First,
            pause: FIRST_PAUSE,
            failures: 0,
            last: None,
        };
        stream::unfold(watcher, |mut watcher| async {
            let item = watcher.next().await?;
            if item.as_ref().map_or(true, |status| status.state.is_final()) {
                watcher.phase = Phase::Ended;
            }
            Some((item, watcher))
        })
    }
}

struct Watcher {
    client: Client,
    key: Key,
    job: Job,
    logs: bool,
    phase: Phase,
    pause: Duration,
    failures: u32,
    /// A fingerprint of the last status: the status itself, with its log, would be kept for as long as
    /// the job runs.
    last: Option<u64>,
}

enum Phase {
    /// Nothing was asked yet, or not answered.
    First,
    /// A stream is to be opened.
    Opening,
    /// A stream is open, and counted as long as it is.
    Streaming { statuses: Statuses, _permit: OwnedSemaphorePermit },
    /// Questions at intervals.
    Polling,
    /// The last item was given.
    Ended,
}

type Statuses = Pin<Box<dyn Stream<Item = Result<Status, Error>> + Send>>;

/// Calls are boxed here: thousands of watchers may rest between two of them, and a future keeps room
/// for its largest step.
impl Watcher {
    async fn next(&mut self) -> Option<Result<Status, Error>> {
        loop {
            let status = match &mut self.phase {
                Phase::Ended => return None,
                Phase::Opening => {
                    self.phase = open(&self.client, &self.key, &self.job, self.logs).boxed().await;
                    continue;
                }
                Phase::Streaming { statuses, .. } => {
                    let Some(Ok(status)) = statuses.next().await else {
                        // Whatever ended it, the next question tells whether it is for good.
                        self.phase = Phase::Polling;
                        continue;
                    };
                    status
                }
                Phase::First => match self.ask().await {
                    Ok(Some(status)) => {
                        self.phase = Phase::Opening;
                        status
                    }
                    Ok(None) => continue,
                    Err(error) => return Some(Err(error)),
                },
                Phase::Polling => {
                    self.rest().await;
                    match self.ask().await {
                        Ok(Some(status)) => status,
                        Ok(None) => continue,
                        Err(error) => return Some(Err(error)),
                    }
                }
            };
            let fingerprint = fingerprint(&status);
            if self.last.replace(fingerprint) != Some(fingerprint) {
                return Some(Ok(status));
            }
        }
    }

    /// One question. Nothing when it failed in a way that may pass, after a pause for that.
    async fn ask(&mut self) -> Result<Option<Status>, Error> {
        // An error would say that the semaphore was closed, which nobody does.
        let permit = self.client.status_questions().acquire().await.ok();
        let deadline = Instant::now() + POLL_LIMIT;
        let answer = self.client.poll(&self.key, &self.job, self.logs, deadline).boxed().await;
        drop(permit);
        match answer {
            Ok(status) => {
                self.failures = 0;
                Ok(Some(status))
            }
            Err(error) => {
                self.failures += 1;
                let asked = error.retry_after().unwrap_or_default();
                let give_up = self.failures > MAX_FAILURES || asked > LONGEST_ASKED_PAUSE;
                if give_up || !error.is_transient() {
                    return Err(error);
                }
                sleep(retry::pause(&error, self.failures)).await;
                Ok(None)
            }
        }
    }

    /// The pause between two questions, a fifth shorter or longer so that many who wait do not ask
    /// together.
    async fn rest(&mut self) {
        sleep(self.pause.mul_f64(0.8 + 0.4 * fastrand::f64())).await;
        self.pause = self.pause.mul_f64(GROWTH).min(LONGEST_PAUSE);
    }
}

/// Tells statuses apart.
fn fingerprint(status: &Status) -> u64 {
    let Status { state, logs, earlier_logs, inference_seconds } = status;
    let mut hasher = DefaultHasher::new();
    (state, logs, earlier_logs, inference_seconds.map(f64::to_bits)).hash(&mut hasher);
    hasher.finish()
}

/// Opens a stream if there is room for one and fal has it.
async fn open(client: &Client, key: &Key, job: &Job, logs: bool) -> Phase {
    let Ok(permit) = client.status_streams().clone().try_acquire_owned() else {
        return Phase::Polling;
    };
    match timeout(OPEN_LIMIT, client.status_stream(key, job, logs)).await {
        Ok(Ok(statuses)) => Phase::Streaming { statuses: Box::pin(statuses), _permit: permit },
        Ok(Err(_)) | Err(_) => Phase::Polling,
    }
}
