//! `upload_file` with `url` and `data`: the bytes that fal serves afterwards are the source's own,
//! and nothing incomplete passes for whole.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fal_sim::{Config, Fault, FaultKind, Operation, UNKNOWN_KEY};
use http::Method;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tests::{Answer, Era, Outcome, Rig, Source, eventually, file_bytes, instant};

/// A rig whose gateway may fetch from loopback, and whose stand-in keeps large files.
pub(crate) async fn rig() -> Rig {
    let sim = Config { max_stored_bytes: 1024 * 1024 * 1024, ..instant() };
    Rig::with(sim, |config| config.allow_private_urls = true).await
}

pub(crate) async fn upload(rig: &Rig, arguments: Value) -> Outcome {
    rig.call(Era::Modern, "upload_file", arguments).await
}

/// The type, the size and the hash of what fal serves.
pub(crate) async fn served(rig: &Rig, file_url: &Value) -> (String, usize, Vec<u8>) {
    let answer = read(rig, file_url).await;
    assert_eq!(answer.status, 200, "{file_url}");
    (answer.header("content-type").to_owned(), answer.body.len(), hash(&answer.body))
}

async fn read(rig: &Rig, file_url: &Value) -> Answer {
    rig.plain(Method::GET, "/").to(file_url.as_str().unwrap()).send().await
}

pub(crate) fn hash(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

/// What fal serves of a file of [`Source`].
pub(crate) fn expected(size: usize) -> (String, usize, Vec<u8>) {
    ("image/png".to_owned(), size, hash(&file_bytes(size)))
}

async fn assert_copied(rig: &Rig, url: String, size: usize) {
    let outcome = upload(rig, json!({"url": url})).await;
    let file = outcome.value();
    assert_eq!(file["file_size"], size);
    assert_eq!(file["file_name"], "my_photo.png");
    assert_eq!(file["content_type"], "image/png");
    assert_eq!(served(rig, &file["file_url"]).await, expected(size));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_from_a_url_is_at_fal_as_it_was() {
    let (rig, source) = (rig().await, Source::start().await);
    for size in [1, 1_000_000, 89_000_000] {
        assert_copied(&rig, source.file(size), size).await;
    }
    // In one piece, and so by one `PUT` each.
    let asked = rig.asked();
    let uploads = asked.iter().filter(|request| request.operation == Operation::Upload);
    assert_eq!(uploads.count(), 2 * 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_file_and_one_of_unknown_length_go_in_parts() {
    let (rig, source) = (rig().await, Source::start().await);
    for (url, size, parts) in [
        (source.file(200_000_000), 200_000_000, 20),
        (source.chunked(1), 1, 1),
        (source.chunked(10 * 1024 * 1024), 10 * 1024 * 1024, 1),
        (source.chunked(30_000_001), 30_000_001, 3),
    ] {
        let before = rig.sim.ledger().calls(Operation::Upload);
        assert_copied(&rig, url, size).await;
        let calls = rig.sim.ledger().calls(Operation::Upload) - before;
        assert_eq!(calls, parts + 2, "announced, {parts} parts, put together");
    }
}

#[tokio::test]
async fn the_key_announces_a_file_and_is_not_sent_with_it() {
    let (rig, source) = (rig().await, Source::start().await);
    upload(&rig, json!({"url": source.file(10)})).await.value();
    upload(&rig, json!({"url": source.chunked(10)})).await.value();
    let asked = rig.asked();
    let carried: Vec<_> = asked
        .iter()
        .map(|request| (request.method.as_str(), request.authorization.as_deref()))
        .collect();
    let announced = ("POST", Some("Key"));
    assert_eq!(carried, [announced, ("PUT", None), announced, ("PUT", None), ("POST", None)]);
}

#[tokio::test]
async fn data_is_at_fal_as_it_was() {
    let rig = rig().await;
    for size in [1, 1_000_000, 10 * 1024 * 1024] {
        let bytes = file_bytes(size);
        let outcome = upload(
            &rig,
            json!({"data": format!("data:image/png;base64,{}", STANDARD.encode(&bytes)),
                "file_name": "../a b.png", "expiration_seconds": 3600}),
        )
        .await;
        let file = outcome.value();
        assert_eq!((&file["file_name"], &file["file_size"]), (&json!("a_b.png"), &json!(size)));
        assert_eq!(file["expiration_seconds"], 3600);
        assert_eq!(served(&rig, &file["file_url"]).await, expected(size));
    }
    let outcome = upload(&rig, json!({"data": STANDARD.encode(file_bytes(100))})).await;
    assert_eq!(served(&rig, &outcome.value()["file_url"]).await, expected(100));
    assert_eq!(outcome.value()["file_name"], "file.png");
}

#[tokio::test]
async fn a_file_is_kept_as_long_as_the_caller_said() {
    let rig = rig().await;
    let arguments = json!({"data": "AAAA", "expiration_seconds": 1});
    let file_url = upload(&rig, arguments).await.value()["file_url"].clone();
    eventually("the file is gone", async || read(&rig, &file_url).await.status == 404).await;
}

#[tokio::test]
async fn arguments_that_make_no_sense_are_refused_and_nothing_is_sent() {
    let rig = rig().await;
    let too_much = STANDARD.encode(vec![0; 10 * 1024 * 1024 + 1]);
    for (arguments, problem) in [
        (json!({}), "one of `url`, `data`, `path` or `prepare_upload: true` is missing"),
        (json!({"prepare_upload": false}), "one of `url`"),
        (json!({"url": "https://a.example/", "data": "AA=="}), "give only one of `url`"),
        (json!({"data": "AA==", "prepare_upload": true}), "give only one of `url`"),
        (json!({"path": "a.png", "url": "https://a.example/"}), "give only one of `url`"),
        (json!({"data": "not base64!"}), "`data` is neither base64 nor a data URI"),
        (json!({"data": ""}), "`data` holds no bytes"),
        (json!({"data": too_much}), "`data` holds more than 10485760 bytes"),
        (json!({"path": "a\u{1b}.png"}), "`path` holds control characters"),
        (json!({"path": "a.png", "content_type": "png"}), "`content_type` is no media type"),
        (json!({"path": "a.png", "content_type": "image/png\r\nx: y"}), "`content_type` is no"),
        (
            json!({"data": STANDARD.encode(file_bytes(100)), "content_type": "image/jpeg"}),
            "`content_type` is image/jpeg, but the file's first bytes are those of image/png",
        ),
    ] {
        let outcome = upload(&rig, arguments).await;
        let problems = outcome.error("invalid_arguments")["problems"].as_array().unwrap().clone();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].as_str().unwrap().starts_with(problem), "{problems:?}");
    }
    assert!(rig.asked().is_empty());
}

#[tokio::test]
async fn a_type_that_the_source_s_bytes_contradict_is_refused() {
    let (rig, source) = (rig().await, Source::start().await);
    let arguments = json!({"url": source.file(100), "content_type": "audio/wav"});
    let outcome = upload(&rig, arguments).await;
    let problems = &outcome.error("invalid_arguments")["problems"];
    assert!(problems[0].as_str().unwrap().contains("image/png"), "{problems}");
    assert!(rig.asked().is_empty());
}

#[tokio::test]
async fn a_source_that_lies_or_breaks_off_leaves_nothing_that_passes_for_a_file() {
    let (rig, source) = (rig().await, Source::start().await);
    let large = 25_000_000;
    for (url, error) in [
        (source.lying(1000, 999), "source_cut"),
        (source.lying(1_000_000, 500_000), "source_cut"),
        (source.lying(1000, 1001), "source_too_long"),
        (source.lying(1_000_000, 1_000_001), "source_too_long"),
        (source.lying(100_000_000, large), "source_cut"),
        (source.cut(1000), "source_cut"),
        (source.cut(large), "source_cut"),
        (source.lying(2_000_000_000, 10), "source_too_large"),
        (source.file(0), "source_empty"),
    ] {
        let outcome = upload(&rig, json!({"url": url})).await;
        let error = outcome.error(error);
        assert!(error.get("file_url").is_none(), "{error}");
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with("The file was not uploaded: "), "{message}");
        assert!(!message.contains("127.0.0.1"), "{message}");
    }
    // Parts of a file that broke off may be there; they are never put together.
    let completed =
        rig.asked().iter().filter(|request| request.path.ends_with("/complete")).count();
    assert_eq!(completed, 0);
    assert_eq!(rig.sim.stored_files(), [""; 0]);
}

#[tokio::test]
async fn what_only_the_server_can_reach_is_not_allowed() {
    let (rig, source) = (Rig::start().await, Source::start().await);
    let mut texts = Vec::new();
    for url in [
        source.file(10),
        rig.sim.url(),
        "https://127.0.0.1/".to_owned(),
        "https://localhost/".to_owned(),
        "https://169.254.169.254/latest/meta-data/".to_owned(),
        "https://[::ffff:10.0.0.1]/".to_owned(),
        "http://0x7f.1/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "https://no-such-host.invalid/".to_owned(),
    ] {
        let outcome = upload(&rig, json!({"url": url})).await;
        texts.push(outcome.error("source_not_allowed").to_string());
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "nothing tells one refusal from another: {texts:?}");
    assert!(texts[0].contains("not allowed"));
    assert!(rig.asked().is_empty());
}

#[tokio::test]
async fn a_key_that_fal_does_not_know_uploads_nothing() {
    let rig = rig().await.with_key(UNKNOWN_KEY);
    for arguments in [json!({"data": "AAAA"}), json!({"path": "a.png"})] {
        upload(&rig, arguments).await.error("key_rejected");
    }
    assert_eq!(rig.asked().len(), 2);
}

#[tokio::test]
async fn a_passing_failure_of_fal_is_got_over_and_a_lasting_one_is_told() {
    let rig = rig().await;
    let down = || Fault::new(FaultKind::Server { status: 503 }).on(Operation::Upload);
    rig.sim.faults().add(down().times(2));
    let file_url = upload(&rig, json!({"data": "AAAA"})).await.value()["file_url"].clone();
    assert_eq!(served(&rig, &file_url).await.1, 3);
    rig.sim.faults().add(down());
    let outcome = upload(&rig, json!({"data": "AAAA"})).await;
    let next = outcome.error("server")["next_step"].as_str().unwrap();
    assert!(next.ends_with("The file was not uploaded."), "{next}");
}

#[tokio::test]
async fn progress_says_how_much_is_on_its_way() {
    let (rig, source) = (rig().await, Source::start().await);
    // What waits in front of the answer is seen only if the answer takes long enough to be a stream.
    rig.sim.faults().add(
        Fault::new(FaultKind::SlowHeaders { milliseconds: 2500 }).on(Operation::Upload).times(1),
    );
    let arguments = json!({"url": source.file(5_000_000)});
    let answer = rig.tool(Era::Modern, "upload_file", arguments).progress("t").send().await;
    assert_eq!(Outcome::of(&answer).value()["file_size"], 5_000_000);
    let text = answer.text();
    assert!(text.contains("of 5 MiB on the way to fal"), "{text}");
}

#[tokio::test]
async fn a_caller_that_leaves_stops_the_copy() {
    let (rig, source) = (rig().await, Source::start().await);
    let slow = FaultKind::SlowHeaders { milliseconds: 200 };
    rig.sim.faults().add(Fault::new(slow).on(Operation::Upload));
    let arguments = json!({"url": source.chunked(500_000_000)});
    let events = rig.tool(Era::Modern, "upload_file", arguments).open().await;
    assert!(rig.sim.ledger().calls(Operation::Upload) > 1);
    drop(events);
    let count = || rig.sim.ledger().calls(Operation::Upload);
    eventually("nothing more is sent", async || {
        let before = count();
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        count() == before
    })
    .await;
    assert!(count() < 40, "{}", count());
}
