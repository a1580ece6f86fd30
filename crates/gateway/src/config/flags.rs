//! The command line.

/// The flags as written. Each has an environment variable beside it; texts are checked in
/// [`super::Config::resolve`], where environment and flags meet.
#[derive(Clone, Debug, Default, clap::Parser)]
#[expect(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    rustdoc::broken_intra_doc_links,
    reason = "the fields' comments are help texts, which have no markup"
)]
#[command(name = "fal-mcp-gateway")]
pub struct Flags {
    /// How clients reach it: http, stdio or dual [FAL_MCP_TRANSPORT; default http]
    #[arg(long)]
    pub transport: Option<String>,
    /// Address to listen on [FAL_MCP_HOST; default 127.0.0.1]
    #[arg(long)]
    pub host: Option<String>,
    /// Port to listen on, 0 picks one and prints it [FAL_MCP_PORT; default 8000]
    #[arg(long)]
    pub port: Option<String>,
    /// error, warn, info, debug, trace or a tracing filter [FAL_MCP_LOG_LEVEL; default info]
    #[arg(long)]
    pub log_level: Option<String>,
    /// text or json [FAL_MCP_LOG_FORMAT; default text on a terminal, else json]
    #[arg(long)]
    pub log_format: Option<String>,
    /// Address of /metrics, /healthz and /readyz for operators, or off [FAL_MCP_ADMIN_ADDR; default 127.0.0.1:9464]
    #[arg(long)]
    pub admin_addr: Option<String>,
    /// URL that people and clients see [FAL_MCP_PUBLIC_URL; default from host and port]
    #[arg(long)]
    pub public_url: Option<String>,
    /// Host names a request may name, separated by commas, * for any [FAL_MCP_ALLOWED_HOSTS]
    #[arg(long)]
    pub allowed_hosts: Option<String>,
    /// Origins a browser may call from, separated by commas [FAL_MCP_ALLOWED_ORIGINS]
    #[arg(long)]
    pub allowed_origins: Option<String>,
    /// Largest request body [FAL_MCP_MAX_BODY_BYTES; default 16777216]
    #[arg(long)]
    pub max_body_bytes: Option<String>,
    /// Requests served at the same time, over it 503 [FAL_MCP_MAX_IN_FLIGHT; default 20000]
    #[arg(long)]
    pub max_in_flight: Option<String>,
    /// Connections open at the same time; for one more the oldest that is idle is closed [FAL_MCP_MAX_CONNECTIONS; default 25000]
    #[arg(long)]
    pub max_connections: Option<String>,
    /// How old a connection may become, give or take a tenth, 0 for any age; answers under way are finished [FAL_MCP_MAX_CONNECTION_AGE_SECONDS; default 600]
    #[arg(long)]
    pub max_connection_age_seconds: Option<String>,
    /// Requests of one key in a minute, on this replica, 0 for any number [FAL_MCP_REQUESTS_PER_MINUTE; default 0]
    #[arg(long)]
    pub requests_per_minute: Option<String>,
    /// What a lost connection does to fal's job: auto, cancel or keep [FAL_MCP_ON_DISCONNECT; default auto]
    #[arg(long)]
    pub on_disconnect: Option<String>,
    /// How long run_model waits when the caller does not say [FAL_MCP_WAIT_SECONDS; default 45]
    #[arg(long)]
    pub wait_seconds: Option<String>,
    /// How long connections are still taken after SIGTERM while /readyz says 503; behind a balancer more than its check interval times the failures it counts [FAL_MCP_SHUTDOWN_NOTICE_SECONDS; default 0]
    #[arg(long)]
    pub shutdown_notice_seconds: Option<String>,
    /// How long running calls may take to end on SIGTERM, after the notice [FAL_MCP_SHUTDOWN_GRACE_SECONDS; default 30]
    #[arg(long)]
    pub shutdown_grace_seconds: Option<String>,
    /// How often the catalogue is read again [FAL_MCP_CATALOG_REFRESH_SECONDS; default 600]
    #[arg(long)]
    pub catalog_refresh_seconds: Option<String>,
    /// Pause between two pages of the catalogue, longer when fal says so [FAL_MCP_CATALOG_PAGE_INTERVAL_MS; default 500]
    #[arg(long)]
    pub catalog_page_interval_ms: Option<String>,
    /// Lets upload_file fetch from loopback and private addresses, for tests and demos [FAL_MCP_ALLOW_PRIVATE_URLS; default false]
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    pub allow_private_urls: Option<String>,
    /// fal's queue [FAL_QUEUE_URL; default https://queue.fal.run]
    #[arg(long)]
    pub queue_url: Option<String>,
    /// fal's Platform API [FAL_API_URL; default https://api.fal.ai/v1]
    #[arg(long)]
    pub api_url: Option<String>,
    /// fal's storage, where uploads are announced [FAL_REST_URL; default https://rest.fal.ai]
    #[arg(long)]
    pub rest_url: Option<String>,
    /// fal's website, for the models' public schemas [FAL_WEB_URL; default https://fal.ai]
    #[arg(long)]
    pub web_url: Option<String>,
    /// The MCP endpoint of fal's documentation [FAL_DOCS_URL; default https://fal.ai/docs/mcp]
    #[arg(long)]
    pub docs_url: Option<String>,
    /// fal's CDN, where uploads go and previews come from, separated by commas, each with what lies under it [FAL_CDN_HOSTS; default fal.media]
    #[arg(long)]
    pub cdn_hosts: Option<String>,
}
