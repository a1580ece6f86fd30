//! Prices: fal makes them per account, so they are kept per key, for a short time.

use std::time::Duration;

use fal::{EndpointId, Fingerprint, Price};
use moka::future::Cache;

use super::kept::Tally;
use super::{Counts, Holding};
use crate::context::Context;
use crate::error::{During, ToolError};

const TTL: Duration = Duration::from_mins(5);
const MAX_COUNT: u64 = 50_000;

/// Prices by the fingerprint of the key that they were read with; `None` where fal has no price.
#[derive(Debug)]
pub(crate) struct Prices {
    fal: fal::Client,
    kept: Cache<(Fingerprint, EndpointId), Option<Price>>,
    tally: Tally,
}

impl Prices {
    pub(super) fn new(fal: fal::Client) -> Self {
        let kept = Cache::builder().max_capacity(MAX_COUNT).time_to_live(TTL).build();
        Self { fal, kept, tally: Tally::default() }
    }

    /// What is kept.
    pub(super) fn holding(&self) -> Holding {
        Holding { entries: self.kept.entry_count(), bytes: None }
    }

    /// How often it served, by price.
    pub(super) fn asked(&self) -> Counts {
        self.tally.read()
    }

    /// The caller's prices of `ids`, in their order; `None` where fal has none.
    pub(crate) async fn get(
        &self,
        context: &Context,
        ids: &[EndpointId],
    ) -> Result<Vec<(EndpointId, Option<Price>)>, ToolError> {
        let caller = self.fal.fingerprint(&context.key);
        let mut found = Vec::with_capacity(ids.len());
        let mut missing = Vec::new();
        for id in ids {
            let kept = self.kept.get(&(caller, id.clone())).await;
            match kept {
                Some(_) => self.tally.hit(),
                None => self.tally.miss(),
            }
            if kept.is_none() && !missing.contains(id) {
                missing.push(id.clone());
            }
            found.push((id.clone(), kept));
        }
        if !missing.is_empty() {
            let answer = self
                .fal
                .pricing(&context.key, &missing, Context::plain_deadline())
                .await
                .map_err(ToolError::fal(During::Prices))?;
            for id in missing {
                let price = answer.prices.iter().find(|price| price.endpoint_id == id.as_str());
                self.kept.insert((caller, id.clone()), price.cloned()).await;
                for (wanted, slot) in &mut found {
                    if *wanted == id {
                        *slot = Some(price.cloned());
                    }
                }
            }
        }
        Ok(found.into_iter().map(|(id, price)| (id, price.flatten())).collect())
    }
}
