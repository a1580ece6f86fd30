//! Looking models up by id.

use tokio::time::Instant;

use super::{
    list::{ModelsPage, models_url, read},
    model::Model,
};
use crate::{
    Client, EndpointId, Error, Key, batch,
    call::{Call, Operation},
};

/// What became of the ids that were looked up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The models that exist, in the order of fal's answers.
    pub models: Vec<Model>,
    /// The ids that fal does not know, in the order of asking.
    pub not_found: Vec<EndpointId>,
}

impl Client {
    /// Looks models up by id, any number of them.
    ///
    /// fal answers a whole batch with 404 if one id in it is unknown; its ids are then asked for
    /// one by one.
    pub async fn find_models(
        &self,
        key: Option<&Key>,
        ids: &[EndpointId],
        deadline: Instant,
    ) -> Result<Found, Error> {
        let models = batch::gather(ids, |ids| self.find_batch(key, ids, deadline)).await?;
        let not_found = batch::missing(ids, models.iter().map(|model| model.endpoint_id.as_str()));
        Ok(Found { models, not_found })
    }

    async fn find_batch(
        &self,
        key: Option<&Key>,
        ids: Vec<EndpointId>,
        deadline: Instant,
    ) -> Result<Vec<Model>, Error> {
        let pairs = ids.iter().map(|id| ("endpoint_id", id.as_str()));
        let call = Call::get(Operation::ListModels, models_url(self, pairs), key);
        let page: ModelsPage = self.ask(&call, deadline, |outcome| read(&outcome?)?.json()).await?;
        Ok(page.models)
    }
}
