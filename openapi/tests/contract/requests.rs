//! Requests: what the gateway may send passes, and what fal would ignore or refuse does not.

use http::HeaderMap;
use openapi_contract::Operation;

use crate::support::{CONTRACT, set};

type Header = (&'static str, &'static str);

const KEY: Header = ("authorization", "Key 6f2b:0c1d");
const JSON: Header = ("content-type", "application/json");
const ACCEPT: Header = ("accept", "application/json, text/event-stream");

/// A search of the documentation.
const SEARCH: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call",
    "params":{"name":"search_fal","arguments":{"query":"webhooks"}}}"#;

/// What an announcement of a file consists of, and the query of a signed URL.
const STORAGE: &str = "storage_type=fal-cdn-v3";
const LIFECYCLE: Header = ("x-fal-object-lifecycle", r#"{"expiration_duration_seconds":3600}"#);
const NEW_FILE: &str = r#"{"content_type":"image/png","file_name":"a.png"}"#;
const SIGNED: &str = "expires=900&signature=abc";

fn check(which: Operation, query: &str, headers: &[Header], body: &str) -> Result<(), Vec<String>> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        set(&mut map, name, value);
    }
    CONTRACT.check_request(which, query, &map, body.as_bytes())
}

fn refused(which: Operation, query: &str, headers: &[Header], body: &str, start: &str) {
    let start = format!("{} request: {start}", which.id());
    match check(which, query, headers, body) {
        Err(found) if found.iter().any(|what| what.starts_with(&start)) => {}
        other => panic!("{start:?} is not in {other:#?}"),
    }
}

#[test]
fn what_the_gateway_may_send_passes() {
    let lifecycle = r#"{"expiration_duration_seconds":3600,"initial_acl":{"default":"forbid","rules":[{"user":"x","decision":"allow"}]}}"#;
    let submit = [
        KEY,
        JSON,
        ("x-fal-queue-priority", "low"),
        ("x-fal-request-start-timeout", "1.5"),
        ("x-fal-store-io", "0"),
        ("x-fal-no-retry", "1"),
        ("x-app-fal-disable-fallback", "true"),
        ("x-fal-object-lifecycle-preference", lifecycle),
    ];
    let history = "endpoint_id=fal-ai%2Fflux%2Fdev,fal-ai/wan&status=error&limit=100\
                   &start=2026-02-17&end=2026-02-18T00:00:00Z&expand=payloads&sort_by=duration";
    let rows: [(Operation, &str, &[Header], &str); 18] = [
        (
            Operation::Submit,
            "fal_webhook=https%3A%2F%2Fexample.com%2Fhook%3Fa%3Db&fal_max_queue_length=10",
            &submit,
            r#"{"prompt":"a cat"}"#,
        ),
        (Operation::Status, "logs=1", &[KEY], ""),
        (Operation::Status, "?logs=true", &[KEY], ""),
        (Operation::StatusStream, "logs=0", &[KEY], ""),
        (Operation::Result, "", &[KEY], ""),
        (Operation::Cancel, "", &[KEY], ""),
        (
            Operation::ListModels,
            "q=talking+head&limit=5&endpoint_id=fal-ai/flux/dev&endpoint_id=fal-ai/wan\
             &expand=openapi-3.0&expand=enterprise_status",
            &[],
            "",
        ),
        (Operation::ListRequests, history, &[KEY], ""),
        (Operation::ModelDocument, "endpoint_id=fal-ai%2Fflux%2Fdev", &[], ""),
        (Operation::GetPricing, "endpoint_id=fal-ai/flux/dev&endpoint_id=fal-ai/wan", &[KEY], ""),
        (
            Operation::EstimatePricing,
            "",
            &[KEY, JSON],
            r#"{"estimate_type":"historical_api_price",
                "endpoints":{"fal-ai/flux/dev":{"call_quantity":100},"fal-ai/wan":{"call_quantity":1}}}"#,
        ),
        (
            Operation::EstimatePricing,
            "",
            &[KEY, JSON],
            r#"{"estimate_type":"unit_price","endpoints":{"fal-ai/flux/dev":{"unit_quantity":0.5}}}"#,
        ),
        (Operation::SearchDocs, "", &[ACCEPT, JSON], SEARCH),
        (Operation::InitiateUpload, STORAGE, &[KEY, JSON, LIFECYCLE], NEW_FILE),
        (Operation::InitiateMultipartUpload, STORAGE, &[KEY, JSON], NEW_FILE),
        (Operation::UploadFile, SIGNED, &[("content-type", "image/png")], "bytes"),
        (Operation::UploadPart, SIGNED, &[], "bytes"),
        (
            Operation::CompleteUpload,
            SIGNED,
            &[JSON],
            r#"{"parts":[{"partNumber":1,"etag":"\"a\""},{"partNumber":2,"etag":"b"}]}"#,
        ),
    ];
    for (which, query, headers, body) in rows {
        assert_eq!(check(which, query, headers, body), Ok(()), "{which:?}");
    }
}

#[test]
fn a_query_that_fal_would_not_understand_is_refused() {
    let rows = [
        (Operation::Status, "logs=yes", "query logs: "),
        (Operation::Status, "logs=1&logs=1", "query logs occurs 2 times"),
        (Operation::Result, "logs=1", "query logs is not described"),
        (Operation::ListModels, "limit=0", "query limit: "),
        (Operation::ListModels, "limit=many", "query limit: "),
        (Operation::ListModels, "query=cat", "query query is not described"),
        (Operation::ListModels, "endpoint_id=flux", "query endpoint_id /0: "),
        (Operation::ListModels, "expand=openapi", "query expand /0: "),
        (Operation::ListModels, "status=new", "query status: "),
        (Operation::ListRequests, "", "query endpoint_id is missing"),
        (Operation::ListRequests, "limit=101", "query limit: "),
        (Operation::ListRequests, "start=yesterday", "query start: "),
        (Operation::ListRequests, "request_id=17", "query request_id: "),
        (Operation::ModelDocument, "", "query endpoint_id is missing"),
        (Operation::GetPricing, "", "query endpoint_id is missing"),
        (Operation::GetPricing, "endpoint_id=flux", "query endpoint_id /0: "),
        (
            Operation::GetPricing,
            "endpoint_id=fal-ai/flux/dev&limit=5",
            "query limit is not described",
        ),
    ];
    for (which, query, start) in rows {
        refused(which, query, &[KEY], "", start);
    }
    let hook = "fal_webhook=example.com";
    refused(Operation::Submit, hook, &[KEY, JSON], "{}", "query fal_webhook: ");
}

#[test]
fn up_to_fifty_ids_are_asked_for_at_once() {
    let ids = |count: usize| vec!["endpoint_id=fal-ai/flux/dev"; count].join("&");
    for which in [Operation::ListModels, Operation::GetPricing] {
        assert_eq!(check(which, &ids(50), &[KEY], ""), Ok(()));
        refused(which, &ids(51), &[KEY], "", "query endpoint_id: ");
    }
}

#[test]
fn an_option_header_that_is_misspelt_or_out_of_range_is_refused() {
    let rows = [
        ("x-fal-disable-fallbacks", "true", "header x-fal-disable-fallbacks is not described"),
        ("x-app-fal-fallback", "no", "header x-app-fal-fallback is not described"),
        ("x-fal-queue-priority", "high", "header X-Fal-Queue-Priority: "),
        ("x-fal-request-start-timeout", "0.1", "header X-Fal-Request-Start-Timeout: "),
        ("x-fal-request-timeout", "soon", "header X-Fal-Request-Timeout: "),
        ("x-fal-store-io", "false", "header X-Fal-Store-IO: "),
        ("x-fal-object-lifecycle-preference", "3600", "header X-Fal-Object-Lifecycle-Preference: "),
        (
            "x-fal-object-lifecycle-preference",
            "{",
            "header X-Fal-Object-Lifecycle-Preference is not JSON: ",
        ),
    ];
    for (name, value, start) in rows {
        refused(Operation::Submit, "", &[KEY, JSON, (name, value)], "{}", start);
    }
}

#[test]
fn the_key_is_sent_in_fals_form_and_only_where_it_is_taken() {
    let missing = "header authorization is missing";
    let form = "header authorization has not the form `Key <id>:<secret>`";
    for which in [Operation::Status, Operation::Result, Operation::Cancel] {
        refused(which, "", &[], "", missing);
        for wrong in ["Bearer a:b", "Key ab", "Key :b", "key a:b", "a:b"] {
            refused(which, "", &[("authorization", wrong)], "", form);
        }
    }
    refused(Operation::ListModels, "", &[("authorization", "Bearer a:b")], "", form);
    refused(
        Operation::ModelDocument,
        "endpoint_id=fal-ai/flux/dev",
        &[KEY],
        "",
        "header authorization is sent to a public operation",
    );
    refused(
        Operation::SearchDocs,
        "",
        &[KEY, ACCEPT, JSON],
        SEARCH,
        "header authorization is sent to a public operation",
    );
    refused(Operation::GetPricing, "endpoint_id=fal-ai/flux/dev", &[], "", missing);
}

#[test]
fn an_estimate_is_of_one_kind_and_of_something() {
    let rows = [
        r#"{"estimate_type":"unit_price","endpoints":{"fal-ai/flux/dev":{"call_quantity":1}}}"#,
        r#"{"estimate_type":"historical_api_price","endpoints":{"fal-ai/flux/dev":{"call_quantity":0}}}"#,
        r#"{"estimate_type":"historical_api_price","endpoints":{"fal-ai/flux/dev":{"call_quantity":1.5}}}"#,
        r#"{"estimate_type":"unit_price","endpoints":{"fal-ai/flux/dev":{"unit_quantity":null}}}"#,
        r#"{"estimate_type":"unit_price","endpoints":{"flux":{"unit_quantity":1}}}"#,
        r#"{"estimate_type":"unit_price","endpoints":{}}"#,
        r#"{"estimate_type":"guess","endpoints":{"fal-ai/flux/dev":{"unit_quantity":1}}}"#,
    ];
    for body in rows {
        refused(Operation::EstimatePricing, "", &[KEY, JSON], body, "body");
    }
}

#[test]
fn a_search_of_the_documentation_is_the_one_call_and_accepts_both_kinds_of_answer() {
    let rows = [
        (None, "header accept does not name application/json"),
        (Some("application/json"), "header accept does not name text/event-stream"),
        (Some("text/event-stream, */*"), "header accept does not name application/json"),
    ];
    for (accept, start) in rows {
        let headers: Vec<Header> =
            [JSON].into_iter().chain(accept.map(|accept| ("accept", accept))).collect();
        refused(Operation::SearchDocs, "", &headers, SEARCH, start);
    }
    let weighted = ("accept", "Text/Event-Stream;q=0.9,application/json");
    assert_eq!(check(Operation::SearchDocs, "", &[JSON, weighted], SEARCH), Ok(()));
    for (from, to) in [
        ("search_fal", "submit_feedback"),
        ("tools/call", "tools/list"),
        ("\"query\"", "\"q\""),
        ("webhooks", ""),
    ] {
        let body = SEARCH.replace(from, to);
        refused(Operation::SearchDocs, "", &[ACCEPT, JSON], &body, "body /");
    }
}

#[test]
fn an_upload_carries_no_key_and_an_announcement_names_the_kind_of_storage() {
    let leak = "header authorization is sent to a public operation";
    refused(Operation::UploadFile, SIGNED, &[KEY, ("content-type", "image/png")], "x", leak);
    refused(Operation::UploadPart, SIGNED, &[KEY], "x", leak);
    refused(Operation::UploadFile, SIGNED, &[], "x", "header Content-Type is missing");
    refused(Operation::UploadPart, "", &[], "x", "query signature is missing");
    let announce = Operation::InitiateUpload;
    refused(announce, "", &[KEY, JSON], NEW_FILE, "query storage_type is missing");
    refused(announce, "storage_type=gcs", &[KEY, JSON], NEW_FILE, "query storage_type: ");
    refused(announce, STORAGE, &[KEY, JSON], "{}", "body: ");
}

#[test]
fn a_sentence_about_a_key_does_not_repeat_it() {
    let found = check(Operation::Status, "", &[("authorization", "Key canary")], "").unwrap_err();
    assert!(!found.concat().contains("canary"), "{found:?}");
}

#[test]
fn a_body_is_sent_where_it_is_taken_and_is_an_object() {
    refused(Operation::Submit, "", &[KEY, JSON], "[]", "body: ");
    refused(Operation::Submit, "", &[KEY, JSON], "", "body is not JSON: ");
    refused(
        Operation::Submit,
        "",
        &[KEY],
        "{}",
        "header content-type: `` is none of application/json",
    );
    refused(Operation::Cancel, "", &[KEY], "{}", "body: there is one, and none is described");
}
