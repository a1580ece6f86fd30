//! The official Rust client lists, calls and fails as it should, in both eras.

use fal_sim::DEMO_KEY;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams, ClientConfig,
    GetTaskParams, ProtocolVersion, TASKS_EXTENSION_ID, TaskPayload, TaskStatus, UpdateTaskParams,
};
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, ClientServiceExt as _, RoleClient, ServiceError};
use serde_json::{Value, json};
use tests::{Rig, eventually, http_client, real_time};

type Client = RunningService<RoleClient, ClientConfig>;

async fn connect(rig: &Rig, key: &str, lifecycle: ClientLifecycleMode) -> Client {
    connect_as(ClientConfig::default(), rig, key, lifecycle).await
}

async fn connect_as(
    client: ClientConfig,
    rig: &Rig,
    key: &str,
    lifecycle: ClientLifecycleMode,
) -> Client {
    let config = StreamableHttpClientTransportConfig::with_uri(rig.gateway.endpoint_url());
    let config = config.auth_header(key);
    let transport = StreamableHttpClientTransport::with_client(http_client(), config);
    client.serve_with_lifecycle(transport, lifecycle).await.unwrap()
}

fn modern() -> ClientLifecycleMode {
    ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
}

async fn call(
    client: &Client,
    name: &'static str,
    arguments: Value,
) -> Result<CallToolResult, ServiceError> {
    let arguments = arguments.as_object().unwrap().clone();
    client.call_tool(CallToolRequestParams::new(name).with_arguments(arguments)).await
}

fn text(result: &CallToolResult) -> Value {
    let result = serde_json::to_value(result).unwrap();
    serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn the_rust_client_lists_calls_and_reads_errors_in_both_eras() {
    for lifecycle in [modern(), ClientLifecycleMode::Initialize] {
        let rig = Rig::start().await;
        let client = connect(&rig, DEMO_KEY, lifecycle).await;
        let tools = client.list_all_tools().await.unwrap();
        let defined = serde_json::to_value(gateway::tool_definitions()).unwrap();
        assert_eq!(serde_json::to_value(&tools).unwrap(), defined);

        let found =
            call(&client, "search_models", json!({"query": "text to image"})).await.unwrap();
        assert_eq!(found.structured_content, Some(text(&found)));
        let arguments = json!({"endpoint_id": "fal-ai/flux/schnell", "input": {"prompt": "a cat"}});
        let run = call(&client, "run_model", arguments).await.unwrap();
        assert_eq!(text(&run)["status"], "completed");

        let unknown = json!({"endpoint_id": "fal-ai/flux/schnel"});
        let refused = call(&client, "get_model_schema", unknown).await.unwrap();
        assert_eq!(refused.is_error, Some(true));
        assert_eq!(text(&refused)["error"], "unknown_endpoint_id");

        let error = call(&client, "no_such_tool", json!({})).await.unwrap_err();
        let ServiceError::McpError(error) = error else { panic!("{error:?}") };
        assert_eq!(error.code.0, -32602);
        assert!(error.message.contains("search_models"), "{}", error.message);
        client.cancel().await.unwrap();
    }
}

#[tokio::test]
async fn the_rust_client_follows_a_task_to_its_result_and_cancels_another() {
    let rig = Rig::with(real_time(), |_| ()).await;
    let mut client = ClientConfig::default();
    client.capabilities.extensions =
        Some([(TASKS_EXTENSION_ID.to_owned(), serde_json::Map::new())].into());
    let client = connect_as(client, &rig, DEMO_KEY, modern()).await;
    let run = async |prompt: &str| {
        let arguments = json!({"endpoint_id": "fal-ai/flux/schnell", "input": {"prompt": prompt}});
        let arguments = arguments.as_object().unwrap().clone();
        let params = CallToolRequestParams::new("run_model").with_arguments(arguments);
        match client.call_tool_once(params).await.unwrap() {
            CallToolResponse::Task(created) => created.task.task_id,
            other => panic!("no task: {other:?}"),
        }
    };
    let get = async |id: &str| client.get_task(GetTaskParams::new(id)).await.unwrap().task;

    let id = run("a cat [sim:queue 0][sim:slow 1.5]").await;
    client.update_task(UpdateTaskParams::new(&id, [].into())).await.unwrap();
    eventually("the task ends", async || get(&id).await.status() != TaskStatus::Working).await;
    let TaskPayload::Completed { result } = get(&id).await.payload else { panic!("no result") };
    let text = result["content"][0]["text"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(text).unwrap()["status"], "completed");

    let id = run("a cat [sim:queue 0][sim:slow 60]").await;
    client.cancel_task(CancelTaskParams::new(&id)).await.unwrap();
    assert_eq!(get(&id).await.status(), TaskStatus::Cancelled);
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn the_rust_client_may_choose_the_era_itself() {
    let rig = Rig::start().await;
    let lifecycle = ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        legacy_version: None,
    };
    let client = connect(&rig, DEMO_KEY, lifecycle).await;
    let found = call(&client, "search_models", json!({"limit": 1})).await.unwrap();
    assert_eq!(text(&found)["total_shown"], 1);
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn the_rust_client_shows_what_is_wrong_with_a_key() {
    let rig = Rig::start().await;
    let config = StreamableHttpClientTransportConfig::with_uri(rig.gateway.endpoint_url());
    let transport =
        StreamableHttpClientTransport::with_client(http_client(), config.auth_header("no-colon"));
    let error =
        ClientConfig::default().serve_with_lifecycle(transport, modern()).await.unwrap_err();
    assert!(format!("{error:?}").contains("Bearer realm"), "{error:?}");
}
