//! A job's status as fal pushes it.

use std::collections::VecDeque;

use futures_util::{Stream, stream};
use http::{HeaderValue, header};

use super::{
    job::Job,
    status::{Status, parse, with_logs},
};
use crate::{
    Client, Error, Key,
    answer::{Answer, broken},
    call::{Call, Operation},
    refusal,
    sse::Reader,
};

/// The largest answer that is read when it is not a stream.
const MAX_REFUSAL_BYTES: usize = 64 * 1024;

impl Client {
    /// Opens the stream of a job's statuses. It ends when fal ends it, which is after the last
    /// status, or after an error.
    ///
    /// For waiting, prefer [`Self::watch`]: it needs no stream, survives a broken one, and keeps
    /// count of those that are open.
    pub async fn status_stream(
        &self,
        key: &Key,
        job: &Job,
        logs: bool,
    ) -> Result<impl Stream<Item = Result<Status, Error>> + Send + use<>, Error> {
        let mut url = job.status_url(self.hosts());
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("stream");
        }
        let mut call = Call::get(Operation::StatusStream, with_logs(url, logs), Some(key));
        call.set(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        // A compressed stream may hold back events until a block is full.
        call.set(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));

        let response = self.send(&call, 1, None).await?;
        let content_type = response.headers().get(header::CONTENT_TYPE);
        let is_stream = content_type
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.trim_start().starts_with("text/event-stream"));
        if !response.status().is_success() {
            let answer = Answer::read(response, true, MAX_REFUSAL_BYTES).await?;
            return Err(refusal::read(Operation::StatusStream, &answer));
        }
        if !is_stream {
            return Err(Error::malformed("not an event stream"));
        }
        Ok(events(response))
    }
}

/// What is left of the stream.
struct Source {
    response: reqwest::Response,
    reader: Reader,
    ready: VecDeque<Vec<u8>>,
    ended: bool,
}

fn events(response: reqwest::Response) -> impl Stream<Item = Result<Status, Error>> + Send {
    let source =
        Source { response, reader: Reader::default(), ready: VecDeque::new(), ended: false };
    stream::unfold(source, |mut source| async {
        let item = source.next().await?;
        source.ended |= item.is_err();
        Some((item, source))
    })
}

impl Source {
    async fn next(&mut self) -> Option<Result<Status, Error>> {
        loop {
            if self.ended {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                return Some(parse(&event));
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => match self.reader.push(&chunk) {
                    Ok(events) => self.ready.extend(events),
                    Err(error) => return Some(Err(Error::malformed(error))),
                },
                Ok(None) => return None,
                Err(error) => return Some(Err(broken(error))),
            }
        }
    }
}
