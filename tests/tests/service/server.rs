//! Everything beside the messages: methods, browsers, probes, pages, start and end.

use std::time::Duration;

use fal_sim::{Fault, FaultKind};
use http::Method;
use serde_json::json;
use tests::raw::Connection;
use tests::{Era, Outcome, Rig, eventually, gateway_config, real_time};
use tokio::time::Instant;

use crate::shown;

#[tokio::test]
async fn the_endpoint_takes_post_only() {
    let rig = Rig::start().await;
    for method in [Method::GET, Method::DELETE, Method::PUT, Method::PATCH] {
        for keyed in [true, false] {
            let request = rig.plain(method.clone(), "/mcp");
            let request = if keyed { request.bearer(fal_sim::DEMO_KEY) } else { request };
            let answer = request.send().await;
            assert_eq!(answer.header("allow"), "POST", "{method}");
            assert_eq!(
                answer.refusal(405, 405),
                "The MCP endpoint takes POST only: there is no GET stream and there are no sessions to delete."
            );
        }
    }
    let head = rig.plain(Method::HEAD, "/mcp").send().await;
    assert_eq!((head.status, head.header("allow"), head.text()), (405, "POST", ""));
}

#[tokio::test]
async fn a_browser_of_an_allowed_origin_may_call() {
    let rig = Rig::with(fal_sim::Config::default(), |config| {
        config.allowed_origins.insert("https://app.example.com".to_owned());
    })
    .await;
    let preflight = rig
        .plain(Method::OPTIONS, "/mcp")
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization,content-type,mcp-protocol-version",
        );
    let answer = preflight.clone().send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example.com");
    assert_eq!(answer.header("access-control-allow-methods"), "POST");
    let allowed = answer.header("access-control-allow-headers");
    for name in [
        "authorization",
        "content-type",
        "mcp-protocol-version",
        "mcp-method",
        "mcp-name",
        "mcp-session-id",
        "last-event-id",
    ] {
        assert!(allowed.contains(name), "{name} is not among {allowed}");
    }

    let call = rig.modern("tools/list", json!({})).header("origin", "https://app.example.com");
    let answer = call.clone().send().await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example.com");
    assert_eq!(answer.header("access-control-expose-headers"), "www-authenticate");
    answer.result();
    let refused = call.without("authorization").send().await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.header("access-control-allow-origin"), "https://app.example.com");

    let foreign = preflight.header("origin", "https://attacker.example").send().await;
    assert_eq!(foreign.header("access-control-allow-origin"), "");
    foreign.refusal(403, 403);
}

#[tokio::test]
async fn probes_need_no_key_and_ask_nobody() {
    let rig = Rig::start().await;
    let health = rig.plain(Method::GET, "/healthz").send().await;
    assert_eq!((health.status, health.json()), (200, json!({"status": "ok"})));
    let ready = rig.plain(Method::GET, "/readyz").send().await;
    assert_eq!((ready.status, ready.json()), (200, json!({"status": "ready"})));
    assert_eq!(rig.asked(), []);
}

#[tokio::test]
async fn the_server_card_is_for_anyone() {
    let rig = Rig::start().await;
    let card = rig.plain(Method::GET, "/mcp/server-card").send().await;
    assert_eq!(card.status, 200);
    assert_eq!(card.header("content-type"), "application/mcp-server-card+json");
    assert_eq!(card.header("access-control-allow-origin"), "*");
    let remote = &card.json()["remotes"][0];
    assert_eq!(remote["url"], rig.gateway.endpoint_url());
    assert_eq!(remote["headers"][0]["isSecret"], true);
}

#[tokio::test]
async fn clients_that_look_for_a_sign_in_are_told_to_configure_the_key() {
    let rig = Rig::start().await;
    for (method, path) in [
        (Method::GET, "/.well-known/oauth-protected-resource/mcp"),
        (Method::GET, "/.well-known/oauth-protected-resource"),
        (Method::GET, "/.well-known/oauth-authorization-server"),
        (Method::GET, "/.well-known/oauth-authorization-server/mcp"),
        (Method::GET, "/.well-known/openid-configuration"),
        (Method::GET, "/mcp/.well-known/openid-configuration"),
        (Method::POST, "/register"),
        (Method::GET, "/sse"),
        (Method::GET, "/favicon.ico"),
    ] {
        let answer = rig.plain(method, path).send().await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("content-type"), "application/json");
        let endpoint = rig.gateway.endpoint_url();
        assert_eq!(
            answer.json(),
            json!({
                "error": "not_found",
                "error_description": format!("There is nothing here. The MCP endpoint is {endpoint}. This server has no OAuth sign-in: configure your client with the header `Authorization: Bearer <key_id>:<key_secret>`, your fal key from https://fal.ai/dashboard/keys."),
            })
        );
    }
}

#[tokio::test]
async fn every_answer_carries_the_request_s_id() {
    let rig = Rig::start().await;
    let answer = rig.plain(Method::GET, "/healthz").header("x-request-id", "mine-7").send().await;
    assert_eq!(answer.header("x-request-id"), "mine-7");
    let first = rig.modern("tools/list", json!({})).send().await;
    let second = rig.plain(Method::GET, "/nowhere").send().await;
    assert!(!first.header("x-request-id").is_empty());
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
}

#[tokio::test]
async fn the_gateway_is_ready_well_within_a_second_of_its_start() {
    let sim = fal_sim::start(fal_sim::Config::default()).await.unwrap();
    // A fal that says nothing for a minute: readiness does not wait for it.
    sim.faults().add(Fault::new(FaultKind::SlowHeaders { milliseconds: 60_000 }));
    let config = gateway_config(&sim);
    let begun = Instant::now();
    let gateway = gateway::start(config).await.unwrap();
    let mut connection = Connection::open(gateway.addr()).await;
    connection.write(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let answer = connection.read_until("ready", Duration::from_secs(1)).await;
    let took = begun.elapsed();
    shown::measured(&format!("start to ready in {took:?}"));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_with_its_address() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = taken.local_addr().unwrap();
    let config = gateway::Config { addr, ..gateway::Config::default() };
    let error = gateway::start(config).await.unwrap_err().to_string();
    assert!(error.contains(&addr.to_string()), "{error}");
}

#[tokio::test]
async fn at_the_end_a_running_call_is_finished_and_new_work_is_not_taken() {
    let rig = Rig::with(real_time(), |_| ()).await;
    let running = rig.run(Era::Modern, "a cat [sim:queue 0][sim:slow 1.5]");
    let page = rig.plain(Method::GET, "/readyz");
    let started = async || !rig.sim.ledger().submits().is_empty();
    let addr = rig.addr();
    let watch = eventually("the job is submitted", started);
    let running = running.send();
    tokio::pin!(running);
    tokio::select! {
        answer = &mut running => panic!("too soon: {}", answer.text()),
        () = watch => {}
    }
    let mut idle = Connection::open(addr).await;
    idle.write(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    idle.read_until("ready", Duration::from_secs(1)).await;

    let Rig { gateway, .. } = rig;
    let begun = Instant::now();
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let refused = tokio::net::TcpStream::connect(addr).await;
        assert!(refused.is_err(), "the listener is closed");
        assert_eq!(
            idle.read_to_end(Duration::from_secs(1)).await,
            "",
            "idle connections are closed"
        );
    };
    let (answer, (), ()) = tokio::join!(running, gateway.shutdown(), meanwhile);
    drop(page);
    assert_eq!(Outcome::of(&answer).value()["status"], "completed");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn near_the_end_of_the_grace_waiting_calls_answer_with_their_handles() {
    let rig = Rig::with(real_time(), |config| {
        config.shutdown_grace = Duration::from_millis(3_500);
    })
    .await;
    let running = rig.run(Era::Modern, "a cat [sim:queue 0][sim:slow 30]").send();
    let begun = Instant::now();
    let sim = rig.sim;
    let stop = async {
        eventually("the job is submitted", async || !sim.ledger().submits().is_empty()).await;
        rig.gateway.shutdown().await;
    };
    let (answer, ()) = tokio::join!(running, stop);
    assert_eq!(Outcome::of(&answer).value()["status"], "processing");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(sim.ledger().calls(fal_sim::Operation::Cancel), 0, "the job runs on");
}

#[tokio::test]
async fn a_submit_under_way_is_finished_before_the_end() {
    let rig = Rig::start().await;
    let slow = FaultKind::SlowHeaders { milliseconds: 600 };
    rig.sim.faults().add(Fault::new(slow).on(fal_sim::Operation::Submit));
    let wire = rig.run(Era::Legacy, "a cat").to_wire();
    let mut connection = Connection::open(rig.addr()).await;
    connection.write(&wire).await;
    let sim = rig.sim;
    let sent = async || sim.ledger().calls(fal_sim::Operation::Submit) == 1;
    eventually("the submit is on its way", sent).await;
    drop(connection);
    rig.gateway.shutdown().await;
    assert_eq!(sim.ledger().submits().len(), 1, "fal has the job");
}
