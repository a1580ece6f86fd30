//! What an answer that is not the wanted one means: the only table of fal's refusals.
//!
//! The queue speaks three dialects: the platform's `{"detail": text}`, the same with `error_type`
//! (request-level errors), and the model's own `{"detail": [...]}`. The Platform API has a fourth,
//! `{"error": {"type", "message"}}`, and the documentation a fifth, JSON-RPC's. Storage speaks the
//! first. (fal docs, "Errors",
//! "Queue", and the Platform API reference.)

use std::time::Duration;

use http::{StatusCode, header};
use jiff::fmt::rfc2822::DateTimeParser;
use serde_json::Value;

use crate::{Error, RequestErrorType, answer::Answer, call::Operation, detail, text};

/// The error that an answer stands for.
pub(crate) fn read(operation: Operation, answer: &Answer) -> Error {
    let status = answer.status;
    if status.is_redirection() {
        return Error::Redirected;
    }
    let body = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Error::RateLimited { retry_after: retry_after(answer) };
    }
    if is_ingress(answer) {
        return Error::Ingress { status: status.as_u16() };
    }
    // These know neither keys nor endpoints, so their 401 and 405 are about neither.
    let knows_keys = !matches!(operation, Operation::SearchDocs | Operation::Upload);
    if status == StatusCode::UNAUTHORIZED && knows_keys {
        return unauthorized(answer, &body);
    }
    if status == StatusCode::METHOD_NOT_ALLOWED && knows_keys {
        return Error::MethodNotAllowed;
    }
    match operation {
        Operation::SearchDocs => docs(status, &body),
        Operation::Pricing | Operation::Estimate if status == StatusCode::NOT_FOUND => {
            Error::PriceUnknown
        }
        Operation::ListModels
        | Operation::ListRequests
        | Operation::Pricing
        | Operation::Estimate => platform(status, &body),
        Operation::ModelDocument | Operation::Media => website(status),
        Operation::InitiateUpload => storage(status, &body),
        Operation::Upload => cdn(status),
        Operation::Submit
        | Operation::Status
        | Operation::StatusStream
        | Operation::Result
        | Operation::Cancel => queue(operation, answer, &body),
    }
}

fn queue(operation: Operation, answer: &Answer, body: &Value) -> Error {
    let status = answer.status;
    let code = status.as_u16();
    let said = body.get("detail").and_then(Value::as_str).unwrap_or_default();
    if status == StatusCode::FORBIDDEN {
        return forbidden(said);
    }
    // Asking for a status or a cancellation runs no model, so a failure is of the call, not of the
    // job, whatever it says.
    let runs_nothing =
        matches!(operation, Operation::Status | Operation::StatusStream | Operation::Cancel);
    if status.is_server_error() && runs_nothing {
        return Error::Server { status: code };
    }
    if let Some(error_type) = request_error_type(answer, body) {
        return match error_type {
            RequestErrorType::ClientCancelled => Error::Cancelled,
            error_type => {
                Error::RequestFailed { error_type, status: code, message: text::clean(said) }
            }
        };
    }
    match code {
        404 => not_found(operation, body, said, answer),
        400 if said.contains("still in progress") => Error::StillInProgress,
        499 => Error::Cancelled,
        // A submit runs no model either, but may be refused by one's rules.
        500..=599 if operation == Operation::Submit => Error::Server { status: code },
        400..=599 => refused(answer, body),
        _ => Error::UnexpectedStatus { status: code },
    }
}

/// A 404 of the queue: the application, an endpoint of it, the job, or something that the model
/// looked for in vain.
fn not_found(operation: Operation, body: &Value, said: &str, answer: &Answer) -> Error {
    if said.starts_with("Application ") {
        return Error::ApplicationNotFound;
    }
    if said.starts_with("Path ") {
        return Error::PathNotFound;
    }
    match operation {
        Operation::Submit if detail_of(body).is_none() => Error::ApplicationNotFound,
        Operation::Submit => refused(answer, body),
        Operation::Result
            if detail_of(body).is_some() && !said.to_lowercase().contains("request") =>
        {
            refused(answer, body)
        }
        _ => Error::RequestNotFound,
    }
}

/// What a model said, or the bare status.
fn refused(answer: &Answer, body: &Value) -> Error {
    let status = answer.status.as_u16();
    match detail_of(body) {
        Some(details) => Error::ModelRefused { status, details, retryable: retryable(answer) },
        None if answer.status.is_server_error() => Error::Server { status },
        None => Error::UnexpectedStatus { status },
    }
}

fn detail_of(body: &Value) -> Option<Vec<crate::Detail>> {
    body.get("detail").and_then(detail::read)
}

fn platform(status: StatusCode, body: &Value) -> Error {
    let error = body.get("error");
    let said = error
        .and_then(|error| error.get("message"))
        .or_else(|| body.get("detail"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    let is_scope = error.and_then(|error| error.get("type")).and_then(Value::as_str)
        == Some("authorization_error");
    match status.as_u16() {
        403 if is_scope => Error::ScopeMissing,
        403 => forbidden(said),
        404 => Error::ModelNotFound,
        400 | 409 | 422 => Error::InvalidRequest { message: text::clean(said) },
        status @ 500..=599 => Error::Server { status },
        status => Error::UnexpectedStatus { status },
    }
}

fn docs(status: StatusCode, body: &Value) -> Error {
    let said = body.pointer("/error/message").and_then(Value::as_str);
    match (status.as_u16(), said) {
        (status @ 500..=599, _) => Error::Server { status },
        (_, Some(said)) => Error::DocsSearchFailed { message: text::clean(said) },
        (status, None) => Error::UnexpectedStatus { status },
    }
}

fn website(status: StatusCode) -> Error {
    match status.as_u16() {
        403 => Error::Forbidden,
        404 => Error::ModelNotFound,
        status @ 500..=599 => Error::Server { status },
        status => Error::UnexpectedStatus { status },
    }
}

fn storage(status: StatusCode, body: &Value) -> Error {
    let said = body.get("detail").and_then(Value::as_str).unwrap_or_default();
    match status.as_u16() {
        403 => forbidden(said),
        400 | 422 => Error::InvalidRequest { message: text::clean(said) },
        status @ 500..=599 => Error::Server { status },
        status => Error::UnexpectedStatus { status },
    }
}

fn cdn(status: StatusCode) -> Error {
    match status.as_u16() {
        status @ 500..=599 => Error::Server { status },
        status => Error::UploadRefused { status },
    }
}

fn unauthorized(answer: &Answer, body: &Value) -> Error {
    let said = body.get("detail").and_then(Value::as_str).unwrap_or_default();
    if !answer.key_sent {
        Error::KeyMissing
    } else if said.starts_with("Invalid Key Authorization header format") {
        Error::KeyMalformed
    } else {
        Error::KeyRejected
    }
}

fn forbidden(said: &str) -> Error {
    match said.strip_prefix("User is locked.") {
        Some(rest) => {
            let rest = rest.trim();
            let reason = text::clean(rest.strip_prefix("Reason:").unwrap_or(rest));
            Error::AccountLocked { reason }
        }
        None => Error::Forbidden,
    }
}

/// The request-level error type: in the body, in a header of its own, or implied by the header that
/// says whose time limit has passed.
fn request_error_type(answer: &Answer, body: &Value) -> Option<RequestErrorType> {
    body.get("error_type")
        .and_then(Value::as_str)
        .or_else(|| answer.header("x-fal-error-type"))
        .map(RequestErrorType::from_word)
        .or_else(|| {
            let timed_out = answer.status == StatusCode::GATEWAY_TIMEOUT
                && answer.headers.contains_key("x-fal-request-timeout-type");
            timed_out.then_some(RequestErrorType::RequestTimeout)
        })
}

/// Whether submitting again may help, by the newer header or its older sibling.
fn retryable(answer: &Answer) -> Option<bool> {
    let said = answer.header("x-fal-retryable").or_else(|| answer.header("x-fal-needs-retry"))?;
    match said {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// Whether the proxy in front of fal answered: fal's own answers carry a request id, the proxy's
/// are web pages.
fn is_ingress(answer: &Answer) -> bool {
    if !answer.status.is_server_error() || answer.headers.contains_key("x-fal-request-id") {
        return false;
    }
    let start = answer.body.get(..1024).unwrap_or(&answer.body);
    let start = String::from_utf8_lossy(start).to_lowercase();
    start.contains("nginx") || start.contains("<html")
}

/// `Retry-After`, in seconds or as a date (RFC 9110, section 10.2.3). A date is compared with the
/// answer's own, so that neither clock matters.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let asked = answer.header(header::RETRY_AFTER.as_str())?.trim();
    if let Ok(seconds) = asked.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let parser = DateTimeParser::new();
    let then = parser.parse_timestamp(asked).ok()?;
    let now = parser.parse_timestamp(answer.header(header::DATE.as_str())?).ok()?;
    Duration::try_from(then.duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers
                .iter()
                .map(|(name, value)| {
                    (HeaderName::from_static(name), HeaderValue::from_static(value))
                })
                .collect::<HeaderMap>(),
            body: body.to_owned().into(),
            key_sent: true,
        }
    }

    #[test]
    fn retry_after_is_read_in_both_of_its_forms() {
        let date = ("date", "Fri, 02 Oct 2026 10:00:00 GMT");
        let cases = [
            (vec![("retry-after", "7")], Some(Duration::from_secs(7))),
            (vec![("retry-after", "0.5")], Some(Duration::from_millis(500))),
            (
                vec![("retry-after", "Fri, 02 Oct 2026 10:00:09 GMT"), date],
                Some(Duration::from_secs(9)),
            ),
            (vec![("retry-after", "Fri, 02 Oct 2026 09:59:00 GMT"), date], None),
            (vec![("retry-after", "Fri, 02 Oct 2026 10:00:09 GMT")], None),
            (vec![("retry-after", "-1")], None),
            (vec![("retry-after", "NaN")], None),
            (vec![("retry-after", "soon")], None),
            (vec![], None),
        ];
        for (headers, expected) in cases {
            assert_eq!(retry_after(&answer(429, &headers, "")), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_page_without_a_request_id_is_the_proxys() {
        let page = "<html><center>nginx</center></html>";
        assert!(is_ingress(&answer(502, &[], page)));
        assert!(is_ingress(&answer(503, &[], "<HTML>upstream</HTML>")));
        assert!(!is_ingress(&answer(502, &[("x-fal-request-id", "1")], page)));
        assert!(!is_ingress(&answer(500, &[], r#"{"detail":"x"}"#)));
        assert!(!is_ingress(&answer(404, &[], page)));
    }

    #[test]
    fn a_404_of_a_result_may_be_the_models_own() {
        let read = |body: &str| read(Operation::Result, &answer(404, &[], body)).kind();
        assert_eq!(read(r#"{"detail":"Voice not found"}"#), "model_refused");
        assert_eq!(read(r#"{"detail":"Request not found"}"#), "request_not_found");
        assert_eq!(read(r#"{"status":"NOT_FOUND"}"#), "request_not_found");
        assert_eq!(read(""), "request_not_found");
    }

    #[test]
    fn a_locked_account_keeps_fals_reason() {
        let cases = [
            ("User is locked. Reason: TOP_UP.", "TOP_UP."),
            ("User is locked. Reason: Exhausted balance. Top up.", "Exhausted balance. Top up."),
            ("User is locked.", ""),
        ];
        for (said, expected) in cases {
            let Error::AccountLocked { reason } = forbidden(said) else { panic!("{said}") };
            assert_eq!(reason, expected);
        }
    }
}
