//! Keeps a host that has gone silent from collecting calls that wait for it in vain.
//!
//! A host that refuses is quick to fail and needs no more than the budget of `retry.rs`. One that
//! takes calls and answers none holds each of them until its deadline, and new ones pile up behind
//! them. So while many calls wait at a host that has said nothing for a while, further ones fail at
//! once, with nothing sent, but for one now and then that tries. The first answer opens it again.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// How many calls may wait at a silent host.
const MAX_WAITING: usize = 64;

/// How long a host may say nothing to all who wait before it counts as silent. A single slow answer
/// does not make it so: others are answered meanwhile.
const SILENCE: Duration = Duration::from_secs(10);

/// How often a silent host is tried.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// The hosts at which somebody waits, by their authority.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<HashMap<String, Host>>);

#[derive(Debug)]
struct Host {
    waiting: usize,
    /// The last answer, or when the first of those who wait began to.
    heard: Instant,
    /// When the last call was let through.
    tried: Instant,
}

/// A call that waits at a host, until it is dropped.
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    breaker: &'a Breaker,
    authority: &'a str,
}

impl Breaker {
    /// Lets a call through; nothing where the host is silent and was tried just now.
    pub(crate) fn enter<'a>(&'a self, authority: &'a str) -> Option<Waiting<'a>> {
        let now = Instant::now();
        let mut hosts = self.hosts();
        if let Some(host) = hosts.get_mut(authority) {
            let is_silent = host.waiting >= MAX_WAITING && now - host.heard >= SILENCE;
            if is_silent && now - host.tried < TRY_EVERY {
                return None;
            }
            host.waiting += 1;
            host.tried = now;
        } else {
            hosts.insert(authority.to_owned(), Host { waiting: 1, heard: now, tried: now });
        }
        Some(Waiting { breaker: self, authority })
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting<'_> {
    /// The host has answered.
    pub(crate) fn heard(self) {
        if let Some(host) = self.breaker.hosts().get_mut(self.authority) {
            host.heard = Instant::now();
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut hosts = self.breaker.hosts();
        if let Some(host) = hosts.get_mut(self.authority) {
            host.waiting -= 1;
            if host.waiting == 0 {
                hosts.remove(self.authority);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    /// A breaker at whose host `fal` so many calls wait.
    fn crowd(breaker: &Breaker, count: usize) -> Vec<Waiting<'_>> {
        (0..count).map(|_| breaker.enter("fal").unwrap()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_host_with_many_waiting_gets_one_more_call_a_second() {
        let breaker = Breaker::default();
        let mut waiting = crowd(&breaker, MAX_WAITING);
        advance(SILENCE).await;
        waiting.push(breaker.enter("fal").unwrap());
        assert!(breaker.enter("fal").is_none());
        assert!(breaker.enter("elsewhere").is_some(), "another host is another matter");
        advance(TRY_EVERY).await;
        waiting.push(breaker.enter("fal").unwrap());
        assert!(breaker.enter("fal").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn one_answer_or_fewer_who_wait_open_it_again() {
        let breaker = Breaker::default();
        let mut waiting = crowd(&breaker, MAX_WAITING + 1);
        advance(SILENCE).await;
        waiting.push(breaker.enter("fal").unwrap());
        assert!(breaker.enter("fal").is_none());
        waiting.pop().unwrap().heard();
        waiting.extend(crowd(&breaker, 1000));

        advance(SILENCE).await;
        waiting.push(breaker.enter("fal").unwrap());
        assert!(breaker.enter("fal").is_none());
        waiting.truncate(MAX_WAITING - 1);
        assert!(breaker.enter("fal").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_answers_takes_any_number() {
        let breaker = Breaker::default();
        let waiting = crowd(&breaker, 10_000);
        for _ in 0..100 {
            advance(SILENCE / 2).await;
            breaker.enter("fal").unwrap().heard();
        }
        drop(waiting);
        assert!(breaker.hosts().is_empty(), "nothing is kept of a host where nobody waits");
    }
}
