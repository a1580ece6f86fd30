//! From a stranger's URL to fal, without the file ever being here: a file whose length is known goes
//! through chunk by chunk, any other part by part, one part in memory.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fal::{MAX_SINGLE_BYTES, NewFile, PART_BYTES};
use fetch::{Limits, Source};
use futures_util::TryFutureExt as _;
use percent_encoding::percent_decode_str;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{Found, Told, Uploaded, describe};
use crate::context::Context;
use crate::error::{During, ToolError};
use crate::progress::Report;

/// The largest file from a URL, bytes.
pub(crate) const MAX_URL_BYTES: u64 = 1024 * 1024 * 1024;

/// How long the whole of it may take: as long as a caller may wait for a model.
const PATIENCE: Duration = crate::config::MAX_WAIT;

/// How much of a file is looked at to see what it is, bytes.
const START: usize = 4096;

/// How many chunks wait for fal to take them.
const CHUNKS_WAITING: usize = 4;

/// How often progress is reported, bytes.
const STEP: u64 = 1024 * 1024;

/// Brings the file behind a URL to fal.
pub(crate) async fn transfer(
    context: &Context,
    url: &str,
    told: Told,
) -> Result<Uploaded, ToolError> {
    let deadline = Instant::now() + PATIENCE;
    let limits = Limits { bytes: MAX_URL_BYTES, deadline };
    let mut source = context.app.fetcher.get(url, limits).await?;
    let start = start_of(&mut source).await?;
    let name = name_in(url);
    let found = Found {
        file_name: name.as_deref(),
        content_type: source.content_type(),
        start: Some(&start),
    };
    let file = describe(told, &found)?;
    let flow = Flow { context, deadline, sent: 0, total: source.length(), start, source };
    match flow.total {
        Some(length) if length <= MAX_SINGLE_BYTES => flow.in_one_piece(file, length).await,
        _ => flow.in_parts(file).await,
    }
}

/// The file's first bytes, enough of them to see what it is.
async fn start_of(source: &mut Source) -> Result<Bytes, ToolError> {
    let mut start = BytesMut::new();
    while start.len() < START
        && let Some(chunk) = source.chunk().await?
    {
        start.extend_from_slice(&chunk);
    }
    Ok(start.freeze())
}

/// The last part of a URL's path, decoded.
fn name_in(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let last = url.path_segments()?.rfind(|segment| !segment.is_empty())?;
    Some(percent_decode_str(last).decode_utf8_lossy().into_owned())
}

/// A file on its way.
struct Flow<'a> {
    context: &'a Context,
    deadline: Instant,
    sent: u64,
    total: Option<u64>,
    /// What was read to see what the file is.
    start: Bytes,
    source: Source,
}

impl Flow<'_> {
    async fn in_one_piece(mut self, file: NewFile, length: u64) -> Result<Uploaded, ToolError> {
        let Context { app, key, .. } = self.context;
        let upload = app.fal.initiate_upload(key, &file, self.deadline).map_err(failed()).await?;
        let (sender, chunks) = mpsc::channel(CHUNKS_WAITING);
        let deadline = self.deadline;
        let sending = app.fal.upload_chunks(&upload, &file.content_type, length, chunks, deadline);
        let reading = async move {
            while let Some(chunk) = self.next().await? {
                if sender.send(chunk).await.is_err() {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        let (is_whole, ()) = tokio::try_join!(reading, sending.map_err(failed()))?;
        if !is_whole {
            let source = "fal answered before it had the whole file".into();
            return Err(failed()(fal::Error::Dropped { source }));
        }
        Ok(Uploaded { file, file_url: upload.file_url, size: length })
    }

    async fn in_parts(mut self, file: NewFile) -> Result<Uploaded, ToolError> {
        let Context { app, key, .. } = self.context;
        let room = timeout_at(self.deadline, app.parts_in_memory.acquire());
        let Ok(Ok(_room)) = room.await else {
            return Err(ToolError::Source(fetch::Error::TimedOut));
        };
        let upload =
            app.fal.initiate_multipart_upload(key, &file, self.deadline).map_err(failed()).await?;
        let mut parts = Vec::new();
        let (mut buffer, mut rest) = (BytesMut::new(), Bytes::new());
        for number in 1.. {
            let part = self.part(&mut buffer, &mut rest).await?;
            if part.is_empty() {
                break;
            }
            let sending = app.fal.upload_part(&upload, number, part, self.deadline);
            parts.push(sending.map_err(failed()).await?);
        }
        app.fal.complete_upload(&upload, &parts, self.deadline).map_err(failed()).await?;
        Ok(Uploaded { file, file_url: upload.file_url, size: self.sent })
    }

    /// The next part, `rest` first; what is too much for it is the new `rest`. Empty at the end.
    async fn part(&mut self, buffer: &mut BytesMut, rest: &mut Bytes) -> Result<Bytes, ToolError> {
        // The memory of the part before, which is sent: allocators keep more than one of this size.
        buffer.reserve(PART_BYTES);
        loop {
            let room = PART_BYTES - buffer.len();
            buffer.extend_from_slice(&rest.split_to(room.min(rest.len())));
            if buffer.len() == PART_BYTES {
                break;
            }
            match self.next().await? {
                Some(chunk) => *rest = chunk,
                None => break,
            }
        }
        Ok(buffer.split().freeze())
    }

    /// The next bytes of the file.
    async fn next(&mut self) -> Result<Option<Bytes>, ToolError> {
        let chunk = if self.start.is_empty() {
            self.source.chunk().await?
        } else {
            Some(std::mem::take(&mut self.start))
        };
        if let Some(chunk) = &chunk {
            let before = self.sent / STEP;
            self.sent += chunk.len() as u64;
            if self.sent / STEP > before {
                self.context.progress.report(|| self.progress());
            }
        }
        Ok(chunk)
    }

    fn progress(&self) -> Report {
        let sent = self.sent / STEP;
        let headline = match self.total {
            Some(total) => format!("{sent} of {} MiB on the way to fal", total.div_ceil(STEP)),
            None => format!("{sent} MiB on the way to fal"),
        };
        Report { headline, missed: 0, lines: Vec::new() }
    }
}

/// Says what was being done when fal failed.
fn failed() -> impl FnOnce(fal::Error) -> ToolError {
    ToolError::fal(During::Upload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_last_part_of_the_path() {
        for (url, name) in [
            ("https://a.example/b/my%20cat+1.png?c=d.jpg#e", Some("my cat+1.png")),
            ("https://a.example/b/", Some("b")),
            ("https://a.example/%E7%8C%AB.png", Some("猫.png")),
            ("https://a.example/a=b&c.png", Some("a=b&c.png")),
            ("https://a.example/", None),
            ("https://a.example", None),
        ] {
            assert_eq!(name_in(url).as_deref(), name, "{url}");
        }
    }
}
