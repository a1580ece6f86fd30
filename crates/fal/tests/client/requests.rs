//! The caller's own requests.

use fal::{RequestId, RequestItem, RequestStatus, RequestsPage, RequestsQuery};

use crate::{
    answers::{self, REQUEST_ID},
    server::{Fal, endpoint, key, soon},
};

#[tokio::test]
async fn requests_are_listed_with_or_without_an_end() {
    let fal = Fal::answering([answers::requests()]).await;
    let query = RequestsQuery::new(endpoint());
    let page = fal.client().requests_by_endpoint(&key(), &query, soon()).await.unwrap();
    let ended = RequestItem {
        request_id: REQUEST_ID.to_owned(),
        endpoint_id: "fal-ai/flux/dev".to_owned(),
        started_at: "2026-10-01T00:00:05Z".to_owned(),
        sent_at: "2026-10-01T00:00:01Z".to_owned(),
        ended_at: Some("2026-10-01T00:00:08Z".to_owned()),
        status_code: Some(200),
        duration: Some(7.8),
    };
    let running = RequestItem {
        request_id: "019e6d0a-5f2e-7d3a-8f4e-0123456789ab".to_owned(),
        ended_at: None,
        status_code: None,
        duration: None,
        ..ended.clone()
    };
    let expected = RequestsPage { items: vec![ended, running], next_cursor: None, has_more: false };
    assert_eq!(page, expected);
    assert_eq!(
        fal.lines(),
        ["GET /v1/models/requests/by-endpoint?endpoint_id=fal-ai%2Fflux%2Fdev"]
    );
}

#[tokio::test]
async fn every_part_of_a_query_is_sent() {
    let fal = Fal::answering([answers::requests()]).await;
    let query = RequestsQuery {
        status: Some(RequestStatus::UserError),
        request_id: Some(RequestId::parse(REQUEST_ID).unwrap()),
        start: Some("2026-10-01T00:00:00Z".to_owned()),
        limit: Some(100),
        cursor: Some("Mg".to_owned()),
        ..RequestsQuery::new(endpoint())
    };
    fal.client().requests_by_endpoint(&key(), &query, soon()).await.unwrap();
    assert_eq!(
        fal.lines(),
        [format!(
            "GET /v1/models/requests/by-endpoint?endpoint_id=fal-ai%2Fflux%2Fdev\
             &status=user_error&request_id={REQUEST_ID}&start=2026-10-01T00%3A00%3A00Z\
             &limit=100&cursor=Mg"
        )]
    );
}
