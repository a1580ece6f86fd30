//! What a client can hold up: bodies and headers that are too large, too slow or cut, over HTTP/1.1
//! and HTTP/2.

use std::time::Duration;

use bytes::Bytes;
use fal_sim::Operation;
use serde_json::json;
use tests::http_2::{self, CONTINUATION, END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS};
use tests::raw::Connection;
use tests::{Answer, Era, Log, Rig, eventually, http_2_client, http_client};
use tokio::time::Instant;

const LIMIT: usize = 64 * 1024;

async fn small() -> Rig {
    Rig::with(fal_sim::Config::default(), |config| config.max_body_bytes = LIMIT).await
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_with_the_limit_and_a_way_out() {
    let rig = small().await;
    let call = rig.tool(Era::Modern, "search_models", json!({"query": "x".repeat(LIMIT)}));
    let expected = json!({"jsonrpc": "2.0", "error": {
        "code": 413,
        "message": "The request body is larger than 65536 bytes. Put large media behind a URL and send that.",
    }});
    let declared = call.clone().send().await;
    assert_eq!((declared.status, declared.json()), (413, expected.clone()));

    // The same body in chunks, so that nobody declares its length.
    let mut connection = Connection::open(rig.addr()).await;
    connection.write(&chunked(&call)).await;
    let answer = connection.read_to_end(Duration::from_secs(5)).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(answer.ends_with(&expected.to_string()), "{answer}");
}

#[tokio::test]
async fn a_body_of_more_values_than_memory_should_hold_is_refused_and_a_long_text_is_not() {
    let rig = Rig::start().await;
    let search = |argument| rig.tool(Era::Modern, "search_models", json!({"query": argument}));
    let refused = search(json!(vec![0; 200_000])).send().await;
    assert_eq!(
        refused.refusal(413, 413),
        "The request body has more than 100000 JSON values. Put large data behind a URL and send that."
    );
    let text = search(json!("x,".repeat(200_000))).send().await;
    assert_eq!(text.status, 200, "{}", text.text());
}

#[tokio::test]
async fn a_body_in_chunks_below_the_limit_is_served() {
    let rig = small().await;
    let mut connection = Connection::open(rig.addr()).await;
    connection.write(&chunked(&rig.modern("tools/list", json!({})))).await;
    let head = connection.read_until("search_models", Duration::from_secs(5)).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
}

/// The request with its body in chunks of 1,000 bytes.
fn chunked(request: &tests::Request) -> Vec<u8> {
    let wire = String::from_utf8(request.to_wire()).unwrap();
    let (head, body) = wire.split_once("\r\n\r\n").unwrap();
    let (head, _) = head.rsplit_once("\r\ncontent-length").unwrap();
    let mut wire = format!("{head}\r\ntransfer-encoding: chunked\r\n\r\n").into_bytes();
    for chunk in body.as_bytes().chunks(1_000) {
        wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        wire.extend_from_slice(chunk);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b"0\r\n\r\n");
    wire
}

/// Heads that are too large, each as a header's value and so many more headers.
const LARGE_HEADS: [(usize, usize); 2] = [(65 * 1024, 0), (1, 101)];

fn with_head(request: tests::Request, (bytes, more): (usize, usize)) -> tests::Request {
    let padded = request.header("x-padding", &"x".repeat(bytes));
    (0..more).fold(padded, |request, number| request.header(&format!("x-more-{number}"), "x"))
}

#[tokio::test]
async fn a_head_over_64_kib_or_a_hundred_headers_is_refused_with_both_limits() {
    let rig = Rig::start().await;
    let body = json!({"jsonrpc": "2.0", "error": {
        "code": 431,
        "message": "The request's head is too large: this server takes 65536 bytes and 100 headers.",
    }});
    let list = rig.modern("tools/list", json!({}));
    for client in [http_client(), http_2_client()] {
        for head in LARGE_HEADS {
            let refused = with_head(list.clone(), head).through(&client).send().await;
            assert_eq!(refused.status, 431);
            assert_eq!(refused.header("content-type"), "application/json");
            assert!(!refused.header("x-request-id").is_empty());
            assert_eq!(refused.json(), body);
        }
        with_head(list.clone(), (32 * 1024, 80)).through(&client).send().await.result();
    }
    let refused = rig.metrics().await["fal_mcp_requests_refused_total"].clone();
    let count = refused.total(&[("fal_mcp_error_kind", "head_too_large")]);
    assert_eq!(count.to_string(), "4");
}

#[tokio::test]
async fn a_head_that_is_not_read_at_all_is_counted_and_logged_with_its_status_for_an_answer() {
    let (log, _keeping) = Log::keep();
    let rig = Rig::start().await;
    let list = rig.modern("tools/list", json!({}));
    let huge = with_head(list.clone(), (300 * 1024, 0)).to_wire();
    let flood = with_head(list, (1, 257)).to_wire();
    for (head, status) in
        [(huge, 431), (flood, 431), (b"GET / HTTP/1.1\r\nno colon\r\n\r\n".to_vec(), 400)]
    {
        let mut connection = Connection::open(rig.addr()).await;
        connection.write(&head).await;
        let answer = connection.read_to_end(Duration::from_secs(5)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    for (kind, lines) in [("head_too_large", 2), ("head_unreadable", 1)] {
        let line = format!("refused kind=\"{kind}\"");
        let logged = async || log.text().matches(&line).count() == lines;
        eventually("each has its line", logged).await;
    }
    let refused = rig.metrics().await["fal_mcp_requests_refused_total"].clone();
    let total = |kind| refused.total(&[("fal_mcp_error_kind", kind)]);
    assert_eq!((total("head_too_large"), total("head_unreadable")), (2.0, 1.0));
}

#[tokio::test]
async fn a_client_that_stops_sending_is_let_go_after_ten_seconds() {
    let rig = Rig::start().await;
    let wire = rig.modern("tools/list", json!({})).to_wire();
    let begun = Instant::now();
    let stops_after = async |bytes: usize| {
        let mut connection = Connection::open(rig.addr()).await;
        connection.write(&wire[..bytes]).await;
        connection.read_to_end(Duration::from_secs(15)).await
    };
    let (in_headers, in_body) = tokio::join!(stops_after(40), stops_after(wire.len() - 10));
    let took = begun.elapsed();
    assert!((9.5..14.0).contains(&took.as_secs_f64()), "{took:?}");
    // HTTP has no words for someone whose request never became one: the connection just ends.
    assert!(in_headers.is_empty() || in_headers.starts_with("HTTP/1.1 408 "), "{in_headers}");
    assert!(in_body.starts_with("HTTP/1.1 408 "), "{in_body}");
    let body = json!({"jsonrpc": "2.0", "error": {"code": 408, "message": "The request body did not arrive in time."}});
    assert!(in_body.ends_with(&body.to_string()), "{in_body}");
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_no_job_and_no_harm() {
    let rig = Rig::start().await;
    let wire = rig.run(Era::Modern, "a cat").to_wire();
    for _ in 0..5 {
        let mut connection = Connection::open(rig.addr()).await;
        connection.write(&wire[..wire.len() - 10]).await;
        drop(connection);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(rig.sim.ledger().calls(Operation::Submit), 0);
    rig.modern("tools/list", json!({})).send().await.result();
}

#[tokio::test]
async fn what_is_not_http_does_no_harm() {
    let rig = Rig::start().await;
    for garbage in
        [b"\x16\x03\x01\x02\x00\x01\x00\x01".as_slice(), b"GET\r\n\r\n", b"\0\0\0\0\r\n\r\n"]
    {
        let mut connection = Connection::open(rig.addr()).await;
        connection.write(garbage).await;
        let answer = connection.read_to_end(Duration::from_secs(11)).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    rig.modern("tools/list", json!({})).send().await.result();
}

#[tokio::test]
async fn over_http_2_everything_is_as_over_http_1() {
    let rig = small().await;
    let http_2 = http_2_client();
    let list = rig.modern("tools/list", json!({}));
    let over_http_1 = list.clone().send().await;
    let over_http_2 = list.clone().through(&http_2).send().await;
    assert_eq!(over_http_1.body, over_http_2.body);

    let no_key = list.clone().without("authorization").through(&http_2).send().await;
    no_key.refusal(401, 401);
    let large = list.clone().body(Bytes::from(vec![b' '; LIMIT + 1])).through(&http_2);
    large.send().await.refusal(413, 413);
    let huge = list.clone().header("x-padding", &"x".repeat(130 * 1024)).through(&http_2);
    assert_eq!(huge.send().await.status, 431);
    let foreign = list.clone().header("origin", "https://attacker.example").through(&http_2);
    foreign.send().await.refusal(403, 403);
    let own = format!("http://{}", rig.addr());
    list.header("origin", &own).through(&http_2).send().await.result();

    let run = rig.run(Era::Modern, "a cat").through(&http_2).send().await;
    assert_eq!(tests::Outcome::of(&run).value()["status"], "completed");
}

/// What the gateway says to these bytes on a new HTTP/2 connection until it closes it.
async fn http_2_ends(rig: &Rig, attack: &[u8]) -> Vec<Frame> {
    let mut connection = Connection::open(rig.addr()).await;
    connection.write(http_2::BEGIN).await;
    connection.write(attack).await;
    Frame::read(&connection.read_bytes_to_end(Duration::from_secs(10)).await)
}

fn headers(stream: u32, flags: u8) -> Vec<u8> {
    Frame { kind: HEADERS, flags, stream, payload: http_2::GET.to_vec() }.to_wire()
}

/// `ENHANCE_YOUR_CALM` (RFC 9113, section 7).
const CALM: [u8; 4] = 11_u32.to_be_bytes();

#[tokio::test]
async fn streams_that_are_reset_as_soon_as_they_open_end_the_connection() {
    let rig = Rig::start().await;
    let cancel = 8_u32.to_be_bytes().to_vec();
    let rapid_reset: Vec<u8> = (0..500)
        .map(|number| number * 2 + 1)
        .flat_map(|stream| {
            let reset =
                Frame { kind: http_2::RST_STREAM, flags: 0, stream, payload: cancel.clone() };
            [headers(stream, END_HEADERS | END_STREAM), reset.to_wire()].concat()
        })
        .collect();
    let said = http_2_ends(&rig, &rapid_reset).await;
    let goaway = said.iter().find(|frame| frame.kind == GOAWAY).expect("a reason");
    assert_eq!(goaway.payload[4..8], CALM, "{said:?}");
    rig.modern("tools/list", json!({})).through(&http_2_client()).send().await.result();
}

#[tokio::test]
async fn headers_without_an_end_end_the_connection() {
    let rig = Rig::start().await;
    let mut flood = headers(1, END_STREAM);
    // A literal header that is not to be indexed: one letter of name, 8,000 of value.
    let header = [b"\0\x01x\x7f\xc1\x3d".as_slice(), &[b'x'; 8_000]].concat();
    for _ in 0..50 {
        let more = Frame { kind: CONTINUATION, flags: 0, stream: 1, payload: header.clone() };
        flood.extend(more.to_wire());
    }
    let said = http_2_ends(&rig, &flood).await;
    let goaway = said.iter().find(|frame| frame.kind == GOAWAY).expect("a reason");
    assert_eq!(goaway.payload[4..8], CALM, "{said:?}");
    rig.modern("tools/list", json!({})).send().await.result();
}

#[tokio::test]
async fn a_client_is_told_how_much_one_http_2_connection_takes() {
    let rig = Rig::start().await;
    let said = http_2_ends(&rig, b"what is no frame ends the connection").await;
    assert_eq!(said[0].kind, http_2::SETTINGS);
    let settings: Vec<(u16, u32)> = said[0]
        .payload
        .chunks(6)
        .map(|setting| {
            let (name, value) = setting.split_at(2);
            (
                u16::from_be_bytes(name.try_into().unwrap()),
                u32::from_be_bytes(value.try_into().unwrap()),
            )
        })
        .collect();
    let (max_concurrent_streams, max_header_list_size) = ((3, 100), (6, 128 * 1024));
    assert!(settings.contains(&max_concurrent_streams), "{settings:?}");
    assert!(settings.contains(&max_header_list_size), "{settings:?}");
}

#[tokio::test]
async fn a_gateway_at_its_limit_of_requests_says_when_to_come_back() {
    let rig = Rig::with(fal_sim::Config::default(), |config| config.max_in_flight = 1).await;
    let running = rig.run(Era::Modern, "a cat [sim:queue 0][sim:slow 1.2]");
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let refused: Answer = rig.modern("tools/list", json!({})).send().await;
        let probe = rig.plain(http::Method::GET, "/healthz").send().await;
        (refused, probe)
    };
    let (finished, (refused, probe)) = tokio::join!(running.send(), meanwhile);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(
        refused.refusal(503, 503),
        "This server is at its limit of requests at the same time. Try again in a second."
    );
    assert_eq!(probe.status, 200, "a probe is never turned away");
    assert_eq!(tests::Outcome::of(&finished).value()["status"], "completed");
}
