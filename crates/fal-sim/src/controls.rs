//! The stand-in's own pages, for other processes: faults, the ledger, and a word of welcome.

use std::fmt::Write as _;

use http::{Method, StatusCode};
use serde::Deserialize;

use crate::call::Call;
use crate::faults::Fault;
use crate::hosts::Host;
use crate::reply::{self, Answer};

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(Fault),
    Many(Vec<Fault>),
}

/// `GET`, `POST` and `DELETE /_sim/faults`. Each answers with the faults there are then.
pub(crate) fn faults(call: &Call<'_>, method: &Method) -> Answer {
    let faults = &call.sim.faults;
    match *method {
        Method::GET => {}
        Method::DELETE => faults.clear(),
        Method::POST => match call.json() {
            Ok(OneOrMany::One(fault)) => faults.add(fault),
            Ok(OneOrMany::Many(list)) => list.into_iter().for_each(|fault| faults.add(fault)),
            Err(_) => {
                let text = "Expected a fault or a list of faults, such as {\"kind\":\"rate_limited\",\"retry_after\":1,\"operation\":\"submit\",\"times\":1}";
                return reply::detail(StatusCode::BAD_REQUEST, text);
            }
        },
        _ => return reply::detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"),
    }
    reply::json(StatusCode::OK, &faults.pending())
}

/// `GET` and `DELETE /_sim/ledger`.
pub(crate) fn ledger(call: &Call<'_>, method: &Method) -> Answer {
    let ledger = &call.sim.ledger;
    match *method {
        Method::GET => reply::json(StatusCode::OK, &ledger.snapshot()),
        Method::DELETE => {
            ledger.clear();
            reply::json_bytes(StatusCode::OK, "{}")
        }
        _ => reply::detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"),
    }
}

/// `GET /`.
pub(crate) fn welcome(call: &Call<'_>) -> Answer {
    let mut text = String::from("A stand-in for fal. Nothing here costs anything.\n\n");
    for (name, url) in environment(|host| call.bases.base(host)) {
        // Writing to a text does not fail.
        let _: std::fmt::Result = writeln!(text, "{name}={url}");
    }
    reply::bytes(StatusCode::OK, "text/plain; charset=utf-8", text)
}

/// The variables that point the gateway at a stand-in whose hosts have these bases.
pub(crate) fn environment(base: impl Fn(Host) -> String) -> [(&'static str, String); 7] {
    let cdn = base(Host::Cdn);
    let authority = cdn.split('/').nth(2).unwrap_or_default().to_owned();
    [
        ("FAL_QUEUE_URL", base(Host::Queue)),
        ("FAL_RUN_URL", base(Host::Run)),
        ("FAL_REST_URL", base(Host::Rest)),
        ("FAL_API_URL", base(Host::Api) + "/v1"),
        ("FAL_WEB_URL", base(Host::Web)),
        ("FAL_DOCS_URL", base(Host::Docs) + "/mcp"),
        ("FAL_CDN_HOSTS", authority),
    ]
}
