//! fal's words for what went wrong around a model (fal docs, "Errors", request-level errors).

/// `error_type` of a request-level error, also sent as `X-Fal-Error-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestErrorType {
    /// The request did not finish in time.
    RequestTimeout,
    /// The runner did not start in time.
    StartupTimeout,
    /// No runner could be found for it.
    RunnerSchedulingFailure,
    /// Connecting to the runner took too long.
    RunnerConnectionTimeout,
    /// The runner went away.
    RunnerDisconnected,
    /// The runner did not take the connection.
    RunnerConnectionRefused,
    /// The connection to the runner failed otherwise.
    RunnerConnectionError,
    /// The runner's answer was cut short.
    RunnerIncompleteResponse,
    /// The runner failed.
    RunnerServerError,
    /// Whoever asked went away.
    ClientDisconnected,
    /// Whoever asked cancelled.
    ClientCancelled,
    /// The request is not one that fal understands.
    BadRequest,
    /// fal itself failed.
    InternalError,
    /// A word that fal's documentation does not have.
    Other,
}

impl RequestErrorType {
    /// Every documented word with its type; the only list of them.
    const WORDS: [(&'static str, Self); 13] = [
        ("request_timeout", Self::RequestTimeout),
        ("startup_timeout", Self::StartupTimeout),
        ("runner_scheduling_failure", Self::RunnerSchedulingFailure),
        ("runner_connection_timeout", Self::RunnerConnectionTimeout),
        ("runner_disconnected", Self::RunnerDisconnected),
        ("runner_connection_refused", Self::RunnerConnectionRefused),
        ("runner_connection_error", Self::RunnerConnectionError),
        ("runner_incomplete_response", Self::RunnerIncompleteResponse),
        ("runner_server_error", Self::RunnerServerError),
        ("client_disconnected", Self::ClientDisconnected),
        ("client_cancelled", Self::ClientCancelled),
        ("bad_request", Self::BadRequest),
        ("internal_error", Self::InternalError),
    ];

    /// What fal's word means.
    pub fn from_word(word: &str) -> Self {
        Self::WORDS.iter().find(|(known, _)| *known == word).map_or(Self::Other, |(_, kind)| *kind)
    }

    /// fal's word for it; `other` for what fal does not document.
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(_, kind)| *kind == self).map_or("other", |(word, _)| word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_it_is_written() {
        for (word, kind) in RequestErrorType::WORDS {
            assert_eq!((RequestErrorType::from_word(word), kind.as_str()), (kind, word));
        }
        assert_eq!(RequestErrorType::from_word("brand_new"), RequestErrorType::Other);
        assert_eq!(RequestErrorType::Other.as_str(), "other");
    }
}
