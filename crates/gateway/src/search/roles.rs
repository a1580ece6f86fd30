//! The nouns of a sentence and how they stand in it: what is there, what is wanted, what is only
//! talked about. A few rules over word order; there is no grammar here.

use super::lexicon::{Lexicon, Match, Meaning};
use super::media::{Media, MediaSet};
use super::query::Reading;
use super::text::is_one_of;

/// The media of a sentence by their part in it.
#[derive(Debug, Default)]
pub(super) struct Roles {
    /// What there is.
    pub(super) inputs: MediaSet,
    /// What is wanted.
    pub(super) output: Option<Media>,
    /// What the result is for: "a jingle for a podcast".
    pub(super) context: MediaSet,
    /// What is named without a hint.
    pub(super) unknown: MediaSet,
    /// The first that is there, a mask aside.
    pub(super) first_input: Option<Media>,
    /// The first noun that has a part of its own and is not text.
    pub(super) first: Option<Media>,
    /// From which token on the text describes what the result shows; its length when nowhere.
    pub(super) content: usize,
}

/// How a noun stands in the sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Input,
    Output,
    Context,
    Unknown,
}

#[derive(Debug, Clone, Copy)]
struct Mention {
    position: usize,
    media: Media,
    role: Role,
}

/// Words before a noun that say it exists already.
const EXISTING: &str = "have this my our these existing uploaded attached his her their two three several given your those that multiple both provided old few";
/// Verbs whose object is made.
const CREATE: &str = "generate create make produce draw paint render compose write design build craft imagine get extract generating creating making need want give generates sketch illustrate film";
/// Verbs whose object becomes something else.
const CONVERT: &str =
    "turn convert transform change make morph turning converting bring take transforming";
/// Verbs whose object exists.
const EDIT: &str = "crop rotate resize stabilize compress trim cut loop blur sharpen flip mirror reverse change modify fix clean adjust brighten darken edit replace swap remove add put combine blend improve enhance detect count find locate analyze speed slow apply erase delete check";
/// After what is made, what it shows.
const SHOWS: &str = "of showing with where depicting featuring about in";
/// The same after a noun without a verb.
const SHOWN: &str = "of showing with depicting featuring";
/// Verbs that make a picture, also when none is named.
const PICTURE: &str = "draw paint illustrate sketch design";

/// Reads the parts of the nouns. Those in `named`, the name of a category, have none.
pub(super) fn read(reading: &Reading, lexicon: &Lexicon, named: Option<Match>) -> Roles {
    let mut sentence = Sentence::new(reading, lexicon, named);
    sentence.mark_existing();
    sentence.mark_objects();
    sentence.mark_conversion();
    sentence.mark_result();
    let content = sentence.content();
    let mut roles = Roles { content, ..Roles::default() };
    for mention in &sentence.mentions {
        if mention.role == Role::Unknown && mention.position >= content {
            continue;
        }
        match mention.role {
            Role::Input => {
                roles.inputs = roles.inputs.with(mention.media);
                if mention.media != Media::Mask {
                    roles.first_input = roles.first_input.or(Some(mention.media));
                }
            }
            Role::Output => roles.output = roles.output.or(Some(mention.media)),
            Role::Context => roles.context = roles.context.with(mention.media),
            Role::Unknown => roles.unknown = roles.unknown.with(mention.media),
        }
        if mention.media != Media::Text {
            roles.first = roles.first.or(Some(mention.media));
        }
    }
    roles
}

/// Whether the word at `position` only says what the result is for.
pub(super) fn is_context(reading: &Reading, position: usize) -> bool {
    (position.saturating_sub(3)..position)
        .filter_map(|before| reading.tokens.get(before))
        .any(|token| matches!(token.word.as_str(), "for" | "without"))
}

/// A sentence while it is read.
struct Sentence<'r> {
    reading: &'r Reading,
    lexicon: &'r Lexicon,
    mentions: Vec<Mention>,
    /// The first verb that makes or converts.
    verb: Option<usize>,
}

impl<'r> Sentence<'r> {
    /// Finds the nouns: in "product photo video" only the last one counts.
    fn new(reading: &'r Reading, lexicon: &'r Lexicon, named: Option<Match>) -> Self {
        let mut sentence = Self { reading, lexicon, mentions: Vec::new(), verb: None };
        let words = 0..reading.tokens.len();
        sentence.verb = words.clone().find(|position| {
            let word = sentence.word(*position);
            is_one_of(CREATE, word) || is_one_of(CONVERT, word)
        });
        let noun =
            |position: usize| reading.tokens.get(position).and_then(|token| lexicon.noun(token));
        sentence.mentions = words
            .filter(|position| !named.is_some_and(|m| m.start <= *position && *position < m.end))
            .filter(|position| noun(position + 1).is_none_or(|next| next == Media::Text))
            .filter_map(|position| {
                noun(position).map(|media| Mention { position, media, role: Role::Unknown })
            })
            .collect();
        sentence
    }

    fn word(&self, position: usize) -> &'r str {
        self.reading.tokens.get(position).map_or("", |token| token.word.as_str())
    }

    /// Whether one of the `reach` words before `position` is in `list`.
    fn follows(&self, position: usize, reach: usize, list: &str) -> bool {
        (position.saturating_sub(reach)..position).any(|before| is_one_of(list, self.word(before)))
    }

    fn has(&self, role: Role) -> bool {
        self.mentions.iter().any(|mention| mention.role == role)
    }

    /// Whether a match of an operation fulfils `test`.
    fn operation(&self, test: impl Fn(&Match) -> bool) -> bool {
        self.reading.matches.iter().any(|found| {
            matches!(self.lexicon.meaning(found.concept), Some(Meaning::Operation(_)))
                && test(found)
        })
    }

    /// Gives every unknown noun the role that `rule` finds for it.
    fn mark(&mut self, rule: impl Fn(&Self, usize, Mention) -> Option<Role>) {
        for index in 0..self.mentions.len() {
            let Some(mention) = self.mentions.get(index).copied() else { continue };
            if mention.role == Role::Unknown
                && let Some(role) = rule(self, index, mention)
                && let Some(mention) = self.mentions.get_mut(index)
            {
                mention.role = role;
            }
        }
    }

    /// "this photo", "from a script", "the waveform of a song".
    fn mark_existing(&mut self) {
        self.mark(|sentence, index, Mention { position, .. }| {
            if is_context(sentence.reading, position) {
                return Some(Role::Context);
            }
            let before = index.checked_sub(1).and_then(|before| sentence.mentions.get(before));
            let reach = before.map_or(4, |before| position - before.position - 1).min(4);
            // What is not shown in a picture is there.
            let is_part_of = index == 0
                && position > 1
                && (sentence.word(position - 1) == "of"
                    || sentence.word(position - 2) == "of"
                        && sentence.follows(position, 1, "a an the"));
            let exists = sentence.follows(position, reach, EXISTING)
                || sentence.follows(position, reach, "from given");
            (exists || is_part_of).then_some(Role::Input)
        });
    }

    /// What something is done to: "crop the image", "make a clip longer", "lip sync with audio".
    fn mark_objects(&mut self) {
        let edit =
            (0..self.reading.tokens.len()).find(|position| is_one_of(EDIT, self.word(*position)));
        let edit = edit.filter(|edit| self.verb.is_none_or(|verb| *edit <= verb));
        let makes = self.verb.is_some_and(|verb| is_one_of("make change", self.word(verb)));
        self.mark(|sentence, _, Mention { position, media, .. }| {
            let is_edited = edit.is_some_and(|edit| edit < position);
            // But "with a deep voice" is how.
            let is_means = sentence.verb.is_none()
                && sentence.follows(position, 3, "with using via")
                && !is_one_of("voice sound music", sentence.word(position));
            let is_definite = makes && sentence.follows(position, 1, "the");
            // "make a photo talk": what is made to do something is there.
            let is_made_to = makes
                && matches!(media, Media::Image | Media::Video)
                && sentence.operation(|found| {
                    position <= found.start
                        && found.start <= position + 2
                        && found.end > position + 1
                });
            (is_edited || is_means || is_definite || is_made_to).then_some(Role::Input)
        });
    }

    /// "turn X into Y", "convert X to Y", and without a verb "X to Y".
    fn mark_conversion(&mut self) {
        let Some((verb, into)) = self.conversion() else { return };
        let has_object = self
            .mentions
            .iter()
            .any(|mention| mention.position < into && mention.role == Role::Input);
        // "make a video to show": nothing stands there to become anything.
        if self.word(verb) == "make" && self.word(into) == "to" && !has_object {
            return;
        }
        let result = self.mentions.iter().position(|mention| mention.position > into);
        for (index, mention) in self.mentions.iter_mut().enumerate() {
            if mention.position >= verb && mention.position < into {
                mention.role = Role::Input;
            } else if Some(index) == result && mention.role == Role::Unknown {
                mention.role = Role::Output;
            }
        }
        let makes_picture = self
            .mentions
            .iter()
            .any(|mention| mention.role == Role::Output && mention.media == Media::Image);
        // "turn this floor plan into a render": what can be pointed at is most likely a picture.
        if makes_picture && !self.has(Role::Input) && self.word(verb + 1) == "this" {
            let mention = Mention { position: verb + 1, media: Media::Image, role: Role::Input };
            self.mentions.push(mention);
        }
    }

    /// Where what becomes something else begins, and where "into" stands.
    fn conversion(&self) -> Option<(usize, usize)> {
        let mut words = 0..self.reading.tokens.len();
        if let Some(verb) = self.verb.filter(|verb| is_one_of(CONVERT, self.word(*verb))) {
            let into = words
                .find(|position| *position > verb && is_one_of("into to", self.word(*position)));
            return into.map(|into| (verb, into));
        }
        let noun_at = |position: usize| self.mentions.iter().any(|m| m.position == position);
        let first = self.mentions.first()?.position;
        let into = words.find(|position| {
            *position > first
                && is_one_of("into to", self.word(*position))
                && (noun_at(position + 1) || noun_at(position + 2))
        });
        // "lip sync my video to a song" names what is done.
        let is_done_to = self.operation(|found| found.start < first);
        into.filter(|_| self.verb.is_none() && !is_done_to).map(|into| (0, into))
    }

    /// What the text wants made, unless a conversion said so.
    fn mark_result(&mut self) {
        let draws = self.verb.filter(|verb| is_one_of(PICTURE, self.word(*verb)));
        if let Some(position) = draws.filter(|_| self.mentions.is_empty()) {
            self.mentions.push(Mention { position, media: Media::Image, role: Role::Output });
        }
        // "film a drone shot": the noun is the verb.
        if self.verb == Some(0)
            && let Some(verb) = self.mentions.iter_mut().find(|mention| mention.position == 0)
        {
            verb.role = Role::Output;
        }
        if !self.has(Role::Output)
            && let Some(result) = self.result()
            && let Some(mention) = self.mentions.get_mut(result)
        {
            mention.role = Role::Output;
        }
    }

    /// Which of the nouns is the object of a verb, or the first of "a video from …", "a photo of …".
    fn result(&self) -> Option<usize> {
        let unknown = self.mentions.iter().position(|mention| mention.role == Role::Unknown)?;
        if let Some(verb) = self.verb.filter(|verb| is_one_of(CREATE, self.word(*verb))) {
            let is_object =
                |mention: &Mention| mention.position > verb && mention.role == Role::Unknown;
            let object = self.mentions.iter().position(is_object)?;
            let has_article = self.follows(self.mentions.get(object)?.position, 1, "a an as");
            let is_given = self.word(verb) == "give";
            return (object == 0 || has_article || is_given).then_some(object);
        }
        let first = self.mentions.get(unknown)?.position;
        let is_from = self.mentions.iter().any(|mention| {
            mention.role == Role::Input
                && mention.position > first
                && self.follows(mention.position, 3, "from")
        });
        let is_shown = is_one_of(SHOWN, self.word(first + 1));
        let is_done_to = self.operation(|found| found.start < first);
        ((is_from || is_shown) && !is_done_to).then_some(unknown)
    }

    /// Where the words begin that describe what the result shows.
    fn content(&self) -> usize {
        let end = self.reading.tokens.len();
        let result = self.mentions.iter().find(|mention| mention.role == Role::Output);
        let Some(result) = result.map(|result| result.position) else { return end };
        (result + 1..(result + 3).min(end))
            .find(|position| is_one_of(SHOWS, self.word(*position)))
            .unwrap_or(end)
    }
}
