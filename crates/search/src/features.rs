//! What the classifier sees of a text, in four views: its words, the letters in them, the kinds of
//! word in their order, and what occurs together. Each word goes by several names: its stem, the
//! medium it names, the kinds of word it belongs to. So what is learnt of "a clip of my dog" is known
//! of "a video of our cat" as well, and what is learnt of "blurry" of "unblur".

use std::collections::BTreeSet;
use std::iter::once;

use super::lexicon::{Lexicon, Match, Meaning};
use super::media::Media;
use super::text::Token;

/// The longest run of words, of letters, and of kinds of word that is one feature.
const WORDS: usize = 2;
const LETTERS: usize = 4;
const KINDS: usize = 3;
/// How many words before a noun may say how it stands in the text: "this old blurry photo".
const REACH: usize = 4;

/// How a feature was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Words,
    Letters,
    Kinds,
    Company,
}

/// What all features of each view count together, however many there are.
pub(super) const VIEWS: [f32; 4] = [1.0, 1.4, 1.2, 0.6];

/// A feature of a text: a hash with two bits for the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Feature(pub(super) u32);

impl Feature {
    /// FNV-1a over the parts, each closed by a zero.
    fn new<'p>(view: View, parts: impl IntoIterator<Item = &'p str>) -> Self {
        let bytes = parts.into_iter().flat_map(|part| part.bytes().chain([0]));
        let hash = bytes
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        Self(hash << 2 | view as u32)
    }

    /// The place of its view in [`VIEWS`].
    pub(super) fn view(self) -> usize {
        (self.0 & 3) as usize
    }
}

/// The features of a text.
pub(super) fn features(tokens: &[Token], matches: &[Match], lexicon: &Lexicon) -> Vec<Feature> {
    let mut found = BTreeSet::new();
    let stems: Vec<&str> = tokens.iter().map(|token| token.stem.as_str()).collect();
    runs(View::Words, &stems, WORDS, &mut found);
    for token in tokens {
        let letters: Vec<char> = once('^').chain(token.word.chars()).chain(once('$')).collect();
        for window in letters.windows(LETTERS.min(letters.len())) {
            found.insert(Feature::new(View::Letters, [window.iter().collect::<String>().as_str()]));
        }
    }
    let kinds: Vec<&str> =
        tokens.iter().map(|token| kinds(token, lexicon).next().unwrap_or(&token.stem)).collect();
    runs(View::Kinds, &kinds, KINDS, &mut found);
    company(tokens, matches, lexicon, &mut found);
    found.into_iter().collect()
}

/// Every run of up to `longest` neighbours.
fn runs(view: View, words: &[&str], longest: usize, found: &mut BTreeSet<Feature>) {
    for length in 1..=longest {
        for window in words.windows(length) {
            found.insert(Feature::new(view, window.iter().copied()));
        }
    }
}

/// What occurs together, wherever in the text: two kinds of word, a word and a medium. And what
/// stands before the nouns that name media.
fn company(tokens: &[Token], matches: &[Match], lexicon: &Lexicon, found: &mut BTreeSet<Feature>) {
    let all: BTreeSet<&str> = tokens
        .iter()
        .flat_map(|token| kinds(token, lexicon))
        .chain(phrases(matches, lexicon))
        .collect();
    for (position, one) in all.iter().enumerate() {
        found.insert(Feature::new(View::Company, [*one]));
        for other in all.iter().skip(position + 1) {
            found.insert(Feature::new(View::Company, [*one, *other]));
        }
    }
    let media = tokens
        .iter()
        .enumerate()
        .filter_map(|(position, token)| Some((position, lexicon.noun(token).map(Media::as_str)?)));
    for (position, media) in media {
        for token in tokens {
            found.insert(Feature::new(View::Company, [&token.stem, "with", media]));
        }
        for before in tokens.get(position.saturating_sub(REACH)..position).unwrap_or_default() {
            found.insert(Feature::new(View::Company, [&before.stem, "before", media]));
            for kind in kinds(before, lexicon) {
                found.insert(Feature::new(View::Company, [kind, "before", media]));
            }
        }
    }
}

/// The medium that a word names, and the kinds of word it is of.
fn kinds(token: &Token, lexicon: &Lexicon) -> impl Iterator<Item = &'static str> {
    let media = lexicon.noun(token).map(Media::as_str);
    media.into_iter().chain(lexicon.kinds(token).iter().copied())
}

/// The operations and categories that phrases of the text name.
fn phrases(matches: &[Match], lexicon: &Lexicon) -> impl Iterator<Item = &'static str> {
    matches.iter().filter_map(|phrase| match lexicon.meaning(phrase.concept)? {
        Meaning::Operation(operation) => Some(lexicon.specs.get(operation as usize)?.label),
        Meaning::Category(place) if phrase.is_tight => Some(lexicon.categories.get(place)?.name),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::lexicon::LEXICON;
    use super::super::text::tokens;
    use super::*;

    fn shared(one: &str, other: &str) -> usize {
        let of = |text: &str| features(&tokens(text), &[], &LEXICON);
        let (one, other) = (of(one), of(other));
        one.iter().filter(|feature| other.contains(feature)).count()
    }

    #[test]
    fn texts_of_the_same_kinds_of_words_have_more_in_common() {
        let said = "turn my dog photo into a clip";
        let alike = shared(said, "turn our cat picture into a video");
        assert!(alike > shared(said, "turn our cat picture into a song"));
        assert!(shared(said, "turn our cat picture into a song") > shared(said, "a sad song"));
    }

    #[test]
    fn words_of_one_root_have_letters_in_common() {
        assert!(shared("unblur", "blurry") > shared("unblur", "bright"));
    }
}
