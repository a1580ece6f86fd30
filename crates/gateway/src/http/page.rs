//! `GET /`: the page for people, made of one template. Everything but the state of fal is filled in
//! once at start; nothing is loaded from elsewhere, and a key is never typed into it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};

use super::{Site, reply};
use crate::catalog::Models;
use crate::clients::{CLIENTS, Client};
use crate::tools;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Style and script come from here alone, and the page may do nothing but show itself.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page around the state of fal.
#[derive(Debug)]
pub(super) struct Page {
    before: String,
    after: String,
}

impl Page {
    pub(super) fn new(endpoint_url: &str) -> Self {
        let clients: Vec<String> =
            CLIENTS.iter().map(|client| client_section(client, endpoint_url)).collect();
        let tools: Vec<String> = tools::definitions().iter().map(tool_entry).collect();
        let page = TEMPLATE
            .replace("{{endpoint}}", &escaped(endpoint_url))
            .replace("{{clients}}", &clients.concat())
            .replace("{{tools}}", &tools.concat())
            .replace("{{version}}", env!("CARGO_PKG_VERSION"));
        let (before, after) = page.split_once("{{status}}").unwrap_or((&page, ""));
        Self { before: before.to_owned(), after: after.to_owned() }
    }

    fn with_status(&self, models: &Models) -> String {
        let (class, text) = status(models);
        let Self { before, after } = self;
        format!("{before}<p class=\"status {class}\">{text}</p>{after}")
    }
}

/// What the gateway knows of fal without asking it now, and whether that is good or bad.
fn status(models: &Models) -> (&'static str, String) {
    let Some(loaded) = models.current() else {
        return if models.is_overdue() {
            (
                "bad",
                "fal could not be reached since this gateway started. It goes on trying.".into(),
            )
        } else {
            ("good", "The catalogue of fal's models is being read.".into())
        };
    };
    let count = loaded.index.count();
    let age = rounded(loaded.age());
    if models.is_overdue() {
        (
            "bad",
            format!(
                "fal could not be reached lately: the catalogue of {count} models is {age} old."
            ),
        )
    } else {
        ("good", format!("fal answers: {count} models, read {age} ago."))
    }
}

/// A time in the words of a person.
fn rounded(age: Duration) -> String {
    let seconds = age.as_secs();
    let (number, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        _ => (seconds / 3600, "hour"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

fn client_section(client: &Client, endpoint_url: &str) -> String {
    let Client { name, place, configuration, install_link } = client;
    let configuration = escaped(&configuration(endpoint_url).pretty());
    let install = install_link.map_or_else(String::new, |link| {
        let link = escaped(&link(endpoint_url));
        format!("<p><a class=\"install\" href=\"{link}\">Install in {name}</a> or put it there yourself:</p>")
    });
    format!(
        "<details><summary>{name}</summary><p>{}</p>{install}<div class=\"copyable\"><pre><code>{configuration}</code></pre></div></details>\n",
        escaped(place)
    )
}

fn tool_entry(tool: &mcp::Tool) -> String {
    format!("<dt><code>{}</code></dt><dd>{}</dd>\n", tool.name, escaped(tool.description))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// `GET /`
pub(super) async fn index(State(site): State<Arc<Site>>) -> Response {
    let page = site.page.with_status(&site.app.catalog.models);
    let mut response = reply::respond(StatusCode::OK, "text/html; charset=utf-8", Body::from(page));
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `GET /page.css`
pub(super) async fn style() -> Response {
    asset("text/css; charset=utf-8", STYLE)
}

/// `GET /page.js`
pub(super) async fn script() -> Response {
    asset("text/javascript; charset=utf-8", SCRIPT)
}

/// A part of the page; asked for again each time, so that it always fits the page.
fn asset(content_type: &'static str, body: &'static str) -> Response {
    let mut response = reply::respond(StatusCode::OK, content_type, Body::from(body));
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_the_endpoint_every_client_and_every_tool_and_leaves_no_gap() {
        let Page { before, after } = Page::new("https://mcp.example.com/mcp?a=1&b=2");
        let page = format!("{before}{after}");
        assert!(page.contains("https://mcp.example.com/mcp?a=1&amp;b=2"));
        assert!(!page.contains("&b=2"), "the URL is escaped");
        for client in CLIENTS {
            assert!(page.contains(&format!("<summary>{}</summary>", client.name)));
        }
        for tool in tools::definitions() {
            assert!(page.contains(&format!("<dt><code>{}</code>", tool.name)));
        }
        assert!(!page.contains("{{") && !before.is_empty() && !after.is_empty());
    }

    #[test]
    fn an_age_is_told_in_one_unit() {
        for (seconds, expected) in
            [(0, "0 seconds"), (1, "1 second"), (119, "1 minute"), (7200, "2 hours")]
        {
            assert_eq!(rounded(Duration::from_secs(seconds)), expected);
        }
    }
}
