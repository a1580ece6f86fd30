//! Ranked search: which records a query means, best first.

use super::query::{Group, Reading};
use super::task;
use super::text::{float, squash};
use super::{Hits, Index, Kind, Query};

/// What the query's whole text being the name of a model is worth, against a score of 1.
const WHOLE_NAME: f32 = 1.5;
/// What every word of the query standing in id and name is worth.
const IN_TITLE: f32 = 0.35;
/// What it adds that the id has few other words.
const SPECIFIC: f32 = 0.35;
/// What it takes when the record is of another category than the query asks for.
const OTHER_CATEGORY: f32 = 0.7;
/// What it takes when the record needs media that the query does not have.
const LACKING: f32 = 0.3;
/// What is left of it when the query names a family of models and the record is of another.
const OTHER_FAMILY: f32 = 0.6;
/// What it adds that the record does what the query surely wants.
const MEANT: f32 = 0.2;
/// What it adds that a saying of the query means the record.
const SAID: f32 = 0.1;
/// What it adds when the record is for the operation that the query names.
const SAME_OPERATION: f32 = 0.35;
/// The share of an operation that only tags or description name, or that many models do.
const HINTED: f32 = 0.3;
/// What it takes for each operation that the record is for and the query does not name.
const SPECIALISED: f32 = 0.06;
/// From this chance on, records that do what is wanted are found by that alone.
const SURE: f32 = 0.5;
/// Records that hold less than this share of what the best one holds are left out.
const LEAST_COVERAGE: f32 = 0.35;

/// A record's sums while a query is counted.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    score: f32,
    covered: f32,
    in_title: f32,
}

/// Searches `index`.
pub(super) fn search(index: &Index, query: &Query<'_>) -> Hits {
    let text = query.text.map(str::trim).unwrap_or_default();
    if text.is_empty() {
        let kind = query.kind.or((query.category != Some("training")).then_some(Kind::Inference));
        let ranked =
            (0..index.count()).filter(|position| passes(index, query, kind, *position)).collect();
        return Hits { ranked };
    }
    let reading = Reading::new(index, text, 1);
    let wish = task::understand(index, &reading);
    let said = reading.said(index);
    let trains = wish.trains || query.category == Some("training");
    let kind = query.kind.or((!trains).then_some(Kind::Inference));
    let mut scored = scores(index, &reading, &wish, &said);
    scored.retain(|(_, position)| passes(index, query, kind, *position));
    for (score, position) in &mut scored {
        let facts = index.facts.get(*position as usize);
        if facts.is_some_and(|facts| is_of_category(facts, &wish)) {
            let said = said.get(*position as usize).copied().unwrap_or_default();
            *score += SAID * said.min(1.0);
        }
        if facts.is_some_and(|facts| is_meant(facts, &wish)) {
            *score += MEANT;
        }
    }
    scored.sort_by(|(a, a_position), (b, b_position)| {
        b.total_cmp(a).then(a_position.cmp(b_position))
    });
    let mut ranked: Vec<u32> = scored.into_iter().map(|(_, position)| position).collect();
    put_ids_first(index, query, text, &mut ranked);
    Hits { ranked }
}

fn passes(index: &Index, query: &Query<'_>, kind: Option<Kind>, position: u32) -> bool {
    let (Some(record), Some(facts)) =
        (index.records.get(position as usize), index.facts.get(position as usize))
    else {
        return false;
    };
    record.status == query.status
        && kind.is_none_or(|kind| facts.kind == kind)
        && query.category.is_none_or(|category| record.category == category)
}

/// The score of every record that has enough of the words, or is meant without them. `said` is by
/// record what [`Reading::said`] found.
pub(super) fn scores(
    index: &Index,
    reading: &Reading,
    wish: &task::Wish,
    said: &[f32],
) -> Vec<(f32, u32)> {
    let groups = reading.groups(index);
    let sums = count(index, &groups);
    let wanted: f32 = groups.iter().map(|group| weight(index, group)).sum();
    let most = sums.iter().map(|sum| sum.covered).fold(0.0, f32::max);
    let best = sums.iter().map(|sum| sum.score).fold(f32::MIN_POSITIVE, f32::max);
    let whole: String =
        squash(&reading.tokens.iter().map(|token| token.word.as_str()).collect::<String>());
    let families = reading.families(index);
    let names_family = index.facts.iter().any(|facts| facts.is_of_family(&families));
    (0_u32..)
        .zip(&sums)
        .zip(&index.facts)
        .zip(said)
        .filter(|(((_, sum), facts), said)| {
            most > 0.0 && sum.covered >= LEAST_COVERAGE * most
                || is_meant(facts, wish)
                || **said > 0.0 && is_of_category(facts, wish)
        })
        .map(|(((position, sum), facts), _)| {
            let coverage = sum.covered / wanted.max(f32::MIN_POSITIVE);
            let mut score = sum.score / best * (0.3 + 0.7 * coverage * coverage);
            let is_title = sum.in_title >= 0.99 * wanted;
            if is_title {
                score += IN_TITLE
                    + SPECIFIC * float(groups.len()).min(float(facts.id_words))
                        / float(facts.id_words);
            }
            if *whole == *facts.squashed_name || *whole == *facts.squashed_id {
                score += WHOLE_NAME;
            }
            let is_of_family = facts.is_of_family(&families);
            if names_family && !is_of_family {
                score *= OTHER_FAMILY;
            }
            // Who says a model's name in full means it, whatever the words may want.
            if !(is_of_family && is_title) {
                score *= fit(facts, wish);
            }
            score *= 1.0 + index.prior(position);
            (score, position)
        })
        .collect()
}

/// Whether the record is where the query looks, as far as it says.
fn is_of_category(facts: &super::facts::Facts, wish: &task::Wish) -> bool {
    wish.categories.is_empty() || wish.categories.contains(&&*facts.category)
}

/// Whether the record is for what the query surely wants, whatever its words.
fn is_meant(facts: &super::facts::Facts, wish: &task::Wish) -> bool {
    wish.category_chance * wish.operation_chance > SURE
        && wish.categories.contains(&&*facts.category)
        && wish
            .operation
            .is_some_and(|operation| !operation.is_general() && facts.all().contains(operation))
}

/// How well a record suits what the query says beyond its words.
fn fit(facts: &super::facts::Facts, wish: &task::Wish) -> f32 {
    let mut fit = 1.0;
    if !wish.categories.is_empty() {
        let is_able = facts.needs.beyond_text().is_within(wish.inputs);
        fit -= wish.category_chance.powi(2)
            * match wish.categories.contains(&&*facts.category) {
                false => OTHER_CATEGORY,
                true if !is_able => LACKING,
                true => 0.0,
            };
    }
    if let Some(operation) = wish.operation {
        let share = wish.operation_chance * if operation.is_general() { HINTED } else { 1.0 };
        if facts.named.contains(operation) {
            fit += SAME_OPERATION * share;
        } else if facts.hinted.contains(operation) {
            fit += SAME_OPERATION * share * HINTED;
        }
    }
    let extra = facts.named.without(wish.operations).len().min(3);
    fit - SPECIALISED * float(extra as usize)
}

/// The most that a group can say: the rarity of its surest term.
fn weight(index: &Index, group: &Group) -> f32 {
    let best = group
        .alternatives
        .iter()
        .filter(|(_, weight)| *weight >= 0.99)
        .chain(group.alternatives.first())
        .filter_map(|(term, weight)| Some(index.postings.term(*term)?.rarity * weight))
        .fold(0.0, f32::max);
    best * group.importance
}

/// Adds up the groups: the best alternative of each counts.
fn count(index: &Index, groups: &[Group]) -> Vec<Sum> {
    let mut sums = vec![Sum::default(); index.records.len()];
    let mut best: Vec<(f32, f32, bool)> = vec![(0.0, 0.0, false); index.records.len()];
    for group in groups {
        best.fill((0.0, 0.0, false));
        let whole = weight(index, group);
        for (term, share) in &group.alternatives {
            for posting in index.postings.term(*term).into_iter().flat_map(|term| &term.postings) {
                if let Some(best) = best.get_mut(posting.record as usize) {
                    best.0 = best.0.max(posting.impact * share);
                    best.1 = best.1.max(*share);
                    best.2 |= posting.in_title;
                }
            }
        }
        for (sum, (impact, share, in_title)) in sums.iter_mut().zip(&best) {
            sum.score += impact * group.importance;
            sum.covered += whole * share.min(1.0);
            sum.in_title += if *in_title { whole * share.min(1.0) } else { 0.0 };
        }
    }
    sums
}

/// A query that is an id, or the beginning of some, is answered with those: the id itself first,
/// whatever stands between its words, then what lies under it, the shortest first.
fn put_ids_first(index: &Index, query: &Query<'_>, text: &str, ranked: &mut Vec<u32>) {
    let wanted = id_in(text);
    let squashed = squash(&wanted);
    if wanted.is_empty() {
        return;
    }
    let mut first: Vec<(usize, u32)> = Vec::new();
    for ((position, record), facts) in (0_u32..).zip(&index.records).zip(&index.facts) {
        let id = record.endpoint_id.as_str();
        let (owner, path) = id.split_once('/').unwrap_or_default();
        let under = [id, path]
            .iter()
            .find_map(|candidate| strip_prefix(candidate, &wanted))
            .filter(|rest| rest.is_empty() || rest.starts_with('/') && wanted.contains('/'))
            .or_else(|| is_respelt(&squashed, owner, path, &facts.squashed_id).then_some(""));
        if let Some(rest) = under
            // Who names an id in full is asking for that model, whatever it is for.
            && passes(index, query, query.kind, position)
        {
            first.push((rest.matches('/').count(), position));
        }
    }
    first.sort_unstable();
    let ids: Vec<u32> = first.into_iter().map(|(_, position)| position).collect();
    ranked.retain(|position| !ids.contains(position));
    ranked.splice(0..0, ids);
}

/// What follows `prefix`, which is in lower case, in a text of any case.
fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Whether the query, letters and digits alone, is the id, with its owner or without. A path of one
/// part is a name and may be a word as well.
fn is_respelt(squashed: &str, owner: &str, path: &str, squashed_path: &str) -> bool {
    squashed.strip_suffix(squashed_path).is_some_and(|rest| match rest {
        "" => path.contains('/'),
        rest => rest == squash(owner),
    })
}

/// The id in a query that may be an address of fal's: `https://fal.ai/models/fal-ai/flux/dev/api`.
fn id_in(text: &str) -> String {
    let text = text.trim().trim_matches(['"', '\'', '`', '/']).to_lowercase();
    let path = text.strip_prefix("https://").or(text.strip_prefix("http://"));
    let Some(path) = path else { return text };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once('/').map_or("", |(_, path)| path);
    let path = path.strip_prefix("models/").unwrap_or(path);
    let path = path.strip_suffix("/api").or(path.strip_suffix("/playground")).unwrap_or(path);
    path.trim_matches('/').to_owned()
}
