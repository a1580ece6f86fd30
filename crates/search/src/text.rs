//! Text to tokens, the same way for catalogue and query: `Veo3.1`, `veo-3.1` and `veo 3.1` are the
//! tokens `veo`, `3.1`; `img2img` is `img`, `to`, `img`; `v3` and `3.0` are `3`.

use super::stem::stem;

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// In lower case.
    pub(super) word: String,
    pub(super) stem: String,
    /// Whether it carries no meaning of its own in a query.
    pub(super) is_stop: bool,
}

impl Token {
    /// A word in lower case.
    pub(super) fn new(word: &str) -> Self {
        Self { word: word.to_owned(), stem: stem(word), is_stop: is_stop(word) }
    }

    /// Whether it is digits alone.
    pub(super) fn is_number(&self) -> bool {
        self.word.chars().all(|character| character.is_ascii_digit())
    }
}

/// Words that say nothing of what is looked for, sorted. `to` is one, but phrases may hold it.
const STOP: [&str; 103] = [
    "a",
    "about",
    "ai",
    "all",
    "also",
    "am",
    "an",
    "and",
    "any",
    "api",
    "are",
    "as",
    "at",
    "be",
    "best",
    "but",
    "by",
    "can",
    "convert",
    "could",
    "create",
    "do",
    "does",
    "endpoint",
    "fal",
    "for",
    "from",
    "generate",
    "get",
    "give",
    "good",
    "has",
    "have",
    "help",
    "how",
    "i",
    "if",
    "im",
    "in",
    "into",
    "is",
    "it",
    "its",
    "just",
    "let",
    "like",
    "looking",
    "make",
    "makes",
    "me",
    "model",
    "models",
    "more",
    "my",
    "need",
    "no",
    "not",
    "of",
    "off",
    "on",
    "one",
    "only",
    "or",
    "our",
    "out",
    "per",
    "please",
    "produce",
    "should",
    "so",
    "some",
    "something",
    "than",
    "that",
    "the",
    "their",
    "them",
    "then",
    "these",
    "this",
    "those",
    "to",
    "tool",
    "turn",
    "up",
    "use",
    "using",
    "very",
    "want",
    "was",
    "way",
    "we",
    "were",
    "what",
    "when",
    "where",
    "which",
    "who",
    "will",
    "with",
    "would",
    "you",
    "your",
];

fn is_stop(word: &str) -> bool {
    STOP.binary_search(&word).is_ok()
}

/// Whether `word` is in a list of words that is written with spaces.
pub(super) fn is_one_of(list: &str, word: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}

/// The tokens of `text`, in order.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut run = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character.is_alphanumeric() {
            run.extend(character.to_lowercase().map(plain));
        } else if character == '.'
            && run.ends_with(|last: char| last.is_ascii_digit())
            && characters.peek().is_some_and(char::is_ascii_digit)
        {
            run.push('.');
        } else if matches!(character, '\'' | '’') {
            // "don't", "photo's": the apostrophe joins.
        } else {
            split_run(&run, &mut found);
            run.clear();
        }
    }
    split_run(&run, &mut found);
    found
}

/// The letter without its accent, for the accents that model names and European users type.
fn plain(character: char) -> char {
    match character {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'ç' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ñ' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        other => other,
    }
}

/// Splits `veo3.1` where letters end and digits begin. Digits followed by letters stay together:
/// `3d`, `4k`, `14b`, `720p`.
fn split_run(run: &str, found: &mut Vec<Token>) {
    if run.is_empty() {
        return;
    }
    let Some(digits) = run.find(|character: char| character.is_ascii_digit()) else {
        return push(run, found);
    };
    let (letters, rest) = run.split_at(digits);
    if letters.is_empty() {
        return push(run.strip_suffix(".0").unwrap_or(run), found);
    }
    // `img2img`, `i2v`, `image2svg`: the digit is the word "to".
    if let Some(target) = rest.strip_prefix('2')
        && !target.is_empty()
        && target.chars().all(char::is_alphabetic)
        && target != "d"
    {
        push(letters, found);
        push("to", found);
        return push(target, found);
    }
    // `v3` is the version 3.
    if letters != "v" {
        push(letters, found);
    }
    push(rest.strip_suffix(".0").unwrap_or(rest), found);
}

fn push(word: &str, found: &mut Vec<Token>) {
    found.push(Token::new(word));
}

/// Only the letters and digits of `text`, in lower case: what is left when two spellings of a name
/// differ in spaces and dashes alone.
pub(super) fn squash(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A count as a number to reckon with. No catalogue or text here comes near 65,535 of anything.
pub(super) fn float(count: usize) -> f32 {
    f32::from(u16::try_from(count).unwrap_or(u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::{squash, tokens};

    fn words(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.word).collect()
    }

    #[test]
    fn spellings_of_a_version_are_one() {
        for text in ["Veo3.1", "veo 3.1", "veo-3.1", "VEO/v3.1"] {
            assert_eq!(words(text), ["veo", "3.1"], "{text}");
        }
        assert_eq!(words("Kling 3.0 Pro"), words("kling/v3/pro"));
        assert_eq!(words("hunyuan3d-v2 14b 4K"), ["hunyuan", "3d", "2", "14b", "4k"]);
    }

    #[test]
    fn a_two_between_letters_is_the_word_to() {
        assert_eq!(words("img2img"), ["img", "to", "img"]);
        assert_eq!(words("i2v"), ["i", "to", "v"]);
        assert_eq!(words("sam2"), ["sam", "2"]);
    }

    #[test]
    fn names_are_compared_without_spaces() {
        assert_eq!(squash("Nano Banana-2"), squash("nanobanana2"));
    }
}
