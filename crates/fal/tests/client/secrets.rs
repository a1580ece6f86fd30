//! Where a key goes, and where it does not.

use fal::{Error, SubmitOptions};
use futures_util::StreamExt as _;
use openapi_contract::Operation;
use serde_json::json;

use crate::{
    answers::{self, Answer, REQUEST_ID},
    errors::{call, error_of, operations},
    log,
    raw::{Manner, Raw},
    server::{Fal, endpoint, key, soon},
};

const CANARY: &str = "canary";

#[tokio::test]
async fn a_key_is_never_sent_to_an_address_that_an_answer_names() {
    let foreign = Raw::start(Manner::ReadAndClose).await;
    let base = foreign.base("http").to_string();
    let base = base.trim_end_matches('/').to_owned();
    let fal = Fal::scripted(move |request, _| match request.path.as_str() {
        "/queue/fal-ai/flux/dev" => answers::submitted_at(&base),
        path if path.ends_with("/status") => answers::completed(),
        path if path.ends_with("/cancel") => answers::cancellation(202, "CANCELLATION_REQUESTED"),
        path if path.ends_with("/stream") => answers::stream(&[answers::completed()]),
        _ => answers::result(),
    })
    .await;
    let client = fal.client();
    let options = SubmitOptions::default();
    let submitted = client.submit(&key(), &endpoint(), &json!({}), &options, soon()).await.unwrap();
    client.status(&key(), &submitted.job, false, soon()).await.unwrap();
    client.result(&key(), &submitted.job, soon()).await.unwrap();
    client.cancel(&key(), &submitted.job, soon()).await.unwrap();
    let stream = client.status_stream(&key(), &submitted.job, false).await.unwrap();
    assert_eq!(stream.count().await, 1);

    assert_eq!(foreign.connections(), 0);
    let base = format!("/queue/fal-ai/flux/requests/{REQUEST_ID}");
    assert_eq!(
        fal.lines(),
        [
            "POST /queue/fal-ai/flux/dev".to_owned(),
            format!("GET {base}/status?logs=0"),
            format!("GET {base}"),
            format!("PUT {base}/cancel"),
            format!("GET {base}/status/stream?logs=0"),
        ]
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let foreign = Raw::start(Manner::ReadAndClose).await;
    for status in [301, 302, 303, 307, 308] {
        for operation in operations() {
            let elsewhere = Answer::new(operation, status, String::new())
                .with("location", foreign.base("http").as_str());
            let fal = Fal::answering([elsewhere]).await;
            let error = error_of(&fal.client(), operation, soon()).await;
            assert!(matches!(error, Error::Redirected), "{operation:?} {status}: {error:?}");
            assert_eq!(fal.received().len(), 1);
        }
    }
    assert_eq!(foreign.connections(), 0);
}

#[tokio::test]
async fn a_key_is_in_its_header_and_nowhere_else() {
    let fal = Fal::answering([answers::completed()]).await;
    for operation in operations() {
        // What comes of it does not matter here.
        drop(call(&fal.client(), operation, soon()).await);
    }
    let received = fal.received();
    assert!(received.len() >= operations().count());
    for mut request in received {
        request.headers.remove("authorization");
        assert!(!format!("{request:?}").contains(CANARY), "{request:?}");
    }
}

#[tokio::test]
async fn nothing_that_can_be_printed_has_a_key_or_says_where_fal_is() {
    log::keep();
    let raw = Raw::start(Manner::ReadAndClose).await;
    let slammed = Raw::start(Manner::Slam).await;
    let page = Fal::answering([answers::ingress(Operation::Submit, 502)]).await;
    let clients = [raw.client("http"), slammed.client("https"), page.client()];
    for client in &clients {
        assert!(!format!("{client:?}").contains(CANARY));
        for operation in operations() {
            let error = error_of(client, operation, soon()).await;
            let mut printed = format!("{error:?} {error:#?}");
            let mut cause: Option<&dyn std::error::Error> = Some(&error);
            while let Some(error) = cause {
                printed.push_str(&error.to_string());
                cause = error.source();
            }
            assert!(!printed.contains(CANARY), "{printed}");
            let public = error.to_string();
            assert!(!public.contains("127.0.0.1") && !public.contains("http"), "{public}");
        }
    }
    assert!(raw.heard().contains("canary-secret"), "the key was sent, or this shows nothing");
    let logged = log::text();
    assert!(logged.contains("asked fal") && !logged.contains("canary-secret"), "{logged}");
}
