//! Tells the crate which commit it is built from: `FAL_MCP_COMMIT` where it is set (a build from an
//! archive), else what git says, else `unknown`. Debug builds do not ask git, so that a commit does
//! not make anyone compile again.
#![expect(clippy::disallowed_methods, reason = "a build script reads cargo's environment")]

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=FAL_MCP_COMMIT");
    let given = std::env::var("FAL_MCP_COMMIT").ok().filter(|commit| !commit.is_empty());
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit =
        given.or_else(|| is_release.then(from_git).flatten()).unwrap_or("unknown".to_owned());
    println!("cargo::rustc-env=FAL_MCP_COMMIT={commit}");
}

fn from_git() -> Option<String> {
    // Written at every commit and checkout.
    println!("cargo::rerun-if-changed={}", git(&["rev-parse", "--git-path", "logs/HEAD"])?);
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
