//! Models from files: a catalogue and OpenAPI documents, each with one JSON object a line, plain
//! or gzipped.
//!
//! A model without a document can be listed and run; a document without a catalogue entry can be
//! fetched and run, and is in no list.

use std::collections::HashMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use bytes::Bytes;
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Model;
use super::card;
use super::catalog::Foreign;
use crate::config::StartError;

#[derive(Debug, Deserialize)]
struct Entry {
    endpoint_id: String,
    #[serde(default)]
    metadata: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
struct Page {
    models: Vec<Entry>,
}

/// A line of a catalogue: an entry alone, or wrapped with a note on where it is from.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum CatalogLine {
    Wrapped { model: Entry },
    Bare(Entry),
}

#[derive(Debug, Deserialize)]
struct SchemaLine {
    endpoint_id: String,
    openapi: Box<RawValue>,
}

/// Reads both files.
pub(super) fn load(
    catalog: Option<&Path>,
    schemas: Option<&Path>,
) -> Result<Vec<Model>, StartError> {
    let mut documents: HashMap<String, Bytes> = HashMap::new();
    let mut document_order = Vec::new();
    if let Some(path) = schemas {
        for line in parse_lines::<SchemaLine>(path, &read(path)?)? {
            document_order.push(line.endpoint_id.clone());
            documents.insert(line.endpoint_id, Bytes::from(line.openapi.get().to_owned()));
        }
    }
    let mut models = Vec::new();
    if let Some(path) = catalog {
        for entry in entries(path)? {
            let document = documents.remove(&entry.endpoint_id);
            models.push(foreign(entry, document, true).into_model());
        }
    }
    for endpoint_id in document_order {
        let Some(document) = documents.remove(&endpoint_id) else {
            continue;
        };
        let entry = Entry { endpoint_id, metadata: Map::new() };
        models.push(foreign(entry, Some(document), catalog.is_none()).into_model());
    }
    Ok(models)
}

fn entries(path: &Path) -> Result<Vec<Entry>, StartError> {
    let text = read(path)?;
    if let Ok(page) = serde_json::from_str::<Page>(&text) {
        return Ok(page.models);
    }
    let lines = parse_lines::<CatalogLine>(path, &text)?;
    Ok(lines
        .into_iter()
        .map(|line| match line {
            CatalogLine::Wrapped { model } => model,
            CatalogLine::Bare(entry) => entry,
        })
        .collect())
}

fn foreign(entry: Entry, document: Option<Bytes>, is_listed: bool) -> Foreign {
    let text = |name: &str| entry.metadata.get(name).and_then(Value::as_str).map(str::to_owned);
    let category = text("category")
        .or_else(|| document.as_deref().and_then(category_of))
        .unwrap_or_else(|| "unknown".to_owned());
    Foreign {
        name: text("display_name").unwrap_or_else(|| entry.endpoint_id.clone()),
        description: text("description").unwrap_or_default(),
        is_deprecated: text("status").as_deref() == Some("deprecated"),
        card: if entry.metadata.is_empty() && document.is_none() {
            card::of_id(&entry.endpoint_id)
        } else {
            card::of_metadata(&entry.endpoint_id, &category, entry.metadata)
        },
        endpoint_id: entry.endpoint_id,
        category,
        is_listed,
        document,
    }
}

/// The category that a document states of its own model.
fn category_of(document: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Document {
        info: Info,
    }
    #[derive(Deserialize)]
    struct Info {
        #[serde(rename = "x-fal-metadata")]
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    struct Metadata {
        category: Option<String>,
    }
    serde_json::from_slice::<Document>(document).ok()?.info.metadata.category
}

fn read(path: &Path) -> Result<String, StartError> {
    let failed = |source| StartError::ReadModels { path: path.to_owned(), source };
    let bytes = fs::read(path).map_err(failed)?;
    let mut text = String::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).map_err(failed)?;
    } else {
        bytes.as_slice().read_to_string(&mut text).map_err(failed)?;
    }
    Ok(text)
}

fn parse_lines<T: for<'de> Deserialize<'de>>(
    path: &Path,
    text: &str,
) -> Result<Vec<T>, StartError> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            serde_json::from_str(line).map_err(|source| StartError::ParseModels {
                path: path.to_owned(),
                line: number + 1,
                source,
            })
        })
        .collect()
}
