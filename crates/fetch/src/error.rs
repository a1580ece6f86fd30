//! Why nothing, or not all of it, came from a URL.

/// What lies under an error: for logs only, since it may name a host.
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// How fetching failed. `Display` is public: it names no host and no address. `source()` is private.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL, or one that it redirects to, is not one that we fetch. One error for all reasons, a
    /// host that does not exist among them: the differences would tell what is inside our network.
    #[error(
        "the URL is not allowed: only https URLs without user and password are, of hosts that have public addresses"
    )]
    NotAllowed,
    /// No connection came up, or it is not secure.
    #[error("the source cannot be reached")]
    NotConnected {
        /// Why.
        #[source]
        source: Cause,
    },
    /// The answer is another than 200.
    #[error("the source answered with status {status}")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// One redirect led to the next.
    #[error("the source redirects more than {limit} times")]
    TooManyRedirects {
        /// How many are followed.
        limit: usize,
    },
    /// The body is compressed in transit, although we asked for it plain.
    #[error("the source sends the file compressed, although it was asked not to")]
    Compressed,
    /// The body is, or is announced to be, larger than allowed.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// The limit, bytes.
        limit: u64,
    },
    /// The body has no bytes.
    #[error("the file is empty")]
    Empty,
    /// The source said nothing for too long.
    #[error("the source stopped sending")]
    Stalled,
    /// The body was not complete in time.
    #[error("the file was not complete in time")]
    TimedOut,
    /// The connection ended before the body did.
    #[error("the connection to the source broke before the file was complete")]
    Cut {
        /// How.
        #[source]
        source: Cause,
    },
    /// More came than was announced, so nobody can tell where the file ends.
    #[error("the source sent more bytes than it announced")]
    TooLong,
    /// The answer is not HTTP.
    #[error("the source's answer cannot be read")]
    Malformed {
        /// Where reading stopped.
        #[source]
        source: Cause,
    },
}

impl Error {
    /// A stable word for metrics, logs and callers, from a closed set.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotAllowed => "source_not_allowed",
            Self::NotConnected { .. } => "source_not_connected",
            Self::Status { .. } => "source_status",
            Self::TooManyRedirects { .. } => "source_redirects",
            Self::Compressed => "source_compressed",
            Self::TooLarge { .. } => "source_too_large",
            Self::Empty => "source_empty",
            Self::Stalled => "source_stalled",
            Self::TimedOut => "source_timed_out",
            Self::Cut { .. } => "source_cut",
            Self::TooLong => "source_too_long",
            Self::Malformed { .. } => "source_malformed",
        }
    }
}

/// Why a fetcher could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The system's trusted roots cannot be used.
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The user agent is not a header's value.
    #[error("the user agent is not a header's value")]
    UserAgent(#[from] http::header::InvalidHeaderValue),
}
