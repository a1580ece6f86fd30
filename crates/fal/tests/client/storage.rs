//! Files: where the key goes, what is sent again, and what counts as done.
#![expect(clippy::unwrap_used, reason = "constants")]

use std::time::Duration;

use bytes::Bytes;
use fal::{Client, Error, NewFile, Part, Upload};
use openapi_contract::Operation;
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::Instant};

use crate::{
    answers::{self, Answer},
    raw::{Manner, Raw},
    server::{Fal, KEY, key, soon},
};

/// A file to announce.
pub(crate) fn png() -> NewFile {
    NewFile { file_name: "a.png".to_owned(), content_type: "image/png".to_owned(), lifetime: None }
}

/// An upload that was announced, on a CDN at this address.
fn upload(base: &str) -> Upload {
    let file_url = format!("{}/cdn/files/b/0aac27e0/a.png", base.trim_end_matches('/'));
    let upload_url = format!("{file_url}?expires=900&signature=capability");
    Upload { upload_url: upload_url.parse().unwrap(), file_url: file_url.parse().unwrap() }
}

fn bytes() -> Bytes {
    Bytes::from_static(b"the bytes")
}

/// Sends these chunks as the start of a file of `length` bytes.
async fn send_chunks(
    client: &Client,
    upload: &Upload,
    length: u64,
    chunks: &'static [&'static [u8]],
    deadline: Instant,
) -> Result<(), Error> {
    let (sender, receiver) = mpsc::channel(1);
    let feed = async move {
        for chunk in chunks {
            // The transport may have given up; what it says is what counts.
            drop(sender.send(Bytes::from_static(chunk)).await);
        }
    };
    let sending = client.upload_chunks(upload, "image/png", length, receiver, deadline);
    tokio::join!(sending, feed).0
}

#[tokio::test]
async fn a_file_is_announced_with_the_key_and_sent_without_it() {
    let fal = Fal::scripted(|request, _| match request.path.as_str() {
        "/rest/storage/upload/initiate" => {
            let host = request.header("host").unwrap();
            answers::announced(&format!("http://{host}/cdn"))
        }
        _ => answers::uploaded(),
    })
    .await;
    let client = fal.client();
    let file = NewFile { lifetime: Some(Duration::from_hours(1)), ..png() };
    let announced = client.initiate_upload(&key(), &file, soon()).await.unwrap();
    assert_eq!(announced, upload(fal.base("").as_str()));
    client.upload(&announced, "image/png", bytes(), soon()).await.unwrap();
    send_chunks(&client, &announced, 9, &[b"the ", b"bytes"], soon()).await.unwrap();

    let file = "PUT /cdn/files/b/0aac27e0/a.png?expires=900&signature=capability";
    assert_eq!(
        fal.lines(),
        ["POST /rest/storage/upload/initiate?storage_type=fal-cdn-v3", file, file]
    );
    let received = fal.received();
    let body: Value = serde_json::from_slice(&received[0].body).unwrap();
    assert_eq!(body, json!({"content_type": "image/png", "file_name": "a.png"}));
    assert_eq!(received[0].header("authorization"), Some(format!("Key {KEY}").as_str()));
    let lifecycle = received[0].header("x-fal-object-lifecycle");
    assert_eq!(lifecycle, Some(r#"{"expiration_duration_seconds":3600}"#));
    for sent in &received[1..] {
        assert_eq!(sent.header("authorization"), None);
        assert_eq!(sent.header("content-type"), Some("image/png"));
        assert_eq!(sent.header("content-length"), Some("9"));
        assert_eq!(sent.body, bytes());
    }
}

#[tokio::test]
async fn parts_go_below_the_upload_url_and_are_put_together_in_the_end() {
    let fal = Fal::scripted(|request, _| match request.path.rsplit('/').next().unwrap() {
        "initiate-multipart" => {
            let host = request.header("host").unwrap();
            answers::announced(&format!("http://{host}/cdn"))
        }
        "complete" => answers::uploaded(),
        number => answers::uploaded_part(number.parse().unwrap()),
    })
    .await;
    let client = fal.client();
    let announced = client.initiate_multipart_upload(&key(), &png(), soon()).await.unwrap();
    let mut parts = Vec::new();
    for number in 1..=2 {
        parts.push(client.upload_part(&announced, number, bytes(), soon()).await.unwrap());
    }
    assert_eq!(parts[1], Part { number: 2, etag: "\"2\"".to_owned() });
    client.complete_upload(&announced, &parts, soon()).await.unwrap();

    let query = "?expires=900&signature=capability";
    assert_eq!(
        fal.lines(),
        [
            "POST /rest/storage/upload/initiate-multipart?storage_type=fal-cdn-v3".to_owned(),
            format!("PUT /cdn/files/b/0aac27e0/a.png/1{query}"),
            format!("PUT /cdn/files/b/0aac27e0/a.png/2{query}"),
            format!("POST /cdn/files/b/0aac27e0/a.png/complete{query}"),
        ]
    );
    let received = fal.received();
    assert!(received[1..].iter().all(|request| request.header("authorization").is_none()));
    let body: Value = serde_json::from_slice(&received[3].body).unwrap();
    let part = |number| json!({"partNumber": number, "etag": format!("\"{number}\"")});
    assert_eq!(body, json!({"parts": [part(1), part(2)]}));
}

#[tokio::test]
async fn an_upload_url_that_is_not_the_cdn_s_is_not_handed_on() {
    for base in ["http://v3b.fal.media", "https://evil.example", "https://fal.media.evil.example"] {
        let fal = Fal::answering([answers::announced(base)]).await;
        let outcome = fal.client().initiate_upload(&key(), &png(), soon()).await;
        assert!(matches!(outcome, Err(Error::ForeignUrl)), "{base}: {outcome:?}");
    }
}

#[tokio::test]
async fn whole_files_and_parts_are_sent_again_after_a_passing_failure() {
    let broken = Answer::new(Operation::UploadFile, 503, String::new());
    let fal = Fal::answering([broken.clone(), answers::uploaded_part(1)]).await;
    let upload = upload(fal.base("").as_str());
    fal.client().upload_part(&upload, 1, bytes(), soon()).await.unwrap();
    let fal = Fal::answering([broken, answers::uploaded()]).await;
    let upload = self::upload(fal.base("").as_str());
    fal.client().upload(&upload, "image/png", bytes(), soon()).await.unwrap();
    assert_eq!(fal.received().len(), 2);
}

#[tokio::test]
async fn chunks_and_the_last_call_are_sent_once() {
    let broken = Answer::new(Operation::UploadFile, 503, String::new());
    let fal = Fal::answering([broken]).await;
    let (client, upload) = (fal.client(), upload(fal.base("").as_str()));
    let outcome = send_chunks(&client, &upload, 9, &[b"the bytes"], soon()).await;
    assert!(matches!(outcome, Err(Error::Server { status: 503 })), "{outcome:?}");
    assert_eq!(fal.received().len(), 1);
    let part = Part { number: 1, etag: "a".to_owned() };
    let outcome = client.complete_upload(&upload, &[part], soon()).await;
    assert!(matches!(outcome, Err(Error::Server { status: 503 })), "{outcome:?}");
    assert_eq!(fal.received().len(), 2);
}

#[tokio::test]
async fn too_few_chunks_break_the_request_off() {
    let raw = Raw::start(Manner::ReadAndClose).await;
    let (client, upload) = (raw.client("http"), upload(raw.base("http").as_str()));
    let outcome = send_chunks(&client, &upload, 100, &[b"the ", b"bytes"], soon()).await;
    assert!(matches!(outcome, Err(Error::Dropped { .. })), "{outcome:?}");
    // What it heard is there when the connection is over on its side too.
    let patience = Instant::now() + Duration::from_secs(10);
    while raw.heard().is_empty() && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let heard = raw.heard();
    assert!(heard.contains("content-length: 100") && !heard.contains("authorization"), "{heard}");
}

#[tokio::test]
async fn a_refusal_of_the_cdn_names_its_status_and_a_redirect_is_not_followed() {
    let foreign = Raw::start(Manner::ReadAndClose).await;
    let refusals = [400, 401, 403, 404, 405, 413].map(|status| (status, "upload_refused"));
    let others = [(307, "redirected"), (429, "rate_limited")];
    for (status, kind) in refusals.into_iter().chain(others) {
        let answer = Answer::new(Operation::UploadFile, status, String::new())
            .with("location", foreign.base("http").as_str())
            .with("retry-after", "60");
        let fal = Fal::answering([answer]).await;
        let upload = upload(fal.base("").as_str());
        let error = fal.client().upload(&upload, "image/png", bytes(), soon()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status}");
    }
    assert_eq!(foreign.connections(), 0);
}

#[tokio::test]
async fn an_upload_may_take_longer_than_fal_may_be_silent() {
    let fal = Fal::answering([answers::uploaded()]).await;
    let config = fal::Config { read_timeout: Duration::from_millis(50), ..fal.config() };
    let client = Client::new(config).unwrap();
    let (sender, receiver) = mpsc::channel(1);
    let feed = async move {
        for chunk in [b"the ", b"byte"] {
            tokio::time::sleep(Duration::from_millis(100)).await;
            sender.send(Bytes::from_static(chunk)).await.unwrap();
        }
    };
    let upload = upload(fal.base("").as_str());
    let sending = client.upload_chunks(&upload, "image/png", 8, receiver, soon());
    tokio::join!(sending, feed).0.unwrap();
}

#[test]
fn what_allows_an_upload_is_not_printed() {
    let printed = format!("{:?}", upload("https://v3b.fal.media"));
    assert!(printed.contains("a.png") && !printed.contains("capability"), "{printed}");
}
