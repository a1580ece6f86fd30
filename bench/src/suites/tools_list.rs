//! What never touches the network: `tools/list` and `server/discover`, against the floor at the
//! same number of bytes.

use futures_util::FutureExt as _;
use serde_json::json;

use super::against_floor::Question;
use super::{NOBODY, Plan, Suite, memory_after};
use crate::error::Error;
use crate::figure::Case;
use crate::request::{self, Form};
use crate::server::{Running, Server};

/// The suite.
pub(super) const SUITE: Suite = Suite { name: "tools-list", run: |plan| run(plan).boxed_local() };

/// The method, the revision it is asked in, and what its result must hold.
const CASES: [(&str, Form, &str); 3] = [
    ("tools/list", Form::Modern, "/result/tools/0/name"),
    ("tools/list", Form::Legacy, "/result/tools/0/name"),
    ("server/discover", Form::Modern, "/result/supportedVersions/0"),
];

async fn run(plan: &Plan) -> Result<Vec<Case>, Error> {
    let gateway = Running::start(&Server::Gateway { fal: NOBODY }).await?;
    let mut cases = Vec::new();
    for (method, form, member) in CASES {
        let request = |addr| request::mcp(addr, form, method, None, json!({}));
        let question = Question { gateway: &gateway, request: &request, member };
        let compared = question.against_floor(plan, 0.8).await?;
        cases.push(Case {
            name: format!("{method} {}, {} bytes", form.version(), compared.answer_bytes),
            figures: compared.figures,
        });
    }
    cases.push(memory_after(&gateway));
    Ok(cases)
}
