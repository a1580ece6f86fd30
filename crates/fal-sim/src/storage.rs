//! Uploaded files, in memory, and the two ways of getting them there: a signed URL, and a token
//! for the CDN. Reading them is in [`crate::cdn`].

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::auth;
use crate::auth::Standing;
use crate::call::Call;
use crate::clock::rfc3339;
use crate::hash;
use crate::hosts::Host;
use crate::media::Media;
use crate::reply::{self, Answer, Refusal};

/// How long a signed URL can be used.
const SIGNED_FOR: Duration = Duration::from_mins(15);
/// How long a token can be used, in seconds, unless the caller says.
const TOKEN_SECONDS: u64 = 30 * 24 * 3600;
/// Uploads and tokens that are waited for; beyond it the oldest is forgotten.
const MAX_PENDING: usize = 10_000;

/// A stored file.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) content_type: String,
    pub(crate) bytes: Bytes,
    pub(crate) expires: Option<Instant>,
}

/// An upload that has been announced.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) content_type: String,
    /// The value of `signature` in the URL, or of the upload's id.
    pub(crate) secret: String,
    pub(crate) until: Instant,
    /// How long the file is kept, once it is there.
    pub(crate) lifetime: Option<Duration>,
    /// The parts that have come, by number. None for an upload in one piece.
    pub(crate) parts: Option<HashMap<u32, Bytes>>,
}

#[derive(Debug, Default)]
struct Shelves {
    files: HashMap<String, Stored>,
    /// Oldest first.
    order: VecDeque<String>,
    bytes: usize,
    pending: HashMap<String, Pending>,
    pending_order: VecDeque<String>,
    tokens: HashMap<String, Instant>,
    token_order: VecDeque<String>,
    count: u64,
}

/// Every uploaded file of one stand-in.
#[derive(Debug)]
pub(crate) struct Storage {
    shelves: Mutex<Shelves>,
    seed: u64,
    max_bytes: usize,
}

impl Storage {
    pub(crate) fn new(seed: u64, max_bytes: usize) -> Self {
        Self { shelves: Mutex::default(), seed, max_bytes }
    }

    /// Announces an upload and returns its path and secret.
    pub(crate) fn announce(&self, file_name: &str, pending: Pending) -> (String, String) {
        let mut shelves = self.shelves();
        shelves.count += 1;
        let draw = hash::mix(self.seed ^ shelves.count);
        let (shelf, id) = (u32::try_from(draw >> 32).unwrap_or_default(), hash::name(draw, 21));
        let path = format!("/files/b/{shelf:08x}/{id}_{}", safe_name(file_name));
        let secret = hash::name(draw ^ 0x5eed, 32);
        let pending = Pending { secret: secret.clone(), ..pending };
        shelves.pending.insert(path.clone(), pending);
        shelves.pending_order.push_back(path.clone());
        if shelves.pending_order.len() > MAX_PENDING
            && let Some(oldest) = shelves.pending_order.pop_front()
        {
            shelves.pending.remove(&oldest);
        }
        (path, secret)
    }

    /// An announced upload, for one look.
    pub(crate) fn pending(&self, path: &str) -> Option<Pending> {
        self.shelves().pending.get(path).cloned()
    }

    /// Adds a part. False if no upload in parts was announced here.
    pub(crate) fn add_part(&self, path: &str, number: u32, bytes: Bytes) -> bool {
        let mut shelves = self.shelves();
        let parts = shelves.pending.get_mut(path).and_then(|pending| pending.parts.as_mut());
        parts.map(|parts| parts.insert(number, bytes)).is_some()
    }

    /// Stores the file of an announced upload.
    pub(crate) fn store(&self, path: &str, bytes: Bytes, now: Instant) {
        let mut shelves = self.shelves();
        let Some(pending) = shelves.pending.remove(path) else {
            return;
        };
        shelves.bytes += bytes.len();
        let file = Stored {
            content_type: pending.content_type,
            bytes,
            expires: pending.lifetime.map(|lifetime| now + lifetime),
        };
        shelves.files.insert(path.to_owned(), file);
        shelves.order.push_back(path.to_owned());
        while shelves.bytes > self.max_bytes {
            let Some(oldest) = shelves.order.pop_front() else {
                break;
            };
            if let Some(file) = shelves.files.remove(&oldest) {
                shelves.bytes -= file.bytes.len();
            }
        }
    }

    /// A stored file that has not expired.
    pub(crate) fn read(&self, path: &str, now: Instant) -> Option<Stored> {
        let file = self.shelves().files.get(path).cloned()?;
        file.expires.is_none_or(|expires| now < expires).then_some(file)
    }

    /// The path of every stored file, oldest first.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.shelves().order.iter().cloned().collect()
    }

    /// Whether a CDN token is one of ours and still good.
    pub(crate) fn is_token(&self, token: &str, now: Instant) -> bool {
        self.shelves().tokens.get(token).is_some_and(|until| now < *until)
    }

    fn issue_token(&self, until: Instant) -> String {
        let mut shelves = self.shelves();
        shelves.count += 1;
        let token = hash::name(hash::mix(self.seed ^ shelves.count), 40);
        shelves.tokens.insert(token.clone(), until);
        shelves.token_order.push_back(token.clone());
        if shelves.token_order.len() > MAX_PENDING
            && let Some(oldest) = shelves.token_order.pop_front()
        {
            shelves.tokens.remove(&oldest);
        }
        token
    }

    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Deserialize)]
struct InitiateRequest {
    #[serde(default)]
    content_type: Option<String>,
    #[serde(default)]
    file_name: Option<String>,
}

/// `POST /storage/upload/initiate` and `…/initiate-multipart`: where to upload, and where the
/// file will be.
pub(crate) fn initiate(call: &Call<'_>, multipart: bool) -> Answer {
    if let Err(refusal) = caller(call).and_then(|()| check_type(call)) {
        return refusal.into();
    }
    let Ok(request) = call.json::<InitiateRequest>() else {
        return reply::detail(StatusCode::UNPROCESSABLE_ENTITY, "Invalid request body");
    };
    let content_type =
        request.content_type.unwrap_or_else(|| "application/octet-stream".to_owned());
    let file_name = request.file_name.unwrap_or_else(|| "file.bin".to_owned());
    let pending = Pending {
        content_type,
        secret: String::new(),
        until: call.now + SIGNED_FOR,
        lifetime: lifetime(call),
        parts: multipart.then(HashMap::new),
    };
    let (path, secret) = call.sim.storage.announce(&file_name, pending);
    let file_url = format!("{}{path}", call.bases.base(Host::Cdn));
    let upload_url = format!("{file_url}?expires=900&signature={secret}");
    reply::json(StatusCode::OK, &json!({ "upload_url": upload_url, "file_url": file_url }))
}

/// `POST /storage/auth/token`: a token for uploading straight to the CDN.
pub(crate) fn token(call: &Call<'_>) -> Answer {
    if let Err(refusal) = caller(call).and_then(|()| check_type(call)) {
        return refusal.into();
    }
    let body: Value = call.json().unwrap_or_default();
    let seconds = body.get("expiration_seconds").and_then(Value::as_u64).unwrap_or(TOKEN_SECONDS);
    let now = call.now;
    let until = now + Duration::from_secs(seconds.clamp(1, TOKEN_SECONDS));
    let token = call.sim.storage.issue_token(until);
    reply::json(
        StatusCode::OK,
        &json!({
            "token": token,
            "created_at": rfc3339(call.sim.clock.date(now)),
            "expires_at": rfc3339(call.sim.clock.date(until)),
            "base_url": call.bases.base(Host::Cdn),
            "token_type": "Bearer",
        }),
    )
}

/// What a model says whose input names a file that should be here and is not: the `detail[]` of a
/// 422. Files of other hosts are not looked at.
pub(crate) fn missing_file(call: &Call<'_>) -> Option<Bytes> {
    let input: serde_json::Map<String, Value> = serde_json::from_slice(&call.body).ok()?;
    let base = call.bases.base(Host::Cdn);
    let is_missing = |url: &str| {
        let path = url.strip_prefix(&base);
        path.is_some_and(|path| {
            Media::from_path(path).is_none() && call.sim.storage.read(path, call.now).is_none()
        })
    };
    let (name, url) = input.iter().find(|(_, value)| value.as_str().is_some_and(is_missing))?;
    let entry = json!({
        "loc": ["body", name],
        "msg": "Failed to download the file. Please check if the URL is accessible and try again.",
        "type": "file_download_error",
        "url": "https://docs.fal.ai/errors/#file_download_error",
        "input": url,
    });
    Some(Bytes::from(json!({ "detail": [entry] }).to_string()))
}

/// How long the caller wants its file kept. 0 means for good.
pub(crate) fn lifetime(call: &Call<'_>) -> Option<Duration> {
    let header = call
        .header("x-fal-object-lifecycle")
        .or_else(|| call.header("x-fal-object-lifecycle-preference"))?;
    let wish: Value = serde_json::from_str(header).ok()?;
    let seconds = wish.get("expiration_duration_seconds")?.as_u64()?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

fn caller(call: &Call<'_>) -> Result<(), Refusal> {
    let account = call.sim.keys.caller(call.headers).map_err(|refused| refused.answer(None))?;
    if account.standing == Standing::Locked { Err(auth::locked().into()) } else { Ok(()) }
}

/// Only the current kind of storage is left; naming none means it.
fn check_type(call: &Call<'_>) -> Result<(), Refusal> {
    match call.parameter("storage_type").as_deref() {
        None | Some("fal-cdn-v3") => Ok(()),
        Some(_) => Err(reply::detail(StatusCode::BAD_REQUEST, "Invalid storage type").into()),
    }
}

/// A file name that can stand in a URL as it is, with an extension.
fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let safe: String = last
        .chars()
        .take(100)
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' })
        .collect();
    if safe.contains('.') { safe } else { format!("{safe}.bin") }
}
