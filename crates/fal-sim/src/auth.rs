//! Who is calling, by the `Authorization` header, and how each host refuses.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};

use crate::config::{
    Config, DEMO_KEY, LOCKED_KEY, NO_SCOPE_KEY, PRIVATE_KEY, StartError, UNKNOWN_KEY,
};
use crate::queue::lane::Account;
use crate::reply::{self, Answer, Refusal};

/// Accounts that are held where every key is accepted; a key beyond it is refused.
const MAX_ACCOUNTS: usize = 100_000;

/// What sets an account apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Ordinary,
    Locked,
    NoScope,
    Private,
}

/// Why a request has no caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// No key at all, or another scheme than `Key`.
    Missing,
    /// Not of the form `<key_id>:<key_secret>`.
    Malformed,
    /// Well-formed, and nobody's.
    Unknown,
}

/// Every key that is accepted.
#[derive(Debug)]
pub(crate) struct Keys {
    accounts: RwLock<HashMap<String, Arc<Account>>>,
    any: bool,
    concurrency: usize,
}

impl Keys {
    /// The built-in keys and the configured ones.
    pub(crate) fn new(config: &Config) -> Result<Self, StartError> {
        let mut accounts = HashMap::new();
        let built_in = [
            (DEMO_KEY, Standing::Ordinary),
            (LOCKED_KEY, Standing::Locked),
            (NO_SCOPE_KEY, Standing::NoScope),
            (PRIVATE_KEY, Standing::Private),
        ];
        let configured = config.keys.iter().map(|key| (key.as_str(), Standing::Ordinary));
        for (number, (key, standing)) in configured.chain(built_in).enumerate() {
            let id = key_id(key).ok_or(StartError::Key(number + 1))?;
            let account = Account::new(id.to_owned(), standing, config.concurrency);
            accounts.insert(key.to_owned(), Arc::new(account));
        }
        Ok(Self {
            accounts: RwLock::new(accounts),
            any: config.any_key,
            concurrency: config.concurrency,
        })
    }

    /// The account behind a request's key.
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Result<Arc<Account>, Refused> {
        let header = headers.get(AUTHORIZATION).ok_or(Refused::Missing)?;
        let text = header.to_str().map_err(|_| Refused::Malformed)?;
        let key = text.strip_prefix("Key ").ok_or(Refused::Missing)?.trim();
        let id = key_id(key).ok_or(Refused::Malformed)?;
        let known = self.accounts.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        if let Some(account) = known {
            return Ok(account);
        }
        if !self.any || key == UNKNOWN_KEY {
            return Err(Refused::Unknown);
        }
        let account = Account::new(id.to_owned(), Standing::Ordinary, self.concurrency);
        let mut accounts = self.accounts.write().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= MAX_ACCOUNTS {
            return Err(Refused::Unknown);
        }
        Ok(Arc::clone(accounts.entry(key.to_owned()).or_insert_with(|| Arc::new(account))))
    }
}

/// The first half of a key with exactly one colon and something on both sides of it.
fn key_id(key: &str) -> Option<&str> {
    let (id, secret) = key.split_once(':')?;
    (!id.is_empty() && !secret.is_empty() && !secret.contains(':')).then_some(id)
}

impl Refused {
    /// The refusal of the queue, run and storage hosts. `application` is what was called.
    pub(crate) fn answer(self, application: Option<&str>) -> Refusal {
        let text = match (self, application) {
            (Self::Missing, Some(application)) => format!(
                "Cannot access application \"{application}\". Authentication is required to access this application."
            ),
            (Self::Missing, None) => "Authentication is required.".to_owned(),
            (Self::Malformed, _) => {
                "Invalid Key Authorization header format. Expected '<key_id>:<key_secret>'."
                    .to_owned()
            }
            (Self::Unknown, _) => "No user found for Key ID and Secret".to_owned(),
        };
        reply::detail(StatusCode::UNAUTHORIZED, &text).into()
    }
}

/// The refusal of the Platform API, which does not tell the cases apart.
pub(crate) fn no_platform_key(_: Refused) -> Refusal {
    reply::platform_error(
        StatusCode::UNAUTHORIZED,
        "authorization_error",
        "Authentication required",
    )
    .into()
}

/// The refusal of an account that is locked for lack of credit.
pub(crate) fn locked() -> Answer {
    reply::detail(
        StatusCode::FORBIDDEN,
        "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing.",
    )
}

/// The refusal of a key without the scope that a Platform operation needs.
pub(crate) fn no_scope() -> Refusal {
    reply::platform_error(StatusCode::FORBIDDEN, "authorization_error", "Access denied").into()
}
