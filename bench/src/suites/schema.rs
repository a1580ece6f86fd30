//! `get_model_schema` of a model that was asked for before, against the floor at the same number of
//! bytes.

use futures_util::FutureExt as _;
use serde_json::json;

use super::against_floor::Question;
use super::{Plan, Suite, memory_after, tool_call};
use crate::error::Error;
use crate::figure::Case;
use crate::server::{Running, Server};

/// The suite.
pub(super) const SUITE: Suite = Suite { name: "schema", run: |plan| run(plan).boxed_local() };

const MODEL: &str = "fal-ai/flux/dev";

async fn run(plan: &Plan) -> Result<Vec<Case>, Error> {
    let sim = Running::start(&Server::Sim { models: 0 }).await?;
    let gateway = Running::start(&Server::Gateway { fal: sim.addr }).await?;
    let request = |addr| tool_call(addr, "get_model_schema", &json!({"endpoint_id": MODEL}));
    let member = "/result/content/0/text";
    let question = Question { gateway: &gateway, request: &request, member };
    let compared = question.against_floor(plan, 0.7).await?;
    let name = format!("warm, {} bytes", compared.answer_bytes);
    Ok(vec![Case { name, figures: compared.figures }, memory_after(&gateway)])
}
