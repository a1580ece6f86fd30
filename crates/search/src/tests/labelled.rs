//! The labelled queries: what they ask, and rules that say which records answer. A rule looks at
//! category, id and text of a record and never at a ranking. `searches.tsv` and `tasks.tsv` were
//! tuned on. `holdout_*.tsv` come from people who had seen neither the tables nor other queries;
//! they are only measured, and nothing is changed for one of them.
//!
//! A rule is alternatives joined by ` or `; an alternative is conditions that must all hold:
//! `cat:a|b` (the category is one of these), `id:a|b` (the id contains one, `^` and `$` are its
//! ends), `text:a|b` (name, description or tags contain one, `_` is a space), `!` before any of them
//! for its opposite.

use super::super::Record;

/// A query with its rules.
#[derive(Debug)]
pub(super) struct Labelled {
    /// `intent`, `typo`, `id`, `family` or `task`.
    pub(super) group: &'static str,
    pub(super) text: &'static str,
    /// What rank 1 may be of, where the query names its media.
    pub(super) categories: Vec<&'static str>,
    /// Whether it may be tuned on.
    pub(super) is_tuning: bool,
    right: &'static str,
    also: &'static str,
}

/// All labelled queries for search.
pub(super) fn searches() -> Vec<Labelled> {
    let tuning = read(include_str!("../../labelled/searches.tsv"), true);
    tuning.chain(read(include_str!("../../labelled/holdout_searches.tsv"), false)).collect()
}

/// All labelled tasks for recommendation.
pub(super) fn tasks() -> Vec<Labelled> {
    let tuning = read(include_str!("../../labelled/tasks.tsv"), true);
    tuning.chain(read(include_str!("../../labelled/holdout_tasks.tsv"), false)).collect()
}

fn read(table: &'static str, is_tuning: bool) -> impl Iterator<Item = Labelled> {
    table.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(move |line| {
        let mut columns = line.split('\t');
        let mut next = || columns.next().unwrap_or_default();
        let (group, text, categories) = (next(), next(), next());
        let categories = if categories == "-" { "" } else { categories };
        let categories = categories.split('|').filter(|name| !name.is_empty()).collect();
        Labelled { group, text, categories, is_tuning, right: next(), also: next() }
    })
}

impl Labelled {
    /// 2 for a right answer, 1 for an acceptable one, else 0.
    pub(super) fn gain(&self, record: &Record) -> u8 {
        if holds(self.right, record) { 2 } else { u8::from(holds(self.also, record)) }
    }

    /// Whether the record's category may stand at rank 1. One that the dump does not know is taken
    /// to be right where the record is.
    pub(super) fn allows_category(&self, record: &Record) -> bool {
        let category = category(record);
        self.categories.is_empty()
            || self.categories.contains(&category)
            || category.is_empty() && holds(self.right, record)
    }
}

/// The category, or where the dump has none, the part of the id that is one.
fn category(record: &Record) -> &str {
    if !record.category.is_empty() {
        return &record.category;
    }
    let last = record.endpoint_id.rsplit('/').find(|part| part.contains("-to-"));
    last.unwrap_or_default()
}

fn holds(rule: &str, record: &Record) -> bool {
    !rule.is_empty()
        && rule.split(" or ").any(|all| all.split(' ').all(|condition| is_met(condition, record)))
}

fn is_met(condition: &str, record: &Record) -> bool {
    if let Some(opposite) = condition.strip_prefix('!') {
        return !is_met(opposite, record);
    }
    let (subject, values) = condition.split_once(':').unwrap_or_else(|| panic!("{condition}"));
    let mut values = values.split('|');
    match subject {
        "cat" => values.any(|value| value == category(record)),
        "id" => {
            let id = format!("^{}$", record.endpoint_id);
            values.any(|value| id.contains(value))
        }
        "text" => {
            let tags = record.tags.join(" ");
            let text = format!("{} {} {tags}", record.name, record.description).to_lowercase();
            values.any(|value| text.contains(&value.replace('_', " ")))
        }
        other => panic!("{other} is no subject of a rule"),
    }
}
