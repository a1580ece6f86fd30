//! The Platform API: catalogue, prices, one's own requests, account facts.

pub(crate) mod models;
pub(crate) mod pricing;
pub(crate) mod rate;
pub(crate) mod requests;

use std::sync::Arc;

use http::StatusCode;
use serde_json::json;

use crate::auth::{self, Standing};
use crate::call::Call;
use crate::queue::lane::Account;
use crate::reply::{self, Answer, Refusal};

/// The caller of an operation that needs a key with the `API` scope.
fn caller(call: &Call<'_>) -> Result<Arc<Account>, Refusal> {
    let account = call.sim.keys.caller(call.headers).map_err(auth::no_platform_key)?;
    if account.standing == Standing::NoScope {
        return Err(auth::no_scope());
    }
    Ok(account)
}

/// `GET /v1/account/billing`.
pub(crate) fn billing(call: &Call<'_>) -> Answer {
    let account = match caller(call) {
        Ok(account) => account,
        Err(refusal) => return refusal.into(),
    };
    let balance = if account.standing == Standing::Locked { 0.0 } else { 24.5 };
    let mut body = json!({ "username": "stand-in" });
    if call.parameters("expand").any(|expand| expand == "credits")
        && let Some(map) = body.as_object_mut()
    {
        let credits = json!({ "current_balance": balance, "currency": "USD" });
        map.insert("credits".to_owned(), credits);
    }
    reply::json(StatusCode::OK, &body)
}

/// `GET /v1/meta`.
pub(crate) fn meta() -> Answer {
    reply::json_bytes(StatusCode::OK, r#"{"webhook_ip_ranges":["127.0.0.0/8"]}"#)
}

/// 400 for a parameter that is not what it should be.
fn invalid(message: &str) -> Refusal {
    reply::platform_error(StatusCode::BAD_REQUEST, "validation_error", message).into()
}

/// 404 for endpoint ids that are not there.
fn not_found(ids: &[String]) -> Refusal {
    let message = format!("Endpoint(s) not found: {}", ids.join(", "));
    reply::platform_error(StatusCode::NOT_FOUND, "not_found", &message).into()
}

/// The endpoint ids that a request names, repeated or separated by commas. At most 50.
fn endpoint_ids(call: &Call<'_>) -> Result<Vec<String>, Refusal> {
    let mut ids: Vec<String> = Vec::new();
    for value in call.parameters("endpoint_id") {
        ids.extend(value.split(',').filter(|id| !id.is_empty()).map(str::to_owned));
    }
    if ids.len() > 50 {
        return Err(invalid("endpoint_id: at most 50 values are allowed"));
    }
    Ok(ids)
}

/// A page's cursor: its number in base64 without padding, as fal writes it.
mod cursor {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

    /// The cursor of a page, counted from 1.
    pub(super) fn write(page: usize) -> String {
        STANDARD_NO_PAD.encode(page.to_string())
    }

    /// The page of a cursor, with or without padding.
    pub(super) fn read(cursor: &str) -> Option<usize> {
        let bytes = STANDARD_NO_PAD.decode(cursor).or_else(|_| STANDARD.decode(cursor)).ok()?;
        let page = std::str::from_utf8(&bytes).ok()?.parse().ok()?;
        (page > 0).then_some(page)
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn the_second_page_is_two_letters_without_padding() {
            assert_eq!(super::write(2), "Mg");
            assert_eq!(super::read("Mg"), Some(2));
            assert_eq!(super::read("Mg=="), Some(2));
            assert_eq!(super::read("!"), None);
        }
    }
}
