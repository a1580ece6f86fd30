//! How many connections there may be, whose place a new one takes, and how long each lasts.

use std::time::Duration;

use serde_json::json;
use tests::http_2::{self, Frame, GOAWAY};
use tests::raw::Connection;
use tests::{Era, Outcome, Rig, eventually, http_2_client, http_client, real_time};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(8);
/// Less than a client may take over a head.
const SOON: Duration = Duration::from_secs(5);
const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
const HEALTHY: &str = "{\"status\":\"ok\"}";

async fn with_places(count: usize) -> Rig {
    Rig::with(real_time(), |config| config.max_connections = count).await
}

async fn with_age(age: Duration) -> Rig {
    Rig::with(real_time(), |config| config.max_connection_age = Some(age)).await
}

/// The head of the next answer on a connection.
async fn ask(connection: &mut Connection) -> String {
    connection.write(HEALTH).await;
    connection.read_until(HEALTHY, PATIENCE).await
}

async fn total(rig: &Rig, name: &str) -> f64 {
    rig.metrics().await[name].total(&[])
}

#[tokio::test]
async fn one_connection_more_takes_the_place_of_the_oldest_that_is_idle() {
    let rig = with_places(3).await;
    let mut oldest = Connection::open(rig.addr()).await;
    ask(&mut oldest).await;
    let mut next = Connection::open(rig.addr()).await;
    ask(&mut next).await;
    let mut third = Connection::open(rig.addr()).await;
    ask(&mut third).await;
    assert!(total(&rig, "fal_mcp_connections_open").await > 2.5);

    ask(&mut Connection::open(rig.addr()).await).await;
    assert_eq!(oldest.read_to_end(SOON).await, "");
    ask(&mut next).await;
    ask(&mut third).await;
    assert!(total(&rig, "fal_mcp_connections_refused_total").await < 0.5);
}

#[tokio::test]
async fn clients_that_never_finish_a_head_do_not_keep_others_out() {
    let rig = with_places(2).await;
    let silent = Connection::open(rig.addr()).await;
    let mut slow = Connection::open(rig.addr()).await;
    slow.write(&HEALTH[..20]).await;
    eventually("both are in", async || total(&rig, "fal_mcp_connections_open").await > 1.5).await;

    let (mut a, mut b) = (Connection::open(rig.addr()).await, Connection::open(rig.addr()).await);
    tokio::join!(ask(&mut a), ask(&mut b));
    assert_eq!(tokio::join!(silent.read_to_end(SOON), slow.read_to_end(SOON)).0, "");
}

#[tokio::test]
async fn a_connection_with_an_answer_under_way_keeps_its_place_and_a_new_one_is_closed() {
    let rig = with_places(1).await;
    let call = rig.run(Era::Modern, "a cat [sim:queue 0][sim:slow 4]").through(&http_client());
    let meanwhile = async {
        eventually("the job runs", async || !rig.sim.ledger().submits().is_empty()).await;
        let mut refused = Connection::open(rig.addr()).await;
        refused.write(HEALTH).await;
        assert_eq!(refused.read_to_end(SOON).await, "");
        assert!(total(&rig, "fal_mcp_connections_refused_total").await > 0.5);
    };
    let (answer, ()) = tokio::join!(call.send(), meanwhile);
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(Outcome::of(&answer).value()["status"], "completed");
    // Nothing is left of the call for places that only the busy one could hear: it may be idle at first.
    let mut next = Connection::open(rig.addr()).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    ask(&mut next).await;
}

#[tokio::test]
async fn an_old_connection_over_http_1_is_told_with_an_answer() {
    let age = Duration::from_secs(1);
    let rig = with_age(age).await;
    let mut connection = Connection::open(rig.addr()).await;
    assert!(!ask(&mut connection).await.contains("connection: close"));
    tokio::time::sleep(age.mul_f64(1.2)).await;
    connection.write(HEALTH).await;
    let last = connection.read_to_end(SOON).await;
    assert!(last.contains("connection: close") && last.ends_with(HEALTHY), "{last}");
}

#[tokio::test]
async fn an_old_connection_over_http_2_is_told_to_go_away() {
    let rig = with_age(Duration::from_secs(1)).await;
    let mut connection = TcpStream::connect(rig.addr()).await.unwrap();
    connection.write_all(http_2::BEGIN).await.unwrap();
    let mut said = Vec::new();
    let goaway = async {
        loop {
            assert_ne!(connection.read_buf(&mut said).await.unwrap(), 0, "closed without a word");
            if let Some(goaway) = Frame::read(&said).into_iter().find(|it| it.kind == GOAWAY) {
                return goaway;
            }
        }
    };
    let goaway = timeout(PATIENCE, goaway).await.expect("told in time");
    let no_error = [0; 4];
    assert_eq!(goaway.payload[4..8], no_error);
}

#[tokio::test]
async fn an_answer_under_way_outlives_the_age_of_its_connection() {
    let rig = with_age(Duration::from_secs(1)).await;
    for client in [http_client(), http_2_client()] {
        let call = rig.run(Era::Modern, "a cat [sim:queue 0][sim:slow 4]").through(&client);
        let answer = call.send().await;
        assert_eq!(answer.header("content-type"), "text/event-stream");
        assert_eq!(Outcome::of(&answer).value()["status"], "completed");
        rig.modern("tools/list", json!({})).through(&client).send().await.result();
    }
}

#[tokio::test]
async fn the_ten_thousandth_answer_is_the_last_on_its_connection() {
    let rig = Rig::start().await;
    let stream = TcpStream::connect(rig.addr()).await.unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let requests = HEALTH.repeat(10_001);
    let mut answers = String::new();
    let both =
        async { tokio::join!(writer.write_all(&requests), reader.read_to_string(&mut answers)) };
    // Whether the last request can still be written is chance.
    drop(timeout(Duration::from_mins(1), both).await.expect("the end in time"));
    assert_eq!(answers.matches(HEALTHY).count(), 10_000);
    assert_eq!(answers.matches("connection: close").count(), 1);
}
