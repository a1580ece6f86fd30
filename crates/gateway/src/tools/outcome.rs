//! How a job's outcome is told by the tools that wait for one: whole, bounded, with a preview where
//! it was asked for.

use std::time::Duration;

use base64::Engine as _;
use fal::{Job, Price};
use mcp::{CallToolResult, Content};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use url::Url;

use super::{MAX_RESULT_CHARS, cost, fit};
use crate::context::Context;
use crate::error::ToolError;
use crate::jobs::{self, Waited};

/// The largest image that is shown inline. Several clients drop larger ones.
const MAX_PREVIEW_BYTES: usize = 1024 * 1024;

/// How long it may take to fetch: it holds up a result that is there.
const PREVIEW: Duration = Duration::from_secs(3);

/// What is told beside a job's own outcome.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// About the input.
    pub(super) warnings: Vec<String>,
    /// Whether the first image is shown.
    pub(super) preview: bool,
    /// The caller's price of the model, to make a bill of what was used.
    pub(super) price: Option<Price>,
}

/// The result for a job that is done or runs on.
pub(super) async fn present(
    context: &Context,
    job: &Job,
    waited: Waited,
    told: Told,
) -> Result<CallToolResult, ToolError> {
    let Told { warnings, preview, price } = told;
    let (mut body, image) = match waited {
        Waited::Running(status) => (jobs::processing(job, &status), None),
        Waited::Done { result, status } => {
            let image =
                if preview { Some(first_image(context, &result.output).await) } else { None };
            let mut body = jobs::completed(job, result, &status);
            if let Some(price) = &price {
                cost::bill(&mut body, price);
            }
            (body, image)
        }
    };
    if !warnings.is_empty() {
        body.insert("warnings".to_owned(), json!(warnings));
    }
    let image = image.and_then(|image| match image {
        Ok(image) => Some(image),
        Err(reason) => {
            body.insert("preview".to_owned(), json!(reason));
            None
        }
    });
    let mut result = CallToolResult::json(fitted(body, job), false);
    result.content.extend(image);
    Ok(result)
}

/// Cuts what is too long and says how to get the rest.
pub(super) fn fitted(body: Map<String, Value>, job: &Job) -> Value {
    /// Room for the note.
    const NOTE_CHARS: usize = 700;
    let mut body = Value::Object(body);
    let cut = fit::fit(&mut body, MAX_RESULT_CHARS - NOTE_CHARS);
    if let (true, Some(members)) = (cut, body.as_object_mut()) {
        members.insert(
            "truncated".to_owned(),
            json!(format!(
                "Long values were cut. The whole result: {}",
                jobs::handle(job).at_fal()
            )),
        );
    }
    body
}

/// The first image of an output, or why it is not shown. Only fal's own media hosts are asked, and
/// without a key.
async fn first_image(context: &Context, output: &Value) -> Result<Content, String> {
    let url = jobs::media_urls(output)
        .next()
        .and_then(|url| Url::parse(&url).ok())
        .ok_or("not shown: the output has no media URL")?;
    let media = context
        .app
        .fal
        .media(&url, MAX_PREVIEW_BYTES, Instant::now() + PREVIEW)
        .await
        .map_err(|error| format!("not shown: {error}"))?;
    if !matches!(
        media.content_type.as_str(),
        "image/png" | "image/jpeg" | "image/webp" | "image/gif"
    ) {
        return Err("not shown: the first medium is not a PNG, JPEG, WebP or GIF image".to_owned());
    }
    Ok(Content::Image {
        data: base64::engine::general_purpose::STANDARD.encode(&media.bytes),
        mime_type: media.content_type,
    })
}
