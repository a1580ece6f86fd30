//! `--requests-per-minute`: each key has its own measure, and a call over it is refused before
//! anything is sent.

use std::num::NonZeroU32;

use fal_sim::PRIVATE_KEY;
use serde_json::json;
use tests::{Era, Rig, instant};

async fn rig(per_minute: u32) -> Rig {
    Rig::with(instant(), |config| config.requests_per_minute = NonZeroU32::new(per_minute)).await
}

#[tokio::test]
async fn a_tool_call_over_the_limit_is_an_error_that_says_when_to_call_again() {
    let rig = rig(2).await;
    rig.run(Era::Modern, "a cat").send().await.result();
    rig.run(Era::Legacy, "a dog").send().await.result();
    for era in [Era::Modern, Era::Legacy] {
        let outcome = rig.call(era, "run_model", json!({})).await;
        let error = outcome.error("too_many_requests");
        let seconds = error["retry_after_seconds"].as_u64().unwrap();
        assert!((1..=30).contains(&seconds), "{error}");
        assert_eq!(error["next_step"], format!("Wait {seconds} s, then call again."));
    }
    assert_eq!(rig.sim.ledger().submits().len(), 2, "nothing was sent");
}

#[tokio::test]
async fn another_request_over_the_limit_is_a_429_with_retry_after() {
    let rig = rig(1).await;
    rig.modern("tools/list", json!({})).send().await.result();
    let refused = rig.modern("tools/list", json!({})).send().await;
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds));
    assert_eq!(
        refused.refusal(429, 429),
        format!("This key has made too many requests. Try again in {seconds} s.")
    );
}

#[tokio::test]
async fn one_key_s_calls_do_not_count_for_another() {
    let rig = rig(1).await;
    rig.modern("tools/list", json!({})).send().await.result();
    assert_eq!(rig.modern("tools/list", json!({})).send().await.status, 429);
    let rig = rig.with_key(PRIVATE_KEY);
    rig.modern("tools/list", json!({})).send().await.result();
}

#[tokio::test]
async fn without_a_limit_nobody_is_refused() {
    let rig = Rig::start().await;
    for _ in 0..200 {
        rig.modern("tools/list", json!({})).send().await.result();
    }
}
