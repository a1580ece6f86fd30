//! Files of the caller's: announced with the key, sent to the CDN without it.
//!
//! fal answers an announcement with an upload URL, whose signature is the whole authority, and the
//! address that the file has afterwards (the "initiate" calls of fal's own JavaScript client). A
//! file of up to [`MAX_SINGLE_BYTES`] goes up in one `PUT`, a larger one in parts of
//! [`PART_BYTES`].

use std::{fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::{sync::mpsc, time::Instant};
use url::Url;

use crate::{
    Client, Error, Key,
    answer::Answer,
    body::ChunkedBody,
    call::{Call, Operation, Repeat},
    hosts, refusal,
};

/// The largest file that goes up in one piece, bytes: where fal's own JavaScript client begins to
/// send parts.
pub const MAX_SINGLE_BYTES: u64 = 90 * 1024 * 1024;

/// The size of each part but the last, bytes.
pub const PART_BYTES: usize = 10 * 1024 * 1024;

/// The header that says how long a file lives, as JSON.
const LIFECYCLE: &str = "x-fal-object-lifecycle";

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its name, without folders; fal makes a part of the file's address from it.
    pub file_name: String,
    /// Its media type, without parameters. The same is to be sent with the bytes.
    pub content_type: String,
    /// How long fal keeps it; as long as the account's settings say where this is none.
    pub lifetime: Option<Duration>,
}

/// An announced file. Whoever knows `upload_url` may send the file, so `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    /// Where the file goes: one of the CDN's hosts.
    pub upload_url: Url,
    /// Where it can be read afterwards.
    pub file_url: Url,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("file_url", &self.file_url.as_str()).finish_non_exhaustive()
    }
}

impl Upload {
    /// Where one part goes, or `complete`: below the path of the upload URL, with its query.
    fn below(&self, segment: &str) -> Url {
        hosts::below(&self.upload_url, [segment])
    }
}

/// A part that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Which, from 1.
    #[serde(rename = "partNumber")]
    pub number: u32,
    /// fal's own mark of it.
    pub etag: String,
}

impl Client {
    /// Announces a file that comes in one piece. Costs nothing, also when no file follows.
    pub async fn initiate_upload(
        &self,
        key: &Key,
        file: &NewFile,
        deadline: Instant,
    ) -> Result<Upload, Error> {
        self.initiate("initiate", key, file, deadline).await
    }

    /// Announces a file that comes in parts.
    pub async fn initiate_multipart_upload(
        &self,
        key: &Key,
        file: &NewFile,
        deadline: Instant,
    ) -> Result<Upload, Error> {
        self.initiate("initiate-multipart", key, file, deadline).await
    }

    async fn initiate(
        &self,
        how: &str,
        key: &Key,
        file: &NewFile,
        deadline: Instant,
    ) -> Result<Upload, Error> {
        let mut url = hosts::below(&self.hosts().rest, ["storage", "upload", how]);
        url.query_pairs_mut().append_pair("storage_type", "fal-cdn-v3");
        let body = json!({"content_type": file.content_type, "file_name": file.file_name});
        let body = Bytes::from(body.to_string());
        let mut call = Call::question(Operation::InitiateUpload, url, Some(key), body);
        if let Some(lifetime) = file.lifetime {
            let lifecycle = json!({"expiration_duration_seconds": lifetime.as_secs()}).to_string();
            call.set(LIFECYCLE, HeaderValue::try_from(lifecycle).map_err(Error::malformed)?);
        }
        let announced: Announced =
            self.ask(&call, deadline, |outcome| success(&call, outcome?)?.json()).await?;
        let url = |text: &str| Url::parse(text).map_err(Error::malformed);
        let upload_url = url(&announced.upload_url)?;
        if !self.hosts().is_cdn(&upload_url) {
            return Err(Error::ForeignUrl);
        }
        Ok(Upload { upload_url, file_url: url(&announced.file_url)? })
    }

    /// Sends a file that is there whole. Sent again after a passing failure: the second time puts
    /// the same bytes in the same place.
    pub async fn upload(
        &self,
        upload: &Upload,
        content_type: &str,
        bytes: Bytes,
        deadline: Instant,
    ) -> Result<(), Error> {
        let mut call = put(upload.upload_url.clone());
        call.set(header::CONTENT_TYPE, media_type(content_type)?);
        call.body = Some(bytes);
        self.ask(&call, deadline, |outcome| success(&call, outcome?).map(drop)).await
    }

    /// Sends a file of `length` bytes as its chunks come. If fewer come, the request breaks off and
    /// fal has no file. Never sent again.
    pub async fn upload_chunks(
        &self,
        upload: &Upload,
        content_type: &str,
        length: u64,
        chunks: mpsc::Receiver<Bytes>,
        deadline: Instant,
    ) -> Result<(), Error> {
        let mut call = put(upload.upload_url.clone());
        call.set(header::CONTENT_TYPE, media_type(content_type)?);
        let body = reqwest::Body::wrap(ChunkedBody::new(chunks, length));
        success(&call, self.fetch_once(&call, body, deadline).await?).map(drop)
    }

    /// Sends one part, numbered from 1. Sent again after a passing failure.
    pub async fn upload_part(
        &self,
        upload: &Upload,
        number: u32,
        bytes: Bytes,
        deadline: Instant,
    ) -> Result<Part, Error> {
        let mut call = put(upload.below(&number.to_string()));
        call.body = Some(bytes);
        let read = |answer: Answer| success(&call, answer)?.json::<Acknowledged>();
        let Acknowledged { etag } = self.ask(&call, deadline, |outcome| read(outcome?)).await?;
        Ok(Part { number, etag })
    }

    /// Puts the parts together. The file is there when this has succeeded, and not before.
    pub async fn complete_upload(
        &self,
        upload: &Upload,
        parts: &[Part],
        deadline: Instant,
    ) -> Result<(), Error> {
        let body = Bytes::from(json!({"parts": parts}).to_string());
        let url = upload.below("complete");
        let mut call = Call::question(Operation::Upload, url, None, body);
        // The parts are used up by the first one that arrives.
        call.repeat = Repeat::Unsent;
        self.ask(&call, deadline, |outcome| success(&call, outcome?).map(drop)).await
    }
}

/// A call that puts bytes onto the CDN: without a key.
fn put(url: Url) -> Call<'static> {
    Call { method: Method::PUT, ..Call::get(Operation::Upload, url, None) }
}

fn media_type(text: &str) -> Result<HeaderValue, Error> {
    HeaderValue::try_from(text)
        .map_err(|_| Error::InvalidRequest { message: "the content type is not one".to_owned() })
}

fn success(call: &Call<'_>, answer: Answer) -> Result<Answer, Error> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    Err(refusal::read(call.operation, &answer))
}

#[derive(Deserialize)]
struct Announced {
    upload_url: String,
    file_url: String,
}

#[derive(Deserialize)]
struct Acknowledged {
    etag: String,
}
