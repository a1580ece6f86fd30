//! What a record says of its model without saying it outright: the media it needs and makes, the
//! operations it is for, how it presents itself. Read once, when the index is built.

use super::lexicon::{Lexicon, Meaning};
use super::media::{Media, MediaSet};
use super::operations::{Operation, Operations};
use super::text::{Token, is_one_of, squash, tokens};
use super::{Kind, Record};

/// What is known of a model beyond its words.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// fal's category; where it says none, the one that the id tells. Empty when nothing does.
    pub(super) category: Box<str>,
    /// What a call must bring, as far as category and id tell.
    pub(super) needs: MediaSet,
    pub(super) makes: Option<Media>,
    /// Operations in the id, the name, the group or the category: what the model is for.
    pub(super) named: Operations,
    /// Operations in the tags and the description: what it may do as well.
    pub(super) hinted: Operations,
    pub(super) kind: Kind,
    pub(super) pace: Pace,
    /// The id after its owner, its parts and its name without punctuation, for exact matches.
    pub(super) squashed_id: Box<str>,
    pub(super) squashed_name: Box<str>,
    /// The number of words in the id.
    pub(super) id_words: usize,
    /// Stems of the words of owner and app, which name the family.
    pub(super) family: Vec<Box<str>>,
    /// Months since the year 0, or 0 when the date is unknown.
    pub(super) month: u16,
}

impl Facts {
    /// All that it does, as far as its record says.
    pub(super) fn all(&self) -> Operations {
        self.named.union(self.hinted)
    }

    /// Whether the model is of one of these families, as [`Reading::families`](super::query::Reading)
    /// has them.
    pub(super) fn is_of_family(&self, families: &[&str]) -> bool {
        self.family.iter().any(|stem| families.contains(&&**stem))
    }
}

/// What a model's id and name promise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pace {
    /// Quick answers.
    pub fast: bool,
    /// The best result.
    pub best: bool,
    /// A low price.
    pub cheap: bool,
}

/// Apps of fal-ai that are a publisher; what follows names the family.
const PUBLISHERS: &str = "bytedance minimax elevenlabs";

const FAST: &str =
    "fast realtim turbo lightn lightning schnell flash distil distill lcm sprint instant";
const BEST: &str = "pro max ultra hd master 4k premium quality precision";
const CHEAP: &str = "lite mini standard schnell small flash tiny";

/// Reads the facts of a record.
pub(super) fn read(record: &Record, lexicon: &Lexicon) -> Facts {
    let (owner, path) = record.endpoint_id.split_once('/').unwrap_or(("", &record.endpoint_id));
    let id_tokens = tokens(path);
    let name_tokens = tokens(&record.name);
    let category = match record.category.as_str() {
        "" | "unknown" => from_id(path, &id_tokens, lexicon),
        stated => stated,
    };
    let in_id = operations(lexicon, &id_tokens);
    let group = tokens(record.group.as_deref().unwrap_or_default());
    let mut named =
        in_id.union(operations(lexicon, &name_tokens)).union(operations(lexicon, &group));
    if let Some(operation) = of_category(category, named) {
        named.insert(operation);
    }
    let tags = record.tags.iter().map(|tag| operations(lexicon, &tokens(tag)));
    let hinted = tags
        .fold(operations(lexicon, &tokens(&record.description)), Operations::union)
        .without(named);
    let known = lexicon.category(category);
    let mut needs = known.map_or_else(MediaSet::default, |known| MediaSet::of(known.needs));
    if category == "vision" && id_tokens.iter().any(|token| token.word == "video") {
        needs = MediaSet::of(Media::Video);
    }
    needs = needs.union(hidden_needs(lexicon, category, path, in_id));
    let training = record.kind == Kind::Training || category == "training";
    let mut parts = path.split('/');
    let app = parts.next().unwrap_or_default();
    let line = parts.next().filter(|_| is_one_of(PUBLISHERS, app)).unwrap_or_default();
    let mut family: Vec<Box<str>> =
        [app, line].into_iter().flat_map(tokens).map(|token| token.stem.into_boxed_str()).collect();
    if owner != "fal-ai" {
        family.extend(tokens(owner).into_iter().map(|token| token.stem.into_boxed_str()));
    }
    Facts {
        category: category.into(),
        needs,
        makes: known.map(|known| known.makes),
        named,
        hinted,
        kind: if training { Kind::Training } else { Kind::Inference },
        pace: pace(&id_tokens, &name_tokens),
        squashed_id: squash(path).into_boxed_str(),
        squashed_name: squash(&record.name).into_boxed_str(),
        id_words: id_tokens.len().max(1),
        family,
        month: record.date.as_deref().map_or(0, month),
    }
}

pub(super) fn operations(lexicon: &Lexicon, tokens: &[Token]) -> Operations {
    lexicon
        .find(tokens, 0)
        .into_iter()
        .filter_map(|found| match lexicon.meaning(found.concept) {
            Some(Meaning::Operation(operation)) => Some(operation),
            _ => None,
        })
        .collect()
}

/// The operation that a category stands for, unless the model is for something else.
fn of_category(category: &str, named: Operations) -> Option<Operation> {
    Some(match category {
        "text-to-speech" => Operation::Speech,
        "training" => Operation::Train,
        "llm" => Operation::Chat,
        "image-to-3d" | "text-to-3d" if !named.contains(Operation::Motion3d) => Operation::Mesh,
        "speech-to-text" | "audio-to-text" if !named.contains(Operation::DetectSpeech) => {
            Operation::Transcribe
        }
        "speech-to-speech" => Operation::ChangeVoice,
        "video-to-audio" if named.is_empty() => Operation::AddSound,
        _ => return None,
    })
}

/// Inputs that the category does not tell: an inpainting model in text-to-image still needs an image.
fn hidden_needs(lexicon: &Lexicon, category: &str, path: &str, in_id: Operations) -> MediaSet {
    let from_text = matches!(category, "text-to-image" | "text-to-video");
    let mut needs = MediaSet::default();
    if !from_text {
        return needs;
    }
    let image = lexicon.specs.iter().any(|spec| {
        in_id.contains(spec.operation)
            && !spec.categories.iter().any(|found_in| found_in.starts_with("text-to-"))
    });
    if image || path.contains("image-to-") || path.contains("image-prompt") {
        needs = needs.with(Media::Image);
    }
    if in_id.contains(Operation::LipSync) {
        needs = needs.with(Media::Video);
    }
    needs
}

/// The category that an id names: `…/image-to-video`, `…/edit`, `…-trainer`.
fn from_id(path: &str, id: &[Token], lexicon: &Lexicon) -> &'static str {
    let stated = path.rsplit('/').find_map(|part| {
        let category = lexicon.categories.iter().find(|category| part == category.name);
        category.map(|category| category.name)
    });
    if let Some(category) = stated {
        return category;
    }
    let has = |stem: &str| id.iter().any(|token| token.stem == stem);
    let video = has("video") || has("vid") || has("footag");
    match () {
        () if has("train") => "training",
        () if has("tts") => "text-to-speech",
        () if path.contains("lipsync") || path.contains("motion-control") => "video-to-video",
        () if path.contains("to-video") => "image-to-video",
        () if path.contains("to-3d") => "image-to-3d",
        () if path.contains("text-to-") => "text-to-image",
        () if has("music") || has("song") => "text-to-audio",
        () if has("transcrib") || has("asr") => "speech-to-text",
        () if has("edit") || has("upscal") || has("inpaint") || has("remov") || has("extend") => {
            if video {
                "video-to-video"
            } else {
                "image-to-image"
            }
        }
        () if path.contains("image-to-") => "image-to-image",
        () if has("vision") => "vision",
        () => "",
    }
}

fn pace(id: &[Token], name: &[Token]) -> Pace {
    let any = |list: &str| id.iter().chain(name).any(|token| is_one_of(list, &token.stem));
    Pace { fast: any(FAST), best: any(BEST), cheap: any(CHEAP) }
}

/// The month of an RFC 3339 date.
fn month(date: &str) -> u16 {
    let mut parts = date.split('-');
    let mut next = || parts.next().and_then(|part| part.parse::<u16>().ok());
    match (next(), next()) {
        (Some(year), Some(month)) => year.saturating_mul(12).saturating_add(month),
        _ => 0,
    }
}
