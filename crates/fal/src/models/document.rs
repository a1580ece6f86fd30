//! A model's own OpenAPI document, with the schemas of its input and output.

use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::list::{models_url, read};
use crate::{
    Client, EndpointId, Error, Key,
    answer::Answer,
    call::{Call, Operation},
    hosts, refusal,
};

/// A model's document.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelDocument {
    /// The OpenAPI document, as fal publishes it.
    pub openapi: Value,
    /// Whether anyone may see it: true only when it came without any key. What came with a key may
    /// be the caller's own and is for that caller only.
    pub public: bool,
}

impl Client {
    /// Fetches a model's document: the public one, without a key, and where there is none the one
    /// of the catalogue, with the key if there is one.
    pub async fn schema(
        &self,
        key: Option<&Key>,
        endpoint_id: &EndpointId,
        deadline: Instant,
    ) -> Result<ModelDocument, Error> {
        if let Some(openapi) = self.public_document(endpoint_id, deadline).await? {
            return Ok(ModelDocument { openapi, public: true });
        }
        let openapi = self.catalogue_document(key, endpoint_id, deadline).await?;
        Ok(ModelDocument { openapi, public: key.is_none() })
    }

    /// Fetches a model's document as the catalogue shows it to this key: for those that are not
    /// public.
    pub async fn private_schema(
        &self,
        key: &Key,
        endpoint_id: &EndpointId,
        deadline: Instant,
    ) -> Result<Value, Error> {
        self.catalogue_document(Some(key), endpoint_id, deadline).await
    }

    /// The website's document. Nothing for what the website does not publish: unknown models,
    /// private ones, and some that have no queue.
    async fn public_document(
        &self,
        endpoint_id: &EndpointId,
        deadline: Instant,
    ) -> Result<Option<Value>, Error> {
        let mut url = hosts::below(&self.hosts().web, ["api", "openapi", "queue", "openapi.json"]);
        url.query_pairs_mut().append_pair("endpoint_id", endpoint_id.as_str());
        let call = Call::get(Operation::ModelDocument, url, None);
        let read = |answer: &Answer| {
            if answer.status.is_success() {
                return document(answer.json()?);
            }
            match refusal::read(Operation::ModelDocument, answer) {
                Error::ModelNotFound => Ok(None),
                error => Err(error),
            }
        };
        self.ask(&call, deadline, |outcome| read(&outcome?)).await
    }

    async fn catalogue_document(
        &self,
        key: Option<&Key>,
        endpoint_id: &EndpointId,
        deadline: Instant,
    ) -> Result<Value, Error> {
        let pairs = [("endpoint_id", endpoint_id.as_str()), ("expand", "openapi-3.0")];
        let call = Call::get(Operation::ListModels, models_url(self, pairs), key);
        let page: Page = self.ask(&call, deadline, |outcome| read(&outcome?)?.json()).await?;
        let entry = page.models.into_iter().find(|entry| entry.endpoint_id == endpoint_id.as_str());
        let openapi = entry.ok_or(Error::ModelNotFound)?.openapi;
        // Where fal cannot make the document, an object with `error` stands in its place.
        match openapi.get("error") {
            None => document(openapi)?.ok_or(Error::SchemaUnavailable),
            Some(_) => Err(Error::SchemaUnavailable),
        }
    }
}

/// A document, nothing for `null`, an error for anything else.
fn document(json: Value) -> Result<Option<Value>, Error> {
    match json {
        Value::Null => Ok(None),
        json if json.is_object() => Ok(Some(json)),
        _ => Err(Error::malformed("a model's document that is no object")),
    }
}

#[derive(Deserialize)]
struct Page {
    models: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    endpoint_id: String,
    #[serde(default)]
    openapi: Value,
}
