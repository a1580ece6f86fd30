//! The CDN: reading files, made or uploaded, and taking uploads by signed URL or by token.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use serde::Deserialize;
use serde_json::json;

use crate::call::Call;
use crate::hash;
use crate::hosts::Host;
use crate::media::Media;
use crate::reply::{self, Answer, Refusal};
use crate::router::CdnRoute;
use crate::storage::{Pending, lifetime};

/// The least size of each part but the last, bytes, as object stores behind signed URLs have it.
const MIN_PART: usize = 5 * 1024 * 1024;
/// The highest number of a part.
const MAX_PARTS: u32 = 10_000;

/// How long an upload with a token may take.
const UPLOAD_TIME: Duration = Duration::from_hours(1);

/// Any request to the CDN.
pub(crate) fn handle(call: &Call<'_>, route: &CdnRoute) -> Answer {
    let outcome = match route {
        CdnRoute::Read { path } => return read(call, path),
        CdnRoute::Put { path } => put(call, path),
        CdnRoute::SignedPart { path, number } => signed_part(call, path, *number),
        CdnRoute::SignedComplete { path } => {
            signed(call, path).and_then(|pending| complete(call, path, pending))
        }
        CdnRoute::TokenUpload => token_upload(call),
        CdnRoute::TokenMultipart => token_multipart(call),
        CdnRoute::TokenPart { path, upload_id, number } => {
            with_token(call, path, upload_id).and_then(|_| part(call, path, *number))
        }
        CdnRoute::TokenComplete { path, upload_id } => {
            with_token(call, path, upload_id).and_then(|pending| complete(call, path, pending))
        }
    };
    match outcome {
        Ok(answer) => answer,
        Err(refusal) => refusal.into(),
    }
}

fn read(call: &Call<'_>, path: &str) -> Answer {
    let stored = call.sim.storage.read(path, call.now);
    let mut answer = match stored {
        Some(file) => reply::bytes(StatusCode::OK, &file.content_type, file.bytes),
        None => match Media::from_path(path) {
            Some(media) => reply::bytes(StatusCode::OK, media.content_type(), media.bytes()),
            None => reply::detail(StatusCode::NOT_FOUND, "Not Found"),
        },
    };
    // Pages of other origins show these files.
    reply::set(&mut answer, "access-control-allow-origin", "*");
    answer
}

/// The announced upload behind a signed URL. The signature is the whole authority: a key has no
/// place here, and fal's storage refuses a request that has both.
fn signed(call: &Call<'_>, path: &str) -> Result<Pending, Refusal> {
    if call.headers.contains_key(AUTHORIZATION) {
        return Err(reply::detail(
            StatusCode::BAD_REQUEST,
            "Only one auth mechanism allowed: remove the Authorization header",
        )
        .into());
    }
    let pending = call.sim.storage.pending(path);
    let is_signed =
        |pending: &Pending| call.parameter("signature").as_ref() == Some(&pending.secret);
    let now = call.now;
    pending
        .filter(|pending| is_signed(pending) && now < pending.until)
        .ok_or_else(|| reply::detail(StatusCode::FORBIDDEN, "Invalid or expired signature").into())
}

fn put(call: &Call<'_>, path: &str) -> Result<Answer, Refusal> {
    let pending = signed(call, path)?;
    if pending.parts.is_some() {
        return Err(reply::detail(StatusCode::BAD_REQUEST, "This upload is in parts").into());
    }
    let sent = call.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if sent != Some(pending.content_type.as_str()) {
        return Err(reply::detail(
            StatusCode::FORBIDDEN,
            "Content-Type is not the one that was signed",
        )
        .into());
    }
    call.sim.storage.store(path, call.body.clone(), call.now);
    Ok(reply::json(StatusCode::OK, &json!({ "uploaded": true })))
}

fn signed_part(call: &Call<'_>, path: &str, number: u32) -> Result<Answer, Refusal> {
    signed(call, path)?;
    part(call, path, number)
}

fn part(call: &Call<'_>, path: &str, number: u32) -> Result<Answer, Refusal> {
    let is_number = (1..=MAX_PARTS).contains(&number);
    if !is_number || !call.sim.storage.add_part(path, number, call.body.clone()) {
        return Err(reply::detail(StatusCode::NOT_FOUND, "No such upload").into());
    }
    let etag = etag(&call.body);
    let mut answer = reply::json(StatusCode::OK, &json!({ "partNumber": number, "etag": etag }));
    reply::set(&mut answer, "etag", &etag);
    Ok(answer)
}

#[derive(Debug, Deserialize)]
struct CompleteRequest {
    parts: Vec<Part>,
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(rename = "partNumber", alias = "part_number")]
    number: u32,
    etag: String,
}

/// Puts the listed parts together, if each is there and is the one that was acknowledged, they are
/// listed from 1 on in order, and each but the last is large enough.
fn complete(call: &Call<'_>, path: &str, pending: Pending) -> Result<Answer, Refusal> {
    let refused = |text| Refusal::from(reply::detail(StatusCode::BAD_REQUEST, text));
    let request: CompleteRequest = call.json().map_err(|_| refused("Invalid list of parts"))?;
    let parts = pending.parts.unwrap_or_default();
    let in_order = (1..).zip(&request.parts).all(|(number, part)| part.number == number);
    if request.parts.is_empty() || !in_order {
        return Err(refused("The parts are not listed in order"));
    }
    let mut whole = Vec::new();
    let mut is_small = false;
    for part in request.parts {
        let found = parts.get(&part.number).filter(|bytes| etag(bytes) == part.etag);
        let Some(bytes) = found else {
            return Err(refused("A part is missing or has another etag"));
        };
        if is_small {
            return Err(refused("A part that is not the last is too small"));
        }
        is_small = bytes.len() < MIN_PART;
        whole.extend_from_slice(bytes);
    }
    call.sim.storage.store(path, Bytes::from(whole), call.now);
    let url = format!("{}{path}", call.bases.base(Host::Cdn));
    Ok(reply::json(StatusCode::OK, &json!({ "access_url": url, "uploaded": true })))
}

/// Checks the Bearer token of a direct upload.
fn check_token(call: &Call<'_>) -> Result<(), Refusal> {
    let token = call.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
    match token {
        Some(token) if call.sim.storage.is_token(token, call.now) => Ok(()),
        _ => Err(reply::detail(StatusCode::UNAUTHORIZED, "Invalid or missing CDN token").into()),
    }
}

fn with_token(call: &Call<'_>, path: &str, upload_id: &str) -> Result<Pending, Refusal> {
    check_token(call)?;
    call.sim
        .storage
        .pending(path)
        .filter(|pending| pending.secret == upload_id)
        .ok_or_else(|| reply::detail(StatusCode::NOT_FOUND, "No such upload").into())
}

fn token_upload(call: &Call<'_>) -> Result<Answer, Refusal> {
    check_token(call)?;
    let (path, _) = announce(call, false);
    call.sim.storage.store(&path, Bytes::copy_from_slice(&call.body), call.now);
    let url = format!("{}{path}", call.bases.base(Host::Cdn));
    Ok(reply::json(StatusCode::OK, &json!({ "access_url": url, "uploaded": true })))
}

fn token_multipart(call: &Call<'_>) -> Result<Answer, Refusal> {
    check_token(call)?;
    let (path, upload_id) = announce(call, true);
    let url = format!("{}{path}", call.bases.base(Host::Cdn));
    Ok(reply::json(StatusCode::OK, &json!({ "access_url": url, "uploadId": upload_id })))
}

fn announce(call: &Call<'_>, in_parts: bool) -> (String, String) {
    let content_type = call.header("content-type").unwrap_or("application/octet-stream");
    let pending = Pending {
        content_type: content_type.to_owned(),
        secret: String::new(),
        until: call.now + UPLOAD_TIME,
        lifetime: lifetime(call),
        parts: in_parts.then(HashMap::new),
    };
    let name = call.header("x-fal-file-name").unwrap_or("file.bin");
    call.sim.storage.announce(name, pending)
}

fn etag(bytes: &[u8]) -> String {
    format!("\"{:016x}\"", hash::hash(0, bytes))
}
