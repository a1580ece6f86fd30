//! The phrases of the field and the sayings of its users, compiled: finds operations, categories,
//! synonyms and sayings in a text, whatever the words used. A phrase becomes a term of the index, so
//! "rembg" finds "background removal".

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::media::Media;
use super::operations::{Operation, Spec, list, rows, table};
use super::text::{Token, is_one_of, tokens};

/// Words that a phrase does not reach across, unless it holds them.
const BOUNDARIES: &str = "from with into using for by";
/// Nouns that say no more than that it is an image or a video.
const PLAIN: &str = "image img picture pic photo photograph video vid clip";

/// What a phrase says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Operation(Operation),
    /// Position in [`Lexicon::categories`].
    Category(usize),
    /// Two names of one thing.
    Synonym,
}

/// A category of fal's.
#[derive(Debug)]
pub(super) struct Category {
    pub(super) name: &'static str,
    pub(super) needs: Media,
    pub(super) makes: Media,
}

/// A phrase found in a text, from token `start` up to `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) concept: usize,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether other words stand between its words.
    has_gap: bool,
    /// Whether nothing does, not even "a" or "my".
    pub(super) is_tight: bool,
}

/// The tables, read once.
pub(super) static LEXICON: LazyLock<Lexicon> = LazyLock::new(Lexicon::new);

/// All phrases, by the stem they begin with.
#[derive(Debug)]
pub(super) struct Lexicon {
    concepts: Vec<Meaning>,
    pub(super) specs: Vec<Spec>,
    pub(super) categories: Vec<Category>,
    phrases: Phrases,
    /// What people say who mean models of a certain word: `sayings.tsv`.
    sayings: Phrases,
    /// By saying: those words, each as its stems.
    pub(super) sayings_mean: Vec<Vec<Vec<String>>>,
    /// Stems of the nouns that name media.
    nouns: HashMap<String, Media>,
    /// The kinds of word that a stem belongs to.
    kinds: HashMap<String, Vec<&'static str>>,
    /// Stems of all words but those of names.
    ordinary: HashSet<String>,
    /// Every word of a phrase: what a misspelt word may have meant.
    pub(super) words: Vec<Token>,
}

/// Phrases by the stem they begin with.
type Phrases = HashMap<String, Vec<Phrase>>;

#[derive(Debug)]
struct Phrase {
    concept: usize,
    rest: Vec<String>,
    /// Whether "image" and "video" in it stand for any noun that names one.
    is_wide: bool,
}

impl Lexicon {
    fn new() -> Self {
        let mut lexicon = Self {
            concepts: Vec::new(),
            specs: table(),
            categories: Vec::new(),
            phrases: Phrases::new(),
            sayings: Phrases::new(),
            sayings_mean: Vec::new(),
            nouns: HashMap::new(),
            kinds: HashMap::new(),
            ordinary: HashSet::new(),
            words: Vec::new(),
        };
        for spec in table() {
            lexicon.add(Meaning::Operation(spec.operation), &spec.phrases);
        }
        for (position, mut columns) in rows(include_str!("../tables/categories.tsv")).enumerate() {
            let name = columns.next().unwrap_or_default();
            let phrases = list(columns.next());
            let mut media = || columns.next().and_then(Media::named).unwrap_or(Media::Text);
            let (needs, makes) = (media(), media());
            lexicon.add(Meaning::Category(position), &phrases);
            lexicon.categories.push(Category { name, needs, makes });
        }
        for mut columns in rows(include_str!("../tables/synonyms.tsv")) {
            lexicon.add(Meaning::Synonym, &list(columns.next()));
        }
        for mut columns in rows(include_str!("../tables/nouns.tsv")) {
            let media = columns.next().and_then(Media::named).unwrap_or(Media::Text);
            let nouns: Vec<Token> = list(columns.next()).into_iter().flat_map(tokens).collect();
            lexicon.nouns.extend(nouns.iter().map(|noun| (noun.stem.clone(), media)));
            lexicon.words.extend(nouns);
        }
        for mut columns in rows(include_str!("../tables/words.tsv")) {
            let kind = columns.next().unwrap_or_default();
            for word in list(columns.next()).into_iter().flat_map(tokens) {
                let kinds = lexicon.kinds.entry(word.stem).or_default();
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
        }
        for (concept, mut columns) in rows(include_str!("../tables/sayings.tsv")).enumerate() {
            let stems = |word| tokens(word).into_iter().map(|token| token.stem).collect();
            lexicon.sayings_mean.push(list(columns.next()).into_iter().map(stems).collect());
            for saying in list(columns.next()) {
                let mut stems = tokens(saying).into_iter().map(|word| word.stem);
                if let Some(first) = stems.next() {
                    let phrase = Phrase { concept, rest: stems.collect(), is_wide: false };
                    lexicon.sayings.entry(first).or_default().push(phrase);
                }
            }
        }
        lexicon.ordinary = lexicon.words.iter().map(|word| word.stem.clone()).collect();
        for mut columns in rows(include_str!("../tables/names.tsv")) {
            lexicon.add(Meaning::Synonym, &list(columns.next()));
        }
        lexicon
    }

    /// Whether a word, by its stem, is of the field and so no family's name.
    pub(super) fn is_ordinary(&self, stem: &str) -> bool {
        self.ordinary.contains(stem)
    }

    /// The media that a noun names.
    pub(super) fn noun(&self, token: &Token) -> Option<Media> {
        self.nouns.get(&token.stem).copied()
    }

    /// The kinds of word that it belongs to: `animal`, `damage`.
    pub(super) fn kinds(&self, token: &Token) -> &[&'static str] {
        self.kinds.get(&token.stem).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, meaning: Meaning, phrases: &[&str]) {
        let concept = self.concepts.len();
        self.concepts.push(meaning);
        for phrase in phrases {
            let words = tokens(phrase);
            let mut stems = words.iter().map(|word| word.stem.clone());
            if let Some(first) = stems.next() {
                let rest: Vec<String> = stems.collect();
                let is_wide = meaning != Meaning::Synonym && !rest.is_empty();
                self.phrases.entry(first).or_default().push(Phrase { concept, rest, is_wide });
            }
            self.words.extend(words);
        }
    }

    pub(super) fn meaning(&self, concept: usize) -> Option<Meaning> {
        self.concepts.get(concept).copied()
    }

    /// The category of that name, if the table has it.
    pub(super) fn category(&self, name: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.name == name)
    }

    /// Whether the token is a noun for a special kind of image or video: "poster", "movie".
    pub(super) fn is_special(&self, token: &Token) -> bool {
        let singular = token.word.strip_suffix('s').unwrap_or(&token.word);
        self.general(token).is_some() && !is_one_of(PLAIN, singular)
    }

    /// The stem of "image" or "video" for a noun that names one.
    fn general(&self, token: &Token) -> Option<&'static str> {
        match self.noun(token)? {
            Media::Image => Some("imag"),
            Media::Video => Some("video"),
            _ => None,
        }
    }

    /// The sayings in `text`, by their places in the table.
    pub(super) fn said(&self, text: &[Token]) -> Vec<usize> {
        let mut said: Vec<usize> =
            find(&self.sayings, text, &[], 1).into_iter().map(|found| found.concept).collect();
        said.sort_unstable();
        said.dedup();
        said
    }

    /// The phrases in `text`. Stop words between the words of a phrase do not count, and `gap` other
    /// words may stand between two of them: "remove the white background". A phrase inside a longer
    /// one is not reported, unless the longer one has a gap for it.
    pub(super) fn find(&self, text: &[Token], gap: usize) -> Vec<Match> {
        let general: Vec<Option<&str>> = text.iter().map(|token| self.general(token)).collect();
        let mut found = find(&self.phrases, text, &general, gap);
        let all = found.clone();
        found.retain(|inner| {
            !all.iter().any(|outer| {
                let is_same = outer.concept == inner.concept && inner.has_gap;
                let is_longer = outer.end - outer.start > inner.end - inner.start;
                let contains = outer.start <= inner.start && inner.end <= outer.end;
                let is_within = inner.start <= outer.start && outer.end <= inner.end;
                !outer.has_gap && (contains && is_longer || is_same && is_within)
            })
        });
        found
    }
}

/// All places where a phrase of `phrases` stands in `text`.
fn find(phrases: &Phrases, text: &[Token], general: &[Option<&str>], gap: usize) -> Vec<Match> {
    let mut found: Vec<Match> = Vec::new();
    for (start, token) in text.iter().enumerate() {
        let general_first = general.get(start).copied().flatten();
        let own = phrases.get(&token.stem).into_iter().flatten();
        let wide = general_first.filter(|stem| *stem != token.stem);
        let wide = wide.and_then(|stem| phrases.get(stem)).into_iter().flatten();
        for phrase in own.chain(wide.filter(|phrase| phrase.is_wide)) {
            let followed = follow(text, general, start + 1, phrase, gap);
            if let Some((end, has_gap)) = followed
                && !found.iter().any(|known| {
                    known.concept == phrase.concept
                        && known.has_gap <= has_gap
                        && known.start <= start
                        && end <= known.end
                })
            {
                let is_tight = end - start == phrase.rest.len() + 1;
                found.push(Match { concept: phrase.concept, start, end, has_gap, is_tight });
            }
        }
    }
    found
}

/// Where the words of `phrase` end that follow its first one from `next` on, and whether others
/// stand between.
fn follow(
    text: &[Token],
    general: &[Option<&str>],
    mut next: usize,
    phrase: &Phrase,
    gap: usize,
) -> Option<(usize, bool)> {
    let mut left = gap;
    for stem in &phrase.rest {
        loop {
            let token = text.get(next)?;
            let wide = general.get(next).copied().flatten().filter(|_| phrase.is_wide);
            next += 1;
            if token.stem == *stem || wide == Some(stem) {
                break;
            }
            // "a video with veo from a prompt" is no video prompt.
            if is_one_of(BOUNDARIES, &token.word) {
                return None;
            }
            // "make my clip 10 seconds longer": a number is not a word between.
            if !token.is_stop && !token.word.starts_with(|first: char| first.is_ascii_digit()) {
                left = left.checked_sub(1)?;
            }
        }
    }
    Some((next, left < gap))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations(text: &str) -> Vec<Operation> {
        let lexicon = Lexicon::new();
        let found = lexicon.find(&tokens(text), 1);
        found
            .into_iter()
            .filter_map(|found| match lexicon.meaning(found.concept) {
                Some(Meaning::Operation(operation)) => Some(operation),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn many_words_name_one_operation() {
        for text in
            ["rembg", "Background Removal", "remove the white background", "cut-outs", "bg remover"]
        {
            assert_eq!(operations(text), [Operation::RemoveBackground], "{text}");
        }
    }

    #[test]
    fn a_longer_phrase_hides_the_shorter_one_in_it() {
        assert_eq!(operations("add sound effects to video"), [Operation::AddSound]);
        assert_eq!(operations("sound effects"), [Operation::SoundEffect]);
    }
}
