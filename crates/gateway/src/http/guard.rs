//! Who may come in at all: a head of bounded size, a `Host` that is ours, an `Origin` that is allowed,
//! and a place among the requests served at the same time.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::Request;
use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Uri};
use tokio::sync::OwnedSemaphorePermit;
use url::Url;

use super::Site;
use crate::error::Failure;

/// The largest head: target, names and values of headers, and what stands between them in HTTP/1.1.
/// What is far larger never gets here, see `server.rs`.
const HEAD_BYTES: usize = 64 * 1024;
/// The most headers.
const HEADERS: usize = 100;

/// A request's place among those in flight, passed on to the handler so that a streamed answer can
/// keep it until its end.
#[derive(Clone, Debug)]
pub(super) struct Place(
    #[expect(dead_code, reason = "held, never read")] Arc<OwnedSemaphorePermit>,
);

/// Refuses a head that is too large.
pub(super) fn check_head(request: &Request) -> Result<(), Failure> {
    const BETWEEN: usize = ": \r\n".len();
    let headers = request.headers();
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    let bytes = headers
        .iter()
        .fold(target, |bytes, (name, value)| bytes + name.as_str().len() + value.len() + BETWEEN);
    if bytes > HEAD_BYTES || headers.len() > HEADERS {
        return Err(Failure::HeadTooLarge { bytes: HEAD_BYTES, headers: HEADERS });
    }
    Ok(())
}

/// Lets a request in, or says why not.
pub(super) fn admit(site: &Site, request: &Request) -> Result<Place, Failure> {
    let host = host(request.uri(), request.headers());
    if let Some(allowed) = &site.app.config.allowed_hosts
        && !is_listed(allowed, without_port(host))
    {
        return Err(Failure::HostNotAllowed { host: mcp::transport::shown(host) });
    }
    if let Some(origin) = request.headers().get(ORIGIN)
        && !origin_allowed_at(site, origin, host)
    {
        return Err(Failure::OriginNotAllowed {
            origin: mcp::transport::shown(&String::from_utf8_lossy(origin.as_bytes())),
        });
    }
    let permit =
        Arc::clone(&site.in_flight).try_acquire_owned().map_err(|_| Failure::Overloaded)?;
    Ok(Place(Arc::new(permit)))
}

/// HTTP/2 carries the host as `:authority`.
fn host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> &'a str {
    match uri.authority() {
        Some(authority) => authority.as_str(),
        None => headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default(),
    }
}

/// Whether the list, which is in lower case, has a host.
fn is_listed(allowed: &BTreeSet<String>, host: &str) -> bool {
    allowed.contains(host) || allowed.contains(&host.to_lowercase())
}

/// Whether a browser page of `origin` may call, by the request's own headers.
pub(super) fn origin_allowed(site: &Site, origin: &HeaderValue, request: &Parts) -> bool {
    origin_allowed_at(site, origin, host(&request.uri, &request.headers))
}

/// An origin is allowed if it is the page's own (it names the host that the request names, which
/// was checked before), the public URL's, or listed.
fn origin_allowed_at(site: &Site, origin: &HeaderValue, host: &str) -> bool {
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let config = &site.app.config;
    let own = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"))
        .is_some_and(|authority| !host.is_empty() && authority.eq_ignore_ascii_case(host));
    let public = config.public_url.as_ref().map(Url::origin);
    own || config.allowed_origins.contains(&origin.to_lowercase())
        || config.allowed_origins.contains("*")
        || public.is_some_and(|public| public.ascii_serialization() == origin)
}

/// `host:port` without the port; the brackets of an IPv6 address stay.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit())
                && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_compared_without_its_port() {
        for (host, name) in [
            ("localhost:8000", "localhost"),
            ("localhost", "localhost"),
            ("[::1]:8000", "[::1]"),
            ("[::1]", "[::1]"),
            ("", ""),
        ] {
            assert_eq!(without_port(host), name);
        }
    }
}
