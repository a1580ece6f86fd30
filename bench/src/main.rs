//! Load and cost of the gateway as ratios in one run, over loopback.
//!
//! This process is the load generator and the reporter; each server under load is a child process
//! of it, made from this same executable. It reports and does not judge: see `README.md`.

mod connection;
mod error;
mod figure;
mod load;
mod report;
mod request;
mod serve;
mod server;
mod suites;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser as _;

use crate::error::Error;
use crate::report::Report;
use crate::server::Server;
use crate::suites::{Plan, SUITES, Suite};

/// Load and cost of the gateway, against the least that any server on its stack can cost.
#[derive(Debug, clap::Parser)]
#[command(name = "bench")]
struct Arguments {
    /// Runs only this suite; may be repeated
    #[arg(long = "suite", value_name = "NAME")]
    suites: Vec<String>,
    /// Shorter and fewer rounds
    #[arg(long)]
    quick: bool,
    /// Ends with status 1 if a ratio misses its target by far
    #[arg(long)]
    check: bool,
    /// Writes the figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Debug, clap::Subcommand)]
enum Role {
    /// One server under load: prints its address and serves until standard input closes
    #[command(hide = true)]
    Serve {
        #[command(subcommand)]
        server: Server,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match &arguments.role {
        Some(Role::Serve { server }) => serve::run(server).map(|()| true),
        None => measure(&arguments),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Runs the suites and reports; whether nothing stands against a clean exit.
fn measure(arguments: &Arguments) -> Result<bool, Error> {
    let suites = chosen(&arguments.suites)?;
    let plan = if arguments.quick { Plan::QUICK } else { Plan::FULL };
    // One thread: the generator has to leave the servers room on a machine with few cores.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut report = Report::new(arguments.quick);
    let mut sound = true;
    for suite in suites {
        match runtime.block_on((suite.run)(&plan)) {
            Ok(cases) => report.add(suite.name, cases),
            Err(error) => {
                complain(&format_args!("{}: {error}", suite.name));
                sound = false;
            }
        }
    }
    std::io::stdout().lock().write_all(report.table().as_bytes())?;
    if let Some(path) = &arguments.json {
        write(path, &report)?;
    }
    let misses = if arguments.check { report.far_misses() } else { Vec::new() };
    for miss in &misses {
        complain(miss);
    }
    Ok(sound && misses.is_empty())
}

fn chosen(names: &[String]) -> Result<Vec<&'static Suite>, Error> {
    if names.is_empty() {
        return Ok(SUITES.iter().collect());
    }
    names
        .iter()
        .map(|name| {
            SUITES.iter().find(|suite| suite.name == name).ok_or_else(|| Error::UnknownSuite {
                name: name.clone(),
                known: SUITES.map(|suite| suite.name).join(", "),
            })
        })
        .collect()
}

fn write(path: &Path, report: &Report) -> Result<(), Error> {
    let mut json = serde_json::to_vec_pretty(report).map_err(std::io::Error::from)?;
    json.push(b'\n');
    Ok(std::fs::write(path, json)?)
}

#[expect(
    clippy::print_stderr,
    reason = "a program for the terminal; figures go to standard output"
)]
fn complain(problem: &dyn std::fmt::Display) {
    eprintln!("bench: {problem}");
}
