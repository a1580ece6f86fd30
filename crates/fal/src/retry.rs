//! The whole policy of trying again.
//!
//! | call | tried again after |
//! |---|---|
//! | read, estimate, cancel | every transient error |
//! | submit | only a connection that never came up: a second job may cost money |
//!
//! At most four tries, never past the deadline, after a random part of a pause that doubles, or
//! after the pause that fal asked for. All calls of a client draw on one budget, so that a fal that
//! is down is asked little more than a fal that is up. (One that takes calls and answers none is the
//! business of `breaker.rs`.)

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::{Error, call::Repeat};

/// The most tries of one call, the first included.
const MAX_ATTEMPTS: u32 = 4;

/// The longest pause before the second try; it doubles with each further one.
const BASE: Duration = Duration::from_millis(100);

/// The longest pause of all.
const CAP: Duration = Duration::from_secs(5);

/// How much of a repetition each call pays for: one repetition for ten calls.
const DEPOSIT: f64 = 0.1;

/// The most repetitions that calls can have paid for.
const MAX_DEPOSITED: f64 = 100.0;

/// Repetitions that nobody needs to pay for, so that a client with few calls has some too: this
/// many at once, and this many more each second.
const FLOOR: f64 = 10.0;
const FLOOR_PER_SECOND: f64 = 1.0;

/// How long to wait before trying again; nothing when that is not to be.
pub(crate) fn wait_before_next(
    error: &Error,
    repeat: Repeat,
    attempt: u32,
    deadline: Instant,
    budget: &Budget,
) -> Option<Duration> {
    let allowed = match repeat {
        Repeat::Always => error.is_transient(),
        Repeat::Unsent => matches!(error, Error::NotConnected { .. }),
    };
    if !allowed || attempt >= MAX_ATTEMPTS {
        return None;
    }
    let wait = pause(error, attempt);
    let fits = Instant::now().checked_add(wait).is_some_and(|then| then < deadline);
    (fits && budget.withdraw()).then_some(wait)
}

/// What fal asked for, else a random part of a pause that grows with `attempt` (1 is the first).
pub(crate) fn pause(error: &Error, attempt: u32) -> Duration {
    let doubled = BASE.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1))).min(CAP);
    match error.retry_after() {
        // A little later than asked, so that those who were told the same do not come together.
        Some(asked) => asked.saturating_add(BASE.mul_f64(fastrand::f64())),
        None => doubled.mul_f64(fastrand::f64()),
    }
}

/// How many repetitions a client may still make.
#[derive(Debug)]
pub(crate) struct Budget(Mutex<Purse>);

#[derive(Debug)]
struct Purse {
    deposited: f64,
    floor: f64,
    filled: Instant,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Purse { deposited: 0.0, floor: FLOOR, filled: Instant::now() }))
    }

    /// A call, not counting its repetitions, was made.
    pub(crate) fn record_call(&self) {
        let mut purse = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        purse.deposited = (purse.deposited + DEPOSIT).min(MAX_DEPOSITED);
    }

    /// Takes one repetition out, if there is one.
    fn withdraw(&self) -> bool {
        let mut purse = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let gained = now.duration_since(purse.filled).as_secs_f64() * FLOOR_PER_SECOND;
        purse.floor = (purse.floor + gained).min(FLOOR);
        purse.filled = now;
        if purse.deposited >= 1.0 {
            purse.deposited -= 1.0;
            return true;
        }
        if purse.floor >= 1.0 {
            purse.floor -= 1.0;
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(error: &Error, repeat: Repeat, attempt: u32, left: Duration) -> Option<Duration> {
        wait_before_next(error, repeat, attempt, Instant::now() + left, &Budget::new())
    }

    fn not_connected() -> Error {
        Error::NotConnected { source: "refused".into() }
    }

    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn a_submit_is_repeated_only_if_nothing_was_sent() {
        assert!(wait(&not_connected(), Repeat::Unsent, 1, MINUTE).is_some());
        let others = [
            Error::RateLimited { retry_after: None },
            Error::Server { status: 500 },
            Error::Ingress { status: 503 },
            Error::Dropped { source: "reset".into() },
            Error::TimedOut { source: None },
            Error::SubmitOutcomeUnknown { source: "cut".into() },
        ];
        for error in others {
            assert_eq!(wait(&error, Repeat::Unsent, 1, MINUTE), None, "{error:?}");
        }
    }

    #[test]
    fn a_read_is_repeated_after_transient_errors_only_and_at_most_three_times() {
        let server = Error::Server { status: 500 };
        for attempt in 1..=3 {
            assert!(wait(&server, Repeat::Always, attempt, MINUTE).is_some());
        }
        assert_eq!(wait(&server, Repeat::Always, 4, MINUTE), None);
        assert_eq!(wait(&Error::KeyRejected, Repeat::Always, 1, MINUTE), None);
        assert_eq!(wait(&Error::malformed("x"), Repeat::Always, 1, MINUTE), None);
    }

    #[test]
    fn a_pause_that_fal_asks_for_is_kept_if_it_fits() {
        let limited = Error::RateLimited { retry_after: Some(Duration::from_secs(2)) };
        let waited = wait(&limited, Repeat::Always, 1, MINUTE).unwrap();
        assert!((2.0..2.2).contains(&waited.as_secs_f64()), "{waited:?}");
        assert_eq!(wait(&limited, Repeat::Always, 1, Duration::from_secs(1)), None);
        let forever = Error::RateLimited { retry_after: Some(Duration::MAX) };
        assert_eq!(wait(&forever, Repeat::Always, 1, MINUTE), None);
    }

    #[test]
    fn pauses_grow_to_a_cap() {
        let error = not_connected();
        for (attempt, most) in [(1, 100), (2, 200), (3, 400), (7, 5000), (100, 5000)] {
            for _ in 0..100 {
                assert!(pause(&error, attempt) <= Duration::from_millis(most), "{attempt}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_budget_is_a_tenth_of_the_calls_and_a_floor() {
        let budget = Budget::new();
        assert_eq!((0..100).filter(|_| budget.withdraw()).count(), 10);
        for _ in 0..55 {
            budget.record_call();
        }
        assert_eq!((0..100).filter(|_| budget.withdraw()).count(), 5);
        tokio::time::advance(Duration::from_millis(3500)).await;
        assert_eq!((0..100).filter(|_| budget.withdraw()).count(), 3);
        tokio::time::advance(Duration::from_hours(1)).await;
        assert_eq!((0..100).filter(|_| budget.withdraw()).count(), 10);
    }
}
