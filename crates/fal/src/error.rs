//! Everything that can go wrong between us and fal, one variant each.
//!
//! `Display` is public: it may be shown to anyone, and holds no URL, host, body or key, only what
//! fal documents as text for people, cleaned and bounded. `source()` is private: it is for logs.
#![deny(clippy::wildcard_enum_match_arm)]

use std::time::Duration;

use crate::{Detail, RequestErrorType, detail};

/// What lies under an error: for logs only, since it may name a host.
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// How a call to fal failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// fal wants a key for this and none was sent (401).
    #[error("fal asks for a key and none was sent")]
    KeyMissing,
    /// fal cannot read the key (401).
    #[error("fal cannot read this key; one is <key_id>:<key_secret>")]
    KeyMalformed,
    /// fal does not know the key (401): mistyped, deleted, or of another account.
    #[error("fal does not know this key")]
    KeyRejected,
    /// The key is known and lacks the permission (403 of the Platform API).
    #[error("this key does not have the permission for that")]
    ScopeMissing,
    /// fal refuses for a reason of its own (any other 403).
    #[error("fal does not allow this")]
    Forbidden,
    /// The account cannot be used now, most often for want of balance (403, "User is locked").
    #[error("fal has locked this account: {reason}")]
    AccountLocked {
        /// fal's reason, a word or a sentence.
        reason: String,
    },
    /// There is no such application (404 of the queue).
    #[error("fal has no such application")]
    ApplicationNotFound,
    /// The application exists and has no such endpoint (404).
    #[error("the application exists and has no such endpoint")]
    PathNotFound,
    /// The catalogue has no such model (404 of the Platform API).
    #[error("fal has no such model")]
    ModelNotFound,
    /// The queue has no such job (404): a wrong id, another account's, or one that has expired.
    #[error("fal has no such request, or no longer")]
    RequestNotFound,
    /// fal does not take this method there (405).
    #[error("fal does not take this kind of call there")]
    MethodNotAllowed,
    /// The result was asked for and the job still runs (400 or 202).
    #[error("the request is still in progress")]
    StillInProgress,
    /// The job was cancelled (499).
    #[error("the request was cancelled")]
    Cancelled,
    /// The model, or fal in its place, refused the input or failed on it. For a result this is the
    /// job's final outcome: asking again gives the same.
    #[error("the model refused the request: {}", detail::summary(.details))]
    ModelRefused {
        /// The HTTP status, 4xx or 5xx.
        status: u16,
        /// What it said, never empty of entries unless the model sent an empty list.
        details: Vec<Detail>,
        /// Whether submitting the same input again may succeed, where fal said so.
        retryable: Option<bool>,
    },
    /// fal could not get the job done. For a result this is the job's final outcome.
    #[error("fal could not complete the request ({}): {message}", .error_type.as_str())]
    RequestFailed {
        /// What failed.
        error_type: RequestErrorType,
        /// The HTTP status, 4xx or 5xx.
        status: u16,
        /// What fal said.
        message: String,
    },
    /// The Platform API does not accept the arguments (400, 409 or 422).
    #[error("fal does not accept the arguments: {message}")]
    InvalidRequest {
        /// What fal said.
        message: String,
    },
    /// fal gives no price for a model of an estimate, or does not know the model (404).
    #[error("fal has no price for this")]
    PriceUnknown,
    /// The search of the documentation failed, in its own words.
    #[error("fal's documentation cannot be searched: {message}")]
    DocsSearchFailed {
        /// What fal said.
        message: String,
    },
    /// There is a model and fal has no machine-readable description of it.
    #[error("fal publishes no schema for this model")]
    SchemaUnavailable,
    /// Too many calls (429).
    #[error("fal's rate limit is reached")]
    RateLimited {
        /// How long fal asked us to wait.
        retry_after: Option<Duration>,
    },
    /// fal failed (5xx).
    #[error("fal failed with status {status}")]
    Server {
        /// The HTTP status.
        status: u16,
    },
    /// fal's outermost proxy failed (5xx) and the call did not reach what lies behind it.
    #[error("fal is not reachable behind its proxy (status {status})")]
    Ingress {
        /// The HTTP status.
        status: u16,
    },
    /// A status that fal does not document for this call, with a body that says nothing.
    #[error("fal answered with the unexpected status {status}")]
    UnexpectedStatus {
        /// The HTTP status.
        status: u16,
    },
    /// No connection came up. Nothing was sent.
    #[error("fal cannot be reached")]
    NotConnected {
        /// Why.
        #[source]
        source: Cause,
    },
    /// The connection broke after the call was sent and before its answer was complete.
    #[error("the connection to fal broke before the answer was complete")]
    Dropped {
        /// How.
        #[source]
        source: Cause,
    },
    /// The call was sent, or may have been, and its answer was not complete in time.
    #[error("fal did not answer in time")]
    TimedOut {
        /// The transport's own words, unless it was our deadline.
        #[source]
        source: Option<Cause>,
    },
    /// The deadline passed before anything was sent.
    #[error("there was no time left to ask fal")]
    DeadlinePassed,
    /// The answer is larger than we read.
    #[error("fal's answer is larger than {limit} bytes")]
    AnswerTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The answer is not what fal documents.
    #[error("fal's answer cannot be read")]
    AnswerMalformed {
        /// Where reading stopped.
        #[source]
        source: Cause,
    },
    /// fal sent us elsewhere (3xx). A key does not follow.
    #[error("fal redirects this call, which is not followed")]
    Redirected,
    /// The submit was sent and no readable answer came: the job may exist, and submitting again may
    /// make and bill a second one. The caller's recent requests tell.
    #[error("the request was sent to fal and no answer came back; the job may or may not exist")]
    SubmitOutcomeUnknown {
        /// What came instead of an answer.
        #[source]
        source: Cause,
    },
    /// The CDN does not take a file (4xx): its URL has expired, or a part is missing.
    #[error("fal does not take the file (status {status})")]
    UploadRefused {
        /// The HTTP status.
        status: u16,
    },
    /// A call with a key, or a file, was about to go to an address that is not fal's. Nothing was sent.
    #[error("the call was not sent: its address is not one of fal's")]
    ForeignUrl,
}

impl Error {
    /// Whether the very same call may well succeed a little later, with nothing changed.
    ///
    /// It does not say that repeating is safe (a submit may not be, see [`Self::Server`]), and not
    /// whether a new job may succeed where this one failed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::RateLimited { .. }
            | Self::Server { .. }
            | Self::Ingress { .. }
            | Self::NotConnected { .. }
            | Self::Dropped { .. }
            | Self::TimedOut { .. } => true,
            Self::KeyMissing
            | Self::KeyMalformed
            | Self::KeyRejected
            | Self::ScopeMissing
            | Self::Forbidden
            | Self::AccountLocked { .. }
            | Self::ApplicationNotFound
            | Self::PathNotFound
            | Self::ModelNotFound
            | Self::RequestNotFound
            | Self::MethodNotAllowed
            | Self::StillInProgress
            | Self::Cancelled
            | Self::ModelRefused { .. }
            | Self::RequestFailed { .. }
            | Self::InvalidRequest { .. }
            | Self::PriceUnknown
            | Self::DocsSearchFailed { .. }
            | Self::SchemaUnavailable
            | Self::UnexpectedStatus { .. }
            | Self::DeadlinePassed
            | Self::AnswerTooLarge { .. }
            | Self::AnswerMalformed { .. }
            | Self::Redirected
            | Self::SubmitOutcomeUnknown { .. }
            | Self::UploadRefused { .. }
            | Self::ForeignUrl => false,
        }
    }

    /// How long fal asked us to wait, where it did.
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::RateLimited { retry_after } = self { *retry_after } else { None }
    }

    /// A stable word for metrics, logs and callers, from a closed set.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::KeyMissing => "key_missing",
            Self::KeyMalformed => "key_malformed",
            Self::KeyRejected => "key_rejected",
            Self::ScopeMissing => "scope_missing",
            Self::Forbidden => "forbidden",
            Self::AccountLocked { .. } => "account_locked",
            Self::ApplicationNotFound => "application_not_found",
            Self::PathNotFound => "path_not_found",
            Self::ModelNotFound => "model_not_found",
            Self::RequestNotFound => "request_not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::StillInProgress => "still_in_progress",
            Self::Cancelled => "cancelled",
            Self::ModelRefused { .. } => "model_refused",
            Self::RequestFailed { .. } => "request_failed",
            Self::InvalidRequest { .. } => "invalid_request",
            Self::PriceUnknown => "price_unknown",
            Self::DocsSearchFailed { .. } => "docs_search_failed",
            Self::SchemaUnavailable => "schema_unavailable",
            Self::RateLimited { .. } => "rate_limited",
            Self::Server { .. } => "server",
            Self::Ingress { .. } => "ingress",
            Self::UnexpectedStatus { .. } => "unexpected_status",
            Self::NotConnected { .. } => "not_connected",
            Self::Dropped { .. } => "dropped",
            Self::TimedOut { .. } => "timed_out",
            Self::DeadlinePassed => "deadline_passed",
            Self::AnswerTooLarge { .. } => "answer_too_large",
            Self::AnswerMalformed { .. } => "answer_malformed",
            Self::Redirected => "redirected",
            Self::SubmitOutcomeUnknown { .. } => "submit_outcome_unknown",
            Self::UploadRefused { .. } => "upload_refused",
            Self::ForeignUrl => "foreign_url",
        }
    }

    /// An answer that does not say what it should.
    pub(crate) fn malformed(source: impl Into<Cause>) -> Self {
        Self::AnswerMalformed { source: source.into() }
    }
}
