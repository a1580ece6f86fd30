//! The queue's host: submit, status, status stream, result and cancel.

pub(crate) mod job;
pub(crate) mod jobs;
pub(crate) mod lane;

mod cancel;
mod result;
mod status;
mod submit;

use std::sync::Arc;

use http::StatusCode;

use crate::auth;
use crate::auth::Standing;
use crate::call::Call;
use crate::queue::job::Job;
use crate::queue::lane::Account;
use crate::reply::{self, Answer, Refusal};
use crate::router::{JobAction, app_of};

pub(crate) use result::answer as result_answer;
pub(crate) use submit::{handle as submit, plan};

/// A request about one job.
pub(crate) fn of_job(call: &Call<'_>, app: &str, request_id: &str, action: JobAction) -> Answer {
    let account = match caller(call, app) {
        Ok(account) => account,
        Err(refusal) => return refusal.into(),
    };
    if !call.sim.config.long_form_urls && app_of(app) != app {
        return reply::detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    }
    let Some(job) = find(call, &account, app, request_id) else {
        return not_found();
    };
    let mut answer = match action {
        JobAction::Status => status::once(call, &account, &job),
        JobAction::Stream => status::stream(call, &account, &job),
        JobAction::Result => result::fetch(call, &account, &job),
        JobAction::Cancel => cancel::cancel(call, &account, &job),
    };
    reply::set(&mut answer, "x-fal-request-id", &job.request_id);
    answer
}

/// The caller of a queue or run operation, if the account may use it.
pub(crate) fn caller(call: &Call<'_>, application: &str) -> Result<Arc<Account>, Refusal> {
    let account = call
        .sim
        .keys
        .caller(call.headers)
        .map_err(|refused| refused.answer(Some(app_of(application))))?;
    if account.standing == Standing::Locked {
        return Err(auth::locked().into());
    }
    Ok(account)
}

/// The caller's own job of this app. Anybody else's is as unknown as one that never was.
fn find(call: &Call<'_>, account: &Account, app: &str, request_id: &str) -> Option<Arc<Job>> {
    let job = call.sim.jobs.get(request_id)?;
    let mine = job.key_id == account.key_id && job.app() == app_of(app);
    (mine && !job.is_forgotten(call.now)).then_some(job)
}

fn not_found() -> Answer {
    reply::json_bytes(StatusCode::NOT_FOUND, r#"{"status":"NOT_FOUND"}"#)
}
