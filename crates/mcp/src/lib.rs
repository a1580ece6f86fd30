//! What MCP says: the messages, versions and Streamable HTTP rules of the Model Context Protocol, as
//! types and pure functions. No I/O, no async, no web framework; it knows nothing of fal.
//!
//! Two eras share one endpoint. **Modern** is protocol version 2026-07-28 and later: stateless,
//! every request carries its version and the client's capabilities in `_meta`, selected body fields
//! are mirrored into headers. **Legacy** is everything before: an `initialize` handshake, from
//! which this implementation remembers nothing.
//!
//! | to find | read |
//! |---|---|
//! | what is a well-formed message | [`json_rpc`] |
//! | which headers must say what, which era a request belongs to | [`transport`] |
//! | every way the transport says no, with status and code | [`rejection`] |
//! | the tool types | [`tool`] |
//! | a call answered with a handle, and the methods that take it | [`task`] |

#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod json_rpc;
pub mod lifecycle;
pub mod meta;
pub mod progress;
pub mod rejection;
pub mod task;
pub mod tool;
pub mod transport;
pub mod version;

pub use json_rpc::{ErrorCode, ErrorData, Message, Notification, Request, RequestId};
pub use lifecycle::{Capabilities, Complete, DiscoverResult, Implementation, InitializeResult};
pub use meta::RequestMeta;
pub use progress::{Progress, ProgressToken};
pub use rejection::Rejection;
pub use task::{CreateTaskResult, Task, TaskMethod, TaskRequest, TaskStatus};
pub use tool::{
    CallToolParams, CallToolResult, Content, ListToolsResult, ReadyCallToolResult, Tool,
    ToolAnnotations,
};
pub use transport::Incoming;
pub use version::{Era, ProtocolVersion};
