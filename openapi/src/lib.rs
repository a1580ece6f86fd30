//! fal's operations as we describe them, and a checker of real requests and answers against that
//! description.
//!
//! The description is `fal.openapi.json` beside this crate. The tests of the client, of the
//! stand-in and of the service pass what they sent and received to a [`Contract`], so that all of
//! them agree on one picture of fal. What is checked: status, media type, body, the headers that
//! the description names, and that no other `x-fal-` header occurs. What is not: the path, since
//! the caller names the [`Operation`].

mod document;
mod events;
mod operation;
mod request;
mod response;
mod schema;

use std::collections::HashMap;

use document::Document;
use operation::Described;

/// Our description of fal, compiled.
#[derive(Debug)]
pub struct Contract {
    operations: HashMap<Operation, Described>,
}

impl Contract {
    /// Compiles the description that is part of this crate.
    pub fn fal() -> Result<Self, ContractError> {
        Self::parse(include_str!("../fal.openapi.json"))
    }

    fn parse(text: &str) -> Result<Self, ContractError> {
        let document = Document::parse(text)?;
        let operations = Operation::ALL
            .into_iter()
            .map(|operation| Ok((operation, Described::compile(&document, operation.id())?)))
            .collect::<Result<_, ContractError>>()?;
        Ok(Self { operations })
    }

    /// Checks one answer of fal, or of what stands in for it.
    ///
    /// `body` is the whole body as received, after any content coding was undone. The first part
    /// of an event stream is accepted too, as long as it ends with a whole event.
    ///
    /// # Errors
    /// One sentence for each difference, with the place: `getJobStatus 200: body /status: …`.
    pub fn check_response(
        &self,
        operation: Operation,
        status: u16,
        headers: &http::HeaderMap,
        body: &[u8],
    ) -> Result<(), Vec<String>> {
        let place = format!("{} {status}", operation.id());
        self.report(operation, &place, |described, found| {
            response::check(described, status, headers, body, found);
        })
    }

    /// Checks one request to fal. `query` is what stands after the `?`, still encoded.
    ///
    /// # Errors
    /// One sentence for each difference, with the place: `submitJob request: header …`.
    pub fn check_request(
        &self,
        operation: Operation,
        query: &str,
        headers: &http::HeaderMap,
        body: &[u8],
    ) -> Result<(), Vec<String>> {
        let place = format!("{} request", operation.id());
        self.report(operation, &place, |described, found| {
            request::check(described, query, headers, body, found);
        })
    }

    fn report(
        &self,
        operation: Operation,
        place: &str,
        check: impl FnOnce(&Described, &mut Vec<String>),
    ) -> Result<(), Vec<String>> {
        let mut found = Vec::new();
        match self.operations.get(&operation) {
            Some(described) => check(described, &mut found),
            None => found.push("the operation is not described".to_owned()),
        }
        if found.is_empty() {
            return Ok(());
        }
        Err(found.into_iter().map(|what| format!("{place}: {what}")).collect())
    }
}

/// The operations of fal that the gateway calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `POST {queue}/{endpoint_id}`.
    Submit,
    /// `GET {queue}/{app_id}/requests/{request_id}/status`.
    Status,
    /// `GET {queue}/{app_id}/requests/{request_id}/status/stream`.
    StatusStream,
    /// `GET {queue}/{app_id}/requests/{request_id}`, with or without `/response` after it.
    Result,
    /// `PUT {queue}/{app_id}/requests/{request_id}/cancel`.
    Cancel,
    /// `GET {api}/models`: list, search and find.
    ListModels,
    /// `GET {api}/models/requests/by-endpoint`.
    ListRequests,
    /// `GET {web}/api/openapi/queue/openapi.json`.
    ModelDocument,
    /// `GET {api}/models/pricing`.
    GetPricing,
    /// `POST {api}/models/pricing/estimate`.
    EstimatePricing,
    /// `POST {docs}`: the documentation's MCP endpoint.
    SearchDocs,
    /// `POST {rest}/storage/upload/initiate`.
    InitiateUpload,
    /// `POST {rest}/storage/upload/initiate-multipart`.
    InitiateMultipartUpload,
    /// `PUT {upload_url}`.
    UploadFile,
    /// `PUT {upload_url}`, with the part's number added to its path.
    UploadPart,
    /// `POST {upload_url}`, with `complete` added to its path.
    CompleteUpload,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Self; 16] = [
        Self::Submit,
        Self::Status,
        Self::StatusStream,
        Self::Result,
        Self::Cancel,
        Self::ListModels,
        Self::ListRequests,
        Self::ModelDocument,
        Self::GetPricing,
        Self::EstimatePricing,
        Self::SearchDocs,
        Self::InitiateUpload,
        Self::InitiateMultipartUpload,
        Self::UploadFile,
        Self::UploadPart,
        Self::CompleteUpload,
    ];

    /// The `operationId` under which the description has it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Submit => "submitJob",
            Self::Status => "getJobStatus",
            Self::StatusStream => "streamJobStatus",
            Self::Result => "getJobResult",
            Self::Cancel => "cancelJob",
            Self::ListModels => "listModels",
            Self::ListRequests => "listRequestsByEndpoint",
            Self::ModelDocument => "getModelDocument",
            Self::GetPricing => "getPricing",
            Self::EstimatePricing => "estimatePricing",
            Self::SearchDocs => "searchDocs",
            Self::InitiateUpload => "initiateUpload",
            Self::InitiateMultipartUpload => "initiateMultipartUpload",
            Self::UploadFile => "uploadFile",
            Self::UploadPart => "uploadPart",
            Self::CompleteUpload => "completeUpload",
        }
    }
}

/// Why the description could not be used. Only a fault in the description itself leads here.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// The description is not JSON.
    #[error("the description is not JSON")]
    NotJson(#[from] serde_json::Error),
    /// A reference leads nowhere, out of the document, or in a circle.
    #[error("the reference `{0}` leads to nothing in the description")]
    Reference(String),
    /// A part that the checker needs is not there or has another form.
    #[error("{0} is missing or malformed in the description")]
    Missing(String),
    /// A schema breaks the rules of JSON Schema.
    #[error("the schema of {place} is not a JSON Schema")]
    Schema {
        /// Which schema.
        place: String,
        /// What is wrong with it.
        source: Box<jsonschema::ValidationError<'static>>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_without_an_operation_is_refused_by_name() {
        let error = Contract::parse(r#"{"paths":{}}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the operation submitJob is missing or malformed in the description"
        );
    }

    #[test]
    fn a_reference_that_leads_nowhere_is_refused_by_name() {
        let text = include_str!("../fal.openapi.json").replace(
            "\"#/components/responses/Unauthenticated\"",
            "\"#/components/responses/Gone\"",
        );
        let error = Contract::parse(&text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the reference `#/components/responses/Gone` leads to nothing in the description"
        );
    }
}
