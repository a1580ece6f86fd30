//! What is behind a stranger's URL? A streaming GET that reaches public addresses only.
//!
//! A server that fetches a URL for someone can be sent to places that only the server sees. This
//! crate is built so that it cannot:
//!
//! * Only https is fetched, and no URL with a user or a password.
//! * A name is looked up once. Every address it has must be public ([`address`]), and the connection
//!   goes to one of these addresses: no second look-up can answer differently.
//! * Redirects are followed one by one, each as strictly as the first URL.
//! * Nothing of the caller's is sent: no key, no cookie, no header but the user agent. The crate
//!   knows nothing that could be.
//! * An error says nothing of what was found at a place that is not allowed, not even whether there
//!   is such a place.
//!
//! And so that what arrives is the whole file or an error: the body is streamed, never decompressed,
//! bounded in size and time, and held against the length that the source announced.

mod address;
mod config;
mod connection;
mod dial;
mod error;
mod fetcher;
mod network;
mod source;

pub use config::Config;
pub use error::{BuildError, Cause, Error};
pub use fetcher::Fetcher;
pub use network::{Network, System};
pub use source::{Limits, Source};
