//! Where fal is, and which addresses count as fal's.

use url::Url;

/// The bases of fal's public services. Each may have a path of its own, so that one stand-in can
/// take all of them (`http://127.0.0.1:9000/queue`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts {
    /// The queue: submit, status, result, cancel. Gets the caller's key.
    pub queue: Url,
    /// The Platform API: catalogue, prices and requests. Gets the caller's key, where there is one.
    pub api: Url,
    /// Storage: where to upload a file. Gets the caller's key.
    pub rest: Url,
    /// The website, which publishes the schema of each model. Never gets a key.
    pub web: Url,
    /// The MCP endpoint of the documentation: the whole address, not a base. Never gets a key.
    pub docs: Url,
    /// The hosts that take uploads and serve media, each with everything under it (`fal.media` stands for
    /// `v3b.fal.media` too); one with a port is that port alone. Never get a key.
    pub cdn: Vec<String>,
}

impl Default for Hosts {
    fn default() -> Self {
        Self {
            queue: fixed("https://queue.fal.run"),
            api: fixed("https://api.fal.ai/v1"),
            rest: fixed("https://rest.fal.ai"),
            web: fixed("https://fal.ai"),
            docs: fixed("https://fal.ai/docs/mcp"),
            cdn: vec!["fal.media".to_owned()],
        }
    }
}

#[expect(clippy::expect_used, reason = "the constants above are parsed by a test")]
fn fixed(text: &'static str) -> Url {
    Url::parse(text).expect("a constant URL")
}

impl Hosts {
    /// The bases with their names, in the order in which a mistake is reported.
    pub(crate) fn named(&self) -> [(&'static str, &Url); 5] {
        [
            ("queue", &self.queue),
            ("api", &self.api),
            ("rest", &self.rest),
            ("web", &self.web),
            ("docs", &self.docs),
        ]
    }

    /// Whether a request to this address may carry a caller's key: the origin, that is scheme, host
    /// and port, has to be the queue's, the Platform API's or storage's.
    pub(crate) fn may_carry_key(&self, url: &Url) -> bool {
        let origin = url.origin();
        let takes_keys = [&self.queue, &self.api, &self.rest];
        origin.is_tuple() && takes_keys.iter().any(|base| origin == base.origin())
    }

    /// Whether media may be fetched from this address, and files sent to it: https on one of the
    /// CDN's hosts, or plain http where the CDN is named with a port, as a stand-in is.
    pub(crate) fn is_cdn(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else {
            return false;
        };
        if let Some(port) = url.port() {
            let named = self.cdn.contains(&format!("{host}:{port}"));
            return named && matches!(url.scheme(), "http" | "https");
        }
        let under = |name: &String| {
            host.strip_suffix(name.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        url.scheme() == "https" && self.cdn.iter().any(under)
    }

    /// A URL out of fal's own answer, if it lies below the queue's base; otherwise nothing, and the
    /// caller builds its own.
    pub(crate) fn below_queue(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok()?;
        let base = self.queue.path().trim_end_matches('/');
        let below = url.path().strip_prefix(base).is_some_and(|rest| rest.starts_with('/'));
        let plain =
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        (url.origin() == self.queue.origin() && below && plain).then_some(url)
    }
}

/// `base` with path segments added, each percent-encoded.
pub(crate) fn below<'a>(base: &Url, segments: impl IntoIterator<Item = &'a str>) -> Url {
    let mut url = base.clone();
    // An `Err` is a base without a path, such as `mailto:`, which `Client::new` has refused.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(queue: &str) -> Hosts {
        Hosts { queue: Url::parse(queue).unwrap(), ..Hosts::default() }
    }

    #[test]
    fn the_defaults_are_fals_own_addresses() {
        let hosts = Hosts::default();
        assert_eq!(
            hosts.named().map(|(_, url)| url.as_str().to_owned()),
            [
                "https://queue.fal.run/",
                "https://api.fal.ai/v1",
                "https://rest.fal.ai/",
                "https://fal.ai/",
                "https://fal.ai/docs/mcp"
            ]
        );
    }

    #[test]
    fn only_the_queue_the_platform_and_storage_may_see_a_key() {
        let hosts = Hosts::default();
        let cases = [
            ("https://queue.fal.run/fal-ai/flux", true),
            ("https://queue.fal.run:443/fal-ai/flux", true),
            ("https://api.fal.ai/v1/models", true),
            ("https://rest.fal.ai/storage/upload/initiate", true),
            ("https://v3b.fal.media/files/b/a.png", false),
            ("https://fal.ai/api/openapi/queue/openapi.json", false),
            ("https://fal.ai/docs/mcp", false),
            ("http://queue.fal.run/fal-ai/flux", false),
            ("https://queue.fal.run:8443/fal-ai/flux", false),
            ("https://queue.fal.run.evil.example/", false),
            ("https://evil.example/queue.fal.run", false),
            ("https://queue.fal.run@evil.example/", false),
            ("data:text/plain,queue.fal.run", false),
        ];
        for (url, expected) in cases {
            assert_eq!(hosts.may_carry_key(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn a_url_from_an_answer_counts_only_below_the_queue_base() {
        let plain = hosts("https://queue.fal.run");
        let prefixed = hosts("http://127.0.0.1:9000/queue");
        let cases = [
            (&plain, "https://queue.fal.run/fal-ai/flux/requests/1/status", true),
            (&plain, "https://queue.fal.run.evil.example/fal-ai/flux/requests/1", false),
            (&plain, "http://queue.fal.run/fal-ai/flux/requests/1", false),
            (&plain, "https://me:you@queue.fal.run/fal-ai/flux/requests/1", false),
            (&plain, "/fal-ai/flux/requests/1", false),
            (&prefixed, "http://127.0.0.1:9000/queue/fal-ai/flux/requests/1", true),
            (&prefixed, "http://127.0.0.1:9000/queueing/fal-ai/flux/requests/1", false),
            (&prefixed, "http://127.0.0.1:9000/queue/../admin", false),
            (&prefixed, "http://127.0.0.1:9001/queue/fal-ai/flux/requests/1", false),
        ];
        for (hosts, url, expected) in cases {
            assert_eq!(hosts.below_queue(url).is_some(), expected, "{url}");
        }
    }

    #[test]
    fn segments_are_added_below_a_base_and_encoded() {
        let cases = [
            ("https://fal.ai", "https://fal.ai/a/b%20c%2Fd"),
            ("https://fal.ai/", "https://fal.ai/a/b%20c%2Fd"),
            ("http://h:1/queue", "http://h:1/queue/a/b%20c%2Fd"),
            ("http://h:1/queue/", "http://h:1/queue/a/b%20c%2Fd"),
        ];
        for (base, expected) in cases {
            assert_eq!(below(&Url::parse(base).unwrap(), ["a", "b c/d"]).as_str(), expected);
        }
    }
}
