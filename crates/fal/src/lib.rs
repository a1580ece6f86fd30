//! What fal says: a typed client of fal's public API.
//!
//! The queue (submit, status, result, cancel), the catalogue of models, the schema of a model, what
//! models cost, the caller's own requests and files, and a search of the documentation. It is no part of an
//! MCP server, keeps nothing about a caller, and decides nothing about what a failure looks like to
//! one: it says precisely what happened ([`Error`]).
//!
//! Three promises hold everywhere:
//!
//! * A key goes to the configured queue, Platform API and storage origins and nowhere else, also when a
//!   URL came from fal's own answer, and redirects are not followed.
//! * A submit is repeated only when it is certain that no job can have been made.
//! * No call goes on after its deadline, and no answer is read beyond a size.

mod answer;
mod batch;
mod body;
mod breaker;
mod call;
mod client;
mod config;
mod detail;
mod docs;
mod endpoint_id;
mod error;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod hosts;
mod key;
mod media;
mod models;
mod observer;
mod pricing;
mod queue;
mod refusal;
mod request_error_type;
mod request_id;
mod requests;
mod retry;
mod sse;
mod storage;
mod text;

pub use client::Client;
pub use config::{BuildError, Config};
pub use detail::Detail;
pub use docs::DocsHit;
pub use endpoint_id::{EndpointId, EndpointIdError};
pub use error::{Cause, Error};
pub use hosts::Hosts;
pub use key::{Fingerprint, Key, KeyError};
pub use media::Media;
pub use models::{
    Found, LicenseType, Model, ModelDocument, ModelGroup, ModelKind, ModelMetadata, ModelStatus,
    ModelsPage, ModelsQuery,
};
pub use observer::{Attempt, Observer};
pub use pricing::{Estimate, Price, Prices, Quantities};
pub use queue::{
    Cancellation, Job, JobResult, LogLine, Priority, State, Status, SubmitOptions, Submitted,
};
pub use request_error_type::RequestErrorType;
pub use request_id::{RequestId, RequestIdError};
pub use requests::{RequestItem, RequestStatus, RequestsPage, RequestsQuery};
pub use storage::{MAX_SINGLE_BYTES, NewFile, PART_BYTES, Part, Upload};
