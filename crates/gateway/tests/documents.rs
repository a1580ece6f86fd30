//! What documents and deploy files say of settings: each name that they use is one that there is, and
//! the README has all of them.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: whatever is not as expected fails the test"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// What tells operators of settings.
const PLACES: [&str; 8] = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "README.md",
    "SECURITY.md",
    "deploy",
    "docker-compose.yml",
    "docs",
    "k8s",
];
/// The key of the stdio transport, for which there is no flag.
const KEY: &str = "FAL_KEY";
/// What others read: the build, the Caddyfile.
const NOT_OURS: [&str; 3] = ["FAL_MCP_COMMIT", "FAL_MCP_SITE", "FAL_MCP_UPSTREAMS"];

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

/// The files at a place, without what tools install there.
fn files(place: PathBuf) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place];
    }
    let entries = std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap());
    let ours =
        entries.filter(|entry| entry.file_name() != ".venv" && entry.file_name() != "__pycache__");
    ours.flat_map(|entry| files(entry.path())).collect()
}

/// The variables with this prefix that a text names; the prefix alone is none.
fn variables<'a>(text: &'a str, prefix: &str) -> impl Iterator<Item = &'a str> {
    text.split(|letter: char| !(letter.is_ascii_uppercase() || letter == '_'))
        .filter(move |word| word.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()))
}

/// The flags of the gateway that a text names: code that begins with one, and what follows its name.
fn flags(text: &str) -> impl Iterator<Item = &str> {
    let commands = text.lines().filter_map(|line| line.split_once("fal-mcp-gateway"));
    let commands = commands.flat_map(|(_, rest)| rest.split(['`', '"', ' ']));
    text.split('`').skip(1).step_by(2).chain(commands).filter(|word| word.starts_with("--")).map(
        |word| {
            let end = word.find(|letter: char| !(letter.is_ascii_lowercase() || letter == '-'));
            word.split_at(end.unwrap_or(word.len())).0
        },
    )
}

/// A variable of one signal goes by the name of that for all.
fn of_all_signals(text: &str) -> String {
    ["{TRACES,METRICS,LOGS}_", "TRACES_", "METRICS_", "LOGS_"]
        .into_iter()
        .fold(text.to_owned(), |text, signal| text.replace(signal, ""))
}

#[test]
fn every_setting_that_is_named_is_there_and_the_readme_has_them_all() {
    let binary = env!("CARGO_BIN_EXE_fal-mcp-gateway");
    let help = Command::new(binary).arg("--help").output().unwrap().stdout;
    let help = String::from_utf8(help).unwrap();
    let known_flags: BTreeSet<&str> =
        help.split([' ', '\n']).filter(|word| word.starts_with("--")).collect();
    let known_variables: BTreeSet<&str> =
        variables(&help, "FAL_").chain([KEY]).chain(NOT_OURS).collect();
    assert!(known_flags.contains("--port") && known_variables.contains("FAL_MCP_PORT"), "{help}");

    let telemetry = of_all_signals(&read("docs/telemetry.md"));
    let documented: BTreeSet<&str> = variables(&telemetry, "OTEL_").collect();
    // `OTEL_BSP_*` documents a family.
    let is_documented = |name: &str| {
        documented.contains(name)
            || documented.iter().any(|known| known.ends_with('_') && name.starts_with(known))
    };
    let mut unknown = Vec::new();
    for file in PLACES.into_iter().flat_map(|place| files(Path::new(ROOT).join(place))) {
        let text = of_all_signals(&read(&file));
        let ours = variables(&text, "FAL_").filter(|name| !known_variables.contains(name));
        let otel = variables(&text, "OTEL_").filter(|name| !is_documented(name));
        let flags = flags(&text).filter(|flag| !known_flags.contains(flag));
        let names = ours.chain(otel).chain(flags);
        unknown.extend(names.map(|name| format!("{name} in {}", file.display())));
    }
    assert!(unknown.is_empty(), "{unknown:#?}");

    let readme = read("README.md");
    let known = known_flags.iter().chain(&known_variables).filter(|name| !NOT_OURS.contains(name));
    let missing: Vec<_> = known.filter(|name| !readme.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "not in README.md: {missing:?}");
}
