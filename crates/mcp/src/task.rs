//! The Tasks extension (SEP-2663, `modelcontextprotocol/ext-tasks`): a `tools/call` answered with a
//! handle, and the methods that take the handle. Of the five statuses, a server that never asks its
//! clients anything and ends no run with a JSON-RPC error has three.

use serde::Serialize;
use serde_json::Value;

use crate::json_rpc::{Request, RequestId};
use crate::lifecycle::{Implementation, ServerMeta};
use crate::meta::RequestMeta;
use crate::rejection::Rejection;
use crate::tool::CallToolResult;

/// The extension's identifier, a key of `capabilities.extensions` on both sides.
pub const TASKS_EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// What a client may ask about a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskMethod {
    /// `tasks/get`: where it stands, with the result once there is one.
    Get,
    /// `tasks/update`: answers to requests of the server's.
    Update,
    /// `tasks/cancel`.
    Cancel,
}

impl TaskMethod {
    /// Every method.
    pub const ALL: [Self; 3] = [Self::Get, Self::Update, Self::Cancel];

    /// The method's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "tasks/get",
            Self::Update => "tasks/update",
            Self::Cancel => "tasks/cancel",
        }
    }

    /// The method that `name` is, if it is one of them.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

/// A request about a task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskRequest {
    /// Given back in the response.
    pub id: RequestId,
    /// What is asked.
    pub method: TaskMethod,
    /// `params.taskId`.
    pub task_id: String,
}

impl TaskRequest {
    /// Reads a request for `method`; refuses one of a client that does not declare the extension.
    pub fn of(
        method: TaskMethod,
        meta: &RequestMeta,
        mut request: Request,
    ) -> Result<Self, Rejection> {
        let id = request.id;
        if !meta.declares_tasks {
            return Err(Rejection::MissingRequiredClientCapability { id });
        }
        let invalid = |reason: &str| {
            Err(Rejection::InvalidParams { id: id.clone(), reason: reason.to_owned() })
        };
        if method == TaskMethod::Update
            && !request.params.get("inputResponses").is_some_and(Value::is_object)
        {
            return invalid("params.inputResponses must be an object.");
        }
        match request.params.remove("taskId") {
            Some(Value::String(task_id)) => Ok(Self { id, method, task_id }),
            Some(_) => invalid("params.taskId must be a string."),
            None => invalid("params.taskId is missing: the taskId that tools/call answered with."),
        }
    }
}

/// A `Task`, with what its status carries.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// "Stable identifier for this task."
    pub task_id: String,
    /// Where it stands.
    #[serde(flatten)]
    pub status: TaskStatus,
    /// The same in words, for a person or a model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// ISO 8601.
    pub created_at: String,
    /// ISO 8601.
    pub last_updated_at: String,
    /// "Time-to-live duration from creation in integer milliseconds, null for unlimited."
    pub ttl_ms: Option<u64>,
    /// How long to wait before the next `tasks/get`, in milliseconds.
    pub poll_interval_ms: u64,
}

/// Where a task stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "lowercase")]
pub enum TaskStatus {
    /// "The request is currently being processed."
    Working,
    /// The request has its result. "This includes tool calls that returned results with
    /// `isError: true`."
    Completed {
        /// "exactly what the underlying request would have returned"
        result: CallToolResult,
    },
    /// "The request was cancelled before completion."
    Cancelled,
}

/// A `tools/call` result that is a task: "Servers MUST set `resultType` to `"task"`".
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateTaskResult<'a> {
    result_type: &'static str,
    #[serde(flatten)]
    task: &'a Task,
    #[serde(rename = "_meta")]
    meta: ServerMeta<'a>,
}

impl<'a> CreateTaskResult<'a> {
    /// The result that hands out `task`.
    pub fn new(task: &'a Task, server_info: &'a Implementation) -> Self {
        Self { result_type: "task", task, meta: ServerMeta { server_info } }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json_rpc::ErrorCode;
    use crate::lifecycle::Complete;

    const SERVER: Implementation = Implementation { name: "n", title: "t", version: "1" };

    fn request(
        method: TaskMethod,
        params: Value,
        declares_tasks: bool,
    ) -> Result<TaskRequest, Rejection> {
        let Value::Object(params) = params else { panic!("params are an object") };
        let meta = RequestMeta { declares_tasks, ..RequestMeta::default() };
        let id = RequestId::Number(1.into());
        TaskRequest::of(method, &meta, Request { id, method: method.as_str().to_owned(), params })
    }

    fn task(status: TaskStatus) -> Task {
        Task {
            task_id: "t".to_owned(),
            status,
            status_message: None,
            created_at: "2026-07-28T00:00:00Z".to_owned(),
            last_updated_at: "2026-07-28T00:00:01Z".to_owned(),
            ttl_ms: None,
            poll_interval_ms: 1000,
        }
    }

    #[test]
    fn a_client_that_does_not_declare_the_extension_is_told_which_one_it_lacks() {
        // "Servers MUST return this error for non-declaring clients issuing `tasks/get`,
        // `tasks/update`, and `tasks/cancel` requests", whatever else is wrong with them.
        for method in TaskMethod::ALL {
            let error = request(method, json!({}), false).unwrap_err();
            assert_eq!((error.http_status(), error.code()), (400, ErrorCode(-32021)));
            assert_eq!(
                error.error_data().data,
                Some(json!({"requiredCapabilities":
                    {"extensions": {"io.modelcontextprotocol/tasks": {}}}}))
            );
        }
    }

    #[test]
    fn params_of_a_wrong_shape_are_named() {
        for (method, params, named) in [
            (TaskMethod::Get, json!({}), "params.taskId"),
            (TaskMethod::Cancel, json!({"taskId": 7}), "params.taskId"),
            (TaskMethod::Update, json!({"taskId": "t"}), "params.inputResponses"),
            (
                TaskMethod::Update,
                json!({"taskId": "t", "inputResponses": []}),
                "params.inputResponses",
            ),
        ] {
            let error = request(method, params, true).unwrap_err();
            assert_eq!(error.code(), ErrorCode::INVALID_PARAMS);
            assert!(error.to_string().contains(named), "{error}");
        }
        let update = json!({"taskId": "t", "inputResponses": {"never-asked": {}}});
        assert_eq!(request(TaskMethod::Update, update, true).unwrap().task_id, "t");
    }

    #[test]
    fn a_created_task_is_flat_and_says_that_it_is_one() {
        // "type CreateTaskResult = Result & Task"
        assert_eq!(
            serde_json::to_value(CreateTaskResult::new(&task(TaskStatus::Working), &SERVER))
                .unwrap(),
            json!({
                "resultType": "task",
                "taskId": "t",
                "status": "working",
                "createdAt": "2026-07-28T00:00:00Z",
                "lastUpdatedAt": "2026-07-28T00:00:01Z",
                "ttlMs": null,
                "pollIntervalMs": 1000,
                "_meta": {"io.modelcontextprotocol/serverInfo":
                    {"name": "n", "title": "t", "version": "1"}},
            })
        );
    }

    #[test]
    fn a_completed_task_carries_its_result_and_is_a_complete_result_of_tasks_get() {
        // "The `resultType` field MUST be set to `"complete"` on this object"
        let result = CallToolResult::error("x".to_owned());
        let task = task(TaskStatus::Completed { result });
        let value = serde_json::to_value(Complete::new(&task, &SERVER, None)).unwrap();
        assert_eq!(
            (&value["resultType"], &value["status"]),
            (&json!("complete"), &json!("completed"))
        );
        assert_eq!(
            value["result"],
            json!({"content": [{"type": "text", "text": "x"}], "isError": true})
        );
    }
}
