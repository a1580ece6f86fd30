//! `search_models`: finds endpoint ids in fal's catalogue: ranked, in memory; before the catalogue is
//! loaded, by asking fal with the caller's key.

use fal::{ModelKind, ModelStatus, ModelsPage, ModelsQuery};
use futures_util::FutureExt as _;
use mcp::{CallToolResult, ReadyCallToolResult};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, MAX_RESULT_CHARS, READ_ONLY, Tool, arguments, fit};
use crate::catalog::Loaded;
use crate::context::Context;
use crate::error::{During, ToolError};
use search::{Kind, Query, Status};

const NAME: &str = "search_models";
const DEFAULT_LIMIT: u32 = 20;
/// How our own cursors begin; what follows is the place in the ranking. fal's are base64 of a page
/// number and never begin so.
const OUR_CURSOR: &str = "at-";
/// Descriptions in the catalogue can be pages long.
const MAX_DESCRIPTION_CHARS: usize = 300;

/// The tool.
pub(super) const TOOL: Tool =
    Tool { name: NAME, definition, call: |context, arguments| search(context, arguments).boxed() };

#[derive(Debug, Deserialize)]
struct Arguments {
    query: Option<String>,
    category: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
    kind: Option<String>,
    status: Option<String>,
}

fn definition() -> mcp::Tool {
    mcp::Tool {
        name: NAME,
        title: "Search models",
        description: "Find fal models and their endpoint_ids by words, category or both. Start here.",
        input_schema: json!({
            "type": "object",
            "properties": {
                "query": {"type": "string", "maxLength": 400,
                    "description": "Words to look for in names, descriptions and categories, e.g. \"flux\" or \"text to image\"."},
                "category": {"type": "string", "maxLength": 100,
                    "description": "Exact category, e.g. text-to-image, image-to-image, image-to-video, text-to-video, text-to-speech, training."},
                "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": DEFAULT_LIMIT,
                    "description": "Models per page, 1 to 100."},
                "cursor": {"type": "string", "maxLength": 500,
                    "description": "next_cursor of the previous page."},
                "kind": {"type": "string", "enum": ["inference", "training"],
                    "description": "Only models that run, or only trainers."},
                "status": {"type": "string", "enum": ["active", "deprecated"], "default": "active",
                    "description": "Deprecated models only on request."},
            },
            "additionalProperties": false,
        }),
        output_schema: Some(json!({
            "type": "object",
            "properties": {
                "models": {"type": "array", "items": {"type": "object"}},
                "total": {"type": "integer"},
                "total_shown": {"type": "integer"},
                "has_more": {"type": "boolean"},
                "next_cursor": {"type": "string"},
            },
            "required": ["models", "total_shown", "has_more"],
        })),
        annotations: READ_ONLY,
    }
}

async fn search(context: &Context, arguments: Map<String, Value>) -> Result<Answer, ToolError> {
    let question = Value::Object(arguments.clone()).to_string();
    let arguments: Arguments = arguments::parse(NAME, arguments)?;
    let offset = match arguments.cursor.as_deref() {
        None => Some(0),
        Some(cursor) => our_offset(cursor),
    };
    match (context.app.catalog.models.current(), offset) {
        (Some(loaded), Some(offset)) => {
            let stale_seconds = context.app.catalog.models.stale_seconds(&loaded);
            if let (None, Some(ready)) = (stale_seconds, loaded.answers.get(&question)) {
                return Ok(Answer::Ready(ready));
            }
            let mut body = ranked(&loaded, &arguments, offset)?;
            if let Some(seconds) = stale_seconds {
                body.insert("age_seconds".to_owned(), json!(seconds));
                return Ok(Answer::Built(fitted(body)));
            }
            let ready = ReadyCallToolResult::new(&fitted(body));
            loaded.answers.insert(question, ready.clone());
            Ok(Answer::Ready(ready))
        }
        (None, Some(offset)) if offset > 0 => Err(ToolError::CatalogueLoading),
        // Not loaded yet; or a page of fal's own that another replica, or this one before, began
        // with.
        (None, _) | (Some(_), None) => {
            Ok(Answer::Built(fitted(from_fal(context, &arguments).await?)))
        }
    }
}

fn fitted(body: Map<String, Value>) -> CallToolResult {
    let mut body = Value::Object(body);
    fit::fit(&mut body, MAX_RESULT_CHARS);
    CallToolResult::json(body, true)
}

/// One page out of the catalogue in memory.
fn ranked(
    loaded: &Loaded,
    arguments: &Arguments,
    offset: usize,
) -> Result<Map<String, Value>, ToolError> {
    let index = &loaded.index;
    if let Some(category) = &arguments.category
        && !index.categories().iter().any(|(known, _)| known == category)
    {
        let known: Vec<&str> = index.categories().iter().map(|(name, _)| name.as_str()).collect();
        return Err(ToolError::InvalidArguments {
            tool: NAME,
            problems: vec![format!(
                "`category` is \"{}\": expected one of {}",
                mcp::transport::shown(category),
                known.join(", ")
            )],
        });
    }
    let hits = index.search(&Query {
        text: arguments.query.as_deref().map(str::trim).filter(|query| !query.is_empty()),
        category: arguments.category.as_deref(),
        kind: arguments.kind.as_deref().map(|kind| match kind {
            "training" => Kind::Training,
            _ => Kind::Inference,
        }),
        status: match arguments.status.as_deref() {
            Some("deprecated") => Status::Deprecated,
            _ => Status::Active,
        },
    });
    let limit = arguments.limit.unwrap_or(DEFAULT_LIMIT) as usize;
    let models = hits
        .ranked
        .iter()
        .skip(offset)
        .take(limit)
        .filter_map(|position| index.record(*position))
        .map(|record| {
            entry(
                &record.endpoint_id,
                &record.name,
                &record.category,
                &record.description,
                &record.tags,
            )
        })
        .collect();
    let end = offset.saturating_add(limit);
    let next = (end < hits.ranked.len()).then(|| format!("{OUR_CURSOR}{end}"));
    let mut body = page(models, next);
    body.insert("total".to_owned(), json!(hits.ranked.len()));
    Ok(body)
}

fn our_offset(cursor: &str) -> Option<usize> {
    cursor.strip_prefix(OUR_CURSOR)?.parse().ok()
}

/// One page of fal's own search, until the catalogue is in memory. It is asked with the caller's key
/// and shared with nobody.
async fn from_fal(
    context: &Context,
    arguments: &Arguments,
) -> Result<Map<String, Value>, ToolError> {
    let query = ModelsQuery {
        q: arguments
            .query
            .as_ref()
            .map(|query| query.trim().to_owned())
            .filter(|query| !query.is_empty()),
        category: arguments.category.clone(),
        status: Some(match arguments.status.as_deref() {
            Some("deprecated") => ModelStatus::Deprecated,
            _ => ModelStatus::Active,
        }),
        limit: Some(arguments.limit.unwrap_or(DEFAULT_LIMIT)),
        cursor: arguments.cursor.clone(),
    };
    let mut found = ask(context, &query).await?;
    if let (true, None, Some(category)) =
        (found.models.is_empty(), &query.cursor, as_category(&query))
    {
        // fal looks for the words as they stand, so "text to image" finds nothing although it is
        // the name of a category. The cursors of this answer belong to the category alone.
        found = ask(context, &ModelsQuery { q: None, category: Some(category), ..query }).await?;
        found.next_cursor = None;
    }
    let kind = arguments.kind.as_deref();
    let models = found
        .models
        .into_iter()
        .filter(|model| {
            kind.is_none_or(|kind| {
                model.metadata.kind.map_or("inference", ModelKind::as_str) == kind
            })
        })
        .map(|model| {
            let about = model.metadata;
            entry(
                &model.endpoint_id,
                &about.display_name,
                &about.category,
                &about.description,
                &about.tags,
            )
        })
        .collect();
    Ok(page(models, found.next_cursor.filter(|_| found.has_more)))
}

async fn ask(context: &Context, query: &ModelsQuery) -> Result<ModelsPage, ToolError> {
    context
        .app
        .fal
        .list_models(Some(&context.key), query, Context::plain_deadline())
        .await
        .map_err(ToolError::fal(During::Search))
}

/// The category that the words of a query name, if they have that form: "Text to Image".
fn as_category(query: &ModelsQuery) -> Option<String> {
    if query.category.is_some() {
        return None;
    }
    let words: Vec<String> =
        query.q.as_deref()?.split([' ', '-', '_']).map(str::to_lowercase).collect();
    match words.as_slice() {
        [_, to, _] if to == "to" => Some(words.join("-")),
        [_] => words.first().cloned(),
        _ => None,
    }
}

fn entry(
    endpoint_id: &str,
    name: &str,
    category: &str,
    description: &str,
    tags: &[String],
) -> Value {
    let description: String = description.trim().chars().take(MAX_DESCRIPTION_CHARS).collect();
    json!({
        "endpoint_id": endpoint_id,
        "name": name,
        "category": category,
        "description": description,
        "tags": tags,
    })
}

fn page(models: Vec<Value>, next_cursor: Option<String>) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("total_shown".to_owned(), json!(models.len()));
    body.insert("models".to_owned(), Value::Array(models));
    body.insert("has_more".to_owned(), json!(next_cursor.is_some()));
    if let Some(cursor) = next_cursor {
        body.insert("next_cursor".to_owned(), json!(cursor));
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_name_a_category_are_read_as_one() {
        for (q, expected) in [
            ("text to image", Some("text-to-image")),
            ("Image-to-Video", Some("image-to-video")),
            ("vision", Some("vision")),
            ("a cat on a mat", None),
        ] {
            let query = ModelsQuery { q: Some(q.to_owned()), ..ModelsQuery::default() };
            assert_eq!(as_category(&query).as_deref(), expected, "{q}");
        }
        let with_category = ModelsQuery {
            q: Some("vision".to_owned()),
            category: Some("llm".to_owned()),
            ..ModelsQuery::default()
        };
        assert_eq!(as_category(&with_category), None);
    }
}
