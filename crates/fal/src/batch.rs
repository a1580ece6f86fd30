//! Asking the Platform API about any number of ids.
//!
//! It takes 50 of them in a call, and may answer the whole call with 404 if it has nothing for one.

use std::collections::HashSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{EndpointId, Error};

/// The most ids that fal takes in one call.
const MAX_BATCH: usize = 50;

/// How many single ids are asked for at the same time.
const CONCURRENCY: usize = 4;

/// What fal has for these ids, in the order of its answers. The ids of a batch that is not found
/// are asked for one by one, and one that is not found then adds nothing.
pub(crate) async fn gather<T, F>(
    ids: &[EndpointId],
    ask: impl Fn(Vec<EndpointId>) -> F,
) -> Result<Vec<T>, Error>
where
    F: Future<Output = Result<Vec<T>, Error>>,
{
    let mut gathered = Vec::new();
    for batch in ids.chunks(MAX_BATCH) {
        match found(ask(batch.to_vec()).await)? {
            Some(some) => gathered.extend(some),
            None if batch.len() > 1 => {
                let single = |id: &EndpointId| {
                    let asked = ask(vec![id.clone()]);
                    async move { Ok::<_, Error>(found(asked.await)?.unwrap_or_default()) }
                };
                let singles = stream::iter(batch.iter().map(single)).buffered(CONCURRENCY);
                gathered.extend(singles.try_concat().await?);
            }
            None => {}
        }
    }
    Ok(gathered)
}

/// The ids that are not among those that fal knows, in the order of asking.
pub(crate) fn missing<'a>(
    ids: &[EndpointId],
    known: impl IntoIterator<Item = &'a str>,
) -> Vec<EndpointId> {
    let known: HashSet<&str> = known.into_iter().collect();
    ids.iter().filter(|id| !known.contains(id.as_str())).cloned().collect()
}

/// Nothing for an answer that says that something is not found.
fn found<T>(outcome: Result<Vec<T>, Error>) -> Result<Option<Vec<T>>, Error> {
    match outcome {
        Ok(some) => Ok(Some(some)),
        Err(Error::ModelNotFound | Error::PriceUnknown) => Ok(None),
        Err(error) => Err(error),
    }
}
