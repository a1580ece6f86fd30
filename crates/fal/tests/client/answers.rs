//! What fal answers, as functions, so that `contract.rs` can check all of it.
#![expect(clippy::unwrap_used, reason = "constants")]

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use openapi_contract::Operation;
use serde_json::{Value, json};

/// The id of every job.
pub(crate) const REQUEST_ID: &str = "764cabcf-b745-4b3e-ae38-1200304cf45b";

/// An answer to one operation.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) operation: Operation,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// Whether the body never ends.
    pub(crate) stays_open: bool,
}

impl Answer {
    pub(crate) fn new(operation: Operation, status: u16, body: String) -> Self {
        Self {
            operation,
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body,
            stays_open: false,
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).unwrap();
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    pub(crate) fn staying_open(mut self) -> Self {
        self.stays_open = true;
        self
    }
}

/// A JSON answer of fal proper, which has a request id.
pub(crate) fn answer(operation: Operation, status: u16, body: &Value) -> Answer {
    let answer =
        Answer::new(operation, status, body.to_string()).with("content-type", "application/json");
    match operation {
        Operation::ListModels
        | Operation::ListRequests
        | Operation::ModelDocument
        | Operation::GetPricing
        | Operation::EstimatePricing
        | Operation::SearchDocs => answer,
        _ => answer.with("x-fal-request-id", REQUEST_ID),
    }
}

/// A page of the proxy in front of fal.
pub(crate) fn ingress(operation: Operation, status: u16) -> Answer {
    let page = format!("<html><head><title>{status}</title></head><center>nginx</center></html>");
    Answer::new(operation, status, page).with("content-type", "text/html")
}

fn job_urls() -> Value {
    let base = format!("https://queue.fal.run/fal-ai/flux/requests/{REQUEST_ID}");
    json!({
        "request_id": REQUEST_ID,
        "response_url": base,
        "status_url": format!("{base}/status"),
        "cancel_url": format!("{base}/cancel"),
    })
}

fn merged(mut left: Value, right: &Value) -> Value {
    let more = right.as_object().unwrap().clone();
    left.as_object_mut().unwrap().extend(more);
    left
}

pub(crate) fn submitted() -> Answer {
    let body = json!({"status": "IN_QUEUE", "queue_position": 0});
    answer(Operation::Submit, 200, &merged(job_urls(), &body))
}

/// A submit whose answer has these URLs, each with the job's path behind it.
pub(crate) fn submitted_at(base: &str) -> Answer {
    let mut submitted = submitted();
    submitted.body = submitted.body.replace("https://queue.fal.run", base);
    submitted
}

fn status(code: u16, body: &Value) -> Answer {
    answer(Operation::Status, code, &merged(job_urls(), body))
}

pub(crate) fn in_queue(position: u64) -> Answer {
    let body =
        json!({"status": "IN_QUEUE", "queue_position": position, "logs": null, "metrics": {}});
    status(202, &body)
}

pub(crate) fn in_progress() -> Answer {
    let line = json!({"message": "step 1", "timestamp": "2026-02-17T10:30:05.789Z",
                      "level": "INFO", "source": "USER"});
    status(202, &json!({"status": "IN_PROGRESS", "logs": [line], "metrics": {}}))
}

pub(crate) fn completed() -> Answer {
    let body = json!({"status": "COMPLETED", "logs": null, "metrics": {"inference_time": 3.42}});
    status(200, &body)
}

pub(crate) fn failed() -> Answer {
    let body = json!({"status": "COMPLETED", "logs": null, "metrics": {},
                      "error": "Request timed out", "error_type": "request_timeout"});
    status(200, &body)
}

pub(crate) fn status_not_found(operation: Operation) -> Answer {
    answer(operation, 404, &json!({"status": "NOT_FOUND"}))
}

/// The stream of these statuses.
pub(crate) fn stream(statuses: &[Answer]) -> Answer {
    let events: Vec<_> =
        statuses.iter().map(|status| format!("data: {}\n\n", status.body)).collect();
    Answer::new(Operation::StatusStream, 200, format!(": ping\n\n{}", events.concat()))
        .with("content-type", "text/event-stream")
        .with("x-fal-request-id", REQUEST_ID)
}

pub(crate) fn result() -> Answer {
    let image = json!({"url": "https://v3b.fal.media/files/b/0aac27e0/a.png", "width": 512});
    answer(Operation::Result, 200, &json!({"images": [image], "seed": 7}))
        .with("x-fal-billable-units", "1.5")
}

pub(crate) fn result_by_compute_seconds() -> Answer {
    answer(Operation::Result, 200, &json!({"text": "hello"}))
}

pub(crate) fn still_in_progress() -> Answer {
    answer(Operation::Result, 400, &json!({"detail": "Request is still in progress"}))
}

pub(crate) fn cancellation(code: u16, word: &str) -> Answer {
    answer(Operation::Cancel, code, &json!({"status": word}))
}

pub(crate) fn model(id: &str) -> Value {
    json!({
        "endpoint_id": id,
        "metadata": {
            "display_name": "FLUX.1 [dev]", "category": "text-to-image",
            "description": "Twelve billion parameters.", "status": "active", "tags": ["pro"],
            "updated_at": "2026-04-10T23:20:08.671Z", "is_favorited": null,
            "thumbnail_url": "https://v3b.fal.media/files/b/0a900b75/a.jpg",
            "model_url": format!("https://fal.run/{id}"), "license_type": "commercial",
            "date": "2026-02-26T16:20:09.685Z", "highlighted": false, "pinned": false,
            "group": {"key": "flux", "label": "Text to Image"}, "kind": "inference",
            "training_endpoint_ids": ["fal-ai/flux-lora-fast-training"], "duration_estimate": 2,
            "stream_url": format!("https://fal.run/{id}/stream"),
        },
    })
}

pub(crate) fn models(ids: &[&str]) -> Answer {
    let models: Vec<_> = ids.iter().map(|id| model(id)).collect();
    let body = json!({"models": models, "next_cursor": "Mg", "has_more": true});
    answer(Operation::ListModels, 200, &body)
}

/// A find answer whose one model was expanded to this.
pub(crate) fn expanded(id: &str, openapi: &Value) -> Answer {
    let model = merged(model(id), &json!({"openapi": openapi}));
    let body = json!({"models": [model], "next_cursor": null, "has_more": false});
    answer(Operation::ListModels, 200, &body)
}

pub(crate) fn expansion_failed() -> Value {
    json!({"error": {"code": "expansion_failed", "message": "Failed to expand"}})
}

pub(crate) fn openapi(id: &str) -> Value {
    json!({
        "openapi": "3.0.4",
        "info": {"title": format!("Queue OpenAPI for {id}"), "version": "1.0.0",
                 "description": "The schema.",
                 "x-fal-metadata": {"endpointId": id, "category": "text-to-image",
                     "thumbnailUrl": "https://v3b.fal.media/a.jpg",
                     "playgroundUrl": format!("https://fal.ai/models/{id}"),
                     "documentationUrl": format!("https://fal.ai/models/{id}/api")}},
        "components": {"securitySchemes": {"apiKeyAuth": {"type": "apiKey", "in": "header",
            "name": "Authorization", "description": "Fal Key"}}, "schemas": {"Input": {"type": "object"}}},
        "servers": [{"url": "https://queue.fal.run"}],
        "paths": {format!("/{id}"): {}},
        "security": [{"apiKeyAuth": []}],
    })
}

pub(crate) fn document(id: &str) -> Answer {
    answer(Operation::ModelDocument, 200, &openapi(id))
}

pub(crate) fn no_document() -> Answer {
    answer(Operation::ModelDocument, 404, &Value::Null)
}

pub(crate) fn requests() -> Answer {
    let item = json!({"request_id": REQUEST_ID, "endpoint_id": "fal-ai/flux/dev",
        "started_at": "2026-10-01T00:00:05Z", "sent_at": "2026-10-01T00:00:01Z",
        "ended_at": "2026-10-01T00:00:08Z", "status_code": 200, "duration": 7.8});
    let running = json!({"request_id": "019e6d0a-5f2e-7d3a-8f4e-0123456789ab",
        "endpoint_id": "fal-ai/flux/dev", "started_at": "2026-10-01T00:00:05Z",
        "sent_at": "2026-10-01T00:00:01Z"});
    let body = json!({"items": [item, running], "next_cursor": null, "has_more": false});
    answer(Operation::ListRequests, 200, &body)
}

pub(crate) fn price(id: &str) -> Value {
    json!({"endpoint_id": id, "unit_price": 0.025, "unit": "megapixels", "currency": "USD"})
}

pub(crate) fn prices(ids: &[&str]) -> Answer {
    let prices: Vec<_> = ids.iter().map(|id| price(id)).collect();
    let body = json!({"prices": prices, "next_cursor": null, "has_more": false});
    answer(Operation::GetPricing, 200, &body)
}

pub(crate) fn estimate(estimate_type: &str, total_cost: f64) -> Answer {
    let body = json!({"estimate_type": estimate_type, "total_cost": total_cost, "currency": "USD"});
    answer(Operation::EstimatePricing, 200, &body)
}

/// What the documentation says about one place.
pub(crate) fn docs_text(title: &str, link: &str, content: &str) -> String {
    format!("Title: {title}\nLink: {link}\nContent: {content}")
}

/// The result of a search, with these texts.
pub(crate) fn docs(texts: &[String]) -> Answer {
    docs_message(&json!({"result": {"content": docs_content(texts)}}))
}

pub(crate) fn docs_content(texts: &[String]) -> Value {
    texts.iter().map(|text| json!({"type": "text", "text": text})).collect()
}

/// A JSON-RPC response with this `result` or `error`, in the one event of a stream.
pub(crate) fn docs_message(outcome: &Value) -> Answer {
    let message = merged(json!({"jsonrpc": "2.0", "id": 1}), outcome);
    let event = format!("event: message\ndata: {message}\n\n");
    Answer::new(Operation::SearchDocs, 200, event).with("content-type", "text/event-stream")
}

pub(crate) fn docs_failed(message: &str) -> Answer {
    let content = docs_content(&[message.to_owned()]);
    docs_message(&json!({"result": {"content": content, "isError": true}}))
}

/// A refusal of the documentation's endpoint before the tool is reached.
pub(crate) fn docs_refused(status: u16, code: i32, message: &str) -> Answer {
    let body = json!({"jsonrpc": "2.0", "id": null, "error": {"code": code, "message": message}});
    answer(Operation::SearchDocs, status, &body)
}

/// An announced file on a CDN with this base.
pub(crate) fn announced(base: &str) -> Answer {
    let file_url = format!("{base}/files/b/0aac27e0/a.png");
    let upload_url = format!("{file_url}?expires=900&signature=capability");
    let body = json!({"upload_url": upload_url, "file_url": file_url});
    answer(Operation::InitiateUpload, 200, &body)
}

/// A file that is there.
pub(crate) fn uploaded() -> Answer {
    Answer::new(Operation::UploadFile, 200, String::new())
}

/// A part that is there.
pub(crate) fn uploaded_part(number: u32) -> Answer {
    let body = json!({"partNumber": number, "etag": format!("\"{number}\"")});
    let mut answer = answer(Operation::UploadPart, 200, &body);
    answer.headers.remove("x-fal-request-id");
    answer
}

/// `{"detail": text}`.
pub(crate) fn detail(operation: Operation, status: u16, text: &str) -> Answer {
    answer(operation, status, &json!({"detail": text}))
}

/// A request-level error.
pub(crate) fn request_error(operation: Operation, status: u16, error_type: &str) -> Answer {
    answer(operation, status, &json!({"detail": "It went wrong", "error_type": error_type}))
        .with("x-fal-error-type", error_type)
}

/// An error of the Platform API.
pub(crate) fn platform(operation: Operation, status: u16, kind: &str, message: &str) -> Answer {
    answer(operation, status, &json!({"error": {"type": kind, "message": message}}))
}

pub(crate) fn model_error() -> Answer {
    let entry = json!({"loc": ["body", "image_url"], "msg": "Image too large",
        "type": "image_too_large", "url": "https://docs.fal.ai/errors/#image_too_large",
        "ctx": {"max_width": 4096, "max_height": 4096}, "input": "https://example.com/a.png"});
    answer(Operation::Result, 422, &json!({"detail": [entry]}))
        .with("x-fal-retryable", "false")
        .with("x-fal-billable-units", "0")
}

pub(crate) fn rate_limited(operation: Operation, retry_after: &str) -> Answer {
    let answer = match operation {
        Operation::ListModels
        | Operation::ListRequests
        | Operation::GetPricing
        | Operation::EstimatePricing => {
            platform(operation, 429, "rate_limited", "Rate limit exceeded")
        }
        _ => detail(operation, 429, "Too many requests"),
    };
    answer.with("retry-after", retry_after)
}

/// Every answer that is not a refusal.
pub(crate) fn successes() -> Vec<Answer> {
    vec![
        submitted(),
        in_queue(2),
        in_progress(),
        completed(),
        failed(),
        stream(&[in_queue(1), in_progress(), completed()]),
        result(),
        result_by_compute_seconds(),
        cancellation(202, "CANCELLATION_REQUESTED"),
        cancellation(200, "OK"),
        cancellation(400, "ALREADY_COMPLETED"),
        models(&["fal-ai/flux/dev", "fal-ai/flux/schnell"]),
        expanded("fal-ai/flux/dev", &openapi("fal-ai/flux/dev")),
        expanded("fal-ai/flux/dev", &expansion_failed()),
        document("fal-ai/flux/dev"),
        no_document(),
        requests(),
        prices(&["fal-ai/flux/dev", "fal-ai/flux/schnell"]),
        estimate("historical_api_price", 3.75),
        estimate("unit_price", 0.0),
        docs(&[]),
        announced("https://v3b.fal.media"),
        uploaded(),
        uploaded_part(1),
        docs(&[docs_text("Queue", "https://fal.ai/docs/queue", "Submit a request.")]),
    ]
}
