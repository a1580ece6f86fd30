//! An answer against its description: status, media type, body, headers.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::Value;

use crate::events;
use crate::operation::{Content, Described, Header, Response};
use crate::schema::Schema;

const JSON: &str = "application/json";

/// Adds a sentence to `found` for each difference.
pub(crate) fn check(
    described: &Described,
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    found: &mut Vec<String>,
) {
    let Some(response) = described.response(status) else {
        found.push(format!("the status is none of {}", described.statuses()));
        return;
    };
    let media_type = media_type(headers);
    let value = check_body(response, &media_type, body, found);
    for header in &response.headers {
        check_header(header, headers, &media_type, value.as_ref(), found);
    }
    for name in headers.keys() {
        let known =
            response.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name.as_str()));
        if name.as_str().starts_with("x-fal-") && !known {
            found.push(format!("header {name} is not described"));
        }
    }
}

/// Gives back the body's value where it is JSON, for headers that repeat a part of it.
fn check_body(
    response: &Response,
    media_type: &str,
    body: &[u8],
    found: &mut Vec<String>,
) -> Option<Value> {
    if response.contents.is_empty() {
        if !body.is_empty() {
            found.push("body: there is one, and none is described".to_owned());
        }
        return None;
    }
    let Some(content) = response.contents.get(media_type) else {
        found.push(format!(
            "header content-type: `{media_type}` is none of {}",
            response.contents.media_types()
        ));
        return None;
    };
    match content {
        Content { events: Some(events), .. } => {
            events::check(events, body, found);
            None
        }
        content => check_content(content, media_type, body, found),
    }
}

/// A body that is JSON by its type, or else text. Gives back the value where it is JSON.
pub(crate) fn check_content(
    content: &Content,
    media_type: &str,
    body: &[u8],
    found: &mut Vec<String>,
) -> Option<Value> {
    if media_type == JSON {
        return check_json(&content.schema, body, found);
    }
    let text = String::from_utf8_lossy(body).into_owned();
    content.schema.check("body", &Value::String(text), found);
    None
}

fn check_header(
    header: &Header,
    headers: &HeaderMap,
    media_type: &str,
    body: Option<&Value>,
    found: &mut Vec<String>,
) {
    let what = format!("header {}", header.name);
    let texts = header_texts(headers, &header.name);
    if let Some(only) = &header.media_type
        && only != media_type
    {
        if !texts.is_empty() {
            found.push(format!("{what} belongs to answers of type {only} only"));
        }
        return;
    }
    if !texts.is_empty() {
        header.schema.check_texts(&what, &texts, found);
    } else if header.required {
        found.push(format!("{what} is missing"));
    }
    let Some(pointer) = &header.equals_body else {
        return;
    };
    let expected = body.and_then(|body| body.pointer(pointer));
    match (expected.and_then(Value::as_str), texts.first()) {
        (Some(expected), Some(text)) if expected == text => {}
        (Some(expected), _) => {
            found.push(format!("{what} is not `{expected}`, which the body says at {pointer}"));
        }
        (None, Some(_)) => {
            found.push(format!("{what} has no counterpart in the body at {pointer}"));
        }
        (None, None) => {}
    }
}

fn check_json(schema: &Schema, body: &[u8], found: &mut Vec<String>) -> Option<Value> {
    match serde_json::from_slice(body) {
        Ok(value) => {
            schema.check("body", &value, found);
            Some(value)
        }
        Err(error) => {
            found.push(format!("body is not JSON: {error}"));
            None
        }
    }
}

/// The media type without its parameters, in lower case; empty where the header is missing.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

/// All values of a header, in order.
pub(crate) fn header_texts(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect()
}
