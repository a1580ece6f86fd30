//! Why something could not be measured.

/// Why something could not be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The command line names a suite that does not exist.
    #[error("there is no suite {name:?}; there are {known}")]
    UnknownSuite {
        /// As written.
        name: String,
        /// Those that exist.
        known: String,
    },
    /// A file, a socket or a process failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A child process did not come up.
    #[error("the {server} did not start: {reason}")]
    NotStarted {
        /// Which.
        server: &'static str,
        /// Why not.
        reason: String,
    },
    /// The system lets a process have too few files open.
    #[error(
        "{needed} open files are needed and the limit is {limit}: raise it with `ulimit -n {needed}`"
    )]
    OpenFiles {
        /// How many are needed.
        needed: u64,
        /// How many there may be.
        limit: u64,
    },
    /// A server answered something else than it should.
    #[error("wrong answer: {0}")]
    WrongAnswer(String),
    /// A round did not come to its end.
    #[error("no end within {0:?}")]
    TimedOut(std::time::Duration),
}

impl Error {
    /// What a server answered, beside what it should have, cut to a readable length.
    pub(crate) fn wrong(expected: &str, body: &[u8]) -> Self {
        let body: String = String::from_utf8_lossy(body).chars().take(300).collect();
        Self::WrongAnswer(format!("expected {expected}, got {body}"))
    }
}
