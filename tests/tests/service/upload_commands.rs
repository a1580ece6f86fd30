//! `upload_file` with `path` and `prepare_upload`: the commands are run as they stand, on files whose
//! names are as bad as names can be. They send that file, and nothing else happens.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use fal_sim::Operation;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{Rig, file_bytes};
use tokio::process::Command;
use tokio::time::timeout;

use crate::shown;
use crate::upload_sources::{expected, rig, served, upload};

/// How long one command may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// Names of files that a shell, curl or dd might take for something else.
const NAMES: [&str; 24] = [
    "plain.png",
    "two words.png",
    "it's.png",
    "''.png",
    "\"double\".png",
    "$(touch pwned).png",
    "`touch pwned`.png",
    "$HOME ${PATH} $((1+1)).png",
    "; touch pwned;.png",
    "&& touch pwned #.png",
    "| touch pwned.png",
    "> pwned.png",
    "line\nbreak; touch pwned\n.png",
    "'; touch pwned; '.png",
    "'$(touch pwned)'.png",
    "-o pwned.png",
    "--output=pwned",
    "-",
    "@file.png",
    "{a,b}[1-3].png",
    "*?.png",
    "back\\slash\\n.png",
    "50% \u{1f431} 猫 é.png",
    "!! !touch.png",
];

/// The shells that are there; none without curl.
fn shells() -> Vec<&'static str> {
    let found: Vec<_> = ["sh", "bash"].into_iter().filter(|shell| is_there(shell)).collect();
    if is_there("curl") { found } else { Vec::new() }
}

fn is_there(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths).any(|folder| folder.join(program).exists());
    if !found {
        shown::skipped(program);
    }
    found
}

/// Runs a command as it stands, in a folder that is also the home.
async fn run(shell: &str, command: &Value, folder: &Path) -> Output {
    let mut process = Command::new(shell);
    process
        .arg("-c")
        .arg(command.as_str().unwrap())
        .current_dir(folder)
        .env("HOME", folder)
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    timeout(PATIENCE, process.output()).await.expect("it ends in time").expect("it starts")
}

fn assert_success(output: &Output, what: &str) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{what}: {errors}");
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned()).collect()
}

async fn prepared(rig: &Rig, mut arguments: Value) -> Value {
    arguments["content_type"] = json!("image/png");
    upload(rig, arguments).await.into_value()
}

#[tokio::test]
async fn a_command_sends_that_very_file_whatever_its_name_and_does_nothing_else() {
    let rig = rig().await;
    for shell in shells() {
        let files = NAMES.iter().enumerate();
        join_all(files.map(|(number, name)| sends_it(&rig, shell, name, 1000 + number))).await;
    }
}

/// Uploads a file of this name in every way that makes a command.
async fn sends_it(rig: &Rig, shell: &str, name: &str, size: usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, file_bytes(size)).unwrap();
    for arguments in [
        json!({"path": name}),
        json!({"path": name, "file_size": 100_000_000}),
        json!({"path": format!("~/{name}")}),
        json!({"path": path.to_str().unwrap()}),
        json!({"prepare_upload": true, "file_name": name}),
    ] {
        let answer = prepared(rig, arguments).await;
        let output = run(shell, &answer["command"], folder.path()).await;
        assert_success(&output, &answer["command"].to_string());
        assert_eq!(served(rig, &answer["file_url"]).await, expected(size), "{name}");
        assert_eq!(names_in(folder.path()), [name], "{}", answer["command"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_sends_a_file_of_any_size() {
    let rig = rig().await;
    for shell in shells().into_iter().take(1) {
        for size in [1, 1_000_000, 89_000_000, 200_000_000] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("a.png"), file_bytes(size)).unwrap();
            let answer = prepared(&rig, json!({"path": "a.png", "file_size": size})).await;
            let before = rig.sim.ledger().calls(Operation::Upload);
            let output = run(shell, &answer["command"], folder.path()).await;
            assert_success(&output, &size.to_string());
            assert_eq!(served(&rig, &answer["file_url"]).await, expected(size));
            let calls = rig.sim.ledger().calls(Operation::Upload) - before;
            assert_eq!(calls, if size > 100_000_000 { 21 } else { 1 });
        }
    }
}

#[tokio::test]
async fn a_command_that_fails_says_so_and_leaves_no_file() {
    let rig = rig().await;
    for shell in shells() {
        let folder = tempfile::tempdir().unwrap();
        for size in [1, 100_000_000] {
            let answer = prepared(&rig, json!({"path": "missing.png", "file_size": size})).await;
            let output = run(shell, &answer["command"], folder.path()).await;
            assert!(!output.status.success() && !output.stderr.is_empty(), "{output:?}");
            fs::write(folder.path().join("missing.png"), file_bytes(100)).unwrap();
            let forged = answer["command"].as_str().unwrap().replace("signature=", "signature=x");
            let output = run(shell, &json!(forged), folder.path()).await;
            assert!(!output.status.success() && !output.stderr.is_empty(), "{output:?}");
            fs::remove_file(folder.path().join("missing.png")).unwrap();
        }
    }
    assert_eq!(rig.sim.stored_files(), [""; 0]);
}

#[tokio::test]
async fn an_answer_has_all_that_a_caller_without_a_shell_needs() {
    let rig = rig().await;
    let arguments = json!({"path": "/home/me/my cat.png", "expiration_seconds": 60});
    let answer = upload(&rig, arguments).await.into_value();
    let upload_url = answer["upload_url"].as_str().unwrap();
    assert!(upload_url.starts_with(answer["file_url"].as_str().unwrap()), "{answer}");
    assert!(upload_url.contains("signature="), "{answer}");
    assert_eq!(answer["method"], "PUT");
    assert_eq!(answer["headers"], json!({"Content-Type": "image/png"}));
    assert_eq!(
        (&answer["file_name"], &answer["expiration_seconds"]),
        (&json!("my_cat.png"), &json!(60))
    );
    for command in ["command", "command_powershell"] {
        let command = answer[command].as_str().unwrap();
        assert!(
            command.contains("'/home/me/my cat.png'") && command.contains(upload_url),
            "{command}"
        );
    }
    assert!(
        answer["next_step"].as_str().unwrap().contains("more than 94371840 bytes needs file_size")
    );

    let arguments = json!({"path": "film.mp4", "file_size": 94_371_841});
    let answer = upload(&rig, arguments).await.into_value();
    assert_eq!((&answer["part_bytes"], answer.get("headers")), (&json!(10_485_760), None));
    assert_eq!(answer["content_type"], "video/mp4");
    let asked: Vec<String> = rig.asked().iter().map(|request| request.path.clone()).collect();
    let base = "/rest/storage/upload";
    assert_eq!(asked, [format!("{base}/initiate"), format!("{base}/initiate-multipart")]);
}

/// `PowerShell` is on few machines that run these tests; where it is, its commands run too.
#[tokio::test]
async fn powershell_sends_that_very_file_too() {
    if !is_there("pwsh") {
        return;
    }
    let rig = rig().await;
    for (number, name) in NAMES.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let size = 1000 + number;
        fs::write(folder.path().join(OsStr::new(name)), file_bytes(size)).unwrap();
        for file_size in [size, 100_000_000] {
            let answer = prepared(&rig, json!({"path": name, "file_size": file_size})).await;
            let mut process = Command::new("pwsh");
            process.args(["-NoProfile", "-NonInteractive", "-Command"]);
            process.arg(answer["command_powershell"].as_str().unwrap()).current_dir(folder.path());
            let output = timeout(PATIENCE, process.output()).await.unwrap().unwrap();
            assert!(output.status.success(), "{output:?}");
            assert_eq!(served(&rig, &answer["file_url"]).await, expected(size), "{name}");
            assert_eq!(names_in(folder.path()), [*name]);
        }
    }
}
