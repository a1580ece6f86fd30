//! Status, result and cancellation of a job.

use fal::{Cancellation, JobResult, LogLine, State, Status, SubmitOptions};
use futures_util::TryStreamExt as _;
use openapi_contract::Operation;
use serde_json::json;

use crate::{
    answers::{self, REQUEST_ID, answer},
    server::{Fal, endpoint, job, key, soon},
};

fn status(state: State) -> Status {
    Status { state, logs: Vec::new(), earlier_logs: 0, inference_seconds: None }
}

fn in_progress() -> Status {
    let line = LogLine {
        message: "step 1".to_owned(),
        timestamp: Some("2026-02-17T10:30:05.789Z".to_owned()),
        level: Some("INFO".to_owned()),
    };
    Status { logs: vec![line], ..status(State::InProgress) }
}

fn completed() -> Status {
    Status { inference_seconds: Some(3.42), ..status(State::Completed) }
}

#[tokio::test]
async fn a_status_is_read_in_each_state() {
    let failed = State::Failed {
        message: "Request timed out".to_owned(),
        error_type: Some("request_timeout".to_owned()),
    };
    let cases = [
        (answers::in_queue(2), status(State::InQueue { position: Some(2) })),
        (answers::in_progress(), in_progress()),
        (answers::completed(), completed()),
        (answers::failed(), status(failed)),
    ];
    for (given, expected) in cases {
        let fal = Fal::answering([given]).await;
        let read = fal.client().status(&key(), &job(), true, soon()).await.unwrap();
        assert_eq!(read, expected);
        let path = format!("GET /queue/fal-ai/flux/requests/{REQUEST_ID}/status?logs=1");
        assert_eq!(fal.lines(), [path]);
    }
}

#[tokio::test]
async fn a_stream_gives_every_status_and_ends() {
    let fal = Fal::answering([answers::stream(&[
        answers::in_queue(1),
        answers::in_progress(),
        answers::completed(),
    ])])
    .await;
    let stream = fal.client().status_stream(&key(), &job(), false).await.unwrap();
    let statuses: Vec<_> = stream.try_collect().await.unwrap();
    let queued = status(State::InQueue { position: Some(1) });
    assert_eq!(statuses, [queued, in_progress(), completed()]);

    let received = fal.received();
    let path = format!("GET /queue/fal-ai/flux/requests/{REQUEST_ID}/status/stream?logs=0");
    assert_eq!(received[0].line(), path);
    assert_eq!(received[0].header("accept"), Some("text/event-stream"));
}

#[tokio::test]
async fn a_result_is_the_models_output_and_what_it_is_billed_for() {
    let cases = [(answers::result(), Some(1.5)), (answers::result_by_compute_seconds(), None)];
    for (given, units) in cases {
        let output = serde_json::from_str(&given.body).unwrap();
        let fal = Fal::answering([given]).await;
        let result = fal.client().result(&key(), &job(), soon()).await.unwrap();
        assert_eq!(result, JobResult { output, billable_units: units });
        assert_eq!(fal.lines(), [format!("GET /queue/fal-ai/flux/requests/{REQUEST_ID}")]);
    }
}

#[tokio::test]
async fn a_cancellation_is_told_in_each_form() {
    let cases = [
        (answers::cancellation(202, "CANCELLATION_REQUESTED"), Cancellation::Requested),
        (answers::cancellation(200, "OK"), Cancellation::Removed),
        (answers::cancellation(400, "ALREADY_COMPLETED"), Cancellation::AlreadyCompleted),
        (answers::status_not_found(Operation::Cancel), Cancellation::NotFound),
        (answer(Operation::Cancel, 200, &json!({"success": true})), Cancellation::Requested),
    ];
    for (given, expected) in cases {
        let fal = Fal::answering([given]).await;
        let cancelled = fal.client().cancel(&key(), &job(), soon()).await.unwrap();
        assert_eq!(cancelled, expected);
        assert_eq!(fal.lines(), [format!("PUT /queue/fal-ai/flux/requests/{REQUEST_ID}/cancel")]);
    }
}

#[tokio::test]
async fn a_jobs_addresses_are_those_that_fal_gave() {
    let fal = Fal::scripted(|request, _| {
        let host = request.header("host").unwrap();
        match request.path.as_str() {
            "/queue/fal-ai/flux/dev" => answers::submitted_at(&format!("http://{host}/queue/v2")),
            path if path.ends_with("/status") => answers::completed(),
            path if path.ends_with("/cancel") => {
                answers::cancellation(202, "CANCELLATION_REQUESTED")
            }
            _ => answers::result(),
        }
    })
    .await;
    let client = fal.client();
    let options = SubmitOptions::default();
    let submitted = client.submit(&key(), &endpoint(), &json!({}), &options, soon()).await.unwrap();
    client.status(&key(), &submitted.job, false, soon()).await.unwrap();
    client.result(&key(), &submitted.job, soon()).await.unwrap();
    client.cancel(&key(), &submitted.job, soon()).await.unwrap();

    let base = format!("/queue/v2/fal-ai/flux/requests/{REQUEST_ID}");
    assert_eq!(
        fal.lines(),
        [
            "POST /queue/fal-ai/flux/dev".to_owned(),
            format!("GET {base}/status?logs=0"),
            format!("GET {base}"),
            format!("PUT {base}/cancel"),
        ]
    );
}
