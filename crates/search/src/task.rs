//! Reads a text for what it wants done: which medium there is, which is wanted, by which operation,
//! and so in which of fal's categories the model is to be found. The classifier decides.

use std::sync::LazyLock;

use super::Index;
use super::classifier::{Answer, Classifier};
use super::features::features;
use super::lexicon::{Lexicon, Meaning};
use super::media::{Media, MediaSet};
use super::operations::{Operation, Operations};
use super::query::Reading;
use super::text::Token;

/// What a text wants.
#[derive(Debug, Default)]
pub(super) struct Wish {
    pub(super) operation: Option<Operation>,
    /// All operations that phrases of the text name.
    pub(super) operations: Operations,
    /// The categories whose models can do it, the most usual first. Empty when the text does not say.
    pub(super) categories: Vec<&'static str>,
    /// What the text says is there.
    pub(super) inputs: MediaSet,
    pub(super) output: Option<Media>,
    /// Whether training is asked for, or may be.
    pub(super) trains: bool,
    /// How likely it is, from 0 to 1, that they are meant.
    pub(super) category_chance: f32,
    /// The same for the operation.
    pub(super) operation_chance: f32,
}

/// Below this chance nothing is known of what is wanted.
const LEAST_CHANCE: f32 = 0.15;
/// From this chance on training may be wanted, whose models are hidden from those who do not ask.
const MAY_TRAIN: f32 = 0.25;
/// How many words before a noun may say that the thing is there.
const REACH: usize = 4;
/// fal's category for models that it has not filed.
const UNKNOWN: &str = "unknown";

/// What the build script learnt from the tables.
pub(super) static CLASSIFIER: LazyLock<Option<Classifier>> =
    LazyLock::new(|| Classifier::read(include_bytes!(concat!(env!("OUT_DIR"), "/classifier"))));

/// Understands a text that was read, as far as it is likely to mean one thing.
pub(super) fn understand(index: &Index, reading: &Reading) -> Wish {
    let lexicon = index.lexicon;
    let features = features(&reading.tokens, &reading.matches, lexicon);
    let chances = index.classifier.map(|classifier| classifier.chances(&features));
    let chances = chances.unwrap_or_default();
    let sum = |is_counted: &dyn Fn(&Answer) -> bool| -> f32 {
        chances.iter().filter(|(answer, _)| is_counted(answer)).map(|(_, chance)| chance).sum()
    };
    let named = reading.matches.iter().filter_map(|found| match lexicon.meaning(found.concept) {
        Some(Meaning::Operation(operation)) => Some(operation),
        _ => None,
    });
    let mut wish = Wish { operations: named.collect(), ..Wish::default() };
    let train = sum(&|answer| answer.operation == Some(Operation::Train));
    wish.trains = train > MAY_TRAIN || wish.operations.contains(Operation::Lora);
    wish.inputs = MediaSet::of(Media::Text);
    let Some((best, _)) = chances.iter().max_by(|a, b| a.1.total_cmp(&b.1)) else { return wish };
    wish.category_chance = sum(&|answer| answer.media() == best.media());
    wish.operation_chance = sum(&|answer| answer.operation == best.operation);
    if wish.category_chance < LEAST_CHANCE {
        return wish;
    }
    wish.operation = best.operation;
    wish.categories = categories(*best, lexicon);
    wish.inputs = wish.inputs.with(best.needs);
    if best.needs != Media::Text || best.operation.is_some() {
        wish.inputs = wish.inputs.union(given(&reading.tokens, lexicon));
    }
    wish.output = Some(best.makes);
    wish
}

/// Where models are that give this answer: the categories of its operation that turn the one medium
/// into the other, or all of them where fal files the operation under other media.
fn categories(answer: Answer, lexicon: &Lexicon) -> Vec<&'static str> {
    let spec = answer.operation.and_then(|operation| lexicon.specs.get(operation as usize));
    let suits = |name: &str| {
        // Models that look at a video are in the category of those that look at an image.
        let watches = name == "vision" && answer.needs == Media::Video;
        lexicon.category(name).is_some_and(|category| {
            category.makes == answer.makes && (category.needs == answer.needs || watches)
        })
    };
    let Some(spec) = spec else {
        let all = lexicon.categories.iter().map(|category| category.name);
        return all.filter(|name| suits(name)).collect();
    };
    let of_operation = spec.categories.iter().copied();
    let suitable: Vec<&str> = of_operation.filter(|name| *name == UNKNOWN || suits(name)).collect();
    if suitable.iter().any(|name| *name != UNKNOWN) { suitable } else { spec.categories.clone() }
}

/// The media of which the text says that they are there: "my photo", "from a recording".
fn given(tokens: &[Token], lexicon: &Lexicon) -> MediaSet {
    let is_given = |position: usize| {
        let before = tokens.get(position.saturating_sub(REACH)..position).unwrap_or_default();
        let beside = before.iter().rev().take_while(|token| lexicon.noun(token).is_none());
        beside.into_iter().any(|token| {
            lexicon.kinds(token).contains(&"given") || matches!(token.word.as_str(), "from" | "of")
        })
    };
    let nouns = tokens.iter().enumerate().filter_map(|(position, token)| {
        let media = lexicon.noun(token)?;
        // Nobody names a mask who has none.
        (media == Media::Mask || is_given(position)).then_some(media)
    });
    nouns.fold(MediaSet::default(), MediaSet::with)
}

#[cfg(test)]
mod tests {
    use super::CLASSIFIER;

    #[test]
    fn what_the_build_script_wrote_is_read() {
        assert!(CLASSIFIER.is_some());
    }
}
