//! `GET /v1/models`: list, search and find in one operation, with or without a key.

use std::sync::Arc;

use http::StatusCode;
use http::header::AUTHORIZATION;

use super::{cursor, endpoint_ids, invalid, not_found};
use crate::auth::{self, Standing};
use crate::call::Call;
use crate::hosts::Host;
use crate::models::{Fill, Model, Template};
use crate::reply::{self, Answer, Refusal};

/// The largest page, and the page when none is asked for.
const PAGE: usize = 100;
/// The same where OpenAPI documents are expanded.
const EXPANDED_PAGE: usize = 10;

/// `GET /v1/models`.
pub(crate) fn list(call: &Call<'_>) -> Answer {
    match answer(call) {
        Ok(answer) => answer,
        Err(refusal) => refusal.into(),
    }
}

#[derive(Debug)]
struct Query {
    text: Option<String>,
    category: Option<String>,
    deprecated: Option<bool>,
    expand_document: bool,
    expand_enterprise: bool,
    page: usize,
    size: usize,
}

fn answer(call: &Call<'_>) -> Result<Answer, Refusal> {
    let standing = standing(call)?;
    let query = Query::read(call)?;
    let ids = endpoint_ids(call)?;
    let found: Vec<&Arc<Model>> = if ids.is_empty() {
        call.sim.catalog.listed(standing).filter(|model| query.matches(model)).collect()
    } else {
        find(call, &ids, standing)?.into_iter().filter(|model| query.matches(model)).collect()
    };
    let start = (query.page - 1).saturating_mul(query.size);
    let page = found.iter().skip(start).take(query.size);
    let has_more = found.len() > start.saturating_add(query.size);

    let cdn = call.bases.base(Host::Cdn);
    let fill = Fill { cdn: &cdn, has_key: standing.is_some() };
    let mut body = Vec::with_capacity(80 * 1024);
    body.extend_from_slice(b"{\"models\":[");
    for (number, model) in page.enumerate() {
        if number > 0 {
            body.push(b',');
        }
        model.card.write(&mut body, fill);
        if query.expand_document {
            body.extend_from_slice(b",\"openapi\":");
            match expanded(model) {
                Some(document) => document.write(&mut body, fill),
                None => body.extend_from_slice(
                    br#"{"error":{"code":"expansion_failed","message":"The OpenAPI document of this model is not available"}}"#,
                ),
            }
        }
        if query.expand_enterprise {
            body.extend_from_slice(b",\"enterprise_status\":\"ready\"");
        }
        body.push(b'}');
    }
    body.extend_from_slice(b"],\"next_cursor\":");
    if has_more {
        body.extend_from_slice(format!("\"{}\"", cursor::write(query.page + 1)).as_bytes());
    } else {
        body.extend_from_slice(b"null");
    }
    body.extend_from_slice(if has_more { b",\"has_more\":true}" } else { b",\"has_more\":false}" });
    Ok(reply::json_bytes(StatusCode::OK, body))
}

/// Who asks: nobody in particular without a header, and a bad key is refused.
fn standing(call: &Call<'_>) -> Result<Option<Standing>, Refusal> {
    let account = if call.headers.contains_key(AUTHORIZATION) {
        Some(call.sim.keys.caller(call.headers).map_err(auth::no_platform_key)?)
    } else {
        None
    };
    let key_id = account.as_ref().map(|account| account.key_id.as_str());
    call.sim.rates.count(key_id, call.now)?;
    Ok(account.map(|account| account.standing))
}

/// Find mode: one unknown id makes the whole batch 404.
fn find<'a>(
    call: &'a Call<'_>,
    ids: &[String],
    standing: Option<Standing>,
) -> Result<Vec<&'a Arc<Model>>, Refusal> {
    let mut found = Vec::with_capacity(ids.len());
    let mut missing = Vec::new();
    for id in ids {
        match call.sim.catalog.find(id, standing) {
            Some(model) => found.push(model),
            None => missing.push(id.clone()),
        }
    }
    if missing.is_empty() { Ok(found) } else { Err(not_found(&missing)) }
}

fn expanded(model: &Model) -> Option<&Template> {
    if model.expansion_fails { None } else { model.document() }
}

impl Query {
    fn read(call: &Call<'_>) -> Result<Self, Refusal> {
        let deprecated = match call.parameter("status").as_deref() {
            None => None,
            Some("active") => Some(false),
            Some("deprecated") => Some(true),
            Some(_) => return Err(invalid("status: must be active or deprecated")),
        };
        let mut expand_document = false;
        let mut expand_enterprise = false;
        for expand in call.parameters("expand").flat_map(|values| split(&values)) {
            match expand.as_str() {
                "openapi-3.0" => expand_document = true,
                "enterprise_status" => expand_enterprise = true,
                _ => return Err(invalid("expand: must be openapi-3.0 or enterprise_status")),
            }
        }
        let most = if expand_document { EXPANDED_PAGE } else { PAGE };
        let size = match call.parameter("limit") {
            None => most,
            Some(text) => match text.parse::<usize>() {
                Ok(limit) if limit > 0 => limit.min(most),
                _ => return Err(invalid("limit: must be a number of at least 1")),
            },
        };
        let page = match call.parameter("cursor") {
            None => 1,
            Some(text) => cursor::read(&text).ok_or_else(|| invalid("cursor: not a cursor"))?,
        };
        Ok(Self {
            text: call.parameter("q").map(|text| text.to_lowercase()),
            category: call.parameter("category").filter(|category| !category.is_empty()),
            deprecated,
            expand_document,
            expand_enterprise,
            page,
            size,
        })
    }

    fn matches(&self, model: &Model) -> bool {
        self.deprecated.is_none_or(|deprecated| deprecated == model.is_deprecated)
            && self.category.as_ref().is_none_or(|category| *category == model.category)
            && self.text.as_ref().is_none_or(|text| model.is_found_by(text))
    }
}

fn split(values: &str) -> Vec<String> {
    values.split(',').map(str::to_owned).collect()
}
