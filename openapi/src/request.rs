//! A request against its description: query, headers, accepted media types, key, body.

use http::HeaderMap;
use http::header::{ACCEPT, AUTHORIZATION};

use crate::operation::{Described, Key, Parameter, Place};
use crate::response::{check_content, header_texts, media_type};

/// Adds a sentence to `found` for each difference.
pub(crate) fn check(
    described: &Described,
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
    found: &mut Vec<String>,
) {
    check_query(described, query, found);
    check_headers(described, headers, found);
    check_accept(&described.accept, headers, found);
    check_key(&described.key, headers, found);
    check_body(described, headers, body, found);
}

fn check_query(described: &Described, query: &str, found: &mut Vec<String>) {
    let query = query.strip_prefix('?').unwrap_or(query);
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    for parameter in of(described, Place::Query) {
        let texts: Vec<String> = pairs
            .iter()
            .filter(|(name, _)| *name == parameter.name)
            .map(|(_, text)| text.clone())
            .collect();
        check_parameter(parameter, &format!("query {}", parameter.name), &texts, found);
    }
    for (name, _) in &pairs {
        if !of(described, Place::Query).any(|parameter| parameter.name == *name) {
            found.push(format!("query {name} is not described"));
        }
    }
}

fn check_headers(described: &Described, headers: &HeaderMap, found: &mut Vec<String>) {
    for parameter in of(described, Place::Header) {
        let texts = header_texts(headers, &parameter.name);
        check_parameter(parameter, &format!("header {}", parameter.name), &texts, found);
    }
    // A misspelt option is silently ignored by fal, so it must not be ignored here.
    for name in headers.keys() {
        let ours = name.as_str().starts_with("x-fal-") || name.as_str().starts_with("x-app-fal-");
        let known = of(described, Place::Header)
            .any(|parameter| parameter.name.eq_ignore_ascii_case(name.as_str()));
        if ours && !known {
            found.push(format!("header {name} is not described"));
        }
    }
}

fn check_accept(wanted: &[String], headers: &HeaderMap, found: &mut Vec<String>) {
    let texts = header_texts(headers, ACCEPT.as_str());
    let named: Vec<String> = texts
        .iter()
        .flat_map(|text| text.split(','))
        .filter_map(|range| range.split(';').next())
        .map(|range| range.trim().to_ascii_lowercase())
        .collect();
    for media_type in wanted {
        if !named.contains(media_type) {
            found.push(format!("header accept does not name {media_type}"));
        }
    }
}

fn check_parameter(parameter: &Parameter, what: &str, texts: &[String], found: &mut Vec<String>) {
    if !texts.is_empty() {
        parameter.schema.check_texts(what, texts, found);
    } else if parameter.required {
        found.push(format!("{what} is missing"));
    }
}

/// The sentences name the header only: a key is not repeated in them.
fn check_key(key: &Key, headers: &HeaderMap, found: &mut Vec<String>) {
    let texts = header_texts(headers, AUTHORIZATION.as_str());
    let (schema, required) = match key {
        Key::Required(schema) => (schema, true),
        Key::Optional(schema) => (schema, false),
        Key::Unwanted => {
            if !texts.is_empty() {
                found.push("header authorization is sent to a public operation".to_owned());
            }
            return;
        }
    };
    if texts.is_empty() && required {
        found.push("header authorization is missing".to_owned());
    }
    let mut mistakes = Vec::new();
    if !texts.is_empty() {
        schema.check_texts("", &texts, &mut mistakes);
    }
    if !mistakes.is_empty() {
        found.push("header authorization has not the form `Key <id>:<secret>`".to_owned());
    }
}

fn check_body(described: &Described, headers: &HeaderMap, body: &[u8], found: &mut Vec<String>) {
    let Some(contents) = &described.request_body else {
        if !body.is_empty() {
            found.push("body: there is one, and none is described".to_owned());
        }
        return;
    };
    let media_type = media_type(headers);
    match contents.get(&media_type) {
        Some(content) => {
            check_content(content, &media_type, body, found);
        }
        None => found.push(format!(
            "header content-type: `{media_type}` is none of {}",
            contents.media_types()
        )),
    }
}

fn of(described: &Described, place: Place) -> impl Iterator<Item = &Parameter> {
    described.parameters.iter().filter(move |parameter| parameter.place == place)
}
