//! What search and recommendation do, on a small catalogue that is always there and on the real one
//! where its dump is.

mod baselines;
mod catalogue;
mod evaluation;
mod labelled;
mod small;
