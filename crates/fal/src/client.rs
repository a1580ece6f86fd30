//! The client: the one HTTP client, the one place that sends, and the one that reads a key.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::{HeaderValue, header};
use ring::{hmac, rand::SystemRandom};
use secrecy::ExposeSecret as _;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep, timeout_at},
};
use tracing::{Instrument as _, Span, field::Empty};

use crate::{
    Attempt, BuildError, Config, Error, Fingerprint, Hosts, Key,
    answer::{Answer, broken},
    body::{Taken, WatchedBody},
    breaker::{Breaker, Waiting},
    call::{Call, Operation},
    retry::{Budget, wait_before_next},
};

/// Keeps pooled connections for less time than servers commonly do, so that a submit seldom meets
/// one that is being closed.
const POOL_IDLE: Duration = Duration::from_secs(30);

/// How many idle HTTP/1.1 connections are kept to one host.
const POOL_IDLE_PER_HOST: usize = 256;

/// How often an HTTP/2 connection with calls on it is checked, and how long a check may take.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// A client of fal. Cheap to clone; all clones share connections and the budget for retries.
///
/// It keeps nothing about callers: every call names its key.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    http: reqwest::Client,
    /// The same for files, which take longer to send than fal may be silent; made when the first is.
    uploads: OnceLock<reqwest::Client>,
    config: Config,
    budget: Budget,
    breaker: Breaker,
    status_streams: Arc<Semaphore>,
    status_questions: Semaphore,
    /// What fingerprints of keys are made with.
    salt: hmac::Key,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

impl Client {
    /// Makes a client; connects to nothing yet.
    pub fn new(config: Config) -> Result<Self, BuildError> {
        for (name, base) in config.hosts.named() {
            let plain = matches!(base.scheme(), "http" | "https")
                && base.username().is_empty()
                && base.password().is_none()
                && base.query().is_none()
                && base.fragment().is_none();
            if !plain {
                return Err(BuildError::Host { name });
            }
        }
        let http = transport(&config, Some(config.read_timeout))
            .map_err(|error| BuildError::Http(error.into()))?;
        let uploads = OnceLock::new();
        let status_streams = Arc::new(Semaphore::new(config.max_status_streams));
        let status_questions = Semaphore::new(config.max_status_questions);
        let budget = Budget::new();
        let salt = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| BuildError::Random)?;
        let breaker = Breaker::default();
        let shared = Shared {
            http,
            uploads,
            config,
            budget,
            breaker,
            status_streams,
            status_questions,
            salt,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Stands for `key` where one caller's things are kept apart from another's.
    pub fn fingerprint(&self, key: &Key) -> Fingerprint {
        key.fingerprint(&self.shared.salt)
    }

    /// Where fal is.
    pub(crate) fn hosts(&self) -> &Hosts {
        &self.shared.config.hosts
    }

    /// The room for status streams that [`Config::max_status_streams`] leaves.
    pub(crate) fn status_streams(&self) -> &Arc<Semaphore> {
        &self.shared.status_streams
    }

    /// The room for questions about watched jobs that [`Config::max_status_questions`] leaves.
    pub(crate) fn status_questions(&self) -> &Semaphore {
        &self.shared.status_questions
    }

    /// The HTTP client for files.
    fn uploads(&self) -> Result<&reqwest::Client, Error> {
        let Shared { uploads, config, .. } = &*self.shared;
        if let Some(made) = uploads.get() {
            return Ok(made);
        }
        let made = transport(config, None)
            .map_err(|error| Error::NotConnected { source: error.into() })?;
        Ok(uploads.get_or_init(|| made))
    }

    /// Makes a call, again where the policy in `retry.rs` allows, and reads its outcome.
    ///
    /// `read` turns a complete answer, or the lack of one, into what the caller wants; what it
    /// returns decides whether there is another try.
    pub(crate) async fn ask<T>(
        &self,
        call: &Call<'_>,
        deadline: Instant,
        read: impl Fn(Result<Answer, Error>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.shared.budget.record_call();
        let mut attempt = 1;
        loop {
            let error = match read(self.fetch(call, attempt, deadline).await) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let budget = &self.shared.budget;
            let Some(wait) = wait_before_next(&error, call.repeat, attempt, deadline, budget)
            else {
                return Err(error);
            };
            sleep(wait).await;
            attempt += 1;
        }
    }

    /// One try, up to the end of the answer.
    pub(crate) async fn fetch(
        &self,
        call: &Call<'_>,
        attempt: u32,
        deadline: Instant,
    ) -> Result<Answer, Error> {
        let waiting = self.enter(call)?;
        let response = self.transmit(call, attempt, Some(deadline)).await?;
        let answer = self.read(call, response, deadline).await?;
        waiting.heard();
        Ok(answer)
    }

    /// The only try of a call with a body that cannot be had again, up to the end of the answer. It
    /// does not count as waiting: a host says nothing for as long as it is sent a file.
    pub(crate) async fn fetch_once(
        &self,
        call: &Call<'_>,
        body: reqwest::Body,
        deadline: Instant,
    ) -> Result<Answer, Error> {
        let response = self.transmit_body(call, Some(body), None, 1, Some(deadline)).await?;
        self.read(call, response, deadline).await
    }

    async fn read(
        &self,
        call: &Call<'_>,
        response: reqwest::Response,
        deadline: Instant,
    ) -> Result<Answer, Error> {
        let limit = self.shared.config.max_answer_bytes;
        let reading = Answer::read(response, call.key.is_some(), limit);
        timeout_at(deadline, reading).await.map_err(|_| Error::TimedOut { source: None })?
    }

    /// One try, up to the head of the answer.
    pub(crate) async fn send(
        &self,
        call: &Call<'_>,
        attempt: u32,
        deadline: Option<Instant>,
    ) -> Result<reqwest::Response, Error> {
        let waiting = self.enter(call)?;
        let response = self.transmit(call, attempt, deadline).await?;
        waiting.heard();
        Ok(response)
    }

    /// A place among those who wait at the call's host, unless that has gone silent.
    fn enter<'a>(&'a self, call: &'a Call<'_>) -> Result<Waiting<'a>, Error> {
        self.shared.breaker.enter(call.url.authority()).ok_or_else(|| Error::NotConnected {
            source: "not tried: the host has left many calls without an answer".into(),
        })
    }

    /// Sends, and waits for the head of the answer.
    async fn transmit(
        &self,
        call: &Call<'_>,
        attempt: u32,
        deadline: Option<Instant>,
    ) -> Result<reqwest::Response, Error> {
        let watched = call.body.clone().map(WatchedBody::new);
        let (body, taken) = watched.map(|(body, taken)| (reqwest::Body::wrap(body), taken)).unzip();
        self.transmit_body(call, body, taken, attempt, deadline).await
    }

    /// The same with a body of any kind; whoever observes is told of it.
    async fn transmit_body(
        &self,
        call: &Call<'_>,
        body: Option<reqwest::Body>,
        taken: Option<Taken>,
        attempt: u32,
        deadline: Option<Instant>,
    ) -> Result<reqwest::Response, Error> {
        let begun = Instant::now();
        let span = span(call, attempt);
        let delivery = self.deliver(call, body, taken, deadline);
        let outcome = delivery.instrument(span.clone()).await;
        let status = outcome.as_ref().map(|response| response.status().as_u16());
        let told = Attempt {
            operation: call.operation.as_str(),
            method: call.method.clone(),
            number: attempt,
            outcome: status.map_err(Error::kind),
            duration: begun.elapsed(),
        };
        record(&span, &told);
        if let Some(observer) = &self.shared.config.observer {
            observer.sent(&told);
        }
        tracing::debug!(
            operation = told.operation,
            status = told.outcome.ok(),
            error = told.outcome.err(),
            attempt,
            duration_ms = u64::try_from(told.duration.as_millis()).unwrap_or(u64::MAX),
            "asked fal"
        );
        outcome
    }

    /// Nothing else in this crate sends.
    async fn deliver(
        &self,
        call: &Call<'_>,
        body: Option<reqwest::Body>,
        taken: Option<Taken>,
        deadline: Option<Instant>,
    ) -> Result<reqwest::Response, Error> {
        if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            return Err(Error::DeadlinePassed);
        }
        let http = match call.operation {
            Operation::Upload => self.uploads()?,
            _ => &self.shared.http,
        };
        let mut headers = call.headers.clone();
        if let Some(observer) = &self.shared.config.observer {
            observer.sending(&mut headers);
        }
        let mut request = http.request(call.method.clone(), call.url.clone()).headers(headers);
        if let Some(key) = call.key {
            if !self.hosts().may_carry_key(&call.url) {
                return Err(Error::ForeignUrl);
            }
            request = request.header(header::AUTHORIZATION, authorization(key)?);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        #[expect(clippy::disallowed_methods, reason = "the one place that sends")]
        let sending = request.send();
        let sent = match deadline {
            Some(deadline) => timeout_at(deadline, sending).await,
            None => Ok(sending.await),
        };
        let nothing_sent = taken.is_some_and(|taken| !taken.is_set());
        match sent {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) if error.is_connect() || nothing_sent => {
                Err(Error::NotConnected { source: error.without_url().into() })
            }
            Ok(Err(error)) => Err(broken(error)),
            Err(_) if nothing_sent => Err(Error::DeadlinePassed),
            Err(_) => Err(Error::TimedOut { source: None }),
        }
    }
}

/// The span of one try, by OpenTelemetry's conventions for HTTP clients. `url.full` and `url.path`
/// are left out, because a URL may hold what a caller typed; `url.template` and the host stand for
/// them.
fn span(call: &Call<'_>, attempt: u32) -> Span {
    let template = call.operation.url_template();
    tracing::info_span!(
        "fal",
        otel.name = %format_args!("{} {template}", call.method),
        otel.kind = "client",
        otel.status_code = Empty,
        error.type = Empty,
        fal.operation = call.operation.as_str(),
        http.request.method = call.method.as_str(),
        http.request.resend_count = (attempt > 1).then(|| i64::from(attempt) - 1),
        http.response.status_code = Empty,
        server.address = call.url.host_str(),
        server.port = call.url.port_or_known_default().map(i64::from),
        url.template = template,
    )
}

fn record(span: &Span, attempt: &Attempt) {
    match attempt.outcome {
        Ok(status) => {
            span.record("http.response.status_code", i64::from(status));
            if status >= 400 {
                span.record("error.type", status.to_string());
                span.record("otel.status_code", "ERROR");
            }
        }
        Err(kind) => {
            span.record("error.type", kind);
            span.record("otel.status_code", "ERROR");
        }
    }
}

/// An HTTP client. `read_timeout` counts from the first byte of the request.
fn transport(
    config: &Config,
    read_timeout: Option<Duration>,
) -> Result<reqwest::Client, reqwest::Error> {
    // An `Err` says that the process has a provider already, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    #[expect(clippy::disallowed_methods, reason = "the one place that makes an HTTP client")]
    let mut builder = reqwest::Client::builder()
        .user_agent(&config.user_agent)
        .connect_timeout(config.connect_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // What is repeated is decided in `retry.rs`, where it is known what a repetition costs.
        .retry(reqwest::retry::never())
        .tcp_nodelay(true)
        .pool_idle_timeout(POOL_IDLE)
        .pool_max_idle_per_host(POOL_IDLE_PER_HOST)
        // A dead connection is found while calls wait on it, not by the next submit.
        .http2_keep_alive_interval(PING_INTERVAL)
        .http2_keep_alive_timeout(PING_TIMEOUT);
    if let Some(read_timeout) = read_timeout {
        builder = builder.read_timeout(read_timeout);
    }
    // The proxy that the environment names sees a tunnel when fal is reached over TLS. Over plain
    // HTTP it would see the key, and plain HTTP is for stand-ins, which are near by.
    if config.hosts.named().iter().any(|(_, base)| base.scheme() == "http") {
        builder = builder.no_proxy();
    }
    builder.build()
}

/// The header that carries a key. It is marked so that nothing prints it and HTTP/2 does not index
/// it.
fn authorization(key: &Key) -> Result<HeaderValue, Error> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads a key")]
    let text = format!("Key {}", key.secret().expose_secret());
    // Visible ASCII always makes a header value; the error is here for the type only.
    let mut value = HeaderValue::try_from(text).map_err(|_| Error::KeyMalformed)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    #[tokio::test]
    async fn a_call_with_a_key_to_a_foreign_address_is_not_sent() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let foreign = format!("http://{}/", listener.local_addr().unwrap());
        let client = Client::new(Config::default()).unwrap();
        let key = Key::parse("id:secret").unwrap();

        let call = Call::get(Operation::Status, Url::parse(&foreign).unwrap(), Some(&key));
        let error = client.send(&call, 1, None).await.unwrap_err();

        assert!(matches!(error, Error::ForeignUrl), "{error:?}");
        let connection = tokio::time::timeout(Duration::from_millis(100), listener.accept()).await;
        assert!(connection.is_err(), "something connected");
    }

    #[test]
    fn a_fingerprint_tells_keys_apart_and_is_of_its_client_alone() {
        let [one, other] = [(); 2].map(|()| Client::new(Config::default()).unwrap());
        let key = |text| Key::parse(text).unwrap();
        assert_eq!(one.fingerprint(&key("a:b")), one.fingerprint(&key("a:b")));
        assert_ne!(one.fingerprint(&key("a:b")), one.fingerprint(&key("a:c")));
        assert_ne!(one.fingerprint(&key("a:b")), other.fingerprint(&key("a:b")));
    }

    #[test]
    fn a_header_with_a_key_is_sensitive() {
        let value = authorization(&Key::parse("id:canary").unwrap()).unwrap();
        assert_eq!(value.to_str().unwrap(), "Key id:canary");
        assert_eq!(format!("{value:?}"), "Sensitive");
    }

    #[test]
    fn a_base_that_cannot_be_one_is_named() {
        for bad in ["mailto:me", "ftp://fal.ai", "https://a:b@fal.ai", "https://fal.ai/?x=1"] {
            let hosts = Hosts { api: Url::parse(bad).unwrap(), ..Hosts::default() };
            let error = Client::new(Config { hosts, ..Config::default() }).unwrap_err();
            assert!(matches!(error, BuildError::Host { name: "api" }), "{bad}: {error:?}");
        }
    }
}
