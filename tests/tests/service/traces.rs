//! Export over OTLP by both protocols, with the gateway as a process of its own: spans join their
//! caller's trace, fal sees it too, and nothing is lost at the end.

use std::time::Duration;

use fal_sim::Operation;
use futures_util::future::join_all;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use rustls::pki_types::PrivateKeyDer;
use serde_json::json;
use tests::{Era, Outcome, Rig};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::collector::{Collector, attribute};
use crate::process::Process;
use crate::proxies::pem;

const DOCUMENT: &str = include_str!("../../../docs/telemetry.md");
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const META_TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const META_CALLER: &str = "b7ad6b7169203331";
const PROTOCOLS: [&str; 2] = ["http/protobuf", "grpc"];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

fn of(span: &Span, key: &str) -> String {
    attribute(&span.attributes, key)
}

#[tokio::test]
async fn over_http_a_call_s_spans_join_the_caller_s_trace_and_fal_sees_it() {
    spans_join_the_caller_s_trace("http/protobuf", "none").await;
}

#[tokio::test]
async fn over_grpc_a_call_s_spans_join_the_caller_s_trace_and_fal_sees_it() {
    spans_join_the_caller_s_trace("grpc", "gzip").await;
}

async fn spans_join_the_caller_s_trace(protocol: &str, compression: &str) {
    let collector = Collector::start().await;
    let rig = Rig::start().await;
    // Nothing is sent before the end: what arrives was flushed there.
    let process = Process::start(
        &rig.sim,
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", compression),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20t,x-tenant=a"),
            ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "x-tenant=b"),
            ("OTEL_BSP_SCHEDULE_DELAY", "600000"),
            ("OTEL_BLRP_SCHEDULE_DELAY", "600000"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
        ],
    )
    .await;
    let header = format!("00-{TRACE}-{CALLER}-01");
    let run = rig.run(Era::Modern, "a cat").to(process.url()).header("traceparent", &header);
    let before = rig.asked().len();
    Outcome::of(&run.send().await).value();
    let asked = rig.asked().split_off(before);
    let refused = rig.tool(Era::Legacy, "no_such_tool", json!({})).to(process.url());
    refused.header("traceparent", &header).send().await.refusal(200, -32602);
    let log = process.stop().await;

    let spans = collector.spans();
    for attribute in spans.iter().flat_map(|span| &span.attributes) {
        let documented = DOCUMENT.contains(&format!("`{}`", attribute.key));
        assert!(documented, "{attribute:?} is not in docs/telemetry.md");
    }
    let ours: Vec<Span> = spans.into_iter().filter(|span| hex(&span.trace_id) == TRACE).collect();
    let http = named(&ours, "POST /mcp");
    assert_eq!(http.len(), 2, "{ours:#?}");
    for span in &http {
        assert_eq!(hex(&span.parent_span_id), CALLER);
        assert_eq!(span.kind, SpanKind::Server as i32);
        assert_eq!(of(span, "http.response.status_code"), "200");
        assert_eq!(of(span, "http.route"), "/mcp");
    }
    let [call] = named(&ours, "tools/call run_model")[..] else { panic!("{ours:#?}") };
    assert!(http.iter().any(|span| span.span_id == call.parent_span_id));
    for (key, value) in [
        ("mcp.method.name", "tools/call"),
        ("mcp.protocol.version", "2026-07-28"),
        ("gen_ai.tool.name", "run_model"),
        ("gen_ai.operation.name", "execute_tool"),
        ("jsonrpc.request.id", "1"),
        ("network.transport", "tcp"),
        ("fal.endpoint_id", "fal-ai/flux/schnell"),
    ] {
        assert_eq!(of(call, key), value, "{key}");
    }
    let [failed] = named(&ours, "tools/call _OTHER")[..] else { panic!("{ours:#?}") };
    assert_eq!(of(failed, "error.type"), "-32602");
    assert_eq!(of(failed, "rpc.response.status_code"), "-32602");
    assert_eq!(failed.status.as_ref().map(|status| status.code), Some(2), "an error");

    // Each question to fal is a span of its own, and fal was told its id.
    let questions: Vec<&Span> =
        ours.iter().filter(|span| span.kind == SpanKind::Client as i32).collect();
    for operation in [Operation::Submit, Operation::Status, Operation::Result] {
        let request = asked.iter().find(|request| request.operation == operation).unwrap();
        let told = request.traceparent.clone().unwrap_or_default();
        let span = questions.iter().find(|span| told.contains(&hex(&span.span_id)));
        let span = span.unwrap_or_else(|| panic!("{operation:?} was told {told}: {questions:#?}"));
        assert_eq!(told, format!("00-{TRACE}-{}-01", hex(&span.span_id)));
        assert_eq!(span.parent_span_id, call.span_id, "{operation:?}");
        assert_eq!(of(span, "http.response.status_code"), "200");
        assert!(of(span, "url.template").starts_with("/{"), "{span:?}");
    }

    assert_all_came(&collector, protocol);
    let line = log.lines().find(|line| line.contains(r#""tool":"run_model""#)).expect("the line");
    assert!(line.contains(TRACE), "{line}");
}

/// Metrics and log records beside the spans, by this protocol, and from whom.
fn assert_all_came(collector: &Collector, protocol: &str) {
    let resource = collector.resource();
    for (key, value) in [
        ("service.name", "fal-mcp-gateway"),
        ("service.version", env!("CARGO_PKG_VERSION")),
        ("deployment.environment.name", "test"),
    ] {
        assert_eq!(attribute(&resource.attributes, key), value, "{key}");
    }
    assert!(collector.metrics().contains(&"mcp.server.operation.duration".to_owned()));
    let records = collector.logs();
    let told = records.iter().find(|record| attribute(&record.attributes, "tool") == "run_model");
    assert_eq!(hex(&told.expect("the call's line").trace_id), TRACE);
    let each = |values: [&str; 3]| {
        let signals = ["logs", "metrics", "traces"].map(str::to_owned);
        signals.into_iter().zip(values.map(str::to_owned)).collect::<Vec<_>>()
    };
    let content = if protocol == "grpc" { "application/grpc" } else { "application/x-protobuf" };
    assert_eq!(collector.headers("content-type"), each([content; 3]));
    assert_eq!(collector.headers("x-tenant"), each(["b", "a", "a"]));
    assert!(collector.headers("authorization").contains(&("traces".into(), "Bearer t".into())));
}

#[tokio::test]
async fn a_collector_with_tls_is_trusted_if_the_system_s_authorities_vouch_for_it() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("authorities.pem").display().to_string();
    std::fs::write(&trusted, pem("CERTIFICATE", made.cert.der())).unwrap();
    let rig = Rig::start().await;
    for protocol in PROTOCOLS {
        for (authorities, comes) in [(Some(&trusted), true), (None, false)] {
            let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
            let collector = Collector::start_with_tls(made.cert.der().clone(), key).await;
            let endpoint = collector.tls_endpoint();
            let mut variables = vec![
                ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ];
            variables.extend(authorities.map(|path| ("SSL_CERT_FILE", path.as_str())));
            let process = Process::start(&rig.sim, &variables).await;
            rig.modern("tools/list", json!({})).to(process.url()).send().await.result();
            let log = process.stop().await;
            let has_come = !collector.spans().is_empty();
            assert_eq!(has_come, comes, "{protocol}, {authorities:?}: {log}");
        }
    }
}

#[tokio::test]
async fn the_message_s_own_trace_is_nearer_than_the_request_s() {
    let collector = Collector::start().await;
    let rig = Rig::start().await;
    let endpoint = collector.endpoint();
    let process = Process::start(
        &rig.sim,
        &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &format!("{endpoint}/v1/traces"))],
    )
    .await;
    let run = rig
        .run(Era::Modern, "a cat")
        .to(process.url())
        .header("traceparent", &format!("00-{TRACE}-{CALLER}-01"))
        .set("/params/_meta/traceparent", json!(format!("00-{META_TRACE}-{META_CALLER}-01")));
    let before = rig.asked().len();
    Outcome::of(&run.send().await).value();
    let asked = rig.asked().split_off(before);
    process.stop().await;

    let spans = collector.spans();
    let [http] = named(&spans, "POST /mcp")[..] else { panic!("{spans:#?}") };
    assert_eq!((hex(&http.trace_id), hex(&http.parent_span_id)), (TRACE.into(), CALLER.into()));
    let [call] = named(&spans, "tools/call run_model")[..] else { panic!("{spans:#?}") };
    assert_eq!(hex(&call.trace_id), META_TRACE);
    assert_eq!(hex(&call.parent_span_id), META_CALLER);
    assert!(call.links.iter().any(|link| link.span_id == http.span_id), "{call:?}");
    let submit = asked.iter().find(|request| request.operation == Operation::Submit).unwrap();
    assert!(submit.traceparent.as_ref().unwrap().contains(META_TRACE));
    assert!(collector.metrics().is_empty() && collector.logs().is_empty(), "traces alone");
}

#[tokio::test]
async fn a_collector_that_is_down_or_does_not_answer_holds_nothing_up() {
    let rig = Rig::start().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoints = [&silent, &closed].map(|at| format!("http://{}", at.local_addr().unwrap()));
    drop(closed);
    let cases = PROTOCOLS
        .into_iter()
        .flat_map(|protocol| endpoints.iter().map(move |endpoint| (protocol, endpoint.as_str())));
    let each = cases.map(async |(protocol, endpoint)| {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            // An export is under way at every moment, and would wait for longer than the test does.
            ("OTEL_BSP_SCHEDULE_DELAY", "1"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "1"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "600000"),
        ];
        let process = Process::start(&rig.sim, &variables).await;
        for _ in 0..3 {
            Outcome::of(&rig.run(Era::Modern, "a cat").to(process.url()).send().await).value();
        }
        process.stop().await;
    });
    timeout(Duration::from_secs(20), join_all(each)).await.expect("calls and their end");
}
