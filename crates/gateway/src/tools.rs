//! The tools. [`TOOLS`] is the only list of them: `tools/list`, the documentation, the snapshots
//! and the tests derive from it.
//!
//! To add one: write `tools/<name>.rs`, add it to [`TOOLS`], accept its snapshot, and regenerate the
//! README's table (`CONTRIBUTING.md`).

mod arguments;
mod cancel_job;
mod check_job;
mod cost;
mod fit;
mod get_job_result;
mod get_model_schema;
mod get_pricing;
mod list_jobs;
mod outcome;
mod recommend_model;
pub(crate) mod run_model;
mod search_docs;
mod search_models;
mod submission;
mod submit_job;
mod upload_file;

use std::collections::HashMap;
use std::fmt;

use futures_util::future::BoxFuture;
use mcp::{CallToolResult, ReadyCallToolResult, Task, ToolAnnotations};
use serde_json::{Map, Value};

use crate::context::Context;
use crate::error::ToolError;

/// Every tool, in the order in which they are listed: find, prepare, run, follow.
pub(crate) const TOOLS: [Tool; 12] = [
    search_models::TOOL,
    recommend_model::TOOL,
    get_model_schema::TOOL,
    get_pricing::TOOL,
    search_docs::TOOL,
    upload_file::TOOL,
    run_model::TOOL,
    submit_job::TOOL,
    check_job::TOOL,
    get_job_result::TOOL,
    cancel_job::TOOL,
    list_jobs::TOOL,
];

/// The longest text of a result, in characters: the least that any known client passes to its
/// model whole.
pub(crate) const MAX_RESULT_CHARS: usize = 40_000;

/// The hints of a tool that only reads: it may run without asking, again and again. "Open world" is
/// off because VS Code asks before it shows the result of such a tool.
const READ_ONLY: ToolAnnotations = ToolAnnotations {
    read_only_hint: true,
    destructive_hint: false,
    idempotent_hint: true,
    open_world_hint: false,
};

/// One tool.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    /// Its name, an API once published.
    pub(crate) name: &'static str,
    /// Makes its entry in `tools/list`. The schemas are written by hand: a root of `type: object`,
    /// no root combinators, no `$ref`, `additionalProperties: false`, every argument described.
    definition: fn() -> mcp::Tool,
    /// Runs it. The arguments have passed the tool's `inputSchema`.
    pub(crate) call: for<'a> fn(&'a Context, Map<String, Value>) -> Running<'a>,
}

/// A tool at work.
type Running<'a> = BoxFuture<'a, Result<Answer, ToolError>>;

/// What a tool answers with.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A result of this call.
    Built(CallToolResult),
    /// One that other callers get too, serialised before.
    Ready(ReadyCallToolResult),
    /// A handle to be asked again, for callers that take one.
    Task(Box<Task>),
}

/// The entries of `tools/list`.
pub fn definitions() -> Vec<mcp::Tool> {
    TOOLS.iter().map(|tool| (tool.definition)()).collect()
}

/// The names of all tools, in the order in which they are listed.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TOOLS.iter().map(|tool| tool.name)
}

/// The tools by name, each with its compiled argument schema.
pub(crate) struct Toolbox {
    by_name: HashMap<&'static str, Entry>,
}

/// A tool and what is derived from its definition once.
pub(crate) struct Entry {
    pub(crate) tool: Tool,
    arguments: arguments::Checker,
}

impl Toolbox {
    pub(crate) fn new() -> Self {
        let entry = |tool: Tool| {
            let schema = (tool.definition)().input_schema;
            (tool.name, Entry { tool, arguments: arguments::Checker::new(tool.name, &schema) })
        };
        Self { by_name: TOOLS.into_iter().map(entry).collect() }
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Entry> {
        self.by_name.get(name)
    }
}

impl Entry {
    /// The arguments, or every problem with them.
    pub(crate) fn check(
        &self,
        arguments: Map<String, Value>,
    ) -> Result<Map<String, Value>, ToolError> {
        self.arguments.check(arguments)
    }
}

impl fmt::Debug for Toolbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_name.keys()).finish()
    }
}

#[cfg(test)]
mod tests;
