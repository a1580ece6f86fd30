//! Each way to fail, made by the answer that makes it.

use std::time::Duration;

use fal::{Client, Error, ModelsQuery, Quantities, RequestErrorType, RequestsQuery, SubmitOptions};
use openapi_contract::Operation;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    answers::{self, Answer, answer},
    refusals,
    server::{Fal, endpoint, job, key, soon},
    storage,
};

/// The operations whose address the client knows. Those on a signed URL are in `storage.rs`.
pub(crate) fn operations() -> impl Iterator<Item = Operation> {
    Operation::ALL.into_iter().filter(|operation| !ON_A_SIGNED_URL.contains(operation))
}

const ON_A_SIGNED_URL: [Operation; 3] =
    [Operation::UploadFile, Operation::UploadPart, Operation::CompleteUpload];

/// Makes the call that the operation stands for.
pub(crate) async fn call(
    client: &Client,
    operation: Operation,
    deadline: Instant,
) -> Result<(), Error> {
    let key = key();
    match operation {
        Operation::Submit => client
            .submit(&key, &endpoint(), &json!({}), &SubmitOptions::default(), deadline)
            .await
            .map(drop),
        Operation::Status => client.status(&key, &job(), false, deadline).await.map(drop),
        Operation::StatusStream => client.status_stream(&key, &job(), false).await.map(drop),
        Operation::Result => client.result(&key, &job(), deadline).await.map(drop),
        Operation::Cancel => client.cancel(&key, &job(), deadline).await.map(drop),
        Operation::ListModels => {
            client.list_models(Some(&key), &ModelsQuery::default(), deadline).await.map(drop)
        }
        Operation::ListRequests => client
            .requests_by_endpoint(&key, &RequestsQuery::new(endpoint()), deadline)
            .await
            .map(drop),
        Operation::ModelDocument => {
            client.schema(Some(&key), &endpoint(), deadline).await.map(drop)
        }
        Operation::GetPricing => client.pricing(&key, &[endpoint()], deadline).await.map(drop),
        Operation::EstimatePricing => {
            let quantities = Quantities::Calls([(endpoint(), 1)].into());
            client.estimate(&key, &quantities, deadline).await.map(drop)
        }
        Operation::SearchDocs => client.search_docs("webhooks", deadline).await.map(drop),
        Operation::InitiateUpload => {
            client.initiate_upload(&key, &storage::png(), deadline).await.map(drop)
        }
        Operation::InitiateMultipartUpload => {
            client.initiate_multipart_upload(&key, &storage::png(), deadline).await.map(drop)
        }
        Operation::UploadFile | Operation::UploadPart | Operation::CompleteUpload => {
            unreachable!("the client does not know the address")
        }
    }
}

/// The error that the call ends in.
#[expect(clippy::expect_used, reason = "a call that does not fail fails the test")]
pub(crate) async fn error_of(client: &Client, operation: Operation, deadline: Instant) -> Error {
    call(client, operation, deadline).await.expect_err("an error")
}

async fn error_from(given: Answer) -> Error {
    let operation = given.operation;
    let fal = Fal::answering([given]).await;
    error_of(&fal.client(), operation, soon()).await
}

#[tokio::test]
async fn every_documented_refusal_has_its_error() {
    for (given, kind, text) in refusals::all() {
        let what = format!("{:?} {} {}", given.operation, given.status, given.body);
        let error = error_from(given).await;
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, text), "{what}");
    }
}

#[tokio::test]
async fn a_model_error_keeps_what_a_caller_can_act_on() {
    let Error::ModelRefused { status, details, retryable } =
        error_from(answers::model_error()).await
    else {
        panic!("another error")
    };
    assert_eq!((status, retryable), (422, Some(false)));
    assert_eq!(details.len(), 1);
    assert_eq!(details[0].loc, ["body", "image_url"]);
    assert_eq!(details[0].msg, "Image too large");
    assert_eq!(details[0].kind, "image_too_large");
    assert_eq!(details[0].ctx, Some(json!({"max_width": 4096, "max_height": 4096})));
}

#[tokio::test]
async fn a_request_level_error_keeps_its_type_wherever_fal_put_it() {
    let cases = [
        answers::request_error(Operation::Result, 503, "runner_connection_refused"),
        answer(Operation::Result, 503, &json!({"detail": "It went wrong"}))
            .with("x-fal-error-type", "runner_connection_refused"),
    ];
    for given in cases {
        let Error::RequestFailed { error_type, status, message } = error_from(given).await else {
            panic!("another error")
        };
        assert_eq!(error_type, RequestErrorType::RunnerConnectionRefused);
        assert_eq!((status, message.as_str()), (503, "It went wrong"));
    }
    let timed_out =
        answer(Operation::Result, 504, &json!({})).with("x-fal-request-timeout-type", "user");
    let error = error_from(timed_out).await;
    let expected = RequestErrorType::RequestTimeout;
    assert!(matches!(error, Error::RequestFailed { error_type, .. } if error_type == expected));
}

#[tokio::test]
async fn a_401_without_a_key_says_that_one_is_missing() {
    let refusal = answers::platform(
        Operation::ListModels,
        401,
        "authorization_error",
        "Authentication required",
    );
    let fal = Fal::answering([refusal]).await;
    let outcome = fal.client().list_models(None, &ModelsQuery::default(), soon()).await;
    assert!(matches!(outcome, Err(Error::KeyMissing)), "{outcome:?}");
    assert_eq!(fal.received()[0].header("authorization"), None);
}

#[tokio::test]
async fn a_rate_limit_says_how_long_to_wait() {
    let fal = Fal::answering([answers::rate_limited(Operation::Submit, "7")]).await;
    let error = error_of(&fal.client(), Operation::Submit, soon()).await;
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert!(error.is_transient());
}

#[tokio::test]
async fn answers_that_no_document_knows_are_told_apart() {
    let text = |operation, status, body: &str| Answer::new(operation, status, body.to_owned());
    let cases = [
        (text(Operation::Status, 418, "teapot"), "unexpected_status"),
        (text(Operation::ListModels, 418, "teapot"), "unexpected_status"),
        (text(Operation::ModelDocument, 418, "teapot"), "unexpected_status"),
        (text(Operation::Submit, 404, "gone"), "application_not_found"),
        (text(Operation::Result, 499, ""), "cancelled"),
        (text(Operation::Result, 202, ""), "still_in_progress"),
        (text(Operation::Result, 500, "oops"), "server"),
        (text(Operation::Status, 200, "oops"), "answer_malformed"),
        (text(Operation::Status, 200, r#"{"status":"PAUSED"}"#), "answer_malformed"),
        (text(Operation::Status, 200, r#"{"status":"NOT_FOUND"}"#), "request_not_found"),
        (text(Operation::StatusStream, 200, "{}"), "answer_malformed"),
        (text(Operation::Result, 200, ""), "answer_malformed"),
        (text(Operation::ListModels, 200, "[]"), "answer_malformed"),
        (text(Operation::ModelDocument, 200, "[]"), "answer_malformed"),
        (text(Operation::GetPricing, 200, r#"{"prices":{}}"#), "answer_malformed"),
        (text(Operation::EstimatePricing, 200, "{}"), "answer_malformed"),
        (
            text(Operation::EstimatePricing, 200, r#"{"total_cost":-1,"currency":"USD"}"#),
            "answer_malformed",
        ),
        (text(Operation::EstimatePricing, 409, "oops"), "invalid_request"),
        (text(Operation::InitiateUpload, 200, "{}"), "answer_malformed"),
        (text(Operation::InitiateUpload, 418, "teapot"), "unexpected_status"),
        (text(Operation::SearchDocs, 200, "oops"), "answer_malformed"),
        (text(Operation::SearchDocs, 200, r#"{"jsonrpc":"2.0","id":1}"#), "answer_malformed"),
        (text(Operation::SearchDocs, 401, "<html>no</html>"), "unexpected_status"),
        (text(Operation::SearchDocs, 404, "<html>no</html>"), "unexpected_status"),
        (text(Operation::SearchDocs, 405, ""), "unexpected_status"),
        (text(Operation::ListModels, 403, "<html>blocked</html>"), "forbidden"),
        (text(Operation::Result, 302, "").with("location", "/elsewhere"), "redirected"),
        (text(Operation::Submit, 307, "").with("location", "/elsewhere"), "redirected"),
    ];
    for (given, kind) in cases {
        let what = format!("{:?} {} {}", given.operation, given.status, given.body);
        assert_eq!(error_from(given).await.kind(), kind, "{what}");
    }
}

#[tokio::test]
async fn public_texts_are_one_clean_bounded_line() {
    let long = format!("bad\r\nline\u{1b}[31m {}", "x".repeat(10_000));
    let cases = [
        answers::detail(Operation::Result, 422, &long),
        answer(Operation::Result, 503, &json!({"detail": long, "error_type": "internal_error"})),
        answers::platform(Operation::ListModels, 400, "validation_error", &long),
        answers::detail(Operation::Submit, 403, &format!("User is locked. Reason: {long}")),
        answers::docs_failed(&long),
        answers::docs_refused(400, -32600, &long),
    ];
    for given in cases {
        let text = error_from(given).await.to_string();
        assert!(text.contains("bad line[31m xxx"), "{text}");
        assert!(text.chars().count() < 600 && !text.contains(char::is_control), "{text}");
    }
}
