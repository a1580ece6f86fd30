//! The stand-in's time: what a timer waits on, and the same moments as dates.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// A clock that started with the stand-in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    started: Instant,
    started_at: Timestamp,
    speed: f64,
}

impl Clock {
    /// A clock whose jobs run `speed` times faster than real.
    pub(crate) fn new(speed: f64) -> Self {
        let speed = if speed > 0.0 { speed } else { 1.0 };
        Self { started: Instant::now(), started_at: Timestamp::now(), speed }
    }

    /// The date of a moment.
    pub(crate) fn date(&self, moment: Instant) -> Timestamp {
        let since = moment.saturating_duration_since(self.started);
        self.started_at.checked_add(since).unwrap_or(self.started_at)
    }

    /// How long something that takes `seconds` at fal takes here.
    pub(crate) fn scaled(&self, seconds: f64) -> Duration {
        Duration::try_from_secs_f64(seconds / self.speed).unwrap_or_default()
    }
}

/// A date as fal writes it: RFC 3339, milliseconds, UTC.
pub(crate) fn rfc3339(date: Timestamp) -> String {
    format!("{date:.3}")
}
