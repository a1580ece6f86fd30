//! Living ids near one that is unknown, renamed or deprecated: by shared words, shared parts and
//! typing mistakes.

use super::text::{float, squash, tokens};
use super::{Index, Status};

/// Below this likeness an id is no help.
const LEAST: f32 = 0.3;

/// Longer words are parts like `image-to-video`, which are the same or not.
const MISTYPED: usize = 16;

/// The ids nearest to `wanted`, the nearest first.
pub(super) fn nearest<'i>(index: &'i Index, wanted: &str, limit: usize) -> Vec<&'i str> {
    let wanted = wanted.trim().to_lowercase();
    let own = Parts::of(&wanted);
    let mut found: Vec<(f32, usize, &str)> = index
        .records
        .iter()
        .zip(&index.parts)
        .enumerate()
        .filter(|(_, (record, _))| record.status == Status::Active && record.endpoint_id != wanted)
        .map(|(position, (record, parts))| {
            (likeness(&own, parts), position, record.endpoint_id.as_str())
        })
        .filter(|(likeness, ..)| *likeness >= LEAST)
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    found.into_iter().take(limit).map(|(.., id)| id).collect()
}

/// An id, taken apart.
#[derive(Debug)]
pub(super) struct Parts {
    /// After the owner, without punctuation and without a part like `image-to-video`.
    squashed: String,
    /// Its words; a part like `image-to-video` is one.
    words: Vec<String>,
    owner: String,
}

impl Parts {
    /// Bytes on the heap, roughly.
    pub(super) fn bytes(&self) -> usize {
        let words: usize = self.words.iter().map(|word| word.len() + size_of::<String>()).sum();
        size_of::<Self>() + self.squashed.len() + self.owner.len() + words
    }

    /// Takes an id apart.
    pub(super) fn of(id: &str) -> Self {
        let (owner, path) = id.split_once('/').unwrap_or(("", id));
        let mut words = Vec::new();
        let mut squashed = String::new();
        for part in path.split('/') {
            if part.contains("-to-") {
                words.push(part.to_owned());
            } else {
                words.extend(tokens(part).into_iter().map(|token| token.word));
                squashed.push_str(&squash(part));
            }
        }
        Self { squashed, words, owner: owner.to_lowercase() }
    }
}

/// From 0 to a little over 1.
fn likeness(wanted: &Parts, other: &Parts) -> f32 {
    let mut shared = 0.0;
    for (place, word) in wanted.words.iter().enumerate() {
        let best = other.words.iter().map(|known| word_likeness(word, known)).fold(0.0, f32::max);
        // The app's own name says more than what follows it.
        shared += best * if place == 0 { 2.0 } else { 1.0 };
    }
    let wanted_weight = float(wanted.words.len()) + 1.0;
    let other_weight = float(other.words.len()) + 1.0;
    let words = 2.0 * shared / (wanted_weight + other_weight).max(1.0);
    let length = wanted.squashed.len().max(other.squashed.len()).max(1);
    // Nothing in common yet: how it is spelt as a whole no longer matters.
    let spelling =
        if words < LEAST || wanted.squashed.len().abs_diff(other.squashed.len()) * 2 > length {
            0.0
        } else {
            1.0 - float(strsim::osa_distance(&wanted.squashed, &other.squashed)) / float(length)
        };
    let owner = if wanted.owner == other.owner { 0.03 } else { 0.0 };
    0.65 * words + 0.35 * spelling.max(0.0) + owner
}

/// One for the same word, less for a mistyped one, and for the same number in another version some.
fn word_likeness(wanted: &str, known: &str) -> f32 {
    if wanted == known {
        return 1.0;
    }
    let is_number = |word: &str| word.starts_with(|first: char| first.is_ascii_digit());
    if is_number(wanted) || is_number(known) {
        return if is_number(wanted) && is_number(known) { 0.3 } else { 0.0 };
    }
    let length = wanted.len().max(known.len());
    let near = wanted.len().abs_diff(known.len()) <= 2
        && (4..=MISTYPED).contains(&length)
        && (wanted.bytes().next() == known.bytes().next()
            || wanted.bytes().next_back() == known.bytes().next_back());
    if near && strsim::osa_distance(wanted, known) <= if length >= 8 { 2 } else { 1 } {
        return 0.8;
    }
    let starts = wanted.len() >= 3
        && known.len() >= 3
        && (wanted.starts_with(known) || known.starts_with(wanted));
    if starts { 0.5 } else { 0.0 }
}
