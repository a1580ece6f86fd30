//! Steering a job from its own input, so that anybody at a demonstration can see what happens.
//!
//! The directives are listed at the top of the crate.

use std::time::Duration;

use crate::outcome::{Outcome, request_error_of};

/// What the input asks for.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Steer {
    pub(crate) outcome: Option<Outcome>,
    pub(crate) run_time: Option<Duration>,
    pub(crate) queue_time: Option<Duration>,
}

const OPEN: &str = "[sim:";

impl Steer {
    /// Reads the directives in an input. Unknown ones mean nothing.
    pub(crate) fn read(input: &[u8]) -> Self {
        let mut steer = Self::default();
        // Most inputs have none, so the bytes are looked at before they are made into text.
        if !input.windows(OPEN.len()).any(|window| window == OPEN.as_bytes()) {
            return steer;
        }
        let text = String::from_utf8_lossy(input);
        for part in text.split(OPEN).skip(1) {
            let Some((directive, _)) = part.split_once(']') else {
                continue;
            };
            let (word, argument) = directive.split_once(' ').unwrap_or((directive, ""));
            let seconds = || Duration::try_from_secs_f64(argument.trim().parse().ok()?).ok();
            match word {
                "content_policy" => steer.outcome = Some(Outcome::ContentPolicy),
                "fail" => {
                    steer.outcome = Some(Outcome::Failed(request_error_of(argument.trim())));
                }
                "cancelled" => steer.outcome = Some(Outcome::Cancelled),
                "slow" => steer.run_time = seconds(),
                "queue" => steer.queue_time = seconds(),
                _ => {}
            }
        }
        steer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_found_anywhere_in_the_input() {
        let steer = Steer::read(br#"{"prompt":"a cat [sim:slow 2.5] [sim:fail startup_timeout]"}"#);
        assert_eq!(steer.run_time, Some(Duration::from_millis(2500)));
        assert_eq!(steer.outcome, Some(Outcome::Failed(request_error_of("startup_timeout"))));
        assert_eq!(Steer::read(b"[sim:slow minus] [sim:nothing] [sim:slow"), Steer::default());
    }
}
