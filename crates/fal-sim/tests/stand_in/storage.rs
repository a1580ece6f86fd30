//! Uploads, both ways, and their lifetimes.

use std::time::Duration;

use fal_sim::{Config, DEMO_KEY, Host, Sim};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{Ask, instant, start, submit};

async fn initiate(sim: &Sim, multipart: bool) -> (String, String) {
    let operation = if multipart { "initiate-multipart" } else { "initiate" };
    let url =
        format!("{}/storage/upload/{operation}?storage_type=fal-cdn-v3", sim.host_url(Host::Rest));
    let body = json!({ "content_type": "image/png", "file_name": "../my cat.png" });
    let reply = Ask::post(url, body.to_string()).demo().send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let body = reply.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("upload_url"), text("file_url"))
}

fn put(url: &str, body: &str) -> Ask {
    Ask::put(url).body(body).header("content-type", "image/png")
}

#[tokio::test]
async fn a_file_goes_up_by_its_signed_url_and_comes_back_as_it_was() {
    let sim = instant().await;
    let (upload_url, file_url) = initiate(&sim, false).await;
    assert!(file_url.ends_with("_my_cat.png"), "{file_url}");
    assert!(file_url.starts_with(&format!("{}/files/b/", sim.host_url(Host::Cdn))));
    assert_eq!(Ask::get(&file_url).send().await.status, 404);
    assert_eq!(put(&upload_url, "bytes").send().await.status, 200);
    let reply = Ask::get(&file_url).send().await;
    assert_eq!((reply.status.as_u16(), reply.text()), (200, "bytes"));
    assert_eq!(reply.header("content-type"), Some("image/png"));
}

#[tokio::test]
async fn a_signed_upload_refuses_a_key_another_type_and_another_signature() {
    let sim = instant().await;
    let (upload_url, file_url) = initiate(&sim, false).await;
    let with_key = put(&upload_url, "x").key(DEMO_KEY);
    assert_eq!(with_key.send().await.status, 400);
    let other_type = Ask::put(&upload_url).body("x").header("content-type", "image/jpeg");
    assert_eq!(other_type.send().await.status, 403);
    assert_eq!(Ask::put(&upload_url).body("x").send().await.status, 403);
    assert_eq!(put(&format!("{file_url}?signature=guessed"), "x").send().await.status, 403);
    assert_eq!(Ask::get(&file_url).send().await.status, 404);
    assert_eq!(put(&upload_url, "x").send().await.status, 200);
}

#[tokio::test]
async fn a_large_file_goes_up_in_parts() {
    let sim = instant().await;
    let (upload_url, file_url) = initiate(&sim, true).await;
    let (path, query) = upload_url.split_once('?').unwrap();
    let large = vec![b'a'; 5 * 1024 * 1024];
    let mut parts = Vec::new();
    for (number, body) in [(1, large.as_slice()), (2, b"the end"), (3, b"more")] {
        let reply = Ask::put(format!("{path}/{number}?{query}")).body(body).send().await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.json()["partNumber"], number);
        parts.push(reply.json());
    }
    for number in ["0", "10001"] {
        let reply = Ask::put(format!("{path}/{number}?{query}")).body("x").send().await;
        assert_eq!(reply.status, 404);
    }
    let complete = format!("{path}/complete?{query}");
    let unknown = json!({ "partNumber": 1, "etag": "\"0\"" });
    for wrong in [
        json!([]),
        json!([unknown]),
        json!([parts[1]]),
        json!([parts[1], parts[0]]),
        json!([parts[0], parts[1], parts[2]]),
    ] {
        let reply = Ask::post(&complete, json!({ "parts": wrong }).to_string()).send().await;
        assert_eq!(reply.status, 400, "{wrong}");
    }
    assert_eq!(Ask::get(&file_url).send().await.status, 404);
    let body = json!({ "parts": [parts[0], parts[1]] });
    assert_eq!(Ask::post(&complete, body.to_string()).send().await.status, 200);
    let file = Ask::get(&file_url).send().await;
    assert!(file.text().starts_with("aaa") && file.text().ends_with("aathe end"));
}

#[tokio::test]
async fn a_model_refuses_a_file_that_should_be_here_and_is_not() {
    let sim = instant().await;
    let (upload_url, file_url) = initiate(&sim, false).await;
    let model = "fal-ai/kling-video/v3/pro/image-to-video";
    let input = json!({ "prompt": "a cat", "image_url": file_url });
    let refused = submit(&sim, model, &input).await.result().await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.json()["detail"][0]["type"], "file_download_error");
    assert_eq!(refused.json()["detail"][0]["loc"], json!(["body", "image_url"]));
    assert_eq!(put(&upload_url, "bytes").send().await.status, 200);
    assert_eq!(submit(&sim, model, &input).await.result().await.status, 200);
}

async fn token(sim: &Sim) -> Value {
    let url = format!("{}/storage/auth/token?storage_type=fal-cdn-v3", sim.host_url(Host::Rest));
    let reply = Ask::post(url, "{}").demo().send().await;
    assert_eq!(reply.status, 200);
    reply.json()
}

#[tokio::test]
async fn a_token_uploads_straight_to_the_cdn() {
    let sim = instant().await;
    let token = token(&sim).await;
    assert_eq!(token["token_type"], "Bearer");
    assert_eq!(token["base_url"], json!(sim.host_url(Host::Cdn)));
    let upload = format!("{}/files/upload", token["base_url"].as_str().unwrap());
    let bearer = format!("Bearer {}", token["token"].as_str().unwrap());
    let ask = || {
        Ask::post(&upload, "sound")
            .header("content-type", "audio/wav")
            .header("x-fal-file-name", "a.wav")
    };
    assert_eq!(ask().send().await.status, 401);
    assert_eq!(ask().header("authorization", "Bearer forged").send().await.status, 401);
    let reply = ask().header("authorization", &bearer).send().await.json();
    assert_eq!(reply["uploaded"], true);
    let file = Ask::get(reply["access_url"].as_str().unwrap()).send().await;
    assert_eq!((file.text(), file.header("content-type")), ("sound", Some("audio/wav")));
}

#[tokio::test]
async fn a_token_uploads_in_parts_too() {
    let sim = instant().await;
    let token = token(&sim).await;
    let bearer = format!("Bearer {}", token["token"].as_str().unwrap());
    let begin = format!("{}/files/upload/multipart", token["base_url"].as_str().unwrap());
    let begun = Ask::post(begin, "").header("authorization", &bearer).send().await.json();
    let access_url = begun["access_url"].as_str().unwrap();
    let upload = format!("{access_url}/multipart/{}", begun["uploadId"].as_str().unwrap());
    let part = Ask::put(format!("{upload}/1")).body("one").header("authorization", &bearer);
    let part = part.send().await;
    let body = json!({ "parts": [{ "partNumber": 1, "etag": part.header("etag") }] });
    let complete = Ask::post(format!("{upload}/complete"), body.to_string());
    assert_eq!(complete.clone().send().await.status, 401);
    assert_eq!(complete.header("authorization", &bearer).send().await.status, 200);
    assert_eq!(Ask::get(access_url).send().await.text(), "one");
}

#[tokio::test]
async fn the_dead_kind_of_storage_is_refused_and_none_means_the_live_one() {
    let sim = instant().await;
    let base = format!("{}/storage/upload/initiate", sim.host_url(Host::Rest));
    let reply = Ask::post(format!("{base}?storage_type=gcs"), "{}").demo().send().await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.json(), json!({ "detail": "Invalid storage type" }));
    assert_eq!(Ask::post(&base, "{}").demo().send().await.status, 200);
    assert_eq!(Ask::post(&base, "{}").send().await.status, 401);
}

#[tokio::test]
async fn an_uploaded_file_expires_when_its_owner_said() {
    let sim = instant().await;
    let url = format!("{}/storage/upload/initiate", sim.host_url(Host::Rest));
    let body = json!({ "content_type": "image/png", "file_name": "a.png" });
    let lifecycle = r#"{"expiration_duration_seconds":1}"#;
    let ask = Ask::post(url, body.to_string()).demo().header("x-fal-object-lifecycle", lifecycle);
    let urls = ask.send().await.json();
    put(urls["upload_url"].as_str().unwrap(), "x").send().await;
    let file = Ask::get(urls["file_url"].as_str().unwrap());
    assert_eq!(file.clone().send().await.status, 200);
    sleep(Duration::from_millis(1100)).await;
    assert_eq!(file.send().await.status, 404);
}

#[tokio::test]
async fn the_oldest_files_make_room_for_new_ones() {
    let sim = start(Config { max_stored_bytes: 10, ..Config::default() }).await;
    let (first_upload, first) = initiate(&sim, false).await;
    let (second_upload, second) = initiate(&sim, false).await;
    put(&first_upload, "12345678").send().await;
    put(&second_upload, "12345678").send().await;
    assert_eq!(Ask::get(&first).send().await.status, 404);
    assert_eq!(Ask::get(&second).send().await.status, 200);
}
