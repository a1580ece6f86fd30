//! What the classifier sees of a text. Each word goes by several names: its stem, the medium it
//! names, the kinds of word it belongs to. So what is learnt of "a clip of my dog" is known of "a
//! video of our cat" as well.

use std::borrow::Cow;

use super::lexicon::{Lexicon, Match, Meaning};
use super::text::Token;

/// How many words before a noun may say how it stands in the text: "this old blurry photo".
const REACH: usize = 4;

/// The features of a text, as hashes: its words, words beside each other, kinds of words that occur
/// together, what stands before the nouns that name media, and the phrases of the field.
pub(super) fn features(tokens: &[Token], matches: &[Match], lexicon: &Lexicon) -> Vec<u64> {
    let words: Vec<Vec<Cow<'_, str>>> = tokens.iter().map(|token| names(token, lexicon)).collect();
    let mut found = vec![hash(&["any text"])];
    for (position, word) in words.iter().enumerate() {
        let before = words.get(position.saturating_sub(REACH)..position).unwrap_or_default();
        for name in word {
            found.push(hash(&["word", name]));
            for last in before.last().into_iter().flatten() {
                found.push(hash(&["pair", last, name]));
            }
        }
        if let Some(media) = tokens.get(position).and_then(|token| lexicon.noun(token)) {
            for name in before.iter().flatten() {
                found.push(hash(&["before", name, media.as_str()]));
            }
        }
    }
    let mut kinds: Vec<&str> =
        words.iter().flat_map(|word| word.iter().skip(1)).map(|name| &**name).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for (position, kind) in kinds.iter().enumerate() {
        for other in kinds.iter().skip(position + 1) {
            found.push(hash(&["both", kind, other]));
        }
    }
    for phrase in matches {
        match lexicon.meaning(phrase.concept) {
            Some(Meaning::Operation(operation)) => {
                found.push(hash(&["operation", &format!("{operation:?}")]));
            }
            Some(Meaning::Category(place)) if phrase.is_tight => {
                let category = lexicon.categories.get(place);
                found.push(hash(&["category", category.map_or("", |category| category.name)]));
            }
            _ => {}
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The names that a word goes by, its stem first.
fn names<'t>(token: &'t Token, lexicon: &Lexicon) -> Vec<Cow<'t, str>> {
    let mut names = vec![Cow::Borrowed(token.stem.as_str())];
    if let Some(media) = lexicon.noun(token) {
        names.push(Cow::Borrowed(media.as_str()));
    } else if token.word != "3d" && token.word.starts_with(|first: char| first.is_ascii_digit()) {
        names.push(Cow::Borrowed("number"));
    }
    names.extend(lexicon.kinds(token).iter().map(|kind| Cow::Owned(format!("[{kind}]"))));
    names
}

/// FNV-1a over the parts, each closed by a zero.
fn hash(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
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
}
