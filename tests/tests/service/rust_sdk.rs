//! The official Rust client lists, calls and fails as it should, in both eras.

use fal_sim::DEMO_KEY;
use rmcp::model::{CallToolRequestParams, CallToolResult, ClientConfig, ProtocolVersion};
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, ClientServiceExt as _, RoleClient, ServiceError};
use serde_json::{Value, json};
use tests::{Rig, http_client};

type Client = RunningService<RoleClient, ClientConfig>;

async fn connect(rig: &Rig, key: &str, lifecycle: ClientLifecycleMode) -> Client {
    let config = StreamableHttpClientTransportConfig::with_uri(rig.gateway.endpoint_url());
    let config = config.auth_header(key);
    let transport = StreamableHttpClientTransport::with_client(http_client(), config);
    ClientConfig::default().serve_with_lifecycle(transport, lifecycle).await.unwrap()
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
