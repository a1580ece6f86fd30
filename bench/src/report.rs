//! All figures of a run: as a table for people, as JSON for programs.

use serde::Serialize;

use crate::figure::{Case, Figure, Target, Unit};

/// The figures of a run and the circumstances they depend on.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Whether the executable was optimised; figures of one that was not mean little.
    optimised: bool,
    /// Whether the rounds were short and few.
    quick: bool,
    /// The processors that generator and servers shared.
    processors: usize,
    suites: Vec<SuiteFigures>,
}

#[derive(Debug, Serialize)]
struct SuiteFigures {
    name: &'static str,
    cases: Vec<Case>,
}

impl Report {
    pub(crate) fn new(quick: bool) -> Self {
        Self {
            optimised: !cfg!(debug_assertions),
            quick,
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            suites: Vec::new(),
        }
    }

    /// Takes in what a suite measured.
    pub(crate) fn add(&mut self, name: &'static str, cases: Vec<Case>) {
        self.suites.push(SuiteFigures { name, cases });
    }

    /// The table.
    pub(crate) fn table(&self) -> String {
        let mut table = format!("{} processors", self.processors);
        if self.quick {
            table.push_str(", short rounds");
        }
        if !self.optimised {
            table.push_str(", NOT OPTIMISED: run it with --release");
        }
        table.push('\n');
        for suite in &self.suites {
            for case in &suite.cases {
                table.push('\n');
                let title = format!("{}: {}", suite.name, case.name);
                table.push_str(&row(&title, "median", "range", "target"));
                for figure in &case.figures {
                    table.push_str(&line(figure));
                }
            }
        }
        table
    }

    /// A sentence for each ratio that misses its target by far.
    pub(crate) fn far_misses(&self) -> Vec<String> {
        let mut misses = Vec::new();
        for suite in &self.suites {
            for case in &suite.cases {
                for figure in case.figures.iter().filter(|figure| figure.misses_by_far()) {
                    misses.push(format!(
                        "{}: {}: {} is {}, far from {}",
                        suite.name,
                        case.name,
                        figure.name,
                        number(figure.unit, figure.median),
                        figure.target.map_or_else(String::new, |target| shown(figure.unit, target)),
                    ));
                }
            }
        }
        misses
    }
}

fn line(figure: &Figure) -> String {
    let unit = match figure.unit {
        Unit::PerSecond => ", 1/s",
        Unit::Milliseconds => ", ms",
        Unit::Microseconds => ", us",
        Unit::Kibibytes => ", KiB",
        Unit::Mebibytes => ", MiB",
        Unit::Count | Unit::Ratio => "",
    };
    let [median, min, max] =
        [figure.median, figure.min, figure.max].map(|value| number(figure.unit, value));
    let target = match (figure.target, figure.met()) {
        (Some(target), Some(true)) => format!("{}, met", shown(figure.unit, target)),
        (Some(target), _) => format!("{}, MISSED", shown(figure.unit, target)),
        (None, _) => String::new(),
    };
    row(&format!("  {}{unit}", figure.name), &median, &format!("{min} .. {max}"), &target)
}

fn row(name: &str, median: &str, range: &str, target: &str) -> String {
    let row = format!("{name:<48} {median:>10} {range:>20}  {target}");
    format!("{}\n", row.trim_end())
}

fn number(unit: Unit, value: f64) -> String {
    match unit {
        Unit::PerSecond => format!("{value:.0}"),
        Unit::Milliseconds => format!("{value:.3}"),
        Unit::Count | Unit::Microseconds | Unit::Kibibytes | Unit::Mebibytes => {
            format!("{value:.1}")
        }
        Unit::Ratio => format!("{value:.2}"),
    }
}

fn shown(unit: Unit, target: Target) -> String {
    match target {
        Target::AtLeast(least) => format!(">= {}", number(unit, least)),
        Target::AtMost(most) => format!("<= {}", number(unit, most)),
    }
}
