//! The scripts against our description of fal.

use crate::{answers, refusals, server::CONTRACT};

#[test]
fn every_scripted_answer_is_one_that_fal_may_give() {
    let refusals = refusals::all().into_iter().map(|(answer, ..)| answer);
    let mut wrong = Vec::new();
    for answer in answers::successes().into_iter().chain(refusals) {
        let status = answer.status.as_u16();
        let body = answer.body.as_bytes();
        wrong.extend(
            CONTRACT
                .check_response(answer.operation, status, &answer.headers, body)
                .err()
                .unwrap_or_default(),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
