//! Listing and searching.

use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use super::model::{Model, ModelStatus};
use crate::{
    Client, Error, Key,
    answer::Answer,
    call::{Call, Operation},
    hosts, refusal,
};

/// Which models to list; all of them by default, in fal's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelsQuery {
    /// Words to look for in name, description and category.
    pub q: Option<String>,
    /// Only this category, exactly.
    pub category: Option<String>,
    /// Only those of this status.
    pub status: Option<ModelStatus>,
    /// How many to a page; 100 when absent. fal may give fewer.
    pub limit: Option<u32>,
    /// Where the page begins: the `next_cursor` of the one before.
    pub cursor: Option<String>,
}

/// A page of the catalogue.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ModelsPage {
    /// The models.
    pub models: Vec<Model>,
    /// Where the next page begins.
    #[serde(default)]
    pub next_cursor: Option<String>,
    /// Whether there is one.
    #[serde(default)]
    pub has_more: bool,
}

impl Client {
    /// Lists models. A key is not needed; with one fal allows more calls.
    pub async fn list_models(
        &self,
        key: Option<&Key>,
        query: &ModelsQuery,
        deadline: Instant,
    ) -> Result<ModelsPage, Error> {
        let limit = query.limit.map(|limit| limit.to_string());
        let pairs = [
            ("q", query.q.as_deref()),
            ("category", query.category.as_deref()),
            ("status", query.status.map(ModelStatus::as_str)),
            ("limit", limit.as_deref()),
            ("cursor", query.cursor.as_deref()),
        ];
        let pairs = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let call = Call::get(Operation::ListModels, models_url(self, pairs), key);
        self.ask(&call, deadline, |outcome| read(&outcome?)?.json()).await
    }
}

/// The catalogue's address with a query.
pub(super) fn models_url<'a>(
    client: &Client,
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Url {
    let mut url = hosts::below(&client.hosts().api, ["models"]);
    let mut pairs = pairs.into_iter().peekable();
    // Without the test an empty query would leave a question mark.
    if pairs.peek().is_some() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    url
}

/// The answer, if it is one.
pub(super) fn read(answer: &Answer) -> Result<&Answer, Error> {
    if answer.status.is_success() {
        Ok(answer)
    } else {
        Err(refusal::read(Operation::ListModels, answer))
    }
}
