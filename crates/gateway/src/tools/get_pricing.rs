//! `get_pricing`: what models cost this caller, and what a number of calls or units would cost.

use std::collections::BTreeMap;

use fal::{EndpointId, Quantities};
use futures_util::{FutureExt as _, TryFutureExt as _};
use mcp::CallToolResult;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, READ_ONLY, Tool, arguments};
use crate::context::Context;
use crate::error::{During, ToolError};

const NAME: &str = "get_pricing";
const MAX_IDS: usize = 50;

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: NAME,
    definition,
    call: |context, arguments| get(context, arguments).map_ok(Answer::Built).boxed(),
};

#[derive(Debug, Deserialize)]
struct Arguments {
    endpoint_id: String,
    calls: Option<u64>,
    units: Option<f64>,
}

fn definition() -> mcp::Tool {
    mcp::Tool {
        name: NAME,
        title: "Get prices",
        description: "What models cost this account per unit, and an estimate for a number of calls or units.",
        input_schema: json!({
            "type": "object",
            "properties": {
                "endpoint_id": {"type": "string", "maxLength": 4000,
                    "description": "One id, or up to 50 separated by commas."},
                "calls": {"type": "integer", "minimum": 1, "maximum": 1_000_000,
                    "description": "Estimate this many calls of each model, from what calls have cost so far."},
                "units": {"type": "number", "minimum": 0.000_001, "maximum": 1_000_000,
                    "description": "Estimate this many billing units of each model."},
            },
            "required": ["endpoint_id"],
            "additionalProperties": false,
        }),
        output_schema: Some(json!({
            "type": "object",
            "properties": {
                "prices": {"type": "array", "items": {"type": "object"}},
                "not_found": {"type": "array", "items": {"type": "string"}},
                "estimate": {"type": "object"},
            },
            "required": ["prices", "not_found"],
        })),
        annotations: READ_ONLY,
    }
}

async fn get(
    context: &Context,
    arguments: Map<String, Value>,
) -> Result<CallToolResult, ToolError> {
    let arguments: Arguments = arguments::parse(NAME, arguments)?;
    let ids = ids(&arguments.endpoint_id)?;
    let found = context.app.catalog.prices.get(context, &ids).await?;
    let mut prices = Vec::new();
    let mut priced = Vec::new();
    let mut not_found = Vec::new();
    for (id, price) in found {
        match price {
            Some(price) => {
                prices.push(json!({
                    "endpoint_id": id.as_str(),
                    "unit_price": price.unit_price,
                    "unit": price.unit,
                    "currency": price.currency,
                }));
                priced.push(id);
            }
            None => not_found.push(id.to_string()),
        }
    }
    let mut body = Map::new();
    body.insert("prices".to_owned(), Value::Array(prices));
    body.insert("not_found".to_owned(), json!(not_found));
    if let (false, Some((quantities, what))) = (priced.is_empty(), quantities(&arguments, priced)) {
        let estimate = context
            .app
            .fal
            .estimate(&context.key, &quantities, Context::plain_deadline())
            .await
            .map_err(ToolError::fal(During::Prices))?;
        body.insert(
            "estimate".to_owned(),
            json!({
                "total_cost": estimate.total_cost,
                "currency": estimate.currency,
                "for": what,
            }),
        );
    }
    Ok(CallToolResult::json(Value::Object(body), true))
}

fn ids(text: &str) -> Result<Vec<EndpointId>, ToolError> {
    let ids = text
        .split(',')
        .map(str::trim)
        .filter(|id| !id.is_empty())
        .map(|id| arguments::endpoint_id(NAME, id))
        .collect::<Result<Vec<_>, _>>()?;
    if (1..=MAX_IDS).contains(&ids.len()) {
        return Ok(ids);
    }
    Err(ToolError::InvalidArguments {
        tool: NAME,
        problems: vec![format!("`endpoint_id` names {} ids: expected 1 to {MAX_IDS}", ids.len())],
    })
}

/// What to estimate, and in words; units before calls where a caller gave both.
fn quantities(arguments: &Arguments, ids: Vec<EndpointId>) -> Option<(Quantities, String)> {
    if let Some(units) = arguments.units {
        let each: BTreeMap<_, _> = ids.into_iter().map(|id| (id, units)).collect();
        return Some((Quantities::Units(each), format!("{units} units of each model")));
    }
    let calls = arguments.calls?;
    let each: BTreeMap<_, _> = ids.into_iter().map(|id| (id, calls)).collect();
    Some((Quantities::Calls(each), format!("{calls} calls of each model")))
}
