//! Answers: the description's own examples pass, and each of them fails once it is changed.

use openapi_contract::Operation;
use serde_json::{Value, json};

use crate::support::{check, example, json_example, operation, refused, resolve};

/// The request id of the examples.
const ID: &str = "764cabcf-b745-4b3e-ae38-1200304cf45b";

#[test]
fn every_example_of_every_status_passes() {
    let mut seen = 0;
    for which in Operation::ALL {
        for (status, response) in operation(which)["responses"].as_object().unwrap() {
            let contents = resolve(response)["content"].as_object().unwrap();
            for media_type in contents.keys().map(|key| key.replace("*/*", "text/plain")) {
                let described =
                    if contents.contains_key(&media_type) { media_type } else { "*/*".to_owned() };
                let answer = example(which, status, &described).with(
                    "content-type",
                    &format!("{}; charset=utf-8", described.replace("*/*", "text/plain")),
                );
                assert_eq!(check(which, &answer), Ok(()), "{which:?} {status} {described}");
                seen += 1;
            }
        }
    }
    assert!(seen > 80, "{seen} examples");
}

#[test]
fn every_operation_refuses_a_status_that_it_does_not_have() {
    for which in Operation::ALL {
        let mut answer = json_example(Operation::ListModels, "200");
        answer.status = 302;
        let start = format!("{} 302: the status is none of 200, ", which.id());
        refused(which, &answer, &start);
    }
}

#[test]
fn every_operation_refuses_a_body_of_another_type_or_none_at_all() {
    // What these two say is not documented, so any type passes.
    let open = [Operation::UploadFile, Operation::CompleteUpload];
    for which in Operation::ALL.into_iter().filter(|which| !open.contains(which)) {
        let media_type = match which {
            Operation::StatusStream | Operation::SearchDocs => "text/event-stream",
            _ => "application/json",
        };
        let answer = example(which, "200", media_type);
        let wrong = answer.clone().with("content-type", "text/html");
        let start =
            format!("{} 200: header content-type: `text/html` is none of {media_type}", which.id());
        refused(which, &wrong, &start);
        let expected = match which {
            Operation::StatusStream | Operation::SearchDocs => "body holds no event",
            _ => "body is not JSON: ",
        };
        let start = format!("{} 200: {expected}", which.id());
        refused(which, &answer.body(""), &start);
    }
}

#[test]
fn a_property_that_is_missing_is_named() {
    let rows = [
        (Operation::Submit, "200", "/queue_position"),
        (Operation::Submit, "200", "/response_url"),
        (Operation::Status, "202", "/queue_position"),
        (Operation::Status, "202", "/logs"),
        (Operation::Status, "200", "/metrics"),
        (Operation::Status, "404", "/status"),
        (Operation::Result, "499", "/error_type"),
        (Operation::Result, "422", "/detail/0/loc"),
        (Operation::Cancel, "202", "/status"),
        (Operation::ListModels, "200", "/has_more"),
        (Operation::ListModels, "200", "/next_cursor"),
        (Operation::ListModels, "200", "/models/0/endpoint_id"),
        (Operation::ListModels, "200", "/models/0/metadata/pinned"),
        (Operation::ListModels, "429", "/error/message"),
        (Operation::ListRequests, "200", "/items/0/sent_at"),
        (Operation::ModelDocument, "200", "/components/schemas"),
        (Operation::ModelDocument, "200", "/servers"),
        (Operation::GetPricing, "200", "/prices/0/currency"),
        (Operation::GetPricing, "200", "/prices/0/unit_price"),
        (Operation::EstimatePricing, "200", "/total_cost"),
        (Operation::InitiateUpload, "200", "/upload_url"),
        (Operation::InitiateMultipartUpload, "200", "/file_url"),
        (Operation::UploadPart, "200", "/etag"),
    ];
    for (which, status, pointer) in rows {
        let answer = json_example(which, status).edit(pointer, None);
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let space = if parent.is_empty() { "" } else { " " };
        let start = format!(
            "{} {status}: body{space}{parent}: \"{key}\" is a required property",
            which.id()
        );
        refused(which, &answer, &start);
    }
}

#[test]
fn a_wrong_value_in_an_answer_of_the_queue_is_named_with_its_place() {
    let rows = [
        (Operation::Submit, "200", "/status", json!("IN_PROGRESS")),
        (Operation::Submit, "200", "/request_id", json!("17")),
        (Operation::Submit, "200", "/status_url", json!("https://queue.fal.run/fal-ai/flux")),
        (Operation::Submit, "200", "/queue_position", json!(-1)),
        (Operation::Status, "202", "/queue_position", json!("2")),
        (Operation::Status, "202", "/logs", json!([{"message": "hello"}])),
        (Operation::Status, "200", "/status", json!("FAILED")),
        (Operation::Status, "200", "/metrics/inference_time", json!("3.42")),
        (Operation::Result, "422", "/detail/0/ctx", json!({})),
        (Operation::Result, "422", "/detail/0/url", json!("see the docs")),
        (Operation::Result, "504", "/detail/0/type", json!("missing")),
        (Operation::Cancel, "400", "/status", json!("NOT_FOUND")),
    ];
    refused_with(rows);
}

#[test]
fn a_wrong_value_in_an_answer_about_models_or_past_jobs_is_named_with_its_place() {
    let rows = [
        (Operation::ListModels, "200", "/models/0/endpoint_id", json!("flux")),
        (Operation::ListModels, "200", "/models/0/metadata/status", json!("retired")),
        (Operation::ListModels, "200", "/models/0/metadata/date", json!("yesterday")),
        (Operation::ListModels, "200", "/next_cursor", json!(2)),
        (Operation::ListModels, "404", "/error/type", json!("rate_limited")),
        (Operation::ListRequests, "200", "/items/0/request_id", json!("17")),
        (Operation::ListRequests, "200", "/items/0/duration", json!("3 s")),
        (Operation::ListRequests, "200", "/items/0/status_code", json!(0)),
        (Operation::ModelDocument, "200", "/openapi", json!("2.0")),
        (Operation::ModelDocument, "200", "/components/schemas", json!({})),
        (Operation::GetPricing, "200", "/prices/0/unit_price", json!(-0.1)),
        (Operation::GetPricing, "200", "/prices/0/currency", json!("dollars")),
        (Operation::EstimatePricing, "200", "/total_cost", json!("1.25")),
        (Operation::EstimatePricing, "200", "/estimate_type", json!("guess")),
    ];
    refused_with(rows);
}

fn refused_with<const N: usize>(rows: [(Operation, &str, &str, Value); N]) {
    for (which, status, pointer, value) in rows {
        let answer = json_example(which, status).edit(pointer, Some(value));
        let start = format!("{} {status}: body {pointer}", which.id());
        refused(which, &answer, &start);
    }
}

#[test]
fn a_property_that_fal_does_not_have_is_refused() {
    let rows = [
        (Operation::Submit, "200", "/eta"),
        (Operation::Status, "200", "/queue_position"),
        (Operation::Status, "404", "/detail"),
        (Operation::Result, "401", "/error_type"),
        (Operation::Cancel, "202", "/request_id"),
        (Operation::ListModels, "200", "/total"),
        (Operation::ListModels, "200", "/models/0/metadata/price"),
        (Operation::ListModels, "500", "/error/code"),
        (Operation::ListRequests, "200", "/items/0/status"),
        (Operation::GetPricing, "200", "/prices/0/discount"),
        (Operation::EstimatePricing, "200", "/endpoints"),
        (Operation::InitiateUpload, "200", "/expires_at"),
    ];
    for (which, status, pointer) in rows {
        let answer = json_example(which, status).edit(pointer, Some(json!("new")));
        let start = format!("{} {status}: body", which.id());
        refused(which, &answer, &start);
    }
}

#[test]
fn the_state_of_a_job_and_the_http_status_belong_together() {
    let done = json_example(Operation::Status, "200");
    let mut early = done.clone();
    early.status = 202;
    refused(Operation::Status, &early, "getJobStatus 202: body");
    let mut late = json_example(Operation::Status, "202");
    late.status = 200;
    refused(Operation::Status, &late, "getJobStatus 200: body");

    let failed = done
        .clone()
        .edit("/error", Some(json!("Request timed out")))
        .edit("/error_type", Some(json!("request_timeout")));
    assert_eq!(check(Operation::Status, &failed), Ok(()));
    let untyped = done.edit("/error", Some(json!("Request timed out")));
    refused(Operation::Status, &untyped, "getJobStatus 200: body: ");
}

#[test]
fn the_error_type_stands_in_the_body_and_in_the_header() {
    let cancelled = json_example(Operation::Result, "499");
    let rows = [
        (cancelled.clone().without("x-fal-error-type"), "is not `client_cancelled`"),
        (cancelled.clone().with("x-fal-error-type", "internal_error"), "is not `client_cancelled`"),
        (
            json_example(Operation::Result, "503").with("x-fal-error-type", "internal_error"),
            "has no counterpart in the body",
        ),
    ];
    for (answer, expected) in rows {
        let found = check(Operation::Result, &answer).unwrap_err().join("\n");
        assert!(found.contains(expected), "{found}");
    }
    let elsewhere = cancelled
        .edit("/error_type", Some(json!("startup_timeout")))
        .with("x-fal-error-type", "startup_timeout");
    refused(Operation::Result, &elsewhere, "getJobResult 499: body /error_type: ");
}

#[test]
fn billable_units_come_with_the_output_and_never_before() {
    let output = json_example(Operation::Result, "200");
    for units in ["0", "1", "2.5"] {
        let answer = output.clone().with("x-fal-billable-units", units);
        assert_eq!(check(Operation::Result, &answer), Ok(()));
    }
    let wrong = output.with("x-fal-billable-units", "one");
    refused(Operation::Result, &wrong, "getJobResult 200: header X-Fal-Billable-Units: ");
    for (which, status) in [(Operation::Submit, "200"), (Operation::Status, "200")] {
        let answer = json_example(which, status).with("x-fal-billable-units", "1");
        let start = format!("{} 200: header x-fal-billable-units is not described", which.id());
        refused(which, &answer, &start);
    }
}

#[test]
fn an_answer_of_the_service_carries_a_request_id_and_one_of_the_load_balancer_does_not() {
    for which in [Operation::Submit, Operation::Status, Operation::Result, Operation::Cancel] {
        let id = which.id();
        let bare = json_example(which, "503").without("x-fal-request-id");
        refused(which, &bare, &format!("{id} 503: header x-fal-request-id is missing"));
        let page = example(which, "503", "text/html");
        assert_eq!(check(which, &page), Ok(()));
        refused(
            which,
            &page.clone().with("x-fal-request-id", ID),
            &format!(
                "{id} 503: header x-fal-request-id belongs to answers of type application/json only"
            ),
        );
        refused(which, &page.body("<html></html>"), &format!("{id} 503: body: "));
    }
}

#[test]
fn a_retry_after_is_seconds_or_a_date() {
    let limited = json_example(Operation::ListModels, "429");
    for value in ["7", "Fri, 20 Nov 2026 16:55:00 GMT"] {
        let answer = limited.clone().with("retry-after", value);
        assert_eq!(check(Operation::ListModels, &answer), Ok(()));
    }
    let wrong = limited.with("retry-after", "soon");
    refused(Operation::ListModels, &wrong, "listModels 429: header Retry-After: ");
}

#[test]
fn the_app_may_answer_with_a_status_of_its_own() {
    let mut answer = json_example(Operation::Result, "4XX");
    answer.status = 451;
    assert_eq!(check(Operation::Result, &answer), Ok(()));
    let wrong = answer.body(r#"{"message":"no"}"#);
    refused(Operation::Result, &wrong, "getJobResult 451: body: ");
}

#[test]
fn every_event_of_a_stream_is_checked() {
    let stream = example(Operation::StatusStream, "200", "text/event-stream");
    let text = stream.body_text();
    let done = text.rfind("data: ").unwrap();
    let (before, last) = text.split_at(done);

    let cut = stream.clone().body(before);
    assert_eq!(check(Operation::StatusStream, &cut), Ok(()));
    let rows = [
        (text.replace("\"IN_PROGRESS\"", "\"RUNNING\""), "event 1 /status: "),
        (format!("{text}{last}"), "event 3 comes after the last one"),
        (format!("{before}data: done\n\n"), "event 2 is not JSON: "),
        (text.trim_end().to_owned(), "body ends within an event"),
    ];
    for (body, expected) in rows {
        let start = format!("streamJobStatus 200: {expected}");
        refused(Operation::StatusStream, &stream.clone().body(&body), &start);
    }
}

#[test]
fn a_search_of_the_documentation_has_one_answer_and_it_is_a_json_rpc_response() {
    let right = example(Operation::SearchDocs, "200", "text/event-stream");
    let event = right.body_text();
    let failed = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Unknown tool"}}"#;
    let passes = right.clone().body(&format!("data: {failed}\n\n"));
    assert_eq!(check(Operation::SearchDocs, &passes), Ok(()));
    let rows = [
        (format!("{event}{event}"), "event 1 comes after the last one"),
        (event.replace("2.0", "1.0"), "event 0 /jsonrpc: "),
        (event.replace("\"text\",", "\"image\","), "event 0 /result/content/0/type: "),
        (event.replace("\"result\"", "\"results\""), "event 0"),
        (event.trim_end().to_owned(), "body ends within an event"),
    ];
    for (body, expected) in rows {
        let start = format!("searchDocs 200: {expected}");
        refused(Operation::SearchDocs, &right.clone().body(&body), &start);
    }
}

#[test]
fn every_mistake_of_a_page_is_reported_at_once() {
    let answer = json_example(Operation::ListModels, "200")
        .edit("/models/0/metadata/tags", Some(json!("fast")))
        .edit("/models/0/metadata/kind", Some(Value::Null))
        .edit("/has_more", Some(json!("yes")));
    let expected = [
        r#"listModels 200: body /has_more: "yes" is not of type "boolean""#,
        r#"listModels 200: body /models/0/metadata/kind: null is not of type "string""#,
        r#"listModels 200: body /models/0/metadata/tags: "fast" is not of type "array""#,
    ];
    let found = check(Operation::ListModels, &answer).unwrap_err();
    for sentence in expected {
        assert!(found.iter().any(|what| what == sentence), "{sentence} {found:#?}");
    }
}
