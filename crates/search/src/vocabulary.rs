//! The words of the catalogue as they are written: completes the beginning of a word, and finds what
//! a misspelt one meant.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::postings::Postings;

/// How many completions of a beginning are looked at.
const COMPLETIONS: usize = 24;
/// How many times as common a word is that is meant rather than continued.
const MUCH_COMMONER: usize = 8;
/// How many readings of a misspelt word are kept.
const READINGS: usize = 3;

/// Stems of the words that people use, as the build script found them in the examples.
static FAMILIAR: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!(concat!(env!("OUT_DIR"), "/familiar")).lines().collect());

/// Whether a word, by its stem, is one that people use: it is no misspelt other one, though no model
/// may hold it.
pub(super) fn is_familiar(stem: &str) -> bool {
    FAMILIAR.contains(stem)
}

/// A word that is written somewhere.
#[derive(Debug)]
struct Word {
    text: Box<str>,
    stem: Box<str>,
    /// One bit for each letter in it: two words whose bits differ much are far apart.
    letters: u64,
    /// In how many records it stands.
    records: usize,
}

/// The words, sorted.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    words: Vec<Word>,
}

impl Vocabulary {
    /// Of all `words`, each with its stem.
    pub(super) fn new(words: HashMap<String, String>, postings: &Postings) -> Self {
        let mut words: Vec<(String, String)> = words.into_iter().collect();
        words.sort();
        let words = words
            .into_iter()
            .map(|(text, stem)| Word {
                letters: letters(&text),
                records: postings
                    .id(&stem)
                    .and_then(|id| postings.term(id))
                    .map_or(0, |term| term.postings.len()),
                text: text.into_boxed_str(),
                stem: stem.into_boxed_str(),
            })
            .collect();
        Self { words }
    }

    /// Whether the word is written anywhere.
    pub(super) fn contains(&self, word: &str) -> bool {
        self.words.binary_search_by(|known| (*known.text).cmp(word)).is_ok()
    }

    /// Stems of the words that begin with `beginning`, without that word itself.
    pub(super) fn completions(&self, beginning: &str) -> impl Iterator<Item = &str> {
        self.beginning_with(beginning).map(|known| &*known.stem)
    }

    /// Whether `word` is rather the beginning of another than a far commoner one with one mistake:
    /// `schne` is, `imge` is not.
    pub(super) fn is_likely_beginning(&self, word: &str) -> bool {
        let completed: usize = self.beginning_with(word).map(|known| known.records).sum();
        let near = self.found_near(word, 1).into_iter();
        let misspelt = near.filter(|known| strsim::osa_distance(word, &known.text) == 1);
        let meant = misspelt.map(|known| known.records).max();
        self.beginning_with(word).next().is_some()
            && meant.is_none_or(|records| records < MUCH_COMMONER * completed.max(1))
    }

    fn beginning_with(&self, beginning: &str) -> impl Iterator<Item = &Word> {
        let start = self.words.partition_point(|known| &*known.text < beginning);
        self.words
            .get(start..)
            .unwrap_or_default()
            .iter()
            .take_while(move |known| known.text.starts_with(beginning))
            .filter(move |known| &*known.text != beginning)
            .take(COMPLETIONS)
    }

    /// The words nearest to a misspelt one, the likeliest first, as word and stem. Letters added,
    /// lost, changed or exchanged count one each: one is allowed in short words, `most` in long ones.
    pub(super) fn nearest(&self, word: &str, most: usize) -> Vec<(&str, &str)> {
        self.found_near(word, most).into_iter().map(|known| (&*known.text, &*known.stem)).collect()
    }

    fn found_near(&self, word: &str, most: usize) -> Vec<&Word> {
        let length = word.chars().count();
        let allowed = match length {
            0..=2 => return Vec::new(),
            3..=4 => 1,
            _ => most,
        };
        let wanted = letters(word);
        let first = word.chars().next();
        let mut found: Vec<(usize, bool, std::cmp::Reverse<usize>, &Word)> = Vec::new();
        for known in &self.words {
            let differing = (known.letters ^ wanted).count_ones();
            if differing as usize > 2 * allowed || known.text.len().abs_diff(word.len()) > allowed {
                continue;
            }
            let distance = strsim::osa_distance(word, &known.text);
            if distance > 0 && distance <= allowed && known.text.len() >= 3 {
                let other_first = known.text.chars().next() != first;
                found.push((distance, other_first, std::cmp::Reverse(known.records), known));
            }
        }
        found.sort_by(|a, b| (a.0, a.1, a.2, &a.3.text).cmp(&(b.0, b.1, b.2, &b.3.text)));
        let best = found.first().map_or(0, |(distance, ..)| *distance);
        found
            .into_iter()
            .take_while(|(distance, ..)| *distance == best)
            .take(READINGS)
            .map(|(.., known)| known)
            .collect()
    }

    /// Bytes on the heap, roughly.
    pub(super) fn bytes(&self) -> usize {
        self.words.iter().map(|word| size_of::<Word>() + word.text.len() + word.stem.len()).sum()
    }
}

fn letters(word: &str) -> u64 {
    word.bytes().fold(0, |bits, byte| bits | 1 << (byte % 64))
}
