//! The binary as an operator meets it: what its switches print and which status they end with.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: whatever is not as expected fails the test"
)]

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

/// The binary with no settings but these.
fn gateway(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fal-mcp-gateway"));
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("FAL_") || name.starts_with("OTEL_") {
            command.env_remove(name.as_ref());
        }
    }
    command.envs(environment.iter().copied());
    command
}

fn texts(output: &Output) -> (&str, &str) {
    let text = |bytes| std::str::from_utf8(bytes).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn check_config_says_what_the_gateway_would_do() {
    let environment = [
        ("FAL_MCP_HOST", "0.0.0.0"),
        ("FAL_MCP_PUBLIC_URL", "https://mcp.example.com"),
        ("FAL_MCP_PROT", "1"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ];
    let output = gateway(&["--check-config", "--port", "8010"], &environment).output().unwrap();
    let (said, errors) = texts(&output);
    assert_eq!((output.status.code(), errors), (Some(0), ""), "{said}");
    assert_eq!(
        said,
        "With these settings the gateway would
  listen on 0.0.0.0:8010
  show clients the endpoint https://mcp.example.com/mcp
  answer requests whose Host is: 0.0.0.0, 127.0.0.1, [::1], localhost, mcp.example.com
  let in browser pages beside its own: none
  serve 20000 requests at the same time on 25000 connections, with bodies up to 16777216 bytes
  show operators metrics and health on 127.0.0.1:9464
  ask fal at https://queue.fal.run/, https://api.fal.ai/v1, https://rest.fal.ai/, https://fal.ai/ and https://fal.ai/docs/mcp
  send files to fal.media
  log at level info
  export over OTLP: logs (grpc), traces (grpc)
Warning: FAL_MCP_PROT is set, but no setting has that name; did you mean FAL_MCP_PORT?
"
    );
}

#[test]
fn check_config_lists_every_mistake_and_ends_with_2() {
    let environment = [
        ("FAL_MCP_TRANSPORT", "stdio"),
        ("FAL_KEY", "canary"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "gprc"),
    ];
    let output = gateway(&["--check-config", "--port", "x"], &environment).output().unwrap();
    let (said, errors) = texts(&output);
    assert_eq!((output.status.code(), said), (Some(2), ""));
    assert_eq!(
        errors,
        "FAL_MCP_PORT (--port) is \"x\": expected 0 to 65535
FAL_KEY: the key has no colon; a fal key is <key_id>:<key_secret>
OTEL_EXPORTER_OTLP_PROTOCOL is \"gprc\": expected http/protobuf or grpc
"
    );
}

#[test]
fn check_config_finds_what_only_a_start_would() {
    let environment = [("FAL_QUEUE_URL", "https://someone:canary@queue.example.com")];
    let output = gateway(&["--check-config"], &environment).output().unwrap();
    let (said, errors) = texts(&output);
    assert_eq!((output.status.code(), said), (Some(2), ""));
    assert!(errors.starts_with("cannot make the client for fal: "), "{errors}");
    assert!(!errors.contains("canary"), "{errors}");
}

#[test]
fn the_probe_ends_with_0_while_the_gateway_runs_and_with_1_when_it_does_not() {
    // Nothing listens on the port of the catalogue: a start needs no fal. The admin address may be
    // another gateway's.
    let environment = [
        ("FAL_API_URL", "http://127.0.0.1:9"),
        ("FAL_MCP_HOST", "0.0.0.0"),
        ("FAL_MCP_ADMIN_ADDR", "off"),
    ];
    let mut running = gateway(&["--port", "0", "--log-format", "json"], &environment);
    let mut running = running.stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(running.stderr.take().unwrap()).lines();
    let port = lines
        .map(Result::unwrap)
        // Nothing is wrong when nobody reads the metrics.
        .inspect(|line| assert!(!line.contains("ERROR"), "{line}"))
        .find_map(|line| Some(line.split_once("\"addr\":\"0.0.0.0:")?.1.to_owned()))
        .unwrap();
    let port = port.split_once('"').unwrap().0;

    let probe = || gateway(&["--probe", "--port", port], &environment).output().unwrap();
    let alive = probe();
    running.kill().unwrap();
    running.wait().unwrap();
    assert_eq!((alive.status.code(), texts(&alive)), (Some(0), ("", "")));
    let gone = probe();
    assert_eq!(gone.status.code(), Some(1));
    assert!(texts(&gone).1.starts_with(&format!("127.0.0.1:{port} cannot be asked: ")), "{gone:?}");
}
