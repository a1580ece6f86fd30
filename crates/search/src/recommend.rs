//! Recommendation: models for a task, best first, each with the facts that speak for it. A model
//! that needs what the task does not have is not among them.

use super::facts::{self, Facts};
use super::hints::{self, Hints};
use super::media::Media;
use super::operations::{Operation, Operations};
use super::query::Reading;
use super::rank;
use super::task::{self, Wish};
use super::text::{float, tokens};
use super::{Index, Kind, Pick, Recommendation, Status, Task};

/// How many candidates are kept: enough to leave out those that cost too much.
const CANDIDATES: usize = 40;

/// What speaks for a model, in points.
mod points {
    pub(super) const NAMED: f32 = 1.0;
    /// The same for an operation that most models of the category do.
    pub(super) const GENERAL: f32 = 0.6;
    pub(super) const HINTED: f32 = 0.45;
    pub(super) const FIRST_CATEGORY: f32 = 0.1;
    pub(super) const FAMILY: f32 = 1.2;
    pub(super) const WORDS: f32 = 0.45;
    pub(super) const CONTENT: f32 = 0.12;
    /// For each saying of the task that means the model.
    pub(super) const SAID: f32 = 0.5;
    pub(super) const MOST_SAID: f32 = 2.0;
    pub(super) const POPULAR: f32 = 1.0;
    pub(super) const PACE: f32 = 0.45;
    /// For each operation that the model is for and the task does not want.
    pub(super) const SPECIALISED: f32 = -0.3;
    pub(super) const NOTHING_KNOWN: f32 = -0.3;
    /// The category is not fal's own word, only what the id tells.
    pub(super) const UNFILED: f32 = -0.15;
}

/// Recommends models of `index` for `text`.
pub(super) fn recommend(index: &Index, text: &str) -> Recommendation {
    let reading = Reading::new(index, text, 1);
    let wish = task::understand(index, &reading);
    let hints = hints::read(text, &reading.tokens);
    let said = reading.said(index);
    let families = reading.families(index);
    let words = words(index, &reading, &wish, &said);
    let candidates = |is_candidate: &dyn Fn(&Facts) -> bool| -> Vec<Pick> {
        (0..index.count())
            .filter_map(|position| {
                let facts = index.facts.get(position as usize)?;
                let record = index.records.get(position as usize)?;
                let matched = words.get(position as usize).copied().unwrap_or_default();
                let is_found = !wish.categories.is_empty() || matched > 0.0;
                if record.status != Status::Active || !is_found || !is_candidate(facts) {
                    return None;
                }
                let said = said.get(position as usize).copied().unwrap_or_default();
                let mut score = score(facts, &wish, &hints, &families, matched)
                    + points::SAID * said.min(points::MOST_SAID)
                    + points::POPULAR * index.prior(position);
                if record.category.is_empty() {
                    score += points::UNFILED;
                }
                Some(Pick { position, score, reasons: Vec::new() })
            })
            .collect()
    };
    let mut picks = candidates(&|facts| is_able(facts, &wish));
    if picks.is_empty() {
        // No category does what is wanted: what has the words and can do with the inputs is next.
        picks = candidates(&|facts| {
            facts.kind == Kind::Inference && facts.needs.beyond_text().is_within(wish.inputs)
        });
    }
    picks.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.position.cmp(&b.position)));
    picks.truncate(CANDIDATES);
    for pick in &mut picks {
        pick.reasons = reasons(index, pick.position, &wish, &hints, &families);
    }
    Recommendation { task: describe(index, &wish, hints), picks }
}

/// Whether the model is of the right kind and can do with what the task has.
fn is_able(facts: &Facts, wish: &Wish) -> bool {
    let trains = wish.operation == Some(Operation::Train);
    if (facts.kind == Kind::Training) != trains {
        return false;
    }
    if wish.categories.is_empty() {
        let makes = wish.output.is_none_or(|output| facts.makes == Some(output));
        return makes
            && (wish.output.is_none() || facts.needs.beyond_text().is_within(wish.inputs));
    }
    let suitable = wish.categories.contains(&&*facts.category)
        || facts.category.is_empty()
            && wish.operation.is_some_and(|wanted| facts.named.contains(wanted));
    let mut has = wish.inputs;
    if has.contains(Media::Video) {
        has = has.with(Media::Audio);
    }
    suitable && (trains || facts.needs.beyond_text().is_within(needed(wish, has)))
}

/// What the task has, with what its operation brings along by its nature.
fn needed(wish: &Wish, has: super::media::MediaSet) -> super::media::MediaSet {
    match wish.operation {
        Some(Operation::LipSync | Operation::Avatar) => {
            has.with(Media::Audio).with(Media::Image).with(Media::Video)
        }
        Some(Operation::Keyframes | Operation::Reference) => has.with(Media::Image),
        Some(Operation::MotionControl) => has.with(Media::Video).with(Media::Image),
        Some(Operation::CloneVoice | Operation::ChangeVoice) => has.with(Media::Audio),
        _ => has,
    }
}

fn score(facts: &Facts, wish: &Wish, hints: &Hints, families: &[&str], matched: f32) -> f32 {
    // Without a special operation the words are mostly what the result shows, which no model is made for.
    let is_special = wish.operation.is_some_and(|operation| !operation.is_general());
    let words = if is_special { points::WORDS } else { points::CONTENT };
    let mut score = matched * words;
    let mut wanted = wish.operations;
    if let Some(operation) = wish.operation {
        if facts.named.contains(operation) {
            score += if operation.is_general() { points::GENERAL } else { points::NAMED };
        } else if facts.hinted.contains(operation) && !operation.is_general() {
            score += points::HINTED;
        }
        wanted.insert(operation);
    }
    if wish.categories.first().is_some_and(|first| *first == &*facts.category) {
        score += points::FIRST_CATEGORY;
    }
    if facts.is_of_family(families) {
        score += points::FAMILY;
    }
    let pace = [
        (hints.pace.fast, facts.pace.fast),
        (hints.pace.best, facts.pace.best),
        (hints.pace.cheap, facts.pace.cheap),
    ];
    for (asked, is) in pace {
        if asked && is {
            score += points::PACE;
        }
    }
    if facts.makes.is_none() {
        score += points::NOTHING_KNOWN;
    }
    let mut usual = ordinary();
    if wish.operation == Some(Operation::Avatar) || wish.operation == Some(Operation::LipSync) {
        usual = usual.union([Operation::Avatar, Operation::LipSync].into_iter().collect());
    }
    let extra = facts.named.without(wanted).without(usual).len().min(3);
    score + points::SPECIALISED * float(extra as usize)
}

/// Operations that every model of a kind may name without being narrower for it.
fn ordinary() -> Operations {
    [
        Operation::Edit,
        Operation::Animate,
        Operation::EditVideo,
        Operation::Mesh,
        Operation::Speech,
        Operation::Train,
        Operation::Chat,
        Operation::Transcribe,
    ]
    .into_iter()
    .collect()
}

/// How well the words of the task match each record, from 0 to 1.
fn words(index: &Index, reading: &Reading, wish: &Wish, said: &[f32]) -> Vec<f32> {
    let mut matched = vec![0.0; index.records.len()];
    let scored = rank::scores(index, reading, wish, said);
    let best = scored.iter().map(|(score, _)| *score).fold(f32::MIN_POSITIVE, f32::max);
    for (score, position) in scored {
        if let Some(place) = matched.get_mut(position as usize) {
            *place = score / best;
        }
    }
    matched
}

/// What speaks for a pick, in short sentences made of facts.
fn reasons(
    index: &Index,
    position: u32,
    wish: &Wish,
    hints: &Hints,
    families: &[&str],
) -> Vec<String> {
    let (Some(record), Some(facts)) =
        (index.records.get(position as usize), index.facts.get(position as usize))
    else {
        return Vec::new();
    };
    let mut reasons = Vec::new();
    let place = index.place_in_category(position);
    if facts.category.is_empty() {
        reasons.push("Its category is not known.".to_owned());
    } else if place <= 20 {
        reasons.push(format!("Number {place} in {} by popularity.", facts.category));
    } else {
        reasons.push(format!("Category {}.", facts.category));
    }
    if let Some(operation) = wish.operation {
        let label = index.lexicon.specs.get(operation as usize).map_or("", |spec| spec.label);
        if facts.named.contains(operation) {
            reasons.push(format!("Made for {label}."));
        } else if facts.hinted.contains(operation) {
            let tag = record
                .tags
                .iter()
                .find(|tag| facts::operations(index.lexicon, &tokens(tag)).contains(operation));
            reasons.push(tag.map_or_else(
                || format!("Its description names {label}."),
                |tag| format!("Tagged {tag}."),
            ));
        }
    }
    if facts.is_of_family(families) {
        reasons.push("Of the family that the task names.".to_owned());
    }
    if hints.pace.fast && facts.pace.fast {
        reasons.push("A fast variant.".to_owned());
    }
    if hints.pace.best && facts.pace.best {
        reasons.push("A high-quality variant.".to_owned());
    }
    if hints.pace.cheap && facts.pace.cheap {
        reasons.push("A low-price variant.".to_owned());
    }
    if record.highlighted {
        reasons.push("Highlighted by fal.".to_owned());
    }
    reasons
}

fn describe(index: &Index, wish: &Wish, hints: Hints) -> Task {
    let operation =
        wish.operation.and_then(|operation| index.lexicon.specs.get(operation as usize));
    Task {
        inputs: wish.inputs,
        output: wish.output,
        operation: operation.map(|spec| spec.label),
        category: wish.categories.first().map(|category| (*category).to_owned()),
        categories: wish.categories.clone(),
        hints,
    }
}
