//! Every refusal that fal documents, with the word and the public text of the error it makes.

use openapi_contract::Operation::{
    Cancel, EstimatePricing, GetPricing, InitiateUpload, ListModels, ListRequests, ModelDocument,
    Result, SearchDocs, Status, Submit,
};
use serde_json::json;

use crate::answers::{
    Answer, detail, docs_failed, docs_message, docs_refused, ingress, model_error, no_document,
    platform, rate_limited, request_error, status_not_found, still_in_progress,
};

/// An answer, [`fal::Error::kind`], and what it prints.
pub(crate) type Refusal = (Answer, &'static str, &'static str);

pub(crate) const USER_LOCKED: &str =
    "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing.";

const UNKNOWN_KEY: &str = "No user found for Key ID and Secret";

/// All of them.
pub(crate) fn all() -> Vec<Refusal> {
    [of_the_caller(), of_what_was_asked(), of_a_search(), of_the_job(), of_fal_itself()].concat()
}

fn of_the_caller() -> Vec<Refusal> {
    let no_colon = "Invalid Key Authorization header format. Expected '<key_id>:<key_secret>'.";
    let rejected = "fal does not know this key";
    vec![
        (
            detail(Submit, 401, no_colon),
            "key_malformed",
            "fal cannot read this key; one is <key_id>:<key_secret>",
        ),
        (detail(Submit, 401, UNKNOWN_KEY), "key_rejected", rejected),
        (detail(Status, 401, UNKNOWN_KEY), "key_rejected", rejected),
        (
            platform(ListRequests, 401, "authorization_error", "Authentication required"),
            "key_rejected",
            rejected,
        ),
        (
            platform(ListRequests, 403, "authorization_error", "Access denied"),
            "scope_missing",
            "this key does not have the permission for that",
        ),
        (
            detail(Submit, 403, USER_LOCKED),
            "account_locked",
            "fal has locked this account: Exhausted balance. \
             Top up your balance at fal.ai/dashboard/billing.",
        ),
        (
            detail(Status, 403, "User is locked. Reason: TOP_UP."),
            "account_locked",
            "fal has locked this account: TOP_UP.",
        ),
        (
            platform(GetPricing, 401, "authorization_error", "Authentication required"),
            "key_rejected",
            rejected,
        ),
        (
            platform(EstimatePricing, 403, "authorization_error", "Access denied"),
            "scope_missing",
            "this key does not have the permission for that",
        ),
        (detail(InitiateUpload, 401, UNKNOWN_KEY), "key_rejected", rejected),
        (
            detail(InitiateUpload, 403, "User is locked. Reason: TOP_UP."),
            "account_locked",
            "fal has locked this account: TOP_UP.",
        ),
        (detail(Submit, 403, "Not for you"), "forbidden", "fal does not allow this"),
        (detail(Cancel, 403, "Not for you"), "forbidden", "fal does not allow this"),
    ]
}

fn of_what_was_asked() -> Vec<Refusal> {
    let no_request = "fal has no such request, or no longer";
    vec![
        (
            detail(Submit, 404, "Application \"flux\" not found"),
            "application_not_found",
            "fal has no such application",
        ),
        (
            detail(Result, 404, "Path /xyz not found").with("x-fal-billable-units", "0"),
            "path_not_found",
            "the application exists and has no such endpoint",
        ),
        (
            platform(ListModels, 404, "not_found", "Not found"),
            "model_not_found",
            "fal has no such model",
        ),
        (no_document(), "model_not_found", "fal has no such model"),
        (status_not_found(Status), "request_not_found", no_request),
        (status_not_found(Result), "request_not_found", no_request),
        (
            detail(Status, 405, "Method Not Allowed"),
            "method_not_allowed",
            "fal does not take this kind of call there",
        ),
        (
            platform(ListModels, 400, "validation_error", "limit must be at least 1"),
            "invalid_request",
            "fal does not accept the arguments: limit must be at least 1",
        ),
        (
            platform(EstimatePricing, 404, "not_found", "Resource not found"),
            "price_unknown",
            "fal has no price for this",
        ),
        (
            platform(EstimatePricing, 400, "validation_error", "call_quantity must be at least 1"),
            "invalid_request",
            "fal does not accept the arguments: call_quantity must be at least 1",
        ),
        (
            detail(InitiateUpload, 400, "Invalid storage type"),
            "invalid_request",
            "fal does not accept the arguments: Invalid storage type",
        ),
    ]
}

fn of_a_search() -> Vec<Refusal> {
    let unknown_tool = json!({"error": {"code": -32602, "message": "Unknown tool"}});
    vec![
        (
            docs_failed("The index is being built"),
            "docs_search_failed",
            "fal's documentation cannot be searched: The index is being built",
        ),
        (
            docs_message(&unknown_tool),
            "docs_search_failed",
            "fal's documentation cannot be searched: Unknown tool",
        ),
        (
            docs_refused(406, -32000, "Not Acceptable"),
            "docs_search_failed",
            "fal's documentation cannot be searched: Not Acceptable",
        ),
    ]
}

fn of_the_job() -> Vec<Refusal> {
    vec![
        (still_in_progress(), "still_in_progress", "the request is still in progress"),
        (request_error(Result, 499, "client_cancelled"), "cancelled", "the request was cancelled"),
        (
            model_error(),
            "model_refused",
            "the model refused the request: body.image_url: Image too large",
        ),
        (
            detail(Result, 503, "CUDA error: out of memory"),
            "model_refused",
            "the model refused the request: CUDA error: out of memory",
        ),
        (
            request_error(Result, 504, "startup_timeout")
                .with("x-fal-request-timeout-type", "user"),
            "request_failed",
            "fal could not complete the request (startup_timeout): It went wrong",
        ),
        (
            request_error(Result, 503, "runner_disconnected"),
            "request_failed",
            "fal could not complete the request (runner_disconnected): It went wrong",
        ),
    ]
}

fn of_fal_itself() -> Vec<Refusal> {
    let limited = "fal's rate limit is reached";
    let failed = "fal failed with status 500";
    vec![
        (rate_limited(Submit, "7"), "rate_limited", limited),
        (rate_limited(ListModels, "60"), "rate_limited", limited),
        (rate_limited(GetPricing, "60"), "rate_limited", limited),
        (rate_limited(SearchDocs, "60"), "rate_limited", limited),
        (detail(Submit, 500, "Internal Server Error"), "server", failed),
        (detail(Status, 500, "Internal Server Error"), "server", failed),
        (detail(InitiateUpload, 500, "Internal Server Error"), "server", failed),
        (platform(ListModels, 500, "server_error", "Oh no"), "server", failed),
        (platform(EstimatePricing, 500, "server_error", "Oh no"), "server", failed),
        (ingress(SearchDocs, 503), "ingress", "fal is not reachable behind its proxy (status 503)"),
        (ingress(Status, 502), "ingress", "fal is not reachable behind its proxy (status 502)"),
        (
            ingress(ModelDocument, 502),
            "ingress",
            "fal is not reachable behind its proxy (status 502)",
        ),
        (ingress(Submit, 503), "ingress", "fal is not reachable behind its proxy (status 503)"),
        (
            ingress(Submit, 502),
            "submit_outcome_unknown",
            "the request was sent to fal and no answer came back; the job may or may not exist",
        ),
    ]
}
