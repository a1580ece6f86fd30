//! `recommend_model`: from a task in plain words to a few models, each with what speaks for it, what
//! it needs, what it costs this caller, and the next call. No pick needs an input that the task does
//! not have.

use fal::{EndpointId, Price};
use futures_util::{FutureExt as _, StreamExt as _, TryFutureExt as _, stream};
use mcp::CallToolResult;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, MAX_RESULT_CHARS, READ_ONLY, Tool, arguments, cost, fit};
use crate::context::Context;
use crate::error::ToolError;
use crate::schema::ModelSchema;
use search::{Media, Pick, Task};

const NAME: &str = "recommend_model";
const DEFAULT_LIMIT: usize = 5;
/// How many candidates are looked at for each pick that is asked for, and how many at once.
const CANDIDATES_PER_PICK: usize = 4;
const AT_ONCE: usize = 8;

/// The tool.
pub(super) const TOOL: Tool = Tool {
    name: NAME,
    definition,
    call: |context, arguments| recommend(context, arguments).map_ok(Answer::Built).boxed(),
};

#[derive(Debug, Deserialize)]
struct Arguments {
    task: String,
    limit: Option<usize>,
    max_price_usd: Option<f64>,
}

fn definition() -> mcp::Tool {
    mcp::Tool {
        name: NAME,
        title: "Recommend models",
        description: "Models for a task in plain words, e.g. \"turn this product photo into a 5 second vertical video under 50 cents\", with reasons, required inputs and prices.",
        input_schema: json!({
            "type": "object",
            "properties": {
                "task": {"type": "string", "minLength": 3, "maxLength": 1000,
                    "description": "What is to be made, and from what."},
                "limit": {"type": "integer", "minimum": 1, "maximum": 10, "default": DEFAULT_LIMIT,
                    "description": "Models at most, 1 to 10."},
                "max_price_usd": {"type": "number", "minimum": 0,
                    "description": "Only models of which one run is estimated to cost at most this many US dollars."},
            },
            "required": ["task"],
            "additionalProperties": false,
        }),
        output_schema: None,
        annotations: READ_ONLY,
    }
}

/// A model that passed.
struct Candidate {
    pick: Pick,
    endpoint_id: EndpointId,
    /// `None` where fal publishes no schema or could not be asked.
    needs: Option<Vec<(String, Need)>>,
}

async fn recommend(
    context: &Context,
    arguments: Map<String, Value>,
) -> Result<CallToolResult, ToolError> {
    let arguments: Arguments = arguments::parse(NAME, arguments)?;
    let Some(loaded) = context.app.catalog.models.current() else {
        return Err(ToolError::CatalogueLoading);
    };
    let limit = arguments.limit.unwrap_or(DEFAULT_LIMIT);
    let found = loaded.index.recommend(&arguments.task);
    let budget = arguments.max_price_usd.or(found.task.hints.budget_usd);
    let is_thrifty = found.task.hints.pace.cheap;
    let wanted = if budget.is_some() || is_thrifty { limit * 2 } else { limit };
    let candidates = suitable(context, &loaded.index, found.picks, &found.task, wanted).await;
    let ids: Vec<EndpointId> =
        candidates.iter().map(|candidate| candidate.endpoint_id.clone()).collect();
    // Prices are the caller's own; a key that may not see them still gets its picks.
    let prices = context.app.catalog.prices.get(context, &ids).await.ok();
    let price_of = |id: &EndpointId| {
        let prices = prices.as_ref()?;
        prices.iter().find(|(priced, _)| priced == id).and_then(|(_, price)| price.as_ref())
    };

    let estimated = candidates.iter().map(|candidate| {
        let price = price_of(&candidate.endpoint_id);
        (candidate, price, price.and_then(|price| cost::one_run(price, &found.task.hints)))
    });
    let mut estimated: Vec<_> = estimated.collect();
    if is_thrifty {
        // All of these do what is wanted. What has no known price is not cheap.
        let dollars = |estimate: Option<f64>| estimate.unwrap_or(f64::INFINITY);
        estimated.sort_by(|(_, _, one), (_, _, other)| dollars(*one).total_cmp(&dollars(*other)));
    }

    let mut left_out = 0;
    let mut picks = Vec::new();
    for (candidate, price, estimate) in estimated {
        if let Some(budget) = budget
            && estimate.is_none_or(|estimate| estimate > budget)
        {
            left_out += 1;
            continue;
        }
        if picks.len() < limit {
            picks.push(present(candidate, &loaded.index, price, estimate));
        }
    }
    let mut body = Map::new();
    body.insert("understood".to_owned(), understood(&found.task, budget));
    body.insert("picks".to_owned(), Value::Array(picks));
    if left_out > 0 {
        body.insert(
            "left_out".to_owned(),
            json!(format!(
                "{left_out} more would cost more than the limit, or fal does not say what they cost."
            )),
        );
    }
    if let Some(seconds) = context.app.catalog.models.stale_seconds(&loaded) {
        body.insert("age_seconds".to_owned(), json!(seconds));
    }
    let mut body = Value::Object(body);
    fit::fit(&mut body, MAX_RESULT_CHARS);
    Ok(CallToolResult::json(body, false))
}

/// The best candidates whose required inputs the task has, `wanted` of them.
async fn suitable(
    context: &Context,
    index: &search::Index,
    picks: Vec<Pick>,
    task: &Task,
    wanted: usize,
) -> Vec<Candidate> {
    let looked_at = picks.into_iter().take(wanted * CANDIDATES_PER_PICK).filter_map(|pick| {
        let record = index.record(pick.position)?;
        Some((EndpointId::parse(&record.endpoint_id).ok()?, pick))
    });
    stream::iter(looked_at)
        .map(|(endpoint_id, pick)| async move {
            let schema = context.app.catalog.schemas.get(context, &endpoint_id).await.ok();
            let needs = schema.map(|schema| needs(&schema.value.schema));
            Candidate { pick, endpoint_id, needs }
        })
        .buffered(AT_ONCE)
        .filter(|candidate| {
            let needs = candidate.needs.iter().flatten();
            std::future::ready(needs.map(|(_, need)| need).all(|need| need.is_met(task)))
        })
        .take(wanted)
        .collect()
        .await
}

/// What a required input asks of a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// A word or a number, which anyone can make up.
    Anything,
    /// A file of this kind.
    File(Media),
    /// Something that only a caller who knows the model can have: a file of a kind that we do not
    /// know, a list of points, a structure.
    Special,
}

impl Need {
    fn is_met(self, task: &Task) -> bool {
        match self {
            Self::Anything => true,
            // Who wants to train on photos can put them into an archive.
            Self::File(Media::Archive) if task.output == Some(Media::Weights) => true,
            Self::File(media) => task.inputs.contains(media),
            Self::Special => false,
        }
    }
}

/// The required inputs of a model, with what each asks for.
fn needs(schema: &ModelSchema) -> Vec<(String, Need)> {
    let input = schema.input_schema();
    let required = input.get("required").and_then(Value::as_array);
    let need = |name: &str| {
        let property = input.get("properties").and_then(|properties| properties.get(name));
        (name.to_owned(), need(name, property.unwrap_or(&Value::Null)))
    };
    required.into_iter().flatten().filter_map(Value::as_str).map(need).collect()
}

fn need(name: &str, schema: &Value) -> Need {
    if let Some(media) = media(name) {
        return Need::File(media);
    }
    let kind = schema.get("type").and_then(Value::as_str);
    let is_structure = matches!(kind, Some("array" | "object"));
    if schema.get("default").is_none() && (is_structure || name.contains("url")) {
        return Need::Special;
    }
    Need::Anything
}

/// The medium that a property takes by its name; words and numbers are none.
fn media(property: &str) -> Option<Media> {
    if property.starts_with("num_") {
        return None;
    }
    if property.ends_with("data_url") {
        return Some(Media::Archive);
    }
    let takes_file = |what: &str| {
        property == what
            || [format!("{what}_url"), format!("{what}_urls"), format!("{what}s")]
                .iter()
                .any(|name| property == name || property.ends_with(&format!("_{name}")))
    };
    [
        ("mask", Media::Mask),
        ("mask_image", Media::Mask),
        ("image", Media::Image),
        ("video", Media::Video),
        ("audio", Media::Audio),
        ("mesh", Media::Mesh),
        ("model", Media::Mesh),
        ("archive", Media::Archive),
        ("zip", Media::Archive),
    ]
    .into_iter()
    .find(|(what, _)| takes_file(what))
    .map(|(_, media)| media)
}

fn present(
    candidate: &Candidate,
    index: &search::Index,
    price: Option<&Price>,
    estimate: Option<f64>,
) -> Value {
    let mut body = Map::new();
    body.insert("endpoint_id".to_owned(), json!(candidate.endpoint_id.as_str()));
    if let Some(record) = index.record(candidate.pick.position) {
        body.insert("name".to_owned(), json!(record.name));
        body.insert("category".to_owned(), json!(record.category));
    }
    body.insert("reason".to_owned(), json!(candidate.pick.reasons.join(" ")));
    if let Some(needs) = &candidate.needs {
        let names: Vec<&String> = needs.iter().map(|(name, _)| name).collect();
        body.insert("required_inputs".to_owned(), json!(names));
    }
    if let Some(price) = price {
        body.insert(
            "price".to_owned(),
            json!({"unit_price": price.unit_price, "unit": price.unit, "currency": price.currency}),
        );
    }
    if let Some(estimate) = estimate {
        body.insert("estimated_usd".to_owned(), json!(estimate));
    }
    body.insert(
        "next_call".to_owned(),
        json!({
            "tool": "get_model_schema",
            "arguments": {"endpoint_id": candidate.endpoint_id.as_str()},
        }),
    );
    Value::Object(body)
}

/// How the task was read, so that a caller that was misunderstood can say it differently.
fn understood(task: &Task, budget: Option<f64>) -> Value {
    let mut body = Map::new();
    body.insert(
        "inputs".to_owned(),
        json!(task.inputs.iter().map(Media::as_str).collect::<Vec<_>>()),
    );
    let facts = [
        ("output", task.output.map(|media| json!(media.as_str()))),
        ("operation", task.operation.map(|operation| json!(operation))),
        ("category", task.category.as_ref().map(|category| json!(category))),
        ("duration_seconds", task.hints.duration_seconds.map(|seconds| json!(seconds))),
        ("aspect_ratio", task.hints.aspect_ratio.map(|ratio| json!(ratio))),
        ("max_price_usd", budget.map(|budget| json!(budget))),
    ];
    for (name, fact) in facts {
        if let Some(fact) = fact {
            body.insert(name.to_owned(), fact);
        }
    }
    Value::Object(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_required_input_that_a_task_cannot_have_is_special() {
        for (name, schema, expected) in [
            ("prompt", json!({"type": "string"}), Need::Anything),
            ("image_url", json!({"type": "string"}), Need::File(Media::Image)),
            ("trajectories", json!({"type": "array"}), Need::Special),
            ("steps", json!({"type": "array", "default": []}), Need::Anything),
            ("training_data_url", json!({"type": "string"}), Need::File(Media::Archive)),
            ("weights_url", json!({"type": "string"}), Need::Special),
        ] {
            assert_eq!(need(name, &schema), expected, "{name}");
        }
    }

    #[test]
    fn a_property_s_name_tells_the_medium_that_it_takes() {
        for (property, expected) in [
            ("image_url", Some(Media::Image)),
            ("image_urls", Some(Media::Image)),
            ("first_frame_image_url", Some(Media::Image)),
            ("video_url", Some(Media::Video)),
            ("audio", Some(Media::Audio)),
            ("mask_url", Some(Media::Mask)),
            ("mask_image_url", Some(Media::Mask)),
            ("images_data_url", Some(Media::Archive)),
            ("prompt", None),
            ("num_images", None),
            ("image_size", None),
        ] {
            assert_eq!(media(property), expected, "{property}");
        }
    }
}
