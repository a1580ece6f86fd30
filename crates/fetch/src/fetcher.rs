//! The fetcher: one URL after the other until one of them is a file.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONNECTION, HOST, HeaderValue, LOCATION, USER_AGENT};
use http::{Request, Response, StatusCode};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use url::{Position, Url};

use crate::connection::Connection;
use crate::dial::{dial, parse};
use crate::source::{Limits, Source, within};
use crate::{BuildError, Config, Error, Network, System};

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 5;

/// How much of a source's answer is read ahead, bytes; its head must fit.
const READ_AHEAD: usize = 64 * 1024;

/// Fetches files from strangers. Cheap to clone; keeps no connections and no cookies.
#[derive(Clone, Debug)]
pub struct Fetcher {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    user_agent: HeaderValue,
    network: Box<dyn Network>,
    tls: Tls,
}

struct Tls(TlsConnector);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Fetcher {
    /// A fetcher on the system's network, which trusts the authorities that the system does.
    pub fn new(config: Config) -> Result<Self, BuildError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_platform_verifier()?
            .with_no_client_auth();
        Self::with(config, Box::new(System), tls)
    }

    /// A fetcher on another network, with trust of its own: for tests.
    pub fn with(
        config: Config,
        network: Box<dyn Network>,
        tls: ClientConfig,
    ) -> Result<Self, BuildError> {
        let user_agent = HeaderValue::from_str(&config.user_agent)?;
        let tls = Tls(TlsConnector::from(Arc::new(tls)));
        Ok(Self { shared: Arc::new(Shared { config, user_agent, network, tls }) })
    }

    /// Asks for a URL; answers when the head of a file is there.
    pub async fn get(&self, url: &str, limits: Limits) -> Result<Source, Error> {
        let mut url = parse(url, None)?;
        for _ in 0..=MAX_REDIRECTS {
            let (response, connection) = self.ask(&url, limits.deadline).await?;
            let Some(next) = redirect(&response, &url)? else {
                let silence = self.shared.config.read_timeout;
                return Source::new(response, connection, limits, silence);
            };
            url = next;
        }
        Err(Error::TooManyRedirects { limit: MAX_REDIRECTS })
    }

    /// One request on a connection of its own, up to the head of the answer.
    async fn ask(
        &self,
        url: &Url,
        deadline: Instant,
    ) -> Result<(Response<Incoming>, Connection), Error> {
        let Shared { config, user_agent, network, tls } = &*self.shared;
        let dialling = dial(url, network.as_ref(), &tls.0, config.allow_private);
        let stream = within(config.connect_timeout, deadline, dialling).await??;
        let malformed = |error: hyper::Error| Error::Malformed { source: error.into() };
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(READ_AHEAD)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(malformed)?;
        let mut connection = Connection::new(connection);
        let mut sending = pin!(sender.send_request(request(url, user_agent)?));
        let answering = poll_fn(|context| {
            // The answer is what counts; the connection may be over before it has been taken.
            let _: Poll<()> = connection.poll(context);
            sending.as_mut().poll(context)
        });
        let response = within(config.read_timeout, deadline, answering).await?;
        Ok((response.map_err(malformed)?, connection))
    }
}

/// The request: what HTTP needs, and who asks.
fn request(url: &Url, user_agent: &HeaderValue) -> Result<Request<Empty<Bytes>>, Error> {
    Request::get(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(USER_AGENT, user_agent)
        .header(ACCEPT, "*/*")
        .header(ACCEPT_ENCODING, "identity")
        .header(CONNECTION, "close")
        .body(Empty::new())
        .map_err(|_| Error::NotAllowed)
}

/// Where an answer sends us instead; nothing if it is the file.
fn redirect(response: &Response<Incoming>, url: &Url) -> Result<Option<Url>, Error> {
    let status = response.status();
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    match (status, location) {
        (StatusCode::OK, _) => Ok(None),
        (
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT,
            Some(location),
        ) => parse(location, Some(url)).map(Some),
        _ => Err(Error::Status { status: status.as_u16() }),
    }
}
