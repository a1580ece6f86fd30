//! One figure: a median over rounds with its range, and what it is hoped to be.

use serde::Serialize;

/// How far a ratio may miss its target before `--check` fails: far enough that a busy machine is
/// not taken for a slow gateway.
const MARGIN: f64 = 0.6;

/// Figures that belong together.
#[derive(Debug, Serialize)]
pub(crate) struct Case {
    /// What was done.
    pub(crate) name: String,
    /// What it came to.
    pub(crate) figures: Vec<Figure>,
}

/// A measured quantity.
#[derive(Debug, Serialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) name: String,
    /// In what.
    pub(crate) unit: Unit,
    /// The middle of the rounds.
    pub(crate) median: f64,
    /// The least of the rounds.
    pub(crate) min: f64,
    /// The most of the rounds.
    pub(crate) max: f64,
    /// What it is hoped to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<Target>,
}

/// The unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Unit {
    /// Operations a second.
    #[serde(rename = "1/s")]
    PerSecond,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
    /// Microseconds.
    #[serde(rename = "us")]
    Microseconds,
    /// Kibibytes.
    #[serde(rename = "KiB")]
    Kibibytes,
    /// Mebibytes.
    #[serde(rename = "MiB")]
    Mebibytes,
    /// Things counted.
    #[serde(rename = "count")]
    Count,
    /// One measured quantity over another of the same run.
    #[serde(rename = "ratio")]
    Ratio,
}

/// What a figure is hoped to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Target {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

impl Figure {
    /// A figure of one value for each round.
    pub(crate) fn new(
        name: impl Into<String>,
        unit: Unit,
        rounds: impl IntoIterator<Item = f64>,
    ) -> Self {
        let mut values: Vec<f64> = rounds.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
        let last = values.len().saturating_sub(1);
        let median = f64::midpoint(at(last / 2), at(last.div_ceil(2)));
        Self { name: name.into(), unit, median, min: at(0), max: at(last), target: None }
    }

    /// The same with a target.
    pub(crate) fn hoped(mut self, target: Target) -> Self {
        self.target = Some(target);
        self
    }

    /// Whether the target is met; nothing where there is none.
    pub(crate) fn met(&self) -> Option<bool> {
        Some(match self.target? {
            Target::AtLeast(least) => self.median >= least,
            Target::AtMost(most) => self.median <= most,
        })
    }

    /// Whether this is a ratio that misses its target by more than a wide margin. Times and sizes
    /// never are: they say as much about the machine as about the gateway.
    pub(crate) fn misses_by_far(&self) -> bool {
        self.unit == Unit::Ratio
            && self.target.is_some_and(|target| match target {
                Target::AtLeast(least) => self.median < least * MARGIN,
                Target::AtMost(most) => self.median > most / MARGIN,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(rounds: &[f64], target: Target) -> Figure {
        Figure::new("x", Unit::Ratio, rounds.iter().copied()).hoped(target)
    }

    #[test]
    fn a_figure_is_the_median_with_its_range() {
        for (rounds, expected) in [
            (vec![3.0, 1.0, 2.0], (2.0, 1.0, 3.0)),
            (vec![4.0, 1.0, 2.0, 3.0], (2.5, 1.0, 4.0)),
            (vec![7.0], (7.0, 7.0, 7.0)),
        ] {
            let figure = Figure::new("x", Unit::Ratio, rounds);
            let (median, min, max) = expected;
            for (is, should) in [(figure.median, median), (figure.min, min), (figure.max, max)] {
                assert!((is - should).abs() < 1e-9, "{figure:?}");
            }
        }
    }

    #[test]
    fn only_a_ratio_far_from_its_target_fails_the_check() {
        assert_eq!(ratio(&[0.7], Target::AtLeast(0.8)).met(), Some(false));
        assert!(!ratio(&[0.7], Target::AtLeast(0.8)).misses_by_far());
        assert!(ratio(&[0.4], Target::AtLeast(0.8)).misses_by_far());
        assert!(!ratio(&[2.0], Target::AtMost(1.25)).misses_by_far());
        assert!(ratio(&[2.2], Target::AtMost(1.25)).misses_by_far());
        let slow = Figure::new("x", Unit::Milliseconds, [9.0]).hoped(Target::AtMost(1.0));
        assert!(!slow.misses_by_far());
    }
}
