//! Who is let in, and the exact words of each refusal.

use fal_sim::{
    Config, DEMO_KEY, Host, LOCKED_KEY, NO_SCOPE_KEY, PRIVATE_KEY, PRIVATE_MODEL, UNKNOWN_KEY,
};
use serde_json::json;

use crate::support::{Ask, Reply, instant, start, submit};

async fn submit_as(sim: &fal_sim::Sim, authorization: Option<&str>) -> Reply {
    let url = format!("{}/fal-ai/flux/schnell", sim.host_url(Host::Queue));
    let ask = Ask::post(url, r#"{"prompt":"a cat"}"#);
    match authorization {
        Some(value) => ask.header("authorization", value).send().await,
        None => ask.send().await,
    }
}

#[tokio::test]
async fn a_call_without_a_key_names_the_application() {
    let sim = instant().await;
    let reply = submit_as(&sim, None).await;
    assert_eq!(reply.status, 401);
    let text = "Cannot access application \"fal-ai/flux\". Authentication is required to access this application.";
    assert_eq!(reply.json(), json!({ "detail": text }));
    assert!(reply.header("x-fal-request-id").is_some());
}

#[tokio::test]
async fn a_bearer_key_is_no_key_here() {
    let sim = instant().await;
    let reply = submit_as(&sim, Some(&format!("Bearer {DEMO_KEY}"))).await;
    assert_eq!(reply.status, 401);
}

#[tokio::test]
async fn a_malformed_key_is_told_the_format() {
    let sim = instant().await;
    for key in ["Key nocolon", "Key :secret", "Key id:", "Key a:b:c"] {
        let reply = submit_as(&sim, Some(key)).await;
        assert_eq!(reply.status, 401, "{key}");
        let text = "Invalid Key Authorization header format. Expected '<key_id>:<key_secret>'.";
        assert_eq!(reply.json(), json!({ "detail": text }), "{key}");
    }
}

#[tokio::test]
async fn a_well_formed_key_of_nobody_is_unknown() {
    let sim = instant().await;
    let reply = submit_as(&sim, Some(&format!("Key {UNKNOWN_KEY}"))).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.json(), json!({ "detail": "No user found for Key ID and Secret" }));
}

#[tokio::test]
async fn a_configured_key_is_accepted() {
    let key = "11111111-2222-4333-8444-555555555555:0123456789abcdef0123456789abcdef";
    let sim = start(Config { keys: vec![key.to_owned()], ..Config::default() }).await;
    assert_eq!(submit_as(&sim, Some(&format!("Key {key}"))).await.status, 200);
    let wrong = fal_sim::start(Config { keys: vec!["nocolon".to_owned()], ..Config::default() });
    assert!(wrong.await.is_err());
}

#[tokio::test]
async fn a_locked_account_is_refused_on_the_queue_on_runs_and_on_storage() {
    let sim = instant().await;
    let urls = [
        format!("{}/fal-ai/flux/schnell", sim.host_url(Host::Queue)),
        format!("{}/fal-ai/flux/schnell", sim.host_url(Host::Run)),
        format!("{}/storage/upload/initiate?storage_type=fal-cdn-v3", sim.host_url(Host::Rest)),
    ];
    for url in urls {
        let reply = Ask::post(&url, "{}").key(LOCKED_KEY).send().await;
        assert_eq!(reply.status, 403, "{url}");
        let text = "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing.";
        assert_eq!(reply.json(), json!({ "detail": text }), "{url}");
    }
}

#[tokio::test]
async fn the_platform_tells_a_bad_key_from_one_without_scope() {
    let sim = instant().await;
    let url = format!("{}/v1/models/pricing?endpoint_id=fal-ai/flux/dev", sim.host_url(Host::Api));
    for ask in [Ask::get(&url), Ask::get(&url).key(UNKNOWN_KEY), Ask::get(&url).key("nocolon")] {
        let reply = ask.send().await;
        assert_eq!(reply.status, 401);
        let error = json!({ "type": "authorization_error", "message": "Authentication required" });
        assert_eq!(reply.json(), json!({ "error": error }));
    }
    let reply = Ask::get(&url).key(NO_SCOPE_KEY).send().await;
    assert_eq!(reply.status, 403);
    let error = json!({ "type": "authorization_error", "message": "Access denied" });
    assert_eq!(reply.json(), json!({ "error": error }));
}

#[tokio::test]
async fn a_job_of_another_key_is_unknown() {
    let sim = instant().await;
    let job = submit(&sim, "fal-ai/flux/schnell", &json!({ "prompt": "a cat" })).await;
    for url in [&job.status_url, &job.response_url] {
        let reply = Ask::get(url).key(PRIVATE_KEY).send().await;
        assert_eq!(reply.status, 404);
    }
    assert_eq!(Ask::put(&job.cancel_url).key(PRIVATE_KEY).send().await.status, 404);
    assert_eq!(job.result().await.status, 200);
}

#[tokio::test]
async fn a_private_model_exists_for_its_owner_only() {
    let sim = instant().await;
    let api = sim.host_url(Host::Api);
    let queue = format!("{}/{PRIVATE_MODEL}", sim.host_url(Host::Queue));
    let find = format!("{api}/v1/models?endpoint_id={PRIVATE_MODEL}&expand=openapi-3.0");
    let input = r#"{"prompt":"a chair"}"#;

    let mine = Ask::get(&find).key(PRIVATE_KEY).send().await.json();
    assert_eq!(mine["models"][0]["openapi"]["openapi"], "3.0.4");
    assert_eq!(Ask::post(&queue, input).key(PRIVATE_KEY).send().await.status, 200);

    assert_eq!(Ask::get(&find).demo().send().await.status, 404);
    assert_eq!(Ask::get(&find).send().await.status, 404);
    let reply = Ask::post(&queue, input).demo().send().await;
    assert_eq!(reply.status, 404);
    assert_eq!(reply.json(), json!({ "detail": "Application \"atelier\" not found" }));
    let web = sim.host_url(Host::Web);
    let document = format!("{web}/api/openapi/queue/openapi.json?endpoint_id={PRIVATE_MODEL}");
    let reply = Ask::get(document).key(PRIVATE_KEY).send().await;
    assert_eq!((reply.status.as_u16(), reply.text()), (404, "null"));
}
