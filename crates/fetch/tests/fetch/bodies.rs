//! What sources do to their bodies, and that nothing incomplete passes for whole.

use std::time::Duration;

use fetch::{Config, Error, Fetcher, Limits};
use tokio::time::Instant;

use crate::support::{FILE, Script, Server, Step, answer, config, limits, whole};

fn fetcher() -> Fetcher {
    Fetcher::new(Config { allow_private: true, ..config() }).unwrap()
}

fn say(text: &str) -> Step {
    Step::Say(text.as_bytes().to_vec())
}

/// What comes of the one page of a source, once every connection is closed again.
async fn outcome(script: Script) -> Result<Vec<u8>, Error> {
    outcome_within(script, limits()).await
}

async fn outcome_within(script: Script, limits: Limits) -> Result<Vec<u8>, Error> {
    let server = Server::start(script, None).await;
    let outcome = whole(&fetcher(), &server.url("/"), limits).await;
    server.is_left().await;
    outcome
}

#[tokio::test]
async fn a_file_comes_with_its_length_in_chunks_or_to_the_end_of_the_connection() {
    let with_length: Script = |_| vec![answer("200 OK", "", FILE)];
    let in_pieces: Script = |_| {
        let head = say("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\na ");
        vec![head, Step::Wait(Duration::from_millis(50)), say("file")]
    };
    let chunked: Script = |_| {
        vec![say(
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\na \r\n4\r\nfile\r\n0\r\n\r\n",
        )]
    };
    let to_the_end: Script = |_| vec![say("HTTP/1.0 200 OK\r\n\r\na file")];
    let kept_open: Script =
        |_| vec![answer("200 OK", "connection: keep-alive\r\n", FILE), Step::Hang];
    for script in [with_length, in_pieces, chunked, to_the_end, kept_open] {
        assert_eq!(outcome(script).await.unwrap(), FILE);
    }
}

#[tokio::test]
async fn the_type_and_the_length_are_the_source_s_own() {
    let script: Script = |_| vec![answer("200 OK", "content-type: image/png; a=b\r\n", FILE)];
    let server = Server::start(script, None).await;
    let source = fetcher().get(&server.url("/"), limits()).await.unwrap();
    assert_eq!((source.content_type(), source.length()), (Some("image/png; a=b"), Some(6)));
    let script: Script = |_| vec![say("HTTP/1.0 200 OK\r\n\r\na file")];
    let server = Server::start(script, None).await;
    let source = fetcher().get(&server.url("/"), limits()).await.unwrap();
    assert_eq!((source.content_type(), source.length()), (None, None));
}

#[tokio::test]
async fn a_source_that_sends_less_than_it_announced_is_cut() {
    let short: Script = |_| vec![say("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\na file")];
    let chunk: Script =
        |_| vec![say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\na file")];
    let no_last_chunk: Script =
        |_| vec![say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n6\r\na file\r\n")];
    for script in [short, chunk, no_last_chunk] {
        let outcome = outcome(script).await;
        assert!(matches!(outcome, Err(Error::Cut { .. })), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_source_that_sends_more_than_it_announced_is_refused_before_its_last_bytes_are_given_out()
{
    let at_once: Script = |_| vec![say("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\na file")];
    let later: Script = |_| {
        let head = say("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\na fil");
        vec![head, Step::Wait(Duration::from_millis(50)), say("e")]
    };
    for script in [at_once, later] {
        let server = Server::start(script, None).await;
        let mut source = fetcher().get(&server.url("/"), limits()).await.unwrap();
        let mut received = 0;
        let error = loop {
            match source.chunk().await {
                Ok(chunk) => received += chunk.expect("the lie is found before the end").len(),
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::TooLong), "{error:?}");
        assert!(received < 5, "the whole announced length was given out");
    }
}

#[tokio::test]
async fn a_source_that_contradicts_itself_about_its_length_is_refused() {
    let script: Script =
        |_| vec![say("HTTP/1.1 200 OK\r\ncontent-length: 6\r\ncontent-length: 7\r\n\r\na file")];
    let outcome = outcome(script).await;
    assert!(matches!(outcome, Err(Error::Malformed { .. })), "{outcome:?}");
}

#[tokio::test]
async fn an_endless_source_ends_at_the_limit() {
    let endless: Script = |_| vec![say("HTTP/1.1 200 OK\r\n\r\n"), Step::Repeat(vec![0; 65_536])];
    let chunked: Script = |_| {
        let head = say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        vec![head, Step::Repeat([b"400\r\n".as_slice(), &[0; 1024], b"\r\n"].concat())]
    };
    let announced: Script =
        |_| vec![say("HTTP/1.1 200 OK\r\ncontent-length: 1000001\r\n\r\n"), Step::Hang];
    for script in [endless, chunked, announced] {
        let outcome = outcome(script).await;
        assert!(matches!(outcome, Err(Error::TooLarge { limit: 1_000_000 })), "{outcome:?}");
    }
    let exact: Script = |_| vec![answer("200 OK", "", &vec![7; 1_000_000])];
    assert_eq!(outcome(exact).await.unwrap().len(), 1_000_000);
}

#[tokio::test]
async fn an_endless_head_ends_too() {
    let script: Script = |_| vec![say("HTTP/1.1 200 OK\r\n"), Step::Repeat(vec![b'a'; 1024])];
    let outcome = outcome(script).await;
    assert!(matches!(outcome, Err(Error::Malformed { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_silent_source_is_given_up() {
    let before: Script = |_| vec![Step::Hang];
    let within: Script =
        |_| vec![say("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\na file"), Step::Hang];
    for script in [before, within] {
        let server = Server::start(script, None).await;
        let config =
            Config { allow_private: true, read_timeout: Duration::from_millis(100), ..config() };
        let outcome = whole(&Fetcher::new(config).unwrap(), &server.url("/"), limits()).await;
        assert!(matches!(outcome, Err(Error::Stalled)), "{outcome:?}");
        server.is_left().await;
    }
}

#[tokio::test]
async fn a_source_that_drips_ends_with_the_deadline() {
    let script: Script = |_| {
        let drop = [say("a"), Step::Wait(Duration::from_millis(20))];
        let head = say("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
        std::iter::once(head).chain(std::iter::repeat_n(drop, 1000).flatten()).collect()
    };
    let deadline = Instant::now() + Duration::from_millis(300);
    let outcome = outcome_within(script, Limits { deadline, ..limits() }).await;
    assert!(matches!(outcome, Err(Error::TimedOut)), "{outcome:?}");
}

#[tokio::test]
async fn a_body_that_is_compressed_in_transit_is_refused_and_one_that_is_an_archive_is_not() {
    for encoding in [
        "content-encoding: gzip",
        "Content-Encoding: br",
        "content-encoding: x",
        "transfer-encoding: gzip, chunked",
    ] {
        let server = Server::start(compressed, None).await;
        let outcome = whole(
            &fetcher(),
            &server.url(&format!("/?{}", encoding.replace(' ', "%20"))),
            limits(),
        )
        .await;
        assert!(matches!(outcome, Err(Error::Compressed)), "{encoding}: {outcome:?}");
        server.is_left().await;
    }
    // 10 MB of zeros fit into such an archive a thousand times; here it is so many bytes and no more.
    let archive: Script = |_| {
        vec![answer(
            "200 OK",
            "content-type: application/gzip\r\ncontent-encoding: identity\r\n",
            b"\x1f\x8b\x08",
        )]
    };
    assert_eq!(outcome(archive).await.unwrap(), b"\x1f\x8b\x08");
}

fn compressed(path: &str) -> Vec<Step> {
    let header = path.trim_start_matches("/?").replace("%20", " ");
    vec![say(&format!("HTTP/1.1 200 OK\r\n{header}\r\n\r\n")), Step::Repeat(vec![0; 1024])]
}

#[tokio::test]
async fn an_answer_without_a_file_is_an_error_that_says_why() {
    let missing: Script = |_| vec![answer("404 Not Found", "", b"<html>secret</html>")];
    let partial: Script = |_| vec![answer("206 Partial Content", "", FILE)];
    let nowhere: Script = |_| vec![answer("302 Found", "", b"")];
    for (script, expected) in [(missing, 404), (partial, 206), (nowhere, 302)] {
        let outcome = outcome(script).await;
        assert!(
            matches!(outcome, Err(Error::Status { status }) if status == expected),
            "{outcome:?}"
        );
    }
    let empty: Script = |_| vec![answer("200 OK", "", b"")];
    let error = outcome(empty).await;
    assert!(matches!(error, Err(Error::Empty)), "{error:?}");
    let not_http: Script = |_| vec![say("220 mail.example ESMTP\r\n")];
    let error = outcome(not_http).await;
    assert!(matches!(error, Err(Error::Malformed { .. })), "{error:?}");
}

#[tokio::test]
async fn a_source_that_is_not_there_cannot_be_reached() {
    let server = Server::start(|_| Vec::new(), None).await;
    let url = server.url("/");
    drop(server);
    tokio::time::sleep(Duration::from_millis(20)).await;
    let outcome = whole(&fetcher(), &url, limits()).await;
    assert!(matches!(outcome, Err(Error::NotConnected { .. })), "{outcome:?}");
    let error = outcome.unwrap_err().to_string();
    assert!(!error.contains("127.0.0.1"), "{error}");
}

#[tokio::test]
async fn a_caller_that_leaves_takes_the_connection_along() {
    let script: Script = |_| {
        vec![say("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n"), Step::Repeat(vec![0; 1024])]
    };
    let server = Server::start(script, None).await;
    let mut source = fetcher().get(&server.url("/"), limits()).await.unwrap();
    assert!(source.chunk().await.unwrap().is_some());
    drop(source);
    server.is_left().await;
}
