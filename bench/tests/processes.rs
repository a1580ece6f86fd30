//! The program as its user runs it: a suite from start to report, and servers that leave nothing
//! behind.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};

use serde_json::Value;

const BENCH: &str = env!("CARGO_BIN_EXE_bench");

#[test]
fn a_server_prints_its_address_and_ends_when_its_standard_input_closes() {
    let mut server = Command::new(BENCH)
        .args(["serve", "floor", "100"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let addr: SocketAddr = line.trim().parse().unwrap();
    assert!(addr.ip().is_loopback());
    TcpStream::connect(addr).unwrap().write_all(b"POST").unwrap();
    drop(server.stdin.take());
    assert!(server.wait().unwrap().success());
    TcpStream::connect(addr).unwrap_err();
}

#[test]
fn a_suite_writes_its_figures_with_their_targets() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("figures.json");
    let run = Command::new(BENCH)
        .args(["--quick", "--suite", "process", "--json"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(String::from_utf8_lossy(&run.stdout).contains("start to ready, ms"));
    let report: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(report["quick"], true);
    assert_eq!(report["suites"][0]["name"], "process");
    let figure = &report["suites"][0]["cases"][0]["figures"][0];
    assert_eq!(figure["name"], "start to ready");
    assert_eq!(figure["target"]["at_most"], 100.0);
    assert!(figure["min"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_thousand_callers_that_wait_are_all_answered_at_a_bounded_cost() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("figures.json");
    let run = Command::new(BENCH)
        .args(["--quick", "--suite", "waiting", "--json"])
        .arg(&file)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&run.stderr);
    if complaint.contains("ulimit -n") {
        std::io::stderr().write_all(format!("SKIPPED: {complaint}").as_bytes()).unwrap();
        return;
    }
    assert!(run.status.success(), "{complaint}");
    let report: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let case = &report["suites"][0]["cases"][0];
    assert_eq!(case["name"], "1000 callers that wait for jobs of 21 s");
    let figure = |at: usize, name: &str| {
        let figure = &case["figures"][at];
        assert_eq!(figure["name"], name);
        figure["median"].as_f64().unwrap()
    };
    // Debug builds, and few callers to share what is needed once: twice the target.
    let memory = figure(0, "resident memory for each");
    assert!(memory < 50.0, "{memory} KiB");
    // A submit, a result, and questions that become rare.
    let requests = figure(1, "requests to fal for each");
    assert!((3.0..20.0).contains(&requests), "{requests}");
}

#[test]
fn an_unknown_suite_is_refused_with_the_names_of_those_that_exist() {
    let run = Command::new(BENCH).args(["--suite", "tools"]).output().unwrap();
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&run.stderr),
        "bench: there is no suite \"tools\"; there are process, tools-list, search, schema, run-model, overload, abuse, waiting\n"
    );
}

#[test]
fn neither_harmful_clients_nor_too_many_of_them_keep_a_gateway_from_its_others() {
    // Other work on the machine may spoil one measurement, and hardly three.
    let mut told = String::new();
    let held = (0..3).any(|_| {
        let run = Command::new(BENCH)
            .args(["--quick", "--check", "--suite", "overload", "--suite", "abuse"])
            .output()
            .unwrap();
        told = [run.stdout, run.stderr]
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .concat();
        run.status.success()
    });
    assert!(held, "{told}");
}
