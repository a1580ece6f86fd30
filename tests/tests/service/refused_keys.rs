//! A key that is missing, malformed, refused or locked out: what the caller is told to do.

use fal_sim::{LOCKED_KEY, NO_SCOPE_KEY, Operation, UNKNOWN_KEY};
use serde_json::{Value, json};
use tests::{Era, Rig};

const ADVICE: &str = "Send your fal key as `Authorization: Bearer <key_id>:<key_secret>`; keys are made at https://fal.ai/dashboard/keys.";

/// The whole body of a 401.
fn unauthorized(mistake: &str) -> Value {
    json!({"jsonrpc": "2.0", "error": {"code": 401, "message": format!("{mistake} {ADVICE}")}})
}

#[tokio::test]
async fn the_mistake_in_the_authorization_header_is_named() {
    let rig = Rig::start().await;
    for (header, mistake) in [
        (None, "No Authorization header was sent."),
        (
            Some("Key 0de30000:0de3"),
            "The Authorization header says `Key`; this server takes the same key as `Bearer`.",
        ),
        (
            Some("Bearer"),
            "The Authorization header is `Bearer` with no key behind it; a variable in the client's configuration is probably not set.",
        ),
        (
            Some("Bearer ${FAL_KEY}"),
            "The Authorization header holds a placeholder instead of a key: the client did not fill in its variable.",
        ),
        (
            Some("Bearer YOUR_FAL_KEY"),
            "The Authorization header holds a placeholder instead of a key: the client did not fill in its variable.",
        ),
        (Some("Basic YTpi"), "The Authorization header does not say `Bearer`."),
    ] {
        for era in [Era::Modern, Era::Legacy] {
            let request = rig.request(era, "tools/list", json!({})).without("authorization");
            let request = match header {
                Some(value) => request.header("authorization", value),
                None => request,
            };
            let answer = request.send().await;
            assert_eq!(answer.status, 401, "{header:?}");
            assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"fal\"");
            assert_eq!(answer.header("content-type"), "application/json");
            assert_eq!(answer.json(), unauthorized(mistake));
        }
    }
}

#[tokio::test]
async fn a_key_that_is_not_two_halves_is_refused_without_being_repeated() {
    let rig = Rig::start().await;
    for key in ["canary-without-a-colon", "canary:of:three", "canary:", ":canary"] {
        let answer = rig.modern("tools/list", json!({})).bearer(key).send().await;
        let message = answer.refusal(401, 401);
        assert!(message.contains("<key_id>:<key_secret>"), "{message}");
        assert!(!message.contains("canary"), "{message}");
    }
}

#[tokio::test]
async fn two_authorization_headers_are_refused() {
    let rig = Rig::start().await;
    let request = rig.modern("tools/list", json!({})).another("authorization", "Bearer a:b");
    let answer = request.send().await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json(), unauthorized("More than one Authorization header was sent."));
}

#[tokio::test]
async fn a_refused_request_never_reaches_fal() {
    let rig = Rig::start().await;
    rig.run(Era::Modern, "a cat").without("authorization").send().await;
    assert_eq!(rig.asked(), []);
}

#[tokio::test]
async fn a_key_that_fal_does_not_know_is_the_tool_s_error_and_says_where_keys_are_made() {
    // Searches ask fal only as long as there is no catalogue.
    let rig = Rig::never_warm().await.with_key(UNKNOWN_KEY);
    let ids = json!({"endpoint_id": "fal-ai/flux/schnell", "request_id": "0198c0de-0000-7000-8000-000000000000"});
    for (tool, arguments) in [
        ("run_model", json!({"endpoint_id": "fal-ai/flux/schnell", "input": {"prompt": "a cat"}})),
        ("submit_job", json!({"endpoint_id": "fal-ai/flux/schnell", "input": {"prompt": "a cat"}})),
        ("search_models", json!({"query": "image"})),
        ("list_jobs", json!({"endpoint_id": "fal-ai/flux/schnell"})),
        ("check_job", ids.clone()),
        ("get_job_result", ids.clone()),
        ("cancel_job", ids),
    ] {
        let outcome = rig.call(Era::Modern, tool, arguments).await;
        let error = outcome.error("key_rejected");
        let next = error["next_step"].as_str().unwrap();
        assert!(next.contains("https://fal.ai/dashboard/keys"), "{tool}: {next}");
    }
    assert_eq!(rig.sim.ledger().submits(), []);
}

#[tokio::test]
async fn a_locked_account_is_told_why_and_where_to_unlock_it() {
    let rig = Rig::start().await.with_key(LOCKED_KEY);
    let outcome = tests::Outcome::of(&rig.run(Era::Modern, "a cat").send().await);
    let error = outcome.error("account_locked");
    assert!(error["message"].as_str().unwrap().contains("Exhausted balance"), "{error}");
    let next = error["next_step"].as_str().unwrap();
    assert!(next.contains("https://fal.ai/dashboard/billing"), "{next}");
    assert_eq!(rig.sim.ledger().calls(Operation::Submit), 1);
    assert_eq!(rig.sim.ledger().submits(), []);
}

#[tokio::test]
async fn a_key_without_the_scope_is_told_which_one_to_ask_for() {
    let rig = Rig::start().await.with_key(NO_SCOPE_KEY);
    let arguments = json!({"endpoint_id": "fal-ai/flux/schnell"});
    let outcome = rig.call(Era::Modern, "list_jobs", arguments).await;
    let next = outcome.error("scope_missing")["next_step"].as_str().unwrap();
    assert!(next.contains("scope") && next.contains("https://fal.ai/dashboard/keys"), "{next}");
}
