//! What models cost this caller (Platform API, "Pricing" and "Estimate cost"). Prices depend on the
//! account, so nothing here may be shown to another one.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::{
    Client, EndpointId, Error, Key,
    answer::Answer,
    batch,
    call::{Call, Operation},
    hosts, refusal, text,
};

/// What became of the ids whose prices were asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prices {
    /// The prices that there are, in the order of fal's answers.
    pub prices: Vec<Price>,
    /// The ids that fal gives no price for, in the order of asking: it does not know the model, or
    /// has no price for it.
    pub not_found: Vec<EndpointId>,
}

/// The price of one unit of what a model makes or uses.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Price {
    /// What runs.
    pub endpoint_id: String,
    /// The price of one unit, never negative.
    pub unit_price: f64,
    /// What is counted, in fal's words: `images`, `megapixels`, `compute seconds`.
    pub unit: String,
    /// ISO 4217: `USD`.
    pub currency: String,
}

/// How much of each model an estimate is for. It is of one kind throughout, as fal wants it.
#[derive(Debug, Clone, PartialEq)]
pub enum Quantities {
    /// This many calls, at least 1 of each model; fal goes by what calls have cost so far.
    Calls(BTreeMap<EndpointId, u64>),
    /// This many of the model's own billing units, at least a millionth of one; fal goes by the
    /// unit's price.
    Units(BTreeMap<EndpointId, f64>),
}

/// What all of it would cost. A guess of fal's: the bill goes by what a job really used.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Estimate {
    /// The sum over all models, never negative.
    pub total_cost: f64,
    /// ISO 4217: `USD`.
    pub currency: String,
}

impl Client {
    /// Fetches the prices of models, any number of them.
    ///
    /// fal answers a whole batch with 404 if one id in it has no price; its ids are then asked for
    /// one by one.
    pub async fn pricing(
        &self,
        key: &Key,
        ids: &[EndpointId],
        deadline: Instant,
    ) -> Result<Prices, Error> {
        let prices = batch::gather(ids, |ids| self.price_batch(key, ids, deadline)).await?;
        let not_found = batch::missing(ids, prices.iter().map(|price| price.endpoint_id.as_str()));
        Ok(Prices { prices, not_found })
    }

    async fn price_batch(
        &self,
        key: &Key,
        ids: Vec<EndpointId>,
        deadline: Instant,
    ) -> Result<Vec<Price>, Error> {
        let mut url = hosts::below(&self.hosts().api, ["models", "pricing"]);
        let pairs = ids.iter().map(|id| ("endpoint_id", id.as_str()));
        url.query_pairs_mut().extend_pairs(pairs);
        let call = Call::get(Operation::Pricing, url, Some(key));
        let page: Page = self.ask(&call, deadline, |outcome| read(&call, &outcome?)).await?;
        Ok(page.prices)
    }

    /// Asks what a number of calls, or of billing units, would cost.
    ///
    /// One model without a price is enough for [`Error::PriceUnknown`]. The call makes nothing and
    /// costs nothing, so it is repeated like a read.
    pub async fn estimate(
        &self,
        key: &Key,
        quantities: &Quantities,
        deadline: Instant,
    ) -> Result<Estimate, Error> {
        let url = hosts::below(&self.hosts().api, ["models", "pricing", "estimate"]);
        let body = quantities.body().to_string();
        let call = Call::question(Operation::Estimate, url, Some(key), body.into());
        self.ask(&call, deadline, |outcome| {
            let estimate: Estimate = read(&call, &outcome?)?;
            if estimate.total_cost < 0.0 {
                return Err(Error::malformed("an estimate below zero"));
            }
            Ok(Estimate { currency: text::clean(&estimate.currency), ..estimate })
        })
        .await
    }
}

impl Quantities {
    /// The question in fal's form.
    fn body(&self) -> Value {
        let (estimate_type, endpoints): (_, Map<String, Value>) = match self {
            Self::Calls(calls) => (
                "historical_api_price",
                calls
                    .iter()
                    .map(|(id, count)| (id.to_string(), json!({ "call_quantity": count })))
                    .collect(),
            ),
            Self::Units(units) => (
                "unit_price",
                units
                    .iter()
                    .map(|(id, count)| (id.to_string(), json!({ "unit_quantity": count })))
                    .collect(),
            ),
        };
        json!({ "estimate_type": estimate_type, "endpoints": endpoints })
    }
}

#[derive(Deserialize)]
struct Page {
    #[serde(deserialize_with = "readable")]
    prices: Vec<Price>,
}

/// The entries that are prices. One that is not says nothing about its model, which is then as good
/// as not found.
fn readable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Price>, D::Error> {
    let price = |entry: Value| {
        let price: Price = serde_json::from_value(entry).ok()?;
        (price.unit_price >= 0.0).then(|| Price {
            unit: text::clean(&price.unit),
            currency: text::clean(&price.currency),
            ..price
        })
    };
    Ok(Vec::deserialize(deserializer)?.into_iter().filter_map(price).collect())
}

fn read<T: DeserializeOwned>(call: &Call<'_>, answer: &Answer) -> Result<T, Error> {
    if answer.status.is_success() {
        answer.json()
    } else {
        Err(refusal::read(call.operation, answer))
    }
}
