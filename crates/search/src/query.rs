//! A text as the index reads it: misspelt words put right, phrases found, and what is looked for as
//! groups of equivalent terms.

use super::Index;
use super::lexicon::{Match, Meaning};
use super::postings::concept_term;
use super::text::{Token, tokens};
use super::vocabulary::is_familiar;

/// Words of one text, as understood.
#[derive(Debug)]
pub(super) struct Reading {
    /// Misspelt words are replaced by what they most likely meant.
    pub(super) tokens: Vec<Token>,
    /// The other words that a misspelt one may have meant: position, stem.
    others: Vec<(usize, String)>,
    pub(super) matches: Vec<Match>,
    /// Places in the table of sayings.
    said: Vec<usize>,
}

/// Terms of which one is enough, with what each counts.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) alternatives: Vec<(u32, f32)>,
    /// What the group counts beside the others.
    pub(super) importance: f32,
}

/// A phrase of the field, beside a word.
const CONCEPT: f32 = 2.0;
/// A word that a phrase stands for already.
const COVERED: f32 = 0.35;
/// A completed word, beside one that was written out.
const COMPLETED: f32 = 0.6;
/// A completion of a word that is complete as it stands.
const CONTINUED: f32 = 0.25;
/// The second and third reading of a misspelt word.
const OTHER_READING: f32 = 0.7;
/// A category or an operation that most models of a category do: a wish more than a word.
const CATEGORY: f32 = 0.5;

/// A saying that tags or description are meant by, beside one that means id or name.
const IN_TEXT: f32 = 0.4;

/// So many unknown words of a text are taken for misspelt ones; a text with more is no query.
const MOST_CORRECTIONS: usize = 12;
/// Longer texts are cut: a query is a line, a task a paragraph.
const MOST_TOKENS: usize = 64;

impl Reading {
    /// Reads `text`. `gap` is how far the words of a phrase may stand apart.
    pub(super) fn new(index: &Index, text: &str, gap: usize) -> Self {
        let mut read = tokens(text);
        read.truncate(MOST_TOKENS);
        let mut others = Vec::new();
        let mut corrections = 0;
        let last = read.len().saturating_sub(1);
        let (shortest, mistakes) = match read.len() {
            0 | 1 => (3, 2),
            2..=4 => (4, 2),
            5..=8 => (6, 2),
            _ => (6, 1),
        };
        for (position, token) in read.iter_mut().enumerate() {
            let known = token.is_stop
                || index.postings.id(&token.stem).is_some()
                || is_familiar(&token.stem)
                || !index.lexicon.kinds(token).is_empty()
                || index.vocabulary.contains(&token.word)
                || token.word.starts_with(|first: char| first.is_ascii_digit());
            // The beginning of a word is no misspelling of another: it is completed.
            let begins = position == last || token.word.len() >= 5;
            // In a sentence an unknown word is more likely a word than a mistake.
            let is_word = token.word.len() < shortest;
            if known || is_word || begins && index.vocabulary.is_likely_beginning(&token.word) {
                continue;
            }
            corrections += 1;
            if corrections > MOST_CORRECTIONS {
                break;
            }
            let mut readings = index.vocabulary.nearest(&token.word, mistakes).into_iter();
            if let Some((word, stem)) = readings.next() {
                *token = Token { word: word.to_owned(), stem: stem.to_owned(), is_stop: false };
                others.extend(readings.map(|(_, stem)| (position, stem.to_owned())));
            }
        }
        let matches = index.lexicon.find(&read, gap);
        let said = index.lexicon.said(&read);
        Self { tokens: read, others, matches, said }
    }

    /// The families of models that the text names, by their stems.
    pub(super) fn families(&self, index: &Index) -> Vec<&str> {
        let stems = self.tokens.iter().filter(|token| token.word.len() > 2);
        let stems = stems.map(|token| token.stem.as_str());
        stems.filter(|stem| index.families.contains(*stem)).collect()
    }

    /// By record: how well it is named by the sayings of the text, 1 for each that its id or name is
    /// meant by.
    pub(super) fn said(&self, index: &Index) -> Vec<f32> {
        let mut sums = vec![0.0; index.records.len()];
        let meant = self.said.iter().filter_map(|saying| index.lexicon.sayings_mean.get(*saying));
        for words in meant {
            let mut best = vec![0.0_f32; sums.len()];
            for stems in words {
                let shares = |stem: &String| {
                    let term = index.postings.id(stem).and_then(|id| index.postings.term(id));
                    let mut shares = vec![0.0_f32; sums.len()];
                    for posting in term.into_iter().flat_map(|term| &term.postings) {
                        if let Some(share) = shares.get_mut(posting.record as usize) {
                            *share = if posting.in_title { 1.0 } else { IN_TEXT };
                        }
                    }
                    shares
                };
                let all = stems.iter().map(shares).reduce(|one, other| {
                    one.into_iter().zip(other).map(|(one, other)| one.min(other)).collect()
                });
                for (best, share) in best.iter_mut().zip(all.unwrap_or_default()) {
                    *best = best.max(share);
                }
            }
            for (sum, best) in sums.iter_mut().zip(best) {
                *sum += best;
            }
        }
        sums
    }

    /// What to look for.
    pub(super) fn groups(&self, index: &Index) -> Vec<Group> {
        let mut groups = Vec::new();
        // What the phrase counts that a word is part of: the word alone does not count more.
        let mut covered: Vec<Option<f32>> = vec![None; self.tokens.len()];
        let mut seen: Vec<usize> = Vec::new();
        for found in &self.matches {
            if seen.contains(&found.concept) {
                continue;
            }
            seen.push(found.concept);
            let (importance, covers) = match index.lexicon.meaning(found.concept) {
                Some(Meaning::Category(_)) => (CATEGORY, true),
                Some(Meaning::Operation(operation)) if operation.is_general() => (CATEGORY, false),
                _ => (CONCEPT, true),
            };
            if let Some(term) = index.postings.id(&concept_term(found.concept)) {
                groups.push(Group { alternatives: vec![(term, 1.0)], importance });
                let weight = importance * index.postings.term(term).map_or(0.0, |term| term.rarity);
                let words = covered.iter_mut().zip(&self.tokens);
                for (word, token) in words.take(found.end).skip(found.start) {
                    if covers && !index.lexicon.is_special(token) {
                        *word = Some(word.unwrap_or_default().max(weight));
                    }
                }
            }
        }
        let only_stops = self.tokens.iter().all(|token| token.is_stop);
        let last = self.tokens.len().saturating_sub(1);
        for (position, token) in self.tokens.iter().enumerate() {
            let is_repeated =
                self.tokens.iter().take(position).any(|before| before.stem == token.stem);
            if is_repeated || token.is_stop && !only_stops {
                continue;
            }
            let mut group = Group { alternatives: Vec::new(), importance: 1.0 };
            if let Some(whole) = covered.get(position).copied().flatten() {
                let own = index.postings.id(&token.stem).and_then(|id| index.postings.term(id));
                let rarity = own.map_or(1.0, |term| term.rarity).max(0.1);
                group.importance = COVERED * (whole / rarity).min(1.0);
            }
            self.alternatives(index, position, token, position == last, &mut group);
            if !group.alternatives.is_empty() {
                groups.push(group);
            }
        }
        groups
    }

    fn alternatives(
        &self,
        index: &Index,
        position: usize,
        token: &Token,
        is_last: bool,
        group: &mut Group,
    ) {
        let mut add = |stem: &str, weight: f32| {
            if let Some(term) = index.postings.id(stem)
                && !group.alternatives.iter().any(|(known, _)| *known == term)
            {
                group.alternatives.push((term, weight));
            }
        };
        add(&token.stem, 1.0);
        let known = index.postings.id(&token.stem).is_some();
        for (_, stem) in self.others.iter().filter(|(of, _)| *of == position) {
            add(stem, OTHER_READING);
        }
        // "nano banana" is written "nanobanana" as well, "lip sync" "lipsync".
        let neighbours = [position.checked_sub(1), Some(position + 1)];
        for (side, neighbour) in neighbours.into_iter().enumerate() {
            if let Some(other) = neighbour.and_then(|neighbour| self.tokens.get(neighbour)) {
                let pair = if side == 0 { [other, token] } else { [token, other] };
                add(&pair.map(|part| part.word.as_str()).concat(), 1.0);
            }
        }
        if token.word.len() >= 2 && (!known || is_last) {
            let weight = if known { CONTINUED } else { COMPLETED };
            for stem in index.vocabulary.completions(&token.word) {
                add(stem, weight);
            }
        }
    }
}
