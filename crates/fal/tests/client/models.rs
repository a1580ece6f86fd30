//! The catalogue and the schemas.

use fal::{
    Error, Found, LicenseType, Model, ModelDocument, ModelGroup, ModelKind, ModelMetadata,
    ModelStatus, ModelsPage, ModelsQuery,
};
use openapi_contract::Operation;

use crate::{
    answers::{self, openapi},
    server::{Fal, KEY, endpoint, id, key, soon},
};

fn model(id: &str) -> Model {
    Model {
        endpoint_id: id.to_owned(),
        metadata: ModelMetadata {
            display_name: "FLUX.1 [dev]".to_owned(),
            category: "text-to-image".to_owned(),
            description: "Twelve billion parameters.".to_owned(),
            status: Some(ModelStatus::Active),
            tags: vec!["pro".to_owned()],
            updated_at: Some("2026-04-10T23:20:08.671Z".to_owned()),
            date: Some("2026-02-26T16:20:09.685Z".to_owned()),
            thumbnail_url: Some("https://v3b.fal.media/files/b/0a900b75/a.jpg".to_owned()),
            thumbnail_animated_url: None,
            model_url: Some(format!("https://fal.run/{id}")),
            stream_url: Some(format!("https://fal.run/{id}/stream")),
            github_url: None,
            license_type: Some(LicenseType::Commercial),
            group: Some(ModelGroup { key: "flux".to_owned(), label: "Text to Image".to_owned() }),
            kind: Some(ModelKind::Inference),
            training_endpoint_ids: vec!["fal-ai/flux-lora-fast-training".to_owned()],
            inference_endpoint_ids: Vec::new(),
            duration_estimate: Some(2.0),
            highlighted: false,
            pinned: false,
        },
    }
}

#[tokio::test]
async fn a_page_is_read_whole() {
    let fal = Fal::answering([answers::models(&["fal-ai/flux/dev"])]).await;
    let page = fal.client().list_models(None, &ModelsQuery::default(), soon()).await.unwrap();
    let expected = ModelsPage {
        models: vec![model("fal-ai/flux/dev")],
        next_cursor: Some("Mg".to_owned()),
        has_more: true,
    };
    assert_eq!(page, expected);
    assert_eq!(fal.lines(), ["GET /v1/models"]);
    assert_eq!(fal.received()[0].header("authorization"), None);
}

#[tokio::test]
async fn every_part_of_a_query_is_sent_and_a_key_goes_along() {
    let fal = Fal::answering([answers::models(&[])]).await;
    let query = ModelsQuery {
        q: Some("fast & cheap".to_owned()),
        category: Some("text-to-image".to_owned()),
        status: Some(ModelStatus::Active),
        limit: Some(20),
        cursor: Some("Mg==".to_owned()),
    };
    fal.client().list_models(Some(&key()), &query, soon()).await.unwrap();
    assert_eq!(
        fal.lines(),
        [
            "GET /v1/models?q=fast+%26+cheap&category=text-to-image&status=active&limit=20&cursor=Mg%3D%3D"
        ]
    );
    let sent = fal.received()[0].header("authorization").map(str::to_owned);
    assert_eq!(sent, Some(format!("Key {KEY}")));
}

#[tokio::test]
async fn models_are_found_in_one_call() {
    let ids = [id("fal-ai/a"), id("fal-ai/b"), id("fal-ai/c")];
    let fal = Fal::answering([answers::models(&["fal-ai/b", "fal-ai/a"])]).await;
    let found = fal.client().find_models(None, &ids, soon()).await.unwrap();
    let expected = Found {
        models: vec![model("fal-ai/b"), model("fal-ai/a")],
        not_found: vec![id("fal-ai/c")],
    };
    assert_eq!(found, expected);
    let line =
        "GET /v1/models?endpoint_id=fal-ai%2Fa&endpoint_id=fal-ai%2Fb&endpoint_id=fal-ai%2Fc";
    assert_eq!(fal.lines(), [line]);
}

#[tokio::test]
async fn a_batch_with_an_unknown_id_is_asked_again_one_by_one() {
    let fal = Fal::scripted(|request, _| match request.query.as_str() {
        "endpoint_id=fal-ai%2Fa" => answers::models(&["fal-ai/a"]),
        "endpoint_id=fal-ai%2Fc" => answers::models(&["fal-ai/c"]),
        _ => answers::platform(Operation::ListModels, 404, "not_found", "Not found"),
    })
    .await;
    let ids = [id("fal-ai/a"), id("fal-ai/b"), id("fal-ai/c")];
    let found = fal.client().find_models(None, &ids, soon()).await.unwrap();
    let expected = Found {
        models: vec![model("fal-ai/a"), model("fal-ai/c")],
        not_found: vec![id("fal-ai/b")],
    };
    assert_eq!(found, expected);
    assert_eq!(fal.received().len(), 4);
}

#[tokio::test]
async fn one_unknown_id_is_asked_for_once() {
    let refusal = answers::platform(Operation::ListModels, 404, "not_found", "Not found");
    let fal = Fal::answering([refusal]).await;
    let found = fal.client().find_models(None, &[endpoint()], soon()).await.unwrap();
    assert_eq!(found, Found { models: Vec::new(), not_found: vec![endpoint()] });
    assert_eq!(fal.received().len(), 1);
}

#[tokio::test]
async fn more_ids_than_fal_takes_are_asked_for_in_batches() {
    let ids: Vec<_> = (0..120).map(|n| id(&format!("fal-ai/m{n}"))).collect();
    let fal = Fal::answering([answers::models(&[])]).await;
    let found = fal.client().find_models(None, &ids, soon()).await.unwrap();
    assert_eq!(found.not_found, ids);
    let sizes: Vec<_> =
        fal.received().iter().map(|request| request.query.matches("endpoint_id").count()).collect();
    assert_eq!(sizes, [50, 50, 20]);
}

#[tokio::test]
async fn a_failure_is_not_mistaken_for_an_unknown_model() {
    let limited = answers::rate_limited(Operation::ListModels, "60");
    let fal = Fal::answering([limited]).await;
    let outcome = fal.client().find_models(None, &[endpoint()], soon()).await;
    assert!(matches!(outcome, Err(Error::RateLimited { .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_schema_is_the_public_one_and_no_key_is_shown_for_it() {
    let fal = Fal::answering([answers::document("fal-ai/flux/dev")]).await;
    let schema = fal.client().schema(Some(&key()), &endpoint(), soon()).await.unwrap();
    assert_eq!(schema, ModelDocument { openapi: openapi("fal-ai/flux/dev"), public: true });
    let line = "GET /web/api/openapi/queue/openapi.json?endpoint_id=fal-ai%2Fflux%2Fdev";
    assert_eq!(fal.lines(), [line]);
    assert_eq!(fal.received()[0].header("authorization"), None);
}

#[tokio::test]
async fn a_model_without_a_public_schema_is_asked_for_in_the_catalogue() {
    let null = answers::answer(Operation::ModelDocument, 200, &serde_json::Value::Null);
    for none in [answers::no_document(), null] {
        for key in [Some(key()), None] {
            let expanded = answers::expanded("fal-ai/flux/dev", &openapi("fal-ai/flux/dev"));
            let fal = Fal::answering([none.clone(), expanded]).await;
            let schema = fal.client().schema(key.as_ref(), &endpoint(), soon()).await.unwrap();
            let expected =
                ModelDocument { openapi: openapi("fal-ai/flux/dev"), public: key.is_none() };
            assert_eq!(schema, expected);

            let received = fal.received();
            assert_eq!(received.len(), 2);
            assert_eq!(
                received[1].line(),
                "GET /v1/models?endpoint_id=fal-ai%2Fflux%2Fdev&expand=openapi-3.0"
            );
            assert_eq!(received[0].header("authorization"), None);
            assert_eq!(received[1].header("authorization").is_some(), key.is_some());
        }
    }
}

#[tokio::test]
async fn a_schema_that_is_nowhere_says_why() {
    let failed = answers::expansion_failed();
    let cases = [
        (answers::expanded("fal-ai/flux/dev", &failed), "schema_unavailable"),
        (answers::expanded("fal-ai/flux/dev", &serde_json::Value::Null), "schema_unavailable"),
        (answers::models(&["fal-ai/flux/dev"]), "schema_unavailable"),
        (answers::models(&[]), "model_not_found"),
        (answers::platform(Operation::ListModels, 404, "not_found", "No"), "model_not_found"),
    ];
    for (catalogue, kind) in cases {
        let fal = Fal::answering([answers::no_document(), catalogue]).await;
        let error = fal.client().schema(None, &endpoint(), soon()).await.unwrap_err();
        assert_eq!(error.kind(), kind);
    }
}

#[tokio::test]
async fn a_real_page_is_read_without_loss() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/fal/models.page1.2026-04-18.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        #[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
        {
            eprintln!("SKIPPED: there is no recorded page of the catalogue on this machine");
        }
        return;
    };
    let page: serde_json::Value = serde_json::from_str(&text).unwrap();
    let fal = Fal::answering([answers::answer(Operation::ListModels, 200, &page)]).await;
    let read = fal.client().list_models(None, &ModelsQuery::default(), soon()).await.unwrap();

    assert_eq!((read.models.len(), read.next_cursor.as_deref()), (100, Some("Mg")));
    let count = |has: fn(&ModelMetadata) -> bool| {
        read.models.iter().filter(|model| has(&model.metadata)).count()
    };
    assert_eq!(count(|metadata| metadata.status.is_some()), 100);
    assert_eq!(count(|metadata| metadata.license_type.is_some()), 97);
    assert_eq!(count(|metadata| metadata.kind.is_some()), 96);
    assert_eq!(count(|metadata| metadata.group.is_some()), 87);
    assert_eq!(count(|metadata| metadata.stream_url.is_some()), 8);
    assert_eq!(count(|metadata| metadata.duration_estimate.is_some()), 4);
    assert_eq!(count(|metadata| !metadata.training_endpoint_ids.is_empty()), 3);
    assert_eq!(count(|metadata| metadata.display_name.is_empty()), 0);
}
