//! What a run costs: a guess before it, the bill after it. fal alone knows the truth
//! (`X-Fal-Billable-Units` times the price); before a run there are two guesses, and the higher one
//! counts.

use std::collections::BTreeMap;

use fal::{EndpointId, Price, Quantities};
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::error::{During, ToolError};
use crate::schema::ModelSchema;
use search::Hints;

/// fal's billing currency; a price in another one is not comparable with a limit in dollars.
const CURRENCY: &str = "USD";

/// How long a clip is taken to be where nothing says.
const TYPICAL_SECONDS: f64 = 5.0;

/// The pixels of fal's named image sizes.
const SIZES: [(&str, f64); 6] = [
    ("square_hd", 1024.0 * 1024.0),
    ("square", 512.0 * 512.0),
    ("portrait_4_3", 768.0 * 1024.0),
    ("portrait_16_9", 576.0 * 1024.0),
    ("landscape_4_3", 1024.0 * 768.0),
    ("landscape_16_9", 1024.0 * 576.0),
];

/// Refuses a run that is likely to cost more than `limit` dollars, or whose cost nobody can tell.
/// Answers with the guess.
pub(super) async fn check(
    context: &Context,
    endpoint_id: &EndpointId,
    schema: Option<&ModelSchema>,
    input: &Value,
    limit: f64,
) -> Result<f64, ToolError> {
    let unknown = || ToolError::CostUnknown { endpoint_id: endpoint_id.clone(), limit };
    let price = price(context, endpoint_id).await?.ok_or_else(unknown)?;
    if price.currency != CURRENCY {
        return Err(unknown());
    }
    let from_input = units(&price.unit, input, schema).map(|units| units * price.unit_price);
    let from_history = history(context, endpoint_id).await?;
    let guess = match (from_input, from_history) {
        (Some(one), Some(other)) => one.max(other),
        (one, other) => one.or(other).ok_or_else(unknown)?,
    };
    if guess > limit {
        return Err(ToolError::TooExpensive {
            endpoint_id: endpoint_id.clone(),
            limit,
            guess,
            price: format!("{} {CURRENCY}, counted in {}", price.unit_price, price.unit),
        });
    }
    Ok(guess)
}

/// The caller's price of one model.
pub(super) async fn price(
    context: &Context,
    endpoint_id: &EndpointId,
) -> Result<Option<Price>, ToolError> {
    let found = context.app.catalog.prices.get(context, std::slice::from_ref(endpoint_id)).await?;
    Ok(found.into_iter().find_map(|(_, price)| price))
}

/// What one call has cost on average so far, by fal's own count.
async fn history(context: &Context, endpoint_id: &EndpointId) -> Result<Option<f64>, ToolError> {
    let one_call = Quantities::Calls(BTreeMap::from([(endpoint_id.clone(), 1)]));
    match context.app.fal.estimate(&context.key, &one_call, Context::plain_deadline()).await {
        Ok(estimate) if estimate.currency == CURRENCY => Ok(Some(estimate.total_cost)),
        Ok(_) | Err(fal::Error::PriceUnknown) => Ok(None),
        Err(error) => Err(ToolError::fal(During::Prices)(error)),
    }
}

/// How many billing units an input asks for, where its own members tell.
fn units(unit: &str, input: &Value, schema: Option<&ModelSchema>) -> Option<f64> {
    let member = |name: &str| {
        input
            .get(name)
            .filter(|value| !value.is_null())
            .or_else(|| schema?.input_schema().get("properties")?.get(name)?.get("default"))
    };
    let number = |name: &str| member(name).and_then(amount);
    let images = number("num_images").unwrap_or(1.0);
    match unit.trim_end_matches('s') {
        "image" => Some(images),
        "video" | "audio" | "generation" | "request" => Some(1.0),
        "megapixel" => {
            // fal counts whole megapixels of each image.
            let pixels = pixels(member("image_size")?)?;
            Some((pixels / 1e6).ceil().max(1.0) * images)
        }
        "second" => number("duration"),
        "5 second" => number("duration").map(|seconds| (seconds / 5.0).ceil()),
        "1000 character" => {
            let text = member("text").or_else(|| member("prompt"))?.as_str()?;
            let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
            Some(f64::from(length) / 1000.0)
        }
        _ => None,
    }
}

/// What one run is likely to cost in dollars, before its input is known: one image, or a clip as long
/// as the task says.
pub(super) fn one_run(price: &Price, hints: &Hints) -> Option<f64> {
    let input = json!({
        "duration": hints.duration_seconds.unwrap_or(TYPICAL_SECONDS),
        "image_size": "square_hd",
    });
    let units = units(&price.unit, &input, None)?;
    (price.currency == CURRENCY).then(|| in_dollars(units * price.unit_price))
}

fn pixels(size: &Value) -> Option<f64> {
    if let Some(name) = size.as_str() {
        return SIZES.iter().find(|(known, _)| *known == name).map(|(_, pixels)| *pixels);
    }
    Some(size.get("width")?.as_f64()? * size.get("height")?.as_f64()?)
}

/// `5`, `"5"`, `"5s"`.
fn amount(value: &Value) -> Option<f64> {
    let amount = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim_end_matches('s').trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    amount.filter(|amount| amount.is_finite() && *amount >= 0.0)
}

/// A millionth of a dollar is as exact as a price gets.
fn in_dollars(amount: f64) -> f64 {
    (amount * 1e6).round() / 1e6
}

/// What a job was billed, where fal said how much it used; the time that a model computed is what
/// fal bills where the unit is `compute seconds`.
pub(super) fn bill(body: &mut Map<String, Value>, price: &Price) {
    let used = match price.unit.as_str() {
        "compute seconds" => body.get("inference_seconds"),
        _ => body.get("billable_units"),
    };
    let Some(units) = used.and_then(Value::as_f64) else { return };
    body.insert(
        "cost".to_owned(),
        json!({
            "amount": in_dollars(units * price.unit_price),
            "currency": price.currency,
            "units": units,
            "unit": price.unit,
            "unit_price": price.unit_price,
        }),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_tells_its_units_where_it_can() {
        for (unit, input, expected) in [
            ("images", json!({"num_images": 3}), Some(3.0)),
            ("images", json!({}), Some(1.0)),
            ("megapixels", json!({"image_size": "square_hd", "num_images": 2}), Some(4.0)),
            ("megapixels", json!({"image_size": {"width": 512, "height": 512}}), Some(1.0)),
            ("megapixels", json!({}), None),
            ("seconds", json!({"duration": "8s"}), Some(8.0)),
            ("5 seconds", json!({"duration": 6}), Some(2.0)),
            ("1000 characters", json!({"text": "x".repeat(500)}), Some(0.5)),
            ("compute seconds", json!({}), None),
            ("videos", json!({"duration": 5}), Some(1.0)),
        ] {
            assert_eq!(units(unit, &input, None), expected, "{unit} {input}");
        }
    }

    #[test]
    fn a_bill_is_units_times_price() {
        let price = |unit: &str| Price {
            endpoint_id: "a/b".to_owned(),
            unit_price: 0.025,
            unit: unit.to_owned(),
            currency: "USD".to_owned(),
        };
        let used = json!({"billable_units": 2.0, "inference_seconds": 3.0});
        let Value::Object(used) = used else { panic!("an object") };
        for (unit, amount) in [("megapixels", 0.05), ("compute seconds", 0.075)] {
            let mut body = used.clone();
            bill(&mut body, &price(unit));
            assert_eq!(body["cost"]["amount"], amount, "{unit}");
        }
        let mut nothing_said = Map::new();
        bill(&mut nothing_said, &price("images"));
        assert!(nothing_said.is_empty());
    }
}
