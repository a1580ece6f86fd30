//! What is counted: the text follows the rules of its format, the documentation names what is there
//! and nothing else, and labels stay few whatever callers send.

use std::collections::{BTreeMap, BTreeSet};

use fal_sim::{Fault, FaultKind, Operation};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::Method;
use serde_json::{Value, json};
use tests::prometheus::Family;
use tests::{Era, Outcome, Rig, eventually, gateway_config, instant};

const DOCUMENT: &str = include_str!("../../../docs/telemetry.md");

/// A caller at each of what is counted.
async fn a_bit_of_everything(rig: &Rig) {
    rig.call(Era::Modern, "get_model_schema", json!({"endpoint_id": "fal-ai/flux/schnell"})).await;
    Outcome::of(&rig.run(Era::Modern, "a cat").send().await).value();
    Outcome::of(&rig.run(Era::Legacy, "a cat [sim:content_policy]").send().await)
        .error("model_refused");
    rig.legacy("notifications/initialized", json!({})).send().await;
    rig.modern("nonsense/method", json!({})).send().await.refusal(404, -32601);
    rig.tool(Era::Modern, "no_such_tool", json!({})).send().await.refusal(200, -32602);
    rig.sim.faults().add(Fault::new(FaultKind::DropBefore).on(Operation::Pricing).times(1));
    rig.call(Era::Modern, "get_pricing", json!({"endpoint_id": "fal-ai/flux/dev"})).await;
    rig.call(Era::Modern, "upload_file", json!({"data": "YQ==", "file_name": "a.txt"})).await;
    rig.plain(Method::GET, "/page.css").send().await;
    rig.plain(Method::GET, "/nowhere").send().await;
    rig.plain(Method::POST, "/mcp").send().await.refusal(401, 401);
}

/// The rows of the document's table of metrics: name → kind, labels.
fn documented() -> BTreeMap<&'static str, (&'static str, BTreeSet<&'static str>)> {
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| `") && line.contains("` | `"));
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.split(" | ").collect();
        let kind = cells[2].split(',').next().expect("a kind");
        let labels = cells[3].split(", ").map(|label| label.trim_matches('`')).collect();
        (cells[0].trim_start_matches("| ").trim_matches('`'), (kind, labels))
    };
    rows.filter(|line| line.split(" | ").count() == 5).map(row).collect()
}

#[tokio::test]
async fn the_documented_metrics_are_those_that_are_emitted() {
    let rig = Rig::start().await.warm().await;
    a_bit_of_everything(&rig).await;
    let emitted = rig.metrics().await;
    let documented = documented();
    assert!(documented.len() > 10, "the table is found");
    for (name, (kind, labels)) in &documented {
        let family = emitted.get(*name).unwrap_or_else(|| panic!("{name} is not emitted"));
        assert_eq!(family.kind, *kind, "{name}");
        assert!(family.labels().is_subset(labels), "{name}: {:?}", family.labels());
    }
    let unknown: Vec<_> =
        emitted.keys().filter(|name| !documented.contains_key(name.as_str())).collect();
    assert_eq!(unknown, ["target_info"], "not in the document");
}

#[tokio::test]
async fn the_values_of_a_closed_set_are_all_documented() {
    const CLOSED: [&str; 8] = [
        "cpu_mode",
        "fal_mcp_cache_name",
        "fal_mcp_cache_result",
        "fal_operation",
        "http_route",
        "mcp_protocol_version",
        "network_protocol_version",
        "network_transport",
    ];
    let rig = Rig::start().await.warm().await;
    a_bit_of_everything(&rig).await;
    let emitted = rig.metrics().await;
    for label in CLOSED {
        let row = DOCUMENT.lines().find(|line| line.starts_with(&format!("| `{label}` | ")));
        let row = row.unwrap_or_else(|| panic!("{label} has no row"));
        let samples = emitted.values().flat_map(|family| &family.samples);
        let values: BTreeSet<&String> =
            samples.filter_map(|sample| sample.labels.get(label)).collect();
        assert!(!values.is_empty(), "{label} is on nothing");
        for value in values {
            assert!(row.contains(&format!("`{value}`")), "{label}: {value} is not in {row}");
        }
    }
}

#[tokio::test]
async fn what_happened_is_what_is_counted() {
    let rig = Rig::start().await.warm().await;
    a_bit_of_everything(&rig).await;
    let metrics = rig.metrics().await;
    let total = |name: &str, labels: &[(&str, &str)]| metrics[name].total(labels);
    let run = |outcome: &[(&str, &str)]| {
        let labels =
            [&[("mcp_method_name", "tools/call"), ("gen_ai_tool_name", "run_model")], outcome];
        total("mcp_server_operation_duration_seconds", &labels.concat())
    };
    for (found, expected) in [
        (run(&[]), 2.0),
        (run(&[("error_type", "tool_error"), ("fal_mcp_error_kind", "model_refused")]), 1.0),
        (
            total(
                "mcp_server_operation_duration_seconds",
                &[("mcp_method_name", "_OTHER"), ("rpc_response_status_code", "-32601")],
            ),
            1.0,
        ),
        (total("mcp_server_operation_duration_seconds", &[("gen_ai_tool_name", "_OTHER")]), 1.0),
        (
            total(
                "mcp_server_operation_duration_seconds",
                &[("mcp_method_name", "notifications/initialized")],
            ),
            1.0,
        ),
        (
            total(
                "http_server_request_duration_seconds",
                &[("http_response_status_code", "401"), ("http_route", "/mcp")],
            ),
            1.0,
        ),
        (total("fal_mcp_requests_refused_total", &[("fal_mcp_error_kind", "key")]), 1.0),
        (total("fal_mcp_requests_refused_total", &[("fal_mcp_error_kind", "unknown_tool")]), 1.0),
        (
            total(
                "http_client_request_duration_seconds",
                &[("fal_operation", "submit"), ("http_response_status_code", "200")],
            ),
            2.0,
        ),
        (
            total(
                "http_client_request_duration_seconds",
                &[("fal_operation", "pricing"), ("error_type", "dropped")],
            ),
            1.0,
        ),
        (total("fal_mcp_upstream_retries_total", &[("fal_operation", "pricing")]), 1.0),
        (
            total(
                "fal_mcp_cache_requests_total",
                &[("fal_mcp_cache_name", "schemas"), ("fal_mcp_cache_result", "miss")],
            ),
            1.0,
        ),
        (
            total(
                "fal_mcp_cache_requests_total",
                &[("fal_mcp_cache_name", "schemas"), ("fal_mcp_cache_result", "hit")],
            ),
            2.0,
        ),
        (total("fal_mcp_jobs_submitted_total", &[("fal_mcp_outcome", "accepted")]), 2.0),
        (total("fal_mcp_jobs_finished_total", &[("fal_mcp_outcome", "completed")]), 1.0),
        (total("fal_mcp_jobs_finished_total", &[("fal_mcp_outcome", "model_refused")]), 1.0),
        (total("fal_mcp_calls_waiting", &[]), 0.0),
        (total("http_server_active_requests", &[]), 0.0),
    ] {
        assert!((found - expected).abs() < 0.1, "{found} instead of {expected}: {metrics:#?}");
    }
}

/// Text that differs each time, also in what a label would have to escape.
fn random(number: u64) -> String {
    format!("x{:x}\"\n{number}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// A request of which a part is made up.
fn random_request(rig: &Rig, number: u64) -> tests::Request {
    let text = random(number);
    let plain: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    match number % 8 {
        0 => rig.modern(&format!("m/{plain}"), json!({})),
        1 => rig.legacy(&text, json!({})),
        2 => rig.modern("tools/call", json!({"name": plain, "arguments": {}})),
        3 => rig.tool(
            Era::Legacy,
            "run_model",
            json!({"endpoint_id": plain, "input": {plain.as_str(): text}}),
        ),
        4 => rig.modern("tools/list", json!({})).header("mcp-protocol-version", &plain),
        5 => rig.plain(
            Method::from_bytes(plain.to_uppercase().as_bytes()).unwrap(),
            &format!("/{plain}?{plain}"),
        ),
        6 => {
            rig.modern("tools/list", json!({})).set("/id", json!(text)).header("user-agent", &plain)
        }
        _ => rig
            .modern("tools/list", json!({}))
            .header("traceparent", &plain)
            .header("x-request-id", &plain),
    }
}

#[tokio::test]
async fn ten_thousand_random_calls_leave_the_labels_few() {
    const CALLS: u64 = 10_000;
    const AT_ONCE: usize = 32;
    let rig = Rig::start().await;
    let mut numbers = 0..CALLS;
    let mut under_way = FuturesUnordered::new();
    loop {
        while under_way.len() < AT_ONCE
            && let Some(number) = numbers.next()
        {
            under_way.push(random_request(&rig, number).send());
        }
        if under_way.next().await.is_none() {
            break;
        }
    }
    let metrics = rig.metrics().await;
    let answered = metrics["http_server_request_duration_seconds"].total(&[]);
    assert!(answered >= 10_000.0, "{answered} requests were counted");
    let values: BTreeSet<&str> = metrics
        .values()
        .filter(|family| family.name != "target_info")
        .flat_map(|family| &family.samples)
        .flat_map(|sample| sample.labels.values().map(String::as_str))
        .collect();
    let made_up: Vec<_> = values.iter().filter(|value| value.starts_with('x')).collect();
    assert!(made_up.is_empty(), "{made_up:?}");
    assert!(values.len() < 100, "{values:?}");
    let series = |family: &Family| family.samples.len();
    let largest = metrics.values().max_by_key(|family| series(family)).expect("metrics");
    assert!(series(largest) < 500, "{} has {} series", largest.name, series(largest));
}

#[tokio::test]
async fn a_call_that_waits_is_counted_as_long_as_it_does() {
    let rig = Rig::with(fal_sim::Config::default(), |_| ()).await;
    let running = rig.run(Era::Modern, "a cat [sim:queue 0][sim:slow 30]").send();
    let seen = eventually("a call waits", async || {
        let metrics = rig.metrics().await;
        let [waiting, active] = ["fal_mcp_calls_waiting", "http_server_active_requests"]
            .map(|name| metrics[name].total(&[]));
        waiting > 0.5 && active > 0.5
    });
    tokio::select! {
        answer = running => panic!("too soon: {}", answer.text()),
        () = seen => {}
    }
    // The caller has gone: its call is over, and counted as that.
    eventually("nothing waits any more", async || {
        let metrics = rig.metrics().await;
        let gone = metrics
            .get("mcp_server_operation_duration_seconds")
            .is_some_and(|family| family.total(&[("error_type", "caller_gone")]) > 0.5);
        gone && metrics["fal_mcp_calls_waiting"].total(&[]) < 0.5
    })
    .await;
}

#[tokio::test]
async fn the_admin_address_answers_probes_and_has_nothing_else() {
    let rig = Rig::start().await;
    let admin = format!("http://{}", rig.gateway.admin_addr().unwrap());
    let get = async |path: &str| {
        let answer = rig.plain(Method::GET, path).to(format!("{admin}{path}")).send().await;
        (answer.status, answer.text().to_owned())
    };
    assert_eq!(get("/healthz").await, (200, r#"{"status":"ok"}"#.to_owned()));
    assert_eq!(get("/readyz").await, (200, r#"{"status":"ready"}"#.to_owned()));
    assert_eq!(get("/mcp").await.0, 404);
    assert_eq!(rig.plain(Method::GET, "/metrics").send().await.status, 404, "not in public");
}

#[tokio::test]
async fn an_admin_address_that_is_taken_is_an_error_that_names_the_setting() {
    let rig = Rig::start().await;
    let sim = fal_sim::start(instant()).await.unwrap();
    let config = gateway::Config { admin_addr: rig.gateway.admin_addr(), ..gateway_config(&sim) };
    let error = gateway::start(config).await.unwrap_err().to_string();
    let addr = rig.gateway.admin_addr().unwrap().to_string();
    for part in [addr.as_str(), "--admin-addr", "FAL_MCP_ADMIN_ADDR", "off"] {
        assert!(error.contains(part), "{error}");
    }
    let off = gateway::Config { admin_addr: None, ..gateway_config(&sim) };
    assert_eq!(gateway::start(off).await.unwrap().admin_addr(), None);
}

#[tokio::test]
async fn a_trace_of_the_caller_s_is_passed_on_where_nothing_is_exported() {
    const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const META: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    let rig = Rig::start().await;
    let header = |request: tests::Request| request.header("traceparent", HEADER);
    let meta = |request: tests::Request| request.set("/params/_meta/traceparent", json!(META));
    let runs: [(&str, tests::Request); 2] = [
        (HEADER, header(rig.run(Era::Modern, "a"))),
        (META, meta(header(rig.run(Era::Modern, "b")))),
    ];
    for (expected, run) in runs {
        let before = rig.asked().len();
        Outcome::of(&run.header("baggage", "user=1").send().await).value();
        let asked = rig.asked().split_off(before);
        for operation in [Operation::Submit, Operation::Status, Operation::Result] {
            let request = asked.iter().find(|request| request.operation == operation).unwrap();
            assert_eq!(request.traceparent.as_deref(), Some(expected), "{operation:?}");
        }
    }
    let before = rig.asked().len();
    rig.run(Era::Modern, "c").set("/params/_meta/traceparent", Value::Null).send().await;
    assert!(rig.asked().split_off(before).iter().all(|request| request.traceparent.is_none()));
}
