//! What the gateway adds to a run: one `run_model` against the three calls that it stands for
//! (submit, status, result) made directly to the stand-in for fal, whose jobs are ready at once.
//! And against a bare relay that makes them: the least that anything in between can add.

use std::borrow::Cow;
use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::FutureExt as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Plan, Suite, memory_after, pairwise, side_figures};
use crate::connection::Connection;
use crate::error::Error;
use crate::figure::{Case, Figure, Target, Unit};
use crate::load::{Operation, Round, Side, take_turns};
use crate::request::{self, FAL_AUTHORIZATION, Form};
use crate::server::{Running, Server};

/// The suite.
pub(super) const SUITE: Suite = Suite { name: "run-model", run: |plan| run(plan).boxed_local() };

const CONCURRENCY: [usize; 2] = [1, 16];
const MODEL: &str = "fal-ai/flux/schnell";

async fn run(plan: &Plan) -> Result<Vec<Case>, Error> {
    let sim = Running::start(&Server::Sim { models: 0 }).await?;
    let fal = sim.addr;
    let relay = Running::start(&Server::Relay { fal, model: MODEL.to_owned() }).await?;
    let gateway = Running::start(&Server::Gateway { fal }).await?;
    let input = json!({"prompt": "a lighthouse at dusk", "num_images": 1});
    let sides = [
        Side { server: &sim, operation: Run::direct(fal, &input) },
        Side { server: &relay, operation: Run::through_relay(relay.addr, &input) },
        Side { server: &gateway, operation: Run::through_gateway(gateway.addr, &input) },
    ];
    let mut cases = Vec::new();
    for connections in CONCURRENCY {
        let rounds = take_turns(plan, connections, &sides).await?;
        cases.push(Case { name: format!("{connections} at a time"), figures: figures(&rounds) });
    }
    cases.push(memory_after(&gateway));
    Ok(cases)
}

fn figures([direct, relay, gateway]: &[Vec<Round>; 3]) -> Vec<Figure> {
    let mut figures = side_figures("three calls to fal-sim", direct);
    figures.extend(side_figures("bare relay", relay));
    figures.extend(side_figures("run_model", gateway));
    let time = |name: &str, first, second| {
        let ratios = pairwise(first, second, |first, second| second.mean_ms() / first.mean_ms());
        Figure::new(name, Unit::Ratio, ratios)
    };
    let added = pairwise(direct, gateway, |direct, gateway| {
        gateway.percentile_ms(50) - direct.percentile_ms(50)
    });
    figures.extend([
        time("time, bare relay / three calls", direct, relay),
        // The relay is the measure: what stands between two programs always costs an exchange of its
        // own, so no server can come near the three calls themselves.
        time("time, run_model / bare relay", relay, gateway).hoped(Target::AtMost(1.5)),
        time("time, run_model / three calls", direct, gateway),
        Figure::new("added by the gateway, p50", Unit::Milliseconds, added)
            .hoped(Target::AtMost(1.0)),
    ]);
    figures
}

/// One run of the model, by one of three ways.
#[derive(Debug, Clone)]
enum Run {
    /// As three calls to fal-sim over one connection.
    Direct(Direct),
    /// By the relay, which passes the model's output on.
    Relay(Bytes),
    /// By the gateway's `run_model`.
    Gateway(Bytes),
}

impl Run {
    fn direct(fal: SocketAddr, input: &Value) -> Self {
        let path = format!("/queue/{MODEL}");
        let submit = request::post(fal, &path, &[FAL_AUTHORIZATION], &input.to_string());
        Self::Direct(Direct { base: format!("http://{fal}"), fal, submit: submit.into() })
    }

    fn through_relay(relay: SocketAddr, input: &Value) -> Self {
        Self::Relay(request::post(relay, "/mcp", &[FAL_AUTHORIZATION], &input.to_string()).into())
    }

    fn through_gateway(gateway: SocketAddr, input: &Value) -> Self {
        let params = json!({
            "name": "run_model",
            "arguments": {"endpoint_id": MODEL, "input": input},
        });
        let name = Some("run_model");
        Self::Gateway(request::mcp(gateway, Form::Modern, "tools/call", name, params).into())
    }
}

impl Operation for Run {
    async fn run(&mut self, connection: &mut Connection) -> Result<(), Error> {
        match self {
            Self::Direct(direct) => direct.run(connection).await,
            Self::Relay(request) => check_output(connection.ask(request).await?),
            Self::Gateway(request) => check_tool_answer(connection.ask(request).await?),
        }
    }
}

fn check_output(answer: &[u8]) -> Result<(), Error> {
    match serde_json::from_slice::<Output<'_>>(answer) {
        Ok(output) if output.has_image() => Ok(()),
        Ok(_) | Err(_) => Err(Error::wrong("an image", answer)),
    }
}

fn check_tool_answer(answer: &[u8]) -> Result<(), Error> {
    let is_right = || {
        let answer: ToolAnswer<'_> = serde_json::from_slice(answer).ok()?;
        let text = &answer.result.content.first()?.text;
        let completed: Completed<'_> = serde_json::from_str(text).ok()?;
        Some(completed.status == "completed" && completed.output.has_image())
    };
    match is_right() {
        Some(true) => Ok(()),
        Some(false) | None => Err(Error::wrong("a completed run with an image", answer)),
    }
}

/// What the three calls need.
#[derive(Debug, Clone)]
struct Direct {
    fal: SocketAddr,
    base: String,
    submit: Bytes,
}

impl Direct {
    async fn run(&self, connection: &mut Connection) -> Result<(), Error> {
        let answer = connection.ask(&self.submit).await?;
        let submitted: Submitted<'_> =
            serde_json::from_slice(answer).map_err(|_| Error::wrong("an accepted job", answer))?;
        let status = self.get(&submitted.status_url)?;
        let result = self.get(&submitted.response_url)?;
        let answer = connection.ask(&status).await?;
        match serde_json::from_slice::<Status<'_>>(answer) {
            Ok(status) if status.status == "COMPLETED" => {}
            Ok(_) | Err(_) => return Err(Error::wrong("a completed job", answer)),
        }
        check_output(connection.ask(&result).await?)
    }

    fn get(&self, url: &str) -> Result<Vec<u8>, Error> {
        let path = url
            .strip_prefix(&self.base)
            .ok_or_else(|| Error::wrong(&format!("a URL below {}", self.base), url.as_bytes()))?;
        Ok(request::get(self.fal, path, &[FAL_AUTHORIZATION]))
    }
}

#[derive(Deserialize)]
struct Submitted<'a> {
    #[serde(borrow)]
    status_url: Cow<'a, str>,
    #[serde(borrow)]
    response_url: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Status<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
}

#[derive(Deserialize)]
struct ToolAnswer<'a> {
    #[serde(borrow)]
    result: ToolResult<'a>,
}

#[derive(Deserialize)]
struct ToolResult<'a> {
    #[serde(borrow)]
    content: Vec<Text<'a>>,
}

#[derive(Deserialize)]
struct Text<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Completed<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    output: Output<'a>,
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(borrow)]
    images: Vec<Image<'a>>,
}

#[derive(Deserialize)]
struct Image<'a> {
    #[serde(borrow)]
    url: Cow<'a, str>,
}

impl Output<'_> {
    fn has_image(&self) -> bool {
        self.images.first().is_some_and(|image| image.url.starts_with("http"))
    }
}
