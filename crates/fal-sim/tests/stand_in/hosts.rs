//! Hosts under prefixes, and one host at the root of a TLS listener.

use fal_sim::{Config, Host};
use serde_json::json;

use crate::support::{Ask, client, instant, start, submit};

#[tokio::test]
async fn urls_are_built_from_the_host_that_the_request_named() {
    let sim = instant().await;
    let url = format!("{}/fal-ai/flux/schnell", sim.host_url(Host::Queue));
    let reply =
        Ask::post(url, r#"{"prompt":"a"}"#).demo().header("host", "sim.example:81").send().await;
    let status_url = reply.json()["status_url"].as_str().unwrap().to_owned();
    assert!(
        status_url.starts_with("http://sim.example:81/queue/fal-ai/flux/requests/"),
        "{status_url}"
    );
}

#[tokio::test]
async fn media_urls_are_built_from_the_public_address_where_there_is_one() {
    let public_url = Some("http://localhost:9000/".to_owned());
    let sim = start(Config { public_url, speed: f64::INFINITY, ..Config::default() }).await;
    let job = submit(&sim, "fal-ai/flux/schnell", &json!({ "prompt": "a" })).await;
    assert!(job.status_url.starts_with(&sim.url()));
    let url = job.result().await.json()["images"][0]["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with("http://localhost:9000/cdn/files/b/"), "{url}");
}

#[tokio::test]
async fn one_host_can_be_served_at_the_root_of_a_tls_listener() {
    let sim = instant().await;
    let listener = sim.tls(Host::Queue).await.unwrap();
    let base = format!("https://localhost:{}", listener.addr.port());
    let client = client(Some(&listener.certificate_pem));
    let ask = Ask::post(format!("{base}/fal-ai/flux/schnell"), r#"{"prompt":"a"}"#).demo();
    let submitted = ask.try_send(&client).await.unwrap().json();
    let status_url = submitted["status_url"].as_str().unwrap();
    assert!(status_url.starts_with(&format!("{base}/fal-ai/flux/requests/")), "{status_url}");
    let response_url = submitted["response_url"].as_str().unwrap();
    let result = Ask::get(response_url).demo().try_send(&client).await.unwrap();
    let media = result.json()["images"][0]["url"].as_str().unwrap().to_owned();
    assert!(media.starts_with(&sim.host_url(Host::Cdn)), "{media}");
    assert_eq!(Ask::get(media).send().await.status, 200);

    let run = sim.tls(Host::Run).await.unwrap();
    assert_eq!(run.certificate_pem, listener.certificate_pem);
    let stranger = crate::support::client(None);
    assert!(Ask::get(&base).try_send(&stranger).await.is_err());
}

#[tokio::test]
async fn an_unknown_place_and_a_wrong_method_are_said_to_be_so() {
    let sim = instant().await;
    assert_eq!(Ask::get(format!("{}/nowhere", sim.url())).send().await.status, 404);
    let url = format!("{}/fal-ai/flux/schnell", sim.host_url(Host::Queue));
    assert_eq!(Ask::get(url).demo().send().await.status, 405);
    let welcome = Ask::get(sim.url()).send().await;
    assert!(welcome.text().contains(&format!("FAL_API_URL={}/api/v1\n", sim.url())));
}

#[tokio::test]
async fn a_stand_in_that_was_shut_down_is_gone() {
    let sim = instant().await;
    let url = sim.url();
    assert_eq!(Ask::get(&url).send().await.status, 200);
    sim.shutdown().await;
    assert!(Ask::get(&url).try_send(&client(None)).await.is_err());
}
