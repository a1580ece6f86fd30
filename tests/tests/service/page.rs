//! The page for people, over HTTP and in a real browser. The browser test needs Chromium and the
//! packages of `tests/clients`; without them it skips and says so, unless `REQUIRE_BROWSER` is set.
//! It leaves screenshots in `target/screenshots`.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use fal_sim::{Fault, FaultKind};
use http::Method;
use serde_json::{Value, json};
use tests::{Rig, eventually};
use tokio::process::Command;
use tokio::time::timeout;

use crate::shown;

const CLIENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/clients");
const SCREENSHOTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/screenshots");
const BROWSERS: [&str; 3] =
    ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/// How long the browser may take, on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(90);

async fn html(rig: &Rig) -> String {
    rig.plain(Method::GET, "/").send().await.text().to_owned()
}

#[tokio::test]
async fn the_page_may_load_its_own_style_and_script_and_nothing_else() {
    let rig = Rig::start().await;
    let page = rig.plain(Method::GET, "/").send().await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(
        page.header("content-security-policy"),
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert!(page.text().contains(rig.gateway.endpoint_url()), "the endpoint is shown");
    for (path, content_type) in
        [("/page.css", "text/css; charset=utf-8"), ("/page.js", "text/javascript; charset=utf-8")]
    {
        let asset = rig.plain(Method::GET, path).send().await;
        assert_eq!((asset.status, asset.header("content-type")), (200, content_type));
        assert!(!asset.text().contains("http"), "{path} names no other place");
    }
}

#[tokio::test]
async fn the_page_tells_how_fal_does() {
    let rig = Rig::start().await.warm().await;
    let page = html(&rig).await;
    assert!(page.contains("<p class=\"status good\">fal answers: "), "{page}");

    let sim = fal_sim::start(fal_sim::Config::default()).await.unwrap();
    sim.faults().add(Fault::new(FaultKind::DropBefore));
    let rig = Rig::in_front_of(sim, |_| ()).await;
    let expected = "<p class=\"status bad\">fal could not be reached since this gateway started.";
    eventually("the first load has failed", async || html(&rig).await.contains(expected)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_shows_the_page_and_its_buttons_copy() {
    let Some(browser) = BROWSERS.into_iter().find(|path| Path::new(path).exists()) else {
        return missing("Chromium");
    };
    if !Path::new(CLIENTS).join("node_modules/playwright-core").exists() {
        return missing("tests/clients/node_modules/playwright-core");
    }
    std::fs::create_dir_all(SCREENSHOTS).unwrap();
    let rig = Rig::start().await.warm().await;
    let mut command = Command::new("node");
    command
        .arg("page.mjs")
        .current_dir(CLIENTS)
        .env("URL", rig.url("/"))
        .env("CHROMIUM", browser)
        .env("SCREENSHOTS", SCREENSHOTS)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(PATIENCE, command.output()).await.expect("the browser ends in time");
    let output = output.expect("node starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();

    for nothing in ["complaints", "elsewhere", "too_wide"] {
        assert_eq!(seen[nothing], json!([]), "{nothing}");
    }
    assert_eq!(seen["inputs"], 0, "there is no place to type a key into");
    assert!(seen["status"].as_str().unwrap().starts_with("fal answers: "), "{seen}");
    assert_ne!(seen["background_light"], seen["background_dark"]);
    assert_eq!(seen["copied"], seen["shown"]);
    let copied = seen["copied"].as_array().unwrap();
    assert!(copied.len() >= 7, "{seen}");
    for text in copied {
        assert!(text.as_str().unwrap().contains(rig.gateway.endpoint_url()), "{text}");
    }
    let links = seen["links"].as_array().unwrap();
    assert!(links[0].as_str().unwrap().starts_with("cursor://"), "{seen}");
    assert!(links[1].as_str().unwrap().contains("/redirect/mcp/install?name=fal&"), "{seen}");
    shown::measured(&format!("screenshots of the page are in {SCREENSHOTS}"));
}

fn missing(what: &str) {
    assert!(std::env::var_os("REQUIRE_BROWSER").is_none(), "{what} is not there");
    shown::skipped(what);
}
