//! Teaches the classifier from the tables, so that no process has to when it starts. What reads texts
//! is compiled into this script as well.
#![expect(dead_code, reason = "the script needs a part of each file")]
#![expect(unreachable_pub, reason = "what the crate makes public is not public here")]
#![expect(clippy::disallowed_methods, reason = "a build script reads cargo's environment")]

#[path = "src/classifier.rs"]
mod classifier;
#[path = "src/features.rs"]
mod features;
#[path = "src/lexicon.rs"]
mod lexicon;
#[path = "src/media.rs"]
mod media;
#[path = "src/operations.rs"]
mod operations;
#[path = "src/stem.rs"]
mod stem;
#[path = "src/text.rs"]
mod text;
#[path = "src/training.rs"]
mod training;

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=tables");
    let learnt = training::learn(&training::examples())?;
    let out = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&out).join("classifier"), learnt)?;
    std::fs::write(Path::new(&out).join("familiar"), training::familiar())?;
    Ok(())
}
