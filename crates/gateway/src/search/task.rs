//! Reads a sentence for what it wants done: which media there are, which is wanted, by which
//! operation, and so in which of fal's categories the model is to be found.

use super::Index;
use super::lexicon::{Category, Lexicon, Match, Meaning};
use super::media::{Media, MediaSet};
use super::operations::{Operation, Operations};
use super::query::Reading;
use super::roles::{self, Roles};
use super::text::Token;

/// What a text wants.
#[derive(Debug, Default)]
pub(super) struct Wish {
    pub(super) operation: Option<Operation>,
    /// All operations it names, also those that were passed over.
    pub(super) operations: Operations,
    /// The categories whose models can do it, the most usual first. Empty when the text does not say.
    pub(super) categories: Vec<&'static str>,
    /// What the text says is there.
    pub(super) inputs: MediaSet,
    pub(super) output: Option<Media>,
    /// Whether training is asked for.
    pub(super) trains: bool,
    /// Whether the categories were asked for, or only follow from a single noun.
    pub(super) is_sure: bool,
}

/// Understands a text that was read.
pub(super) fn understand(index: &Index, reading: &Reading) -> Wish {
    let lexicon = &index.lexicon;
    let explicit = explicit_category(reading, lexicon);
    let roles = roles::read(reading, lexicon, explicit.map(|(found, _)| found));
    let named = named_operations(reading, lexicon, roles.content);
    let explicit = explicit.filter(|(found, _)| found.start < roles.content);
    let explicit = explicit.map(|(_, category)| category);
    let mut wish = Wish {
        operations: named.iter().copied().collect(),
        inputs: roles.inputs,
        output: roles.output,
        ..Wish::default()
    };
    wish.trains = wish.operations.contains(Operation::Train)
        || wish.operations.contains(Operation::Lora) && explicit.is_none();
    choose(&mut wish, &named, explicit, &roles, lexicon);
    if let Some(category) = wish.categories.first().and_then(|name| lexicon.category(name)) {
        if wish.inputs.beyond_text().is_empty() {
            let is_film = category.name == "vision" && roles.unknown.contains(Media::Video);
            wish.inputs = MediaSet::of(if is_film { Media::Video } else { category.needs });
        }
        if roles.unknown.contains(category.needs) {
            wish.inputs = wish.inputs.with(category.needs);
        }
        wish.output = wish.output.or(Some(category.makes));
    }
    wish.inputs = wish.inputs.with(Media::Text);
    wish
}

/// Chooses operation and categories: an operation that suits the media, else the category that the
/// text names, else the ones that turn what is there into what is wanted.
fn choose(
    wish: &mut Wish,
    named: &[Operation],
    explicit: Option<&Category>,
    roles: &Roles,
    lexicon: &Lexicon,
) {
    for is_general in [false, true] {
        let named = named.iter().filter(|operation| operation.is_general() == is_general);
        let mut best: Option<(i32, Operation, Vec<&'static str>)> = None;
        for operation in named {
            let Some(spec) = lexicon.specs.get(*operation as usize) else { continue };
            let (score, categories) = match explicit {
                Some(category) if spec.categories.contains(&category.name) => {
                    (0, vec![category.name])
                }
                Some(_) => continue,
                None => best_categories(&spec.categories, roles, lexicon),
            };
            // "an image to edit later" is made, not edited.
            let first = categories.first().and_then(|name| lexicon.category(name));
            let is_made = is_general
                && explicit.is_none()
                && roles.inputs.beyond_text().is_empty()
                && first.is_some_and(|category| roles.output == Some(category.needs));
            if !is_made && score >= 0 && best.as_ref().is_none_or(|(best, ..)| score > *best) {
                best = Some((score, *operation, categories));
            }
        }
        if let Some((_, operation, categories)) = best {
            wish.operation = Some(operation);
            wish.categories = categories;
            wish.is_sure = !is_general || roles.first.is_some() || explicit.is_some();
            return;
        }
    }
    if let Some(category) = explicit {
        wish.categories = vec![category.name];
        wish.is_sure = true;
    } else if let Some((needs, makes)) = conversion(roles) {
        wish.is_sure = roles.first_input.is_some() && roles.output.is_some();
        wish.categories = converting(needs, makes, lexicon);
        wish.output = Some(makes);
    }
}

/// What is to become what, where the text names no operation.
fn conversion(roles: &Roles) -> Option<(Media, Media)> {
    match (roles.first_input, roles.output) {
        (Some(input), Some(output)) => Some((input, output)),
        // Nothing is said of a result of another kind: what there is, is changed.
        (Some(input), None) => (input != Media::Text).then_some((input, input)),
        (None, Some(output)) => Some((Media::Text, output)),
        (None, None) => roles.first.map(|media| (Media::Text, media)),
    }
}

/// The categories whose models turn the one into the other.
fn converting(needs: Media, makes: Media, lexicon: &Lexicon) -> Vec<&'static str> {
    if needs == Media::Text && makes == Media::Text {
        return Vec::new();
    }
    let suits = |category: &&Category| category.needs == needs && category.makes == makes;
    let found = lexicon.categories.iter().filter(suits).map(|category| category.name);
    // Models that look at a video are in the category of those that look at an image.
    let watching = ((needs, makes) == (Media::Video, Media::Text)).then_some("vision");
    found.chain(watching).collect()
}

/// Of the categories of an operation, those that suit the media best, with how well they do: below
/// zero where each contradicts what the text says.
fn best_categories(
    categories: &[&'static str],
    roles: &Roles,
    lexicon: &Lexicon,
) -> (i32, Vec<&'static str>) {
    let scored: Vec<(i32, &'static str)> = categories
        .iter()
        .map(|name| (lexicon.category(name).map_or(0, |category| suits(category, roles)), *name))
        .collect();
    let best = scored.iter().map(|(score, _)| *score).max().unwrap_or_default();
    let best_scored = scored.into_iter().filter(|(score, _)| *score == best);
    (best, best_scored.map(|(_, name)| name).collect())
}

/// What a category loses that needs or makes something else than the text says.
const CONTRADICTED: i32 = 5;

fn suits(category: &Category, roles: &Roles) -> i32 {
    let Roles { inputs, unknown, .. } = *roles;
    let mut score = 0;
    if inputs.contains(category.needs) {
        score += 2;
    } else if category.needs == Media::Audio && inputs.contains(Media::Video) {
        // A video has a sound track.
        score += 1;
    } else if category.name == "vision" && inputs.union(unknown).contains(Media::Video) {
        score += 2;
    } else if !inputs.beyond_text().is_empty()
        && category.needs != Media::Archive
        && !unknown.contains(category.needs)
    {
        score -= CONTRADICTED;
    } else if inputs == MediaSet::of(Media::Text) && roles.output == Some(category.needs) {
        // "product images from a description": there is no image yet.
        score -= CONTRADICTED;
    }
    if roles.output == Some(category.makes) {
        score += 2;
    } else if roles.output.is_some()
        && !matches!(category.makes, Media::Weights | Media::Text | Media::Data)
    {
        score -= CONTRADICTED;
    }
    let takes_it = unknown.contains(category.needs) && category.needs != Media::Text;
    if takes_it || unknown.contains(category.makes) {
        score += 1;
    }
    if roles.context.contains(category.needs) {
        score += 1;
    }
    score
}

/// The operations named, in the order of the text. What a picture shows is not done to it.
fn named_operations(reading: &Reading, lexicon: &Lexicon, content: usize) -> Vec<Operation> {
    let mut named = Vec::new();
    for found in &reading.matches {
        if found.start >= content {
            continue;
        }
        if let Some(Meaning::Operation(operation)) = lexicon.meaning(found.concept)
            && !named.contains(&operation)
            && !(operation == Operation::Train
                && is_railway(&reading.tokens, found.start, found.end))
        {
            named.push(operation);
        }
    }
    if let Some(place) = named.iter().position(|operation| *operation == Operation::Train) {
        let train = named.remove(place);
        named.insert(0, train);
    }
    named
}

/// Whether "train" is a noun: it is a verb at the beginning, after `to` and the like.
fn is_railway(tokens: &[Token], start: usize, end: usize) -> bool {
    if end - start > 1 || tokens.get(start).is_none_or(|token| token.word != "train") {
        return false;
    }
    let before = start.checked_sub(1).and_then(|before| tokens.get(before));
    before.is_some_and(|before| {
        !["to", "and", "i", "we", "want", "can", "lets", "let", "please"]
            .contains(&before.word.as_str())
    })
}

/// The category that the text names as such, "text to video", and where. Not in "is this image AI
/// generated", which an operation explains better, nor after "for".
fn explicit_category<'l>(reading: &Reading, lexicon: &'l Lexicon) -> Option<(Match, &'l Category)> {
    let explains = |other: &Match, found: &Match, category: &str| {
        let spec = match lexicon.meaning(other.concept) {
            Some(Meaning::Operation(operation)) => lexicon.specs.get(operation as usize),
            _ => None,
        };
        spec.is_some_and(|spec| !spec.categories.contains(&category))
            && other.start <= found.start
            && found.end <= other.end
    };
    reading.matches.iter().find_map(|found| {
        let Some(Meaning::Category(position)) = lexicon.meaning(found.concept) else { return None };
        let category = lexicon.categories.get(position)?;
        let explained = reading.matches.iter().any(|other| explains(other, found, category.name));
        let is_named = found.is_tight && !explained && !roles::is_context(reading, found.start);
        is_named.then_some((*found, category))
    })
}
