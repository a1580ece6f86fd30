//! Searching fal's documentation.
//!
//! It has an MCP endpoint that is public, keeps no session, and takes a `tools/call` without an
//! `initialize` before it; that one tool is all that is used of it, so this is no MCP client (fal
//! docs, "Agent surfaces"; the form of a hit is that of fal's own command line tool).

use http::{HeaderValue, header};
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use url::Url;

use crate::{
    Client, Error,
    answer::Answer,
    call::{Call, Operation},
    refusal,
    sse::Reader,
    text,
};

/// The most hits that are kept.
const MAX_HITS: usize = 32;

/// The longest title and the longest excerpt, in characters.
const MAX_TITLE_CHARS: usize = 200;
const MAX_EXCERPT_CHARS: usize = 1000;

/// A place in fal's documentation. Its texts are on one line, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocsHit {
    /// The name of the page or section, at most 200 characters; empty where fal gives none.
    pub title: String,
    /// Where to read it: https, on `fal.ai` or a host under it.
    pub url: Url,
    /// What it says, at most 1,000 characters.
    pub excerpt: String,
}

impl Client {
    /// Searches fal's documentation, best hit first. No key is needed, and none is sent.
    ///
    /// A hit whose link leads elsewhere than to fal is left out.
    pub async fn search_docs(&self, query: &str, deadline: Instant) -> Result<Vec<DocsHit>, Error> {
        let question = json!({
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": { "name": "search_fal", "arguments": { "query": query } },
        });
        let url = self.hosts().docs.clone();
        let mut call =
            Call::question(Operation::SearchDocs, url, None, question.to_string().into());
        // With one of the two alone the answer is 406 (MCP 2025-06-18, "Streamable HTTP").
        let both = HeaderValue::from_static("application/json, text/event-stream");
        call.set(header::ACCEPT, both);
        self.ask(&call, deadline, |outcome| read(&outcome?)).await
    }
}

#[derive(Deserialize)]
struct Message {
    result: Option<ToolResult>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct ToolResult {
    #[serde(default)]
    content: Vec<Block>,
    #[serde(default, rename = "isError")]
    is_error: bool,
}

#[derive(Deserialize)]
struct Block {
    /// Other kinds of content have none.
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Failure {
    message: String,
}

fn read(answer: &Answer) -> Result<Vec<DocsHit>, Error> {
    if !answer.status.is_success() {
        return Err(refusal::read(Operation::SearchDocs, answer));
    }
    let failed = |said: &str| Error::DocsSearchFailed { message: text::clean(said) };
    let message = message(answer)?;
    if let Some(failure) = message.error {
        return Err(failed(&failure.message));
    }
    let result = message.result.ok_or_else(|| Error::malformed("neither result nor error"))?;
    if result.is_error {
        return Err(failed(result.content.first().map_or("", |block| &block.text)));
    }
    Ok(result.content.iter().filter_map(|block| hit(&block.text)).take(MAX_HITS).collect())
}

/// The JSON-RPC response: the first in the stream, or the whole body, which MCP allows too.
fn message(answer: &Answer) -> Result<Message, Error> {
    let content_type = answer.header(header::CONTENT_TYPE.as_str()).unwrap_or_default();
    if !content_type.trim_start().starts_with("text/event-stream") {
        return answer.json();
    }
    let events = Reader::default().push(&answer.body).map_err(Error::malformed)?;
    for event in &events {
        let message: Message = serde_json::from_slice(event).map_err(Error::malformed)?;
        // What has neither is a notification, which may come first.
        if message.result.is_some() || message.error.is_some() {
            return Ok(message);
        }
    }
    // A connection that breaks may look like the end of a stream.
    Err(Error::Dropped { source: "the stream ended before the response".into() })
}

/// Reads `Title: …`, `Link: …` and, up to the end, `Content: …`, each at the start of a line.
fn hit(text: &str) -> Option<DocsHit> {
    let (mut title, mut link, mut rest) = ("", "", text);
    let excerpt = loop {
        if let Some(content) = rest.strip_prefix("Content:") {
            break content;
        }
        let (line, more) = rest.split_once('\n').unwrap_or((rest, ""));
        if let Some(value) = line.strip_prefix("Title:") {
            title = value;
        } else if let Some(value) = line.strip_prefix("Link:") {
            link = value;
        }
        if more.is_empty() {
            break "";
        }
        rest = more;
    };
    let url = Url::parse(link.trim()).ok().filter(is_fals)?;
    Some(DocsHit {
        title: text::clean_to(title, MAX_TITLE_CHARS),
        url,
        excerpt: text::clean_to(excerpt, MAX_EXCERPT_CHARS),
    })
}

/// Whether a link leads to fal and is only a link.
fn is_fals(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let plain = url.username().is_empty() && url.password().is_none() && url.port().is_none();
    url.scheme() == "https" && plain && (host == "fal.ai" || host.ends_with(".fal.ai"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_is_read_from_its_lines() {
        let full = "Title: Queue \nLink: https://fal.ai/docs/queue#status\nPage: queue\n\
                    Content: First.\nLink: https://evil.example\n\nContent: last.";
        let cases = [
            (full, "Queue", "First. Link: https://evil.example Content: last."),
            ("Title:Queue\r\nLink:https://fal.ai/docs/queue#status\r\nContent:x", "Queue", "x"),
            ("Link: https://fal.ai/docs/queue#status", "", ""),
            ("Content: x\nLink: https://fal.ai/docs/queue#status", "-", "-"),
            ("No results found", "-", "-"),
            ("Title: Queue\nContent: x", "-", "-"),
            ("", "-", "-"),
        ];
        for (text, title, excerpt) in cases {
            let expected = (title != "-").then(|| DocsHit {
                title: title.to_owned(),
                url: Url::parse("https://fal.ai/docs/queue#status").unwrap(),
                excerpt: excerpt.to_owned(),
            });
            assert_eq!(hit(text), expected, "{text:?}");
        }
    }

    #[test]
    fn only_plain_links_to_fal_count() {
        let cases = [
            ("https://fal.ai/docs/queue", true),
            ("https://docs.fal.ai/queue", true),
            ("https://fal.ai:443/docs", true),
            ("https://FAL.AI/docs", true),
            ("http://fal.ai/docs", false),
            ("https://evilfal.ai/docs", false),
            ("https://fal.ai.evil.example/docs", false),
            ("https://fal.ai@evil.example/docs", false),
            ("https://me:you@fal.ai/docs", false),
            ("https://fal.ai:8443/docs", false),
            ("javascript:alert(1)//fal.ai", false),
            ("/docs/queue", false),
        ];
        for (link, expected) in cases {
            assert_eq!(hit(&format!("Link: {link}")).is_some(), expected, "{link}");
        }
    }

    #[test]
    fn texts_are_bounded_and_clean() {
        let text = format!(
            "Title: {}\u{1b}[31m\nLink: https://fal.ai/docs\nContent: {}",
            "t".repeat(5000),
            "é\n".repeat(5000)
        );
        let hit = hit(&text).unwrap();
        assert_eq!(hit.title.chars().count(), MAX_TITLE_CHARS);
        assert_eq!(hit.excerpt.chars().count(), MAX_EXCERPT_CHARS - 1);
        assert!(!hit.title.contains(char::is_control) && !hit.excerpt.contains(char::is_control));
    }
}
