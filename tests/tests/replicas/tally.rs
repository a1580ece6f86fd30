//! What happened to the calls of all agents: how many failed, in which way, and how each was
//! recovered from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How an agent went on after a call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Recovery {
    /// It asked about the job, or for the list of jobs, once more.
    AskedAgain,
    /// A progress message had named the job.
    NamedByProgress,
    /// `list_jobs` showed a job that it did not know.
    FoundByListJobs,
    /// `list_jobs` showed no such job, so it was submitted again.
    SubmittedAgain,
}

/// The books of one agent, or of all.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Calls made.
    pub(crate) calls: u32,
    /// Calls without an answer, by the tool and by what came instead.
    pub(crate) failed: BTreeMap<String, u32>,
    /// What was done about them; one for each that failed.
    pub(crate) recovered: BTreeMap<Recovery, u32>,
    /// The jobs whose output was fetched.
    pub(crate) fetched: BTreeSet<String>,
    /// How many of these were submitted by one replica and fetched from another.
    pub(crate) moved: u32,
}

impl Tally {
    /// Adds another's.
    pub(crate) fn add(&mut self, other: Self) {
        self.calls += other.calls;
        self.moved += other.moved;
        for (what, count) in other.failed {
            *self.failed.entry(what).or_default() += count;
        }
        for (how, count) in other.recovered {
            *self.recovered.entry(how).or_default() += count;
        }
        for request_id in other.fetched {
            assert!(self.fetched.insert(request_id), "two agents fetched one job");
        }
    }

    pub(crate) fn failed_calls(&self) -> u32 {
        self.failed.values().sum()
    }

    pub(crate) fn recoveries(&self) -> u32 {
        self.recovered.values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, failed, recovered, fetched, moved } = self;
        write!(
            f,
            "{} jobs fetched, {moved} of them from another replica than took them; {calls} calls, {} failed {failed:?}, recovered {recovered:?}",
            fetched.len(),
            self.failed_calls(),
        )
    }
}
