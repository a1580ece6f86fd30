//! Answers of fal's documentation search, by query, for anyone: it is asked without a key.

use std::time::Duration;

use fal::DocsHit;

use super::kept::{Dated, Kept};
use super::{Counts, Holding};
use crate::error::{During, ToolError};

const FRESH: Duration = Duration::from_mins(10);
const MAX_BYTES: u64 = 8 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(15);

/// See the module.
#[derive(Debug)]
pub(crate) struct Docs {
    fal: fal::Client,
    kept: Kept<String, Vec<DocsHit>>,
}

impl Docs {
    pub(super) fn new(fal: fal::Client) -> Self {
        Self { fal, kept: Kept::new(MAX_BYTES, FRESH, |hits| weigh(hits)) }
    }

    /// What is kept.
    pub(super) fn holding(&self) -> Holding {
        self.kept.holding()
    }

    /// How often it served.
    pub(super) fn asked(&self) -> Counts {
        self.kept.asked()
    }

    /// What the documentation says about `query`.
    pub(crate) async fn search(&self, query: &str) -> Result<Dated<Vec<DocsHit>>, ToolError> {
        let query = query.split_whitespace().collect::<Vec<_>>().join(" ");
        let load = |deadline| self.fal.search_docs(&query, deadline);
        let found = self.kept.get(&query, PATIENCE, |_: &fal::Error| false, load).await;
        found.map_err(|error| ToolError::Fal { error, during: During::Docs })
    }
}

fn weigh(hits: &[DocsHit]) -> u32 {
    let bytes =
        hits.iter().map(|hit| hit.title.len() + hit.url.as_str().len() + hit.excerpt.len() + 96);
    u32::try_from(bytes.sum::<usize>() + 128).unwrap_or(u32::MAX)
}
