//! Schemas of models, by id: public ones for everyone, a private one for its caller alone.

use std::sync::Arc;
use std::time::Duration;

use fal::EndpointId;
use mcp::{CallToolResult, ReadyCallToolResult};
use moka::future::Cache;
use serde_json::Value;
use tokio::time::Instant;

use super::kept::{Dated, Kept};
use super::models::Models;
use super::{Counts, Holding};
use crate::context::Context;
use crate::error::{During, ToolError};
use crate::schema::{ModelSchema, SchemaError};
use crate::tools::MAX_RESULT_CHARS;

const FRESH: Duration = Duration::from_hours(1);
const MAX_BYTES: u64 = 64 * 1024 * 1024;
const UNKNOWN_FOR: Duration = Duration::from_secs(30);
const MAX_UNKNOWN: u64 = 10_000;
const PATIENCE: Duration = Duration::from_secs(30);
/// How many ids a refusal of an unknown one names.
const NEAREST: usize = 5;
/// Below this similarity (Jaro-Winkler, 0 to 1) an id is no help to someone who mistyped another.
const SIMILAR: f64 = 0.7;

/// A model's schema with the answer that shows it.
#[derive(Debug)]
pub(crate) struct Described {
    /// To check inputs with.
    pub(crate) schema: ModelSchema,
    /// The whole answer of `get_model_schema`.
    pub(crate) ready: ReadyCallToolResult,
}

impl Described {
    fn new(schema: ModelSchema) -> Self {
        let body = schema.presentation(MAX_RESULT_CHARS);
        Self { ready: ReadyCallToolResult::new(&CallToolResult::json(body, false)), schema }
    }

    fn bytes(&self) -> usize {
        self.schema.bytes() + self.ready.as_bytes().len()
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Schemas {
    fal: fal::Client,
    models: Arc<Models>,
    kept: Kept<EndpointId, Described>,
    unknown: Cache<EndpointId, ()>,
}

impl Schemas {
    pub(super) fn new(fal: fal::Client, models: Arc<Models>) -> Self {
        let weigh = |schema: &Described| u32::try_from(schema.bytes()).unwrap_or(u32::MAX);
        Self {
            fal,
            models,
            kept: Kept::new(MAX_BYTES, FRESH, weigh),
            unknown: Cache::builder().max_capacity(MAX_UNKNOWN).time_to_live(UNKNOWN_FOR).build(),
        }
    }

    /// What is kept.
    pub(super) fn holding(&self) -> Holding {
        self.kept.holding()
    }

    /// How often it served.
    pub(super) fn asked(&self) -> Counts {
        self.kept.asked()
    }

    /// The schema of `endpoint_id`, as the caller may see it.
    pub(crate) async fn get(
        &self,
        context: &Context,
        endpoint_id: &EndpointId,
    ) -> Result<Dated<Described>, ToolError> {
        if self.unknown.get(endpoint_id).await.is_none() {
            let load = |deadline| self.public(endpoint_id, deadline);
            match self.kept.get(endpoint_id, PATIENCE, is_unknown, load).await {
                Ok(schema) => return Ok(schema),
                Err(error) if is_unknown(&error) => {
                    self.unknown.insert(endpoint_id.clone(), ()).await;
                }
                Err(error) => {
                    let during = During::Schema(endpoint_id.clone());
                    return Err(ToolError::Fal { error, during });
                }
            }
        }
        self.private(context, endpoint_id).await
    }

    async fn public(
        &self,
        endpoint_id: &EndpointId,
        deadline: Instant,
    ) -> Result<Described, fal::Error> {
        parse(endpoint_id, &self.fal.schema(None, endpoint_id, deadline).await?.openapi)
    }

    /// Asks with the caller's key and keeps nothing.
    async fn private(
        &self,
        context: &Context,
        endpoint_id: &EndpointId,
    ) -> Result<Dated<Described>, ToolError> {
        let deadline = Context::plain_deadline();
        let document = self.fal.private_schema(&context.key, endpoint_id, deadline).await;
        match document.and_then(|document| parse(endpoint_id, &document)) {
            Ok(schema) => Ok(Dated::new(schema)),
            Err(fal::Error::ModelNotFound) => Err(ToolError::UnknownEndpoint {
                endpoint_id: endpoint_id.clone(),
                nearest: self.nearest(context, endpoint_id).await,
            }),
            Err(error) => Err(ToolError::fal(During::Schema(endpoint_id.clone()))(error)),
        }
    }

    /// For a model that is deprecated: the living ids most like it.
    pub(crate) fn successors(&self, endpoint_id: &EndpointId) -> Option<Vec<String>> {
        let loaded = self.models.current()?;
        loaded.index.is_deprecated(endpoint_id.as_str()).then(|| {
            let near = loaded.index.nearest(endpoint_id.as_str(), NEAREST);
            near.into_iter().map(str::to_owned).collect()
        })
    }

    /// The living ids most like `endpoint_id`, from the catalogue; before that is loaded, fal's own
    /// search is asked for the words of the id. Help that cannot be had is left out.
    async fn nearest(&self, context: &Context, endpoint_id: &EndpointId) -> Vec<String> {
        let wanted = endpoint_id.as_str();
        if let Some(loaded) = self.models.current() {
            return loaded.index.nearest(wanted, NEAREST).into_iter().map(str::to_owned).collect();
        }
        let mut found: Vec<(f64, String)> = Vec::new();
        for word in words(wanted) {
            let query = fal::ModelsQuery {
                q: Some(word),
                status: Some(fal::ModelStatus::Active),
                ..fal::ModelsQuery::default()
            };
            let deadline = Context::plain_deadline();
            if let Ok(page) = self.fal.list_models(Some(&context.key), &query, deadline).await {
                found.extend(page.models.into_iter().map(|model| {
                    (strsim::jaro_winkler(wanted, &model.endpoint_id), model.endpoint_id)
                }));
            }
        }
        found.retain(|(similarity, _)| *similarity >= SIMILAR);
        found.sort_by(|(a, a_id), (b, b_id)| b.total_cmp(a).then_with(|| a_id.cmp(b_id)));
        found.dedup_by(|(_, a), (_, b)| a == b);
        found.into_iter().take(NEAREST).map(|(_, id)| id).collect()
    }
}

/// Whether an answer means that there is no such public model.
fn is_unknown(error: &fal::Error) -> bool {
    matches!(error, fal::Error::ModelNotFound | fal::Error::SchemaUnavailable)
}

fn parse(endpoint_id: &EndpointId, document: &Value) -> Result<Described, fal::Error> {
    ModelSchema::from_openapi(endpoint_id.as_str(), document).map(Described::new).map_err(|error| {
        match error {
            SchemaError::NoInputSchema => fal::Error::SchemaUnavailable,
            SchemaError::NotOpenApi => fal::Error::AnswerMalformed { source: Box::new(error) },
        }
    })
}

/// The words of an id that are worth searching for, the app's name first: fal's search looks at
/// names and descriptions, so `flux-pro` finds what the whole id would not. A mistyped word finds
/// nothing, which is why its beginning is tried too.
fn words(endpoint_id: &str) -> Vec<String> {
    let app = endpoint_id.split('/').nth(1).unwrap_or_default();
    let first = app.split(['-', '.', '_']).next().unwrap_or_default();
    let beginning: String = first.chars().take(4).collect();
    let mut words: Vec<String> = Vec::new();
    for word in [app.to_owned(), app.replace(['-', '_'], " "), first.to_owned(), beginning] {
        if word.len() >= 3 && !words.contains(&word) {
            words.push(word);
        }
    }
    words.truncate(3);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_searched_for_by_its_app_then_by_shorter_words() {
        assert_eq!(words("fal-ai/flux-pro/v1.1"), ["flux-pro", "flux pro", "flux"]);
        assert_eq!(words("fal-ai/flux/schnel"), ["flux"]);
        assert_eq!(words("owner"), Vec::<String>::new());
    }
}
