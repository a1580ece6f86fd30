//! Prices and estimates. A key is needed, since prices are per account.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{caller, endpoint_ids, invalid, not_found};
use crate::auth::Standing;
use crate::call::Call;
use crate::models::Price;
use crate::reply::{self, Answer, Refusal};

/// `GET /v1/models/pricing?endpoint_id=…`.
pub(crate) fn prices(call: &Call<'_>) -> Answer {
    match read_prices(call) {
        Ok(answer) => answer,
        Err(refusal) => refusal.into(),
    }
}

/// `POST /v1/models/pricing/estimate`.
pub(crate) fn estimate(call: &Call<'_>) -> Answer {
    match read_estimate(call) {
        Ok(answer) => answer,
        Err(refusal) => refusal.into(),
    }
}

fn read_prices(call: &Call<'_>) -> Result<Answer, Refusal> {
    let account = caller(call)?;
    call.sim.rates.count(Some(&account.key_id), call.now)?;
    let ids = endpoint_ids(call)?;
    if ids.is_empty() {
        return Err(invalid("endpoint_id: at least one value is required"));
    }
    let mut missing = Vec::new();
    let mut prices = Vec::new();
    for id in ids {
        match price(call, &id, account.standing) {
            Some(price) => prices.push(json!({
                "endpoint_id": id,
                "unit_price": price.unit_price,
                "unit": price.unit,
                "currency": "USD",
            })),
            None => missing.push(id),
        }
    }
    if !missing.is_empty() {
        return Err(not_found(&missing));
    }
    let body = json!({ "prices": prices, "next_cursor": Value::Null, "has_more": false });
    Ok(reply::json(StatusCode::OK, &body))
}

#[derive(Debug, Deserialize)]
struct EstimateRequest {
    estimate_type: EstimateType,
    endpoints: BTreeMap<String, Quantity>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EstimateType {
    HistoricalApiPrice,
    UnitPrice,
}

#[derive(Debug, Deserialize)]
struct Quantity {
    call_quantity: Option<f64>,
    unit_quantity: Option<f64>,
}

fn read_estimate(call: &Call<'_>) -> Result<Answer, Refusal> {
    let account = caller(call)?;
    let request: EstimateRequest = call.json().map_err(|_| invalid("body: not an estimate"))?;
    let mut total = 0.0;
    let mut missing = Vec::new();
    for (id, quantity) in &request.endpoints {
        let wanted = match request.estimate_type {
            EstimateType::HistoricalApiPrice => quantity.call_quantity,
            EstimateType::UnitPrice => quantity.unit_quantity,
        };
        let wanted = wanted.ok_or_else(|| invalid("endpoints: a quantity is missing"))?;
        match price(call, id, account.standing) {
            // A call is taken to use one unit.
            Some(price) => total += price.unit_price * wanted,
            None => missing.push(id.clone()),
        }
    }
    if !missing.is_empty() {
        return Err(not_found(&missing));
    }
    let estimate_type = match request.estimate_type {
        EstimateType::HistoricalApiPrice => "historical_api_price",
        EstimateType::UnitPrice => "unit_price",
    };
    let body = json!({ "estimate_type": estimate_type, "total_cost": total, "currency": "USD" });
    Ok(reply::json(StatusCode::OK, &body))
}

fn price<'a>(call: &'a Call<'_>, endpoint_id: &str, standing: Standing) -> Option<&'a Price> {
    call.sim.catalog.find(endpoint_id, Some(standing))?.price.as_ref()
}
