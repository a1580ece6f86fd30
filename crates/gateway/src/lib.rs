//! What we do: a stateless Streamable HTTP MCP server in front of fal.
//!
//! Calls go down only: `server → http → dispatch → tools → catalog → fal`. Only `http` and
//! `server` know the web framework; below `dispatch` nothing knows what a status code is.
//!
//! | to find | read |
//! |---|---|
//! | the routes, and what comes before them | `http.rs` |
//! | which header carries the key | `http/auth.rs` |
//! | what each failure looks like | `error.rs` |
//! | the list of tools | `tools.rs` |
//! | the configuration of each client | `clients.rs` |
//! | what is cached, for how long, for whom | `catalog.rs` |
//! | every setting | `config.rs` |
//! | every metric, span and log line | `telemetry.rs` |

mod app;
mod catalog;
mod clients;
mod context;
mod dispatch;
mod error;
#[cfg(test)]
mod generated;
mod http;
mod jobs;
mod progress;
mod rates;
mod schema;
mod server;
mod stdio;
mod tasks;
mod telemetry;
mod tools;
mod upload;

pub mod config;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;

pub use app::AppError;
pub use config::{Config, ConfigError, Flags};
pub use fal::Hosts;
pub use server::{Gateway, StartError, check, start};
pub use stdio::serve as serve_stdio;
pub use telemetry::{SetUpError, Telemetry};
pub use tools::definitions as tool_definitions;

/// `serverInfo`: who answers.
pub(crate) const SERVER_INFO: mcp::Implementation = mcp::Implementation {
    name: "fal-mcp-gateway",
    title: "fal",
    version: env!("CARGO_PKG_VERSION"),
};

/// The commit that this was built from, or `unknown`; debug builds do not look.
pub(crate) const COMMIT: &str = env!("FAL_MCP_COMMIT");

/// What `--version` says: the version and the commit.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("FAL_MCP_COMMIT"), ")");
