//! `upload_file`: brings a file to fal. Either the bytes pass by here (`url`, `data`), or the caller
//! gets a command that sends them straight to fal (`path`, `prepare_upload`): this server cannot
//! read the caller's disk, and must not read its own.

use std::time::Duration;

use bytes::Bytes;
use fal::{MAX_SINGLE_BYTES, NewFile, PART_BYTES};
use futures_util::{FutureExt as _, TryFutureExt as _};
use mcp::{CallToolResult, ToolAnnotations};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, Tool, arguments};
use crate::context::Context;
use crate::error::{During, ToolError};
use crate::upload::{self, Found, Told, Uploaded, command, data, problem};

const NAME: &str = upload::TOOL;

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: NAME,
    definition,
    call: |context, arguments| run(context, arguments).map_ok(Answer::Built).boxed(),
};

#[derive(Debug, Deserialize)]
struct Arguments {
    url: Option<String>,
    data: Option<String>,
    path: Option<String>,
    prepare_upload: Option<bool>,
    file_name: Option<String>,
    content_type: Option<String>,
    file_size: Option<u64>,
    expiration_seconds: Option<u64>,
}

/// Where the file is.
enum Origin {
    Url(String),
    Data(String),
    /// On the caller's disk; without a path, wherever the command is run.
    Disk(Option<String>),
}

fn definition() -> mcp::Tool {
    mcp::Tool {
        name: NAME,
        title: "Upload a file",
        description: "Bring a file to fal; returns the file_url to use in a model's input. Give exactly one of url, data, path, prepare_upload. For a file on the user's machine use path: the answer holds a shell command that sends it straight to fal.",
        input_schema: json!({
            "type": "object",
            "properties": {
                "url": {"type": "string", "maxLength": 8000,
                    "description": "Public https URL of a file of up to 1 GiB, copied to fal."},
                "data": {"type": "string",
                    "description": "The file as base64 or data URI, up to 10 MiB; slow, prefer path."},
                "path": {"type": "string", "maxLength": 4000,
                    "description": "Path on the user's machine, for the command that you run there."},
                "prepare_upload": {"type": "boolean",
                    "description": "true: as path, with file_name as the file in the current folder."},
                "file_name": {"type": "string", "maxLength": 1000,
                    "description": "Name at fal; default: from the URL or path."},
                "content_type": {"type": "string", "maxLength": 200,
                    "description": "Media type; default: found out."},
                "file_size": {"type": "integer", "minimum": 1, "maximum": 1_099_511_627_776_u64,
                    "description": "Bytes; needed with path or prepare_upload above 94371840 (90 MiB)."},
                "expiration_seconds": {"type": "integer", "minimum": 1, "maximum": 31_536_000,
                    "description": "Seconds until fal deletes the file; default: the account's setting."},
            },
            "additionalProperties": false,
        }),
        output_schema: None,
        // It makes a new file each time, and reads any public URL.
        annotations: ToolAnnotations {
            read_only_hint: false,
            destructive_hint: false,
            idempotent_hint: false,
            open_world_hint: true,
        },
    }
}

async fn run(
    context: &Context,
    arguments: Map<String, Value>,
) -> Result<CallToolResult, ToolError> {
    let arguments: Arguments = arguments::parse(NAME, arguments)?;
    let size = arguments.file_size;
    let (origin, told) = read(arguments)?;
    let answer = match origin {
        Origin::Url(url) => uploaded(&upload::transfer(context, &url, told).await?),
        Origin::Data(text) => uploaded(&send(context, &text, told).await?),
        Origin::Disk(path) => prepare(context, path, size, told).await?,
    };
    Ok(CallToolResult::json(answer, false))
}

/// Sorts the arguments; each combination that makes no sense is a problem in words.
fn read(arguments: Arguments) -> Result<(Origin, Told), ToolError> {
    let Arguments { url, data, path, prepare_upload, file_name, content_type, .. } = arguments;
    let content_type = content_type
        .map(|text| {
            upload::media_type(&text).ok_or_else(|| {
                problem("`content_type` is no media type: expected one such as image/png")
            })
        })
        .transpose()?;
    let lifetime = arguments.expiration_seconds.map(Duration::from_secs);
    let wants_command = prepare_upload == Some(true);
    let origin = match (url, data, path, wants_command) {
        (Some(url), None, None, false) => Origin::Url(url),
        (None, Some(data), None, false) => Origin::Data(data),
        // A path prepares an upload anyway.
        (None, None, Some(path), _) => Origin::Disk(Some(path)),
        (None, None, None, true) => Origin::Disk(None),
        (None, None, None, false) => {
            return Err(problem(
                "one of `url`, `data`, `path` or `prepare_upload: true` is missing",
            ));
        }
        _ => {
            return Err(problem("give only one of `url`, `data`, `path` and `prepare_upload`"));
        }
    };
    Ok((origin, Told { file_name, content_type, lifetime }))
}

/// Sends a file that came in the call.
async fn send(context: &Context, text: &str, told: Told) -> Result<Uploaded, ToolError> {
    let data = data::decode(text).map_err(|what| problem(format!("`data` {what}")))?;
    let found = Found {
        file_name: None,
        content_type: data.content_type.as_deref(),
        start: Some(&data.bytes),
    };
    let file = upload::describe(told, &found)?;
    let fal = &context.app.fal;
    let deadline = Context::plain_deadline();
    let announced = fal
        .initiate_upload(&context.key, &file, deadline)
        .await
        .map_err(ToolError::fal(During::Upload))?;
    let size = data.bytes.len() as u64;
    fal.upload(&announced, &file.content_type, Bytes::from(data.bytes), deadline)
        .await
        .map_err(ToolError::fal(During::Upload))?;
    Ok(Uploaded { file, file_url: announced.file_url, size })
}

/// Announces a file and says how to send it. The answer allows to send it: it is never logged.
async fn prepare(
    context: &Context,
    path: Option<String>,
    size: Option<u64>,
    told: Told,
) -> Result<Value, ToolError> {
    let on_disk = path.or_else(|| told.file_name.clone()).unwrap_or_else(|| "file".to_owned());
    // A terminal acts on these before any shell sees quotes.
    if on_disk.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(problem("`path` holds control characters: rename the file first"));
    }
    let found = Found { file_name: Some(&on_disk), ..Found::default() };
    let file = upload::describe(told, &found)?;
    let (fal, key, deadline) = (&context.app.fal, &context.key, Context::plain_deadline());
    let in_parts = size.is_some_and(|size| size > MAX_SINGLE_BYTES);
    let announced = if in_parts {
        fal.initiate_multipart_upload(key, &file, deadline).await
    } else {
        fal.initiate_upload(key, &file, deadline).await
    }
    .map_err(ToolError::fal(During::Upload))?;
    let mut answer = described(&file, announced.file_url.as_str());
    answer.insert("upload_url".to_owned(), json!(announced.upload_url.as_str()));
    answer.insert("method".to_owned(), json!("PUT"));
    let commands = if in_parts {
        answer.insert("part_bytes".to_owned(), json!(PART_BYTES));
        command::multipart(&announced, &on_disk)
    } else {
        answer.insert("headers".to_owned(), json!({"Content-Type": file.content_type}));
        command::single(&announced, &file.content_type, &on_disk)
    };
    answer.insert("command".to_owned(), json!(commands.posix));
    answer.insert("command_powershell".to_owned(), json!(commands.powershell));
    let limit = if in_parts {
        String::new()
    } else {
        format!(" A file of more than {MAX_SINGLE_BYTES} bytes needs file_size.")
    };
    answer.insert(
        "next_step".to_owned(),
        json!(format!(
            "Run `command` in a shell on the user's machine, or `command_powershell` in PowerShell, as it is and within minutes: the upload URL expires, and whoever has it can upload. When it has succeeded, use file_url in the model's input.{limit}"
        )),
    );
    Ok(Value::Object(answer))
}

/// What is said of a file that is at fal.
fn uploaded(uploaded: &Uploaded) -> Value {
    let mut answer = described(&uploaded.file, uploaded.file_url.as_str());
    answer.insert("file_size".to_owned(), json!(uploaded.size));
    Value::Object(answer)
}

fn described(file: &NewFile, file_url: &str) -> Map<String, Value> {
    let mut answer = Map::new();
    answer.insert("file_url".to_owned(), json!(file_url));
    answer.insert("file_name".to_owned(), json!(file.file_name));
    answer.insert("content_type".to_owned(), json!(file.content_type));
    if let Some(lifetime) = file.lifetime {
        answer.insert("expiration_seconds".to_owned(), json!(lifetime.as_secs()));
    }
    answer
}
