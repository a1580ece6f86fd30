//! Promises over the whole table.

use super::*;

fn handle() -> Handle {
    Handle {
        endpoint_id: fal::EndpointId::parse("fal-ai/flux/dev").unwrap(),
        request_id: fal::RequestId::parse("764cabcf-b745-4b3e-ae38-1200304cf45b").unwrap(),
    }
}

fn text(error: &ToolError) -> Value {
    let result = error.to_result();
    assert!(result.is_error && result.structured_content.is_none());
    let [mcp::Content::Text { text }] = result.content.as_slice() else {
        panic!("an error is one text block")
    };
    serde_json::from_str(text).unwrap()
}

#[test]
fn an_unknown_submit_outcome_says_to_look_before_submitting_again() {
    let error = ToolError::Fal {
        error: Arc::new(fal::Error::SubmitOutcomeUnknown { source: "cut".into() }),
        during: During::Submit(handle().endpoint_id),
    };
    let body = text(&error);
    assert_eq!(body["error"], "submit_outcome_unknown");
    let next_step = body["next_step"].as_str().unwrap();
    assert!(next_step.contains("Do not submit again"), "{next_step}");
    assert!(
        next_step.contains("list_jobs") && next_step.contains("fal-ai/flux/dev"),
        "{next_step}"
    );
}

#[test]
fn every_failure_about_a_job_names_the_job() {
    let error = ToolError::Fal {
        error: Arc::new(fal::Error::Server { status: 500 }),
        during: During::Job(handle()),
    };
    let body = text(&error);
    assert_eq!(body["request_id"], "764cabcf-b745-4b3e-ae38-1200304cf45b");
    assert_eq!(body["endpoint_id"], "fal-ai/flux/dev");
}

#[test]
fn a_task_ends_with_its_job_and_with_nothing_else() {
    let of = |error| {
        ToolError::Fal { error: Arc::new(error), during: During::Job(handle()) }.ends_task()
    };
    let refused = fal::Error::ModelRefused { status: 422, details: Vec::new(), retryable: None };
    assert_eq!(of(refused), TaskEnd::Outcome);
    assert_eq!(of(fal::Error::Cancelled), TaskEnd::Cancelled);
    for unknown in [fal::Error::RequestNotFound, fal::Error::Forbidden] {
        assert_eq!(of(unknown), TaskEnd::NoTask);
    }
    for passing in [
        fal::Error::RateLimited { retry_after: None },
        fal::Error::AccountLocked { reason: "TOP_UP".to_owned() },
        fal::Error::KeyRejected,
        fal::Error::TimedOut { source: None },
    ] {
        assert_eq!(of(passing), TaskEnd::None);
    }
}

#[test]
fn a_private_cause_never_shows() {
    let error = ToolError::Fal {
        error: Arc::new(fal::Error::NotConnected { source: "secret-host.internal refused".into() }),
        during: During::Search,
    };
    assert!(!text(&error).to_string().contains("secret-host"));
}

#[test]
fn codes_of_our_own_lie_outside_the_range_that_json_rpc_reserves() {
    for failure in [
        Failure::Key(KeyProblem::Missing),
        Failure::MethodNotAllowed,
        Failure::HeadTooLarge { bytes: 1, headers: 1 },
        Failure::BodyTooLarge { limit: 1 },
        Failure::BodyTooManyValues { limit: 1 },
        Failure::BodyTooSlow,
        Failure::BodyBroken,
        Failure::Overloaded,
        Failure::HostNotAllowed { host: "h".to_owned() },
        Failure::OriginNotAllowed { origin: "o".to_owned() },
    ] {
        let body: Value = serde_json::from_slice(&failure.body()).unwrap();
        let code = body["error"]["code"].as_i64().unwrap();
        assert!(!(-32768..=-32000).contains(&code), "{failure:?}");
        assert_eq!(code, i64::from(failure.http_status()));
        assert!(body.get("id").is_none());
    }
}
