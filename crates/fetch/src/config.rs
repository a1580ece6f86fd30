//! How a fetcher works.

use std::time::Duration;

/// How a [`crate::Fetcher`] works. The defaults suit strangers on the internet.
#[derive(Debug, Clone)]
pub struct Config {
    /// What we call ourselves: the only thing that a source learns of us.
    pub user_agent: String,
    /// How long finding the host and connecting to it may take, TLS included.
    pub connect_timeout: Duration,
    /// How long a source may be silent, before its answer and within it.
    pub read_timeout: Duration,
    /// Opens loopback and private addresses, over http too. For tests and demos: nothing else is
    /// allowed by it.
    pub allow_private: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            user_agent: concat!("fal-mcp-gateway/", env!("CARGO_PKG_VERSION")).to_owned(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(20),
            allow_private: false,
        }
    }
}
