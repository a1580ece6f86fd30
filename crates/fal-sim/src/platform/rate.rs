//! Rate limits of the Platform API: one window a minute for each key, and one for all callers
//! without a key.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use crate::reply::{self, Answer, Refusal};

const WINDOW: Duration = Duration::from_mins(1);
/// Windows of keys that are held; all are dropped when there are more.
const MAX_KEYS: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Window {
    since: Instant,
    count: u32,
}

/// Both limits. Off unless configured.
#[derive(Debug)]
pub(crate) struct RateLimits {
    anonymous: Option<u32>,
    with_key: Option<u32>,
    windows: Mutex<HashMap<Option<String>, Window>>,
}

impl RateLimits {
    pub(crate) fn new(anonymous: Option<u32>, with_key: Option<u32>) -> Self {
        Self { anonymous, with_key, windows: Mutex::default() }
    }

    /// Counts a call, and refuses it if there were too many in this minute.
    pub(crate) fn count(&self, key_id: Option<&str>, now: Instant) -> Result<(), Refusal> {
        let limit = if key_id.is_some() { self.with_key } else { self.anonymous };
        let Some(limit) = limit else { return Ok(()) };
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() > MAX_KEYS {
            windows.clear();
        }
        let window =
            windows.entry(key_id.map(str::to_owned)).or_insert(Window { since: now, count: 0 });
        if now.saturating_duration_since(window.since) >= WINDOW {
            *window = Window { since: now, count: 0 };
        }
        window.count += 1;
        if window.count <= limit {
            return Ok(());
        }
        let left = (window.since + WINDOW).saturating_duration_since(now);
        Err(refusal(Some(left.as_secs() + 1)).into())
    }
}

/// The 429 of the Platform API.
pub(crate) fn refusal(retry_after: Option<u64>) -> Answer {
    let mut answer =
        reply::platform_error(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Rate limit exceeded");
    if let Some(seconds) = retry_after {
        reply::set(&mut answer, "retry-after", &seconds.to_string());
    }
    answer
}
