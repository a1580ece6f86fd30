//! Configuration: flags and environment in, one checked [`Config`] out. Flags win. Every mistake is
//! reported at once, so that an operator does not meet them one restart at a time.
//!
//! Two steps: [`Flags`] is what was written, [`Config`] is what it means.

mod flags;
mod otel;
mod reader;
mod summary;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

pub use flags::Flags;
pub use otel::{Otel, Protocol};
use reader::Reader;
use url::Url;

/// The prefix of our own environment variables; unknown names under it are warned about.
const ENV_PREFIX: &str = "FAL_MCP_";

const ENV_TRANSPORT: &str = "FAL_MCP_TRANSPORT";
const ENV_HOST: &str = "FAL_MCP_HOST";
const ENV_PORT: &str = "FAL_MCP_PORT";
const ENV_LOG_LEVEL: &str = "FAL_MCP_LOG_LEVEL";
const ENV_LOG_FORMAT: &str = "FAL_MCP_LOG_FORMAT";
const ENV_ADMIN_ADDR: &str = "FAL_MCP_ADMIN_ADDR";
const ENV_PUBLIC_URL: &str = "FAL_MCP_PUBLIC_URL";
const ENV_ALLOWED_HOSTS: &str = "FAL_MCP_ALLOWED_HOSTS";
const ENV_ALLOWED_ORIGINS: &str = "FAL_MCP_ALLOWED_ORIGINS";
const ENV_MAX_BODY_BYTES: &str = "FAL_MCP_MAX_BODY_BYTES";
const ENV_MAX_IN_FLIGHT: &str = "FAL_MCP_MAX_IN_FLIGHT";
const ENV_MAX_CONNECTIONS: &str = "FAL_MCP_MAX_CONNECTIONS";
const ENV_MAX_CONNECTION_AGE_SECONDS: &str = "FAL_MCP_MAX_CONNECTION_AGE_SECONDS";
const ENV_REQUESTS_PER_MINUTE: &str = "FAL_MCP_REQUESTS_PER_MINUTE";
const ENV_ON_DISCONNECT: &str = "FAL_MCP_ON_DISCONNECT";
const ENV_WAIT_SECONDS: &str = "FAL_MCP_WAIT_SECONDS";
const ENV_SHUTDOWN_NOTICE_SECONDS: &str = "FAL_MCP_SHUTDOWN_NOTICE_SECONDS";
const ENV_SHUTDOWN_GRACE_SECONDS: &str = "FAL_MCP_SHUTDOWN_GRACE_SECONDS";
const ENV_CATALOG_REFRESH_SECONDS: &str = "FAL_MCP_CATALOG_REFRESH_SECONDS";
const ENV_CATALOG_PAGE_INTERVAL_MS: &str = "FAL_MCP_CATALOG_PAGE_INTERVAL_MS";
const ENV_ALLOW_PRIVATE_URLS: &str = "FAL_MCP_ALLOW_PRIVATE_URLS";
const ENV_QUEUE_URL: &str = "FAL_QUEUE_URL";
const ENV_API_URL: &str = "FAL_API_URL";
const ENV_REST_URL: &str = "FAL_REST_URL";
const ENV_WEB_URL: &str = "FAL_WEB_URL";
const ENV_DOCS_URL: &str = "FAL_DOCS_URL";
const ENV_CDN_HOSTS: &str = "FAL_CDN_HOSTS";
/// The caller's key, for the stdio transport only: over HTTP each request brings its own.
const ENV_KEY: &str = "FAL_KEY";

const ENV_NAMES: &[&str] = &[
    ENV_TRANSPORT,
    ENV_HOST,
    ENV_PORT,
    ENV_LOG_LEVEL,
    ENV_LOG_FORMAT,
    ENV_ADMIN_ADDR,
    ENV_PUBLIC_URL,
    ENV_ALLOWED_HOSTS,
    ENV_ALLOWED_ORIGINS,
    ENV_MAX_BODY_BYTES,
    ENV_MAX_IN_FLIGHT,
    ENV_MAX_CONNECTIONS,
    ENV_MAX_CONNECTION_AGE_SECONDS,
    ENV_REQUESTS_PER_MINUTE,
    ENV_ON_DISCONNECT,
    ENV_WAIT_SECONDS,
    ENV_SHUTDOWN_NOTICE_SECONDS,
    ENV_SHUTDOWN_GRACE_SECONDS,
    ENV_CATALOG_REFRESH_SECONDS,
    ENV_CATALOG_PAGE_INTERVAL_MS,
    ENV_ALLOW_PRIVATE_URLS,
];

/// The port that OpenTelemetry gives to Prometheus exporters.
const DEFAULT_ADMIN_PORT: u16 = 9464;
/// The longest that a caller may ask to wait.
pub const MAX_WAIT: Duration = Duration::from_mins(5);

/// What the flags and the environment mean.
#[derive(Clone, Debug)]
pub struct Config {
    /// How clients reach the gateway.
    pub transport: Transport,
    /// Where it listens; port 0 picks one.
    pub addr: SocketAddr,
    /// A tracing filter.
    pub log_level: String,
    /// How log lines look; `None` decides by whether standard error is a terminal.
    pub log_format: Option<LogFormat>,
    /// Where operators and probes ask; port 0 picks one. Not there for stdio alone.
    pub admin_addr: Option<SocketAddr>,
    /// What OpenTelemetry exports.
    pub otel: Otel,
    /// What people and clients see; `None` is made of the bound address.
    pub public_url: Option<Url>,
    /// What a `Host` header may name; `None` is any. Lower case, without port.
    pub allowed_hosts: Option<BTreeSet<String>>,
    /// Origins of browsers beside the endpoint's own, as `scheme://host[:port]`.
    pub allowed_origins: BTreeSet<String>,
    /// Largest request body, bytes.
    pub max_body_bytes: usize,
    /// Requests served at the same time.
    pub max_in_flight: usize,
    /// Connections that are open at the same time.
    pub max_connections: usize,
    /// How old a connection may become, give or take a tenth; `None` is any age.
    pub max_connection_age: Option<Duration>,
    /// Requests of one key in a minute; `None` is any number.
    pub requests_per_minute: Option<NonZeroU32>,
    /// What a lost connection does to fal's job.
    pub on_disconnect: OnDisconnect,
    /// How long `run_model` waits when the caller does not say.
    pub wait: Duration,
    /// How long connections are still accepted after SIGTERM, so that a balancer sees that the server
    /// is not ready before one is refused.
    pub shutdown_notice: Duration,
    /// How long running calls may take to end on SIGTERM, after the notice.
    pub shutdown_grace: Duration,
    /// How often the catalogue is read again.
    pub catalog_refresh: Duration,
    /// The pause between two pages of the catalogue.
    pub catalog_page_interval: Duration,
    /// Whether `upload_file` may fetch from loopback and private addresses.
    pub allow_private_urls: bool,
    /// fal's hosts.
    pub hosts: fal::Hosts,
    /// How long fal may take; no setting.
    pub patience: Patience,
    /// The caller's key where the transport has only one caller, else none.
    pub key: Option<fal::Key>,
}

/// How long fal may take to answer what is asked about one job. None of it is a setting: tests
/// shorten it.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// A submit; after it the outcome counts as unknown. It is within what every known client waits
    /// for an answer.
    pub submit: Duration,
    /// The result of a job that was waited for, all tries together.
    pub result: Duration,
    /// Any other question, all tries together.
    pub question: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            submit: Duration::from_secs(45),
            result: Duration::from_secs(10),
            question: Duration::from_secs(30),
        }
    }
}

/// How clients reach the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Streamable HTTP.
    Http,
    /// JSON-RPC lines on standard input and output, with the key from `FAL_KEY`.
    Stdio,
    /// Both.
    Dual,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs, one object a line.
    Json,
}

/// What a lost connection does to fal's job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDisconnect {
    /// As the caller's protocol version says: cancelled from 2026-07-28 on, kept before.
    Auto,
    /// Always cancelled.
    Cancel,
    /// Never cancelled.
    Keep,
}

/// Everything that is wrong with the configuration, a sentence each.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(pub Vec<String>);

impl Default for Config {
    /// The defaults of every setting.
    fn default() -> Self {
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            transport: Transport::Http,
            addr: SocketAddr::new(host, 8000),
            log_level: "info".to_owned(),
            log_format: None,
            admin_addr: Some(SocketAddr::new(host, DEFAULT_ADMIN_PORT)),
            otel: Otel::default(),
            public_url: None,
            allowed_hosts: Some(loopback_names()),
            allowed_origins: BTreeSet::new(),
            max_body_bytes: 16 * 1024 * 1024,
            max_in_flight: 20_000,
            max_connections: 25_000,
            max_connection_age: Some(Duration::from_mins(10)),
            requests_per_minute: None,
            on_disconnect: OnDisconnect::Auto,
            wait: Duration::from_secs(45),
            shutdown_notice: Duration::ZERO,
            shutdown_grace: Duration::from_secs(30),
            catalog_refresh: Duration::from_mins(10),
            catalog_page_interval: Duration::from_millis(500),
            allow_private_urls: false,
            hosts: fal::Hosts::default(),
            patience: Patience::default(),
            key: None,
        }
    }
}

impl Config {
    /// Reads `flags`, then `environment` (all variables of the process) where a flag is absent.
    /// Answers with the configuration and warnings about variables nobody reads.
    pub fn resolve(
        flags: &Flags,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Self, Vec<String>), ConfigError> {
        let default = Self::default();
        let mut read = Reader::new(environment);
        let addr = public_addr(&mut read, flags, default.addr);
        let public_url = read.url("public-url", flags.public_url.as_deref(), ENV_PUBLIC_URL);
        let allowed_hosts =
            match read.list("allowed-hosts", flags.allowed_hosts.as_deref(), ENV_ALLOWED_HOSTS) {
                Some(hosts) if hosts.contains("*") => None,
                Some(hosts) => Some(hosts),
                None => Some(default_hosts(addr.ip(), public_url.as_ref())),
            };
        let hosts = fal_hosts(&mut read, flags, default.hosts.clone());
        let (shutdown_notice, shutdown_grace) = shutdown_pace(&mut read, flags, &default);
        let allow_private_urls = allow_private_urls(&mut read, flags, default.allow_private_urls);
        let (catalog_refresh, catalog_page_interval) = catalog_pace(&mut read, flags, &default);
        let (max_body_bytes, max_in_flight) = sizes(&mut read, flags, &default);
        let (max_connections, max_connection_age) = connections(&mut read, flags, &default);
        let requests_per_minute = NonZeroU32::new(read.parsed(
            "requests-per-minute",
            flags.requests_per_minute.as_deref(),
            ENV_REQUESTS_PER_MINUTE,
            "a whole number, 0 for any number",
            0,
        ));
        let transport =
            read.one_of("transport", flags.transport.as_deref(), ENV_TRANSPORT, &TRANSPORTS);
        let key = if transport == Transport::Http { None } else { read.key(ENV_KEY) };
        let config = Self {
            transport,
            addr,
            log_level: read.filter(
                "log-level",
                flags.log_level.as_deref(),
                ENV_LOG_LEVEL,
                &default.log_level,
            ),
            log_format: read.one_of(
                "log-format",
                flags.log_format.as_deref(),
                ENV_LOG_FORMAT,
                &LOG_FORMATS,
            ),
            admin_addr: read.addr_or_off(
                "admin-addr",
                flags.admin_addr.as_deref(),
                ENV_ADMIN_ADDR,
                default.admin_addr,
            ),
            otel: Otel::read(&mut read),
            public_url,
            allowed_hosts,
            allowed_origins: read
                .list("allowed-origins", flags.allowed_origins.as_deref(), ENV_ALLOWED_ORIGINS)
                .unwrap_or_default(),
            max_body_bytes,
            max_in_flight,
            max_connections,
            max_connection_age,
            requests_per_minute,
            on_disconnect: read.one_of(
                "on-disconnect",
                flags.on_disconnect.as_deref(),
                ENV_ON_DISCONNECT,
                &ON_DISCONNECT,
            ),
            wait: read.seconds(
                "wait-seconds",
                flags.wait_seconds.as_deref(),
                ENV_WAIT_SECONDS,
                (default.wait, MAX_WAIT),
            ),
            shutdown_notice,
            shutdown_grace,
            catalog_refresh,
            catalog_page_interval,
            allow_private_urls,
            hosts,
            patience: default.patience,
            key,
        };
        read.finish(config, ENV_PREFIX, ENV_NAMES)
    }

    /// The URL of the endpoint as clients should write it, once `bound` is known.
    pub fn endpoint_url(&self, bound: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => format!("{}/mcp", url.as_str().trim_end_matches('/')),
            None => format!("http://{bound}/mcp"),
        }
    }
}

/// The largest body, and how many requests at the same time.
fn sizes(read: &mut Reader, flags: &Flags, default: &Config) -> (usize, usize) {
    let max_body_bytes = read.at_least(
        "max-body-bytes",
        flags.max_body_bytes.as_deref(),
        ENV_MAX_BODY_BYTES,
        (1024, default.max_body_bytes),
    );
    let max_in_flight = read.at_least(
        "max-in-flight",
        flags.max_in_flight.as_deref(),
        ENV_MAX_IN_FLIGHT,
        (1, default.max_in_flight),
    );
    (max_body_bytes, max_in_flight)
}

/// How many connections, and for how long.
fn connections(read: &mut Reader, flags: &Flags, default: &Config) -> (usize, Option<Duration>) {
    let max_connections = read.at_least(
        "max-connections",
        flags.max_connections.as_deref(),
        ENV_MAX_CONNECTIONS,
        (1, default.max_connections),
    );
    let max_connection_age = read.seconds(
        "max-connection-age-seconds",
        flags.max_connection_age_seconds.as_deref(),
        ENV_MAX_CONNECTION_AGE_SECONDS,
        (default.max_connection_age.unwrap_or_default(), Duration::from_hours(24)),
    );
    (max_connections, (!max_connection_age.is_zero()).then_some(max_connection_age))
}

/// The two parts of an orderly end.
fn shutdown_pace(read: &mut Reader, flags: &Flags, default: &Config) -> (Duration, Duration) {
    let most = Duration::from_hours(1);
    let notice = read.seconds(
        "shutdown-notice-seconds",
        flags.shutdown_notice_seconds.as_deref(),
        ENV_SHUTDOWN_NOTICE_SECONDS,
        (default.shutdown_notice, most),
    );
    let grace = read.seconds(
        "shutdown-grace-seconds",
        flags.shutdown_grace_seconds.as_deref(),
        ENV_SHUTDOWN_GRACE_SECONDS,
        (default.shutdown_grace, most),
    );
    (notice, grace)
}

/// Whether callers may name private addresses.
fn allow_private_urls(read: &mut Reader, flags: &Flags, default: bool) -> bool {
    read.parsed(
        "allow-private-urls",
        flags.allow_private_urls.as_deref(),
        ENV_ALLOW_PRIVATE_URLS,
        "true or false",
        default,
    )
}

/// Where requests are taken.
fn public_addr(read: &mut Reader, flags: &Flags, default: SocketAddr) -> SocketAddr {
    let (host, port) = (flags.host.as_deref(), flags.port.as_deref());
    SocketAddr::new(
        read.parsed("host", host, ENV_HOST, "an IP address", default.ip()),
        read.parsed("port", port, ENV_PORT, "0 to 65535", default.port()),
    )
}

/// How often the catalogue is read, and how fast its pages.
fn catalog_pace(read: &mut Reader, flags: &Flags, default: &Config) -> (Duration, Duration) {
    let refresh = read.seconds(
        "catalog-refresh-seconds",
        flags.catalog_refresh_seconds.as_deref(),
        ENV_CATALOG_REFRESH_SECONDS,
        (default.catalog_refresh, Duration::from_hours(24)),
    );
    let milliseconds = read.parsed(
        "catalog-page-interval-ms",
        flags.catalog_page_interval_ms.as_deref(),
        ENV_CATALOG_PAGE_INTERVAL_MS,
        "milliseconds, 0 to 65535",
        u16::try_from(default.catalog_page_interval.as_millis()).unwrap_or(u16::MAX),
    );
    (refresh, Duration::from_millis(u64::from(milliseconds)))
}

fn fal_hosts(read: &mut Reader, flags: &Flags, default: fal::Hosts) -> fal::Hosts {
    let mut url = |name, flag: Option<&str>, env| read.url(name, flag, env);
    let queue = url("queue-url", flags.queue_url.as_deref(), ENV_QUEUE_URL);
    let api = url("api-url", flags.api_url.as_deref(), ENV_API_URL);
    let rest = url("rest-url", flags.rest_url.as_deref(), ENV_REST_URL);
    let web = url("web-url", flags.web_url.as_deref(), ENV_WEB_URL);
    let docs = url("docs-url", flags.docs_url.as_deref(), ENV_DOCS_URL);
    let cdn = read.list("cdn-hosts", flags.cdn_hosts.as_deref(), ENV_CDN_HOSTS);
    fal::Hosts {
        queue: queue.unwrap_or(default.queue),
        api: api.unwrap_or(default.api),
        rest: rest.unwrap_or(default.rest),
        web: web.unwrap_or(default.web),
        docs: docs.unwrap_or(default.docs),
        cdn: cdn.map_or(default.cdn, |hosts| hosts.into_iter().collect()),
    }
}

/// The first entry of each is the default.
const TRANSPORTS: [(&str, Transport); 3] =
    [("http", Transport::Http), ("stdio", Transport::Stdio), ("dual", Transport::Dual)];
const LOG_FORMATS: [(&str, Option<LogFormat>); 3] =
    [("auto", None), ("text", Some(LogFormat::Text)), ("json", Some(LogFormat::Json))];
const ON_DISCONNECT: [(&str, OnDisconnect); 3] =
    [("auto", OnDisconnect::Auto), ("cancel", OnDisconnect::Cancel), ("keep", OnDisconnect::Keep)];

fn loopback_names() -> BTreeSet<String> {
    ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).into()
}

fn default_hosts(host: IpAddr, public_url: Option<&Url>) -> BTreeSet<String> {
    let mut hosts = loopback_names();
    hosts.insert(match host {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    });
    hosts.extend(public_url.and_then(Url::host_str).map(str::to_lowercase));
    hosts
}

#[cfg(test)]
mod tests;
