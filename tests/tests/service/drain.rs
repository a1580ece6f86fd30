//! The orderly end: notice, the last answer on a connection, no new connections.

use std::time::Duration;

use http::Method;
use serde_json::json;
use tests::raw::Connection;
use tests::{Era, Outcome, Rig, eventually, http_2_client, real_time};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Less than a connection may take over its first request, so that one that says nothing is seen to
/// hold nothing up.
const PATIENCE: Duration = Duration::from_secs(8);
const READY: &[u8] = b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n";
/// How an HTTP/2 connection begins: the preface and an empty SETTINGS frame (RFC 9113, section 3.4).
const HTTP_2_BEGINS: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// The type of a GOAWAY frame (RFC 9113, section 6.8).
const GOAWAY: u8 = 7;

#[tokio::test]
async fn during_the_notice_it_says_that_it_is_not_ready_and_serves_all_the_same() {
    let notice = Duration::from_secs(2);
    let rig = Rig::with(fal_sim::Config::default(), |config| config.shutdown_notice = notice).await;
    let addr = rig.addr();
    let silent = Connection::open(addr).await;
    let mut kept = Connection::open(addr).await;
    kept.write(READY).await;
    kept.read_until("\"ready\"", PATIENCE).await;
    let list = rig.modern("tools/list", json!({}));
    let list_over_http_2 = list.clone().through(&http_2_client());
    let readiness = rig.plain(Method::GET, "/readyz");

    let meanwhile = async {
        let draining = async || readiness.clone().send().await.status == 503;
        eventually("it says that it is not ready", draining).await;
        let answer = readiness.clone().send().await;
        assert_eq!(answer.json(), json!({"status": "draining"}));
        assert_eq!(answer.header("connection"), "close");

        let answer = list.send().await;
        assert_eq!(answer.header("connection"), "close");
        assert!(answer.result()["tools"].is_array());
        let answer = list_over_http_2.send().await;
        assert_eq!(answer.header("connection"), "", "HTTP/2 has no such header");
        assert!(answer.result()["tools"].is_array());

        kept.write(READY).await;
        let last = kept.read_to_end(PATIENCE).await;
        assert!(last.starts_with("HTTP/1.1 503 "), "{last}");
    };
    timeout(PATIENCE, async { tokio::join!(rig.gateway.shutdown(), meanwhile) }).await.unwrap();
    TcpStream::connect(addr).await.expect_err("the listener is closed");
    assert_eq!(silent.read_to_end(PATIENCE).await, "");
}

#[tokio::test]
async fn an_http_2_connection_is_told_to_go_away_and_its_running_call_is_finished() {
    let rig = Rig::with(real_time(), |_| ()).await;
    let running = rig.run(Era::Modern, "a cat [sim:queue 0][sim:slow 1.5]");
    let running = running.through(&http_2_client()).send();
    let mut idle = TcpStream::connect(rig.addr()).await.unwrap();
    idle.write_all(HTTP_2_BEGINS).await.unwrap();
    let told = async {
        let mut said = Vec::new();
        while !frame_types(&said).contains(&GOAWAY) {
            assert_ne!(
                idle.read_buf(&mut said).await.unwrap(),
                0,
                "closed without a word: {said:?}"
            );
        }
        drop(idle);
    };
    let Rig { sim, gateway, .. } = rig;
    let stop = async {
        eventually("the job is submitted", async || !sim.ledger().submits().is_empty()).await;
        gateway.shutdown().await;
    };
    let all = async { tokio::join!(running, told, stop) };
    let (answer, (), ()) = timeout(PATIENCE, all).await.expect("the end in time");
    assert_eq!(answer.version, http::Version::HTTP_2);
    assert_eq!(Outcome::of(&answer).value()["status"], "completed");
}

/// The types of HTTP/2 frames: three bytes of length, then the type, in a header of nine.
fn frame_types(mut bytes: &[u8]) -> Vec<u8> {
    let mut types = Vec::new();
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = bytes {
        types.push(*kind);
        bytes = rest.get(u32::from_be_bytes([0, *a, *b, *c]) as usize..).unwrap_or_default();
    }
    types
}
