//! What `run_model` and `submit_job` share: their arguments, and the one way to fal's queue. The
//! input is checked before anything is sent.

use std::sync::Arc;

use mcp::ToolAnnotations;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::{arguments, cost};
use crate::catalog::Described;
use crate::context::Context;
use crate::error::ToolError;
use crate::jobs::{self, Submission};
use crate::schema::ModelSchema;

/// Runs something that costs money: not read-only, not repeatable. It destroys nothing, and what it
/// returns is the caller's own product.
pub(super) const ANNOTATIONS: ToolAnnotations = ToolAnnotations {
    read_only_hint: false,
    destructive_hint: false,
    idempotent_hint: false,
    open_world_hint: false,
};

/// The arguments that both tools take.
#[derive(Debug, Deserialize)]
pub(super) struct Submit {
    endpoint_id: String,
    input: Value,
    expiration_seconds: Option<u64>,
    store_payload: Option<bool>,
    webhook_url: Option<String>,
    priority: Option<String>,
    max_cost_usd: Option<f64>,
}

/// Their schemas.
pub(super) fn properties() -> Map<String, Value> {
    let mut properties = Map::new();
    for (name, schema) in [
        (
            "endpoint_id",
            json!({"type": "string", "maxLength": 256,
                "description": "The model's id, e.g. fal-ai/flux/dev."}),
        ),
        (
            "input",
            json!({"type": "object",
                "description": "The model's input, as get_model_schema describes it."}),
        ),
        (
            "expiration_seconds",
            json!({"type": "integer", "minimum": 1, "maximum": 31_536_000,
                "description": "Seconds until the produced files are deleted; default: the account's setting."}),
        ),
        (
            "store_payload",
            json!({"type": "boolean",
                "description": "Whether fal keeps input and output in the account's history; default: the account's setting."}),
        ),
        (
            "max_cost_usd",
            json!({"type": "number", "minimum": 0,
                "description": "Refuse, before anything is sent, if the run is estimated to cost more US dollars than this."}),
        ),
    ] {
        properties.insert(name.to_owned(), schema);
    }
    properties
}

/// The root of both tools' `inputSchema`.
pub(super) fn schema(properties: &Map<String, Value>) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "required": ["endpoint_id", "input"],
        "additionalProperties": false,
    })
}

/// Checks the input against the model's schema and submits it. Answers with the job and with
/// warnings about the input that did not stand in the way.
pub(super) async fn submit(
    tool: &'static str,
    context: &Context,
    arguments: Submit,
) -> Result<(Submission, Vec<String>), ToolError> {
    let endpoint_id = arguments::endpoint_id(tool, &arguments.endpoint_id)?;
    let options = fal::SubmitOptions {
        expiration_seconds: arguments.expiration_seconds,
        store_payload: arguments.store_payload,
        webhook_url: arguments.webhook_url.map(|text| webhook(tool, &text)).transpose()?,
        priority: match arguments.priority.as_deref() {
            Some("low") => Some(fal::Priority::Low),
            Some(_) => Some(fal::Priority::Normal),
            None => None,
        },
    };
    let schema = schema_of(context, &endpoint_id).await?;
    let schema = schema.as_ref().map(|described| &described.schema);
    let mut warnings = check(schema, &endpoint_id, &arguments.input)?;
    if let Some(living) = context.app.catalog.schemas.successors(&endpoint_id) {
        warnings.push(format!("This model is deprecated; living ones: {}.", living.join(", ")));
    }
    if let Some(limit) = arguments.max_cost_usd {
        cost::check(context, &endpoint_id, schema, &arguments.input, limit).await?;
    }
    let submission = jobs::submit(context, &endpoint_id, arguments.input, options).await?;
    Ok((submission, warnings))
}

/// The model's schema; `None` for a model that exists and has none.
async fn schema_of(
    context: &Context,
    endpoint_id: &fal::EndpointId,
) -> Result<Option<Arc<Described>>, ToolError> {
    match context.app.catalog.schemas.get(context, endpoint_id).await {
        Ok(schema) => Ok(Some(schema.value)),
        Err(ToolError::Fal { error, .. }) if matches!(*error, fal::Error::SchemaUnavailable) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Refuses what the model would refuse, and answers with warnings. A model without a schema is left
/// to fal: a wrong refusal would be worse than a late one.
fn check(
    schema: Option<&ModelSchema>,
    endpoint_id: &fal::EndpointId,
    input: &Value,
) -> Result<Vec<String>, ToolError> {
    let Some(schema) = schema else {
        return Ok(vec![
            "fal publishes no schema for this model, so the input was not checked.".to_owned(),
        ]);
    };
    let verdict = schema.check(input);
    if verdict.faults.is_empty() {
        return Ok(verdict.warnings);
    }
    Err(ToolError::InputRefused {
        endpoint_id: endpoint_id.clone(),
        problems: verdict.faults.iter().map(ToString::to_string).collect(),
    })
}

/// fal calls the webhook, not we; it must be a place on the internet all the same.
fn webhook(tool: &'static str, text: &str) -> Result<Url, ToolError> {
    Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.has_host()).ok_or_else(|| {
        ToolError::InvalidArguments {
            tool,
            problems: vec!["`webhook_url` must be an https:// URL that fal can reach".to_owned()],
        }
    })
}
