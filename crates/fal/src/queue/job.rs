//! A job in the queue and its addresses.

use std::sync::Arc;

use url::Url;

use crate::{EndpointId, Hosts, RequestId, hosts};

/// A job: what a caller needs to come back to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// What runs.
    pub endpoint_id: EndpointId,
    /// The job's id.
    pub request_id: RequestId,
    /// Shared by the clones.
    urls: Arc<Urls>,
}

/// The addresses that fal gave with its answer to the submit, where they lie below the configured
/// queue. fal asks its clients to use them; without them they are built from owner and application.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Urls {
    pub(super) status: Option<Url>,
    pub(super) response: Option<Url>,
    pub(super) cancel: Option<Url>,
}

impl Job {
    /// A job that is known by its two ids.
    pub fn new(endpoint_id: EndpointId, request_id: RequestId) -> Self {
        Self { endpoint_id, request_id, urls: Arc::default() }
    }

    pub(super) fn with_urls(self, urls: Urls) -> Self {
        Self { urls: Arc::new(urls), ..self }
    }

    /// Where its status is.
    pub(super) fn status_url(&self, hosts: &Hosts) -> Url {
        self.urls.status.clone().unwrap_or_else(|| self.build(hosts, Some("status")))
    }

    /// Where its result is.
    pub(super) fn response_url(&self, hosts: &Hosts) -> Url {
        self.urls.response.clone().unwrap_or_else(|| self.build(hosts, None))
    }

    /// Where it is cancelled.
    pub(super) fn cancel_url(&self, hosts: &Hosts) -> Url {
        self.urls.cancel.clone().unwrap_or_else(|| self.build(hosts, Some("cancel")))
    }

    fn build(&self, hosts: &Hosts, last: Option<&str>) -> Url {
        let request = ["requests", self.request_id.as_str()];
        hosts::below(&hosts.queue, self.endpoint_id.app_segments().chain(request).chain(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_built_from_owner_and_application() {
        let request_id = RequestId::parse("1").unwrap();
        let cases = [
            ("fal-ai/flux/dev", "https://queue.fal.run/fal-ai/flux/requests/1"),
            ("workflows/me/mine/more", "https://queue.fal.run/workflows/me/mine/requests/1"),
        ];
        for (id, expected) in cases {
            let job = Job::new(EndpointId::parse(id).unwrap(), request_id.clone());
            let hosts = Hosts::default();
            assert_eq!(job.response_url(&hosts).as_str(), expected);
            assert_eq!(job.status_url(&hosts).as_str(), format!("{expected}/status"));
            assert_eq!(job.cancel_url(&hosts).as_str(), format!("{expected}/cancel"));
        }
    }
}
