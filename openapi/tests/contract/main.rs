//! The description and its checker: the document is sound, right examples pass, wrong ones fail
//! and say where, and fal's own published data agrees.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test fails by panicking"
)]

mod answers;
mod document;
mod published;
mod requests;
mod support;
