//! Ranked search and recommendation over fal's catalogue, in memory. [`Index::build`] reads all
//! records once; after that nothing changes and nothing waits, so any number of callers may ask.
//!
//! | file | question |
//! |---|---|
//! | `text`, `stem` | What are the words of a text? |
//! | `lexicon`, `operations`, `media` | What do they mean in this field? |
//! | `facts` | What is a model for, and what does it need? |
//! | `postings`, `vocabulary` | Which records hold a word, also a misspelt or unfinished one? |
//! | `query`, `task`, `hints` | What does a text ask for? |
//! | `features`, `classifier`, `training` | How is that learnt from examples? |
//! | `rank`, `recommend`, `nearest` | Which records answer it, in which order? |
//!
//! It knows nothing of prices and schemas: who asks for a recommendation looks at those.

mod classifier;
mod facts;
mod features;
mod hints;
mod lexicon;
mod media;
mod nearest;
mod operations;
mod postings;
mod query;
mod rank;
mod recommend;
mod stem;
mod task;
#[cfg(test)]
mod tests;
mod text;
#[cfg(test)]
mod training;
mod vocabulary;

use std::collections::{HashMap, HashSet};

use classifier::Classifier;
use facts::Facts;
pub use hints::Hints;
use lexicon::{LEXICON, Lexicon};
pub use media::{Media, MediaSet};
use postings::{Builder, Field, Postings, concept_term};
use text::tokens;
use vocabulary::Vocabulary;

/// Words of a description beyond these repeat what was said.
const DESCRIPTION_WORDS: usize = 80;
/// From this place on in the catalogue, popularity no longer makes a difference to speak of.
const POPULAR: f32 = 60.0;
/// After so many months a model is no longer new.
const NEW_MONTHS: f32 = 24.0;

/// What the gateway makes of one model of fal's. Its position in the list is its popularity: fal
/// lists the most used models first.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What to call it by.
    pub endpoint_id: String,
    /// The name for people.
    pub name: String,
    /// What it does, in a sentence or two.
    pub description: String,
    /// fal's category, `text-to-image`; empty when fal does not say.
    pub category: String,
    /// Free words.
    pub tags: Vec<String>,
    /// Its place in its family: `Image to Video (pro)`.
    pub group: Option<String>,
    /// Whether it makes something or trains.
    pub kind: Kind,
    /// Whether it is still offered.
    pub status: Status,
    /// Whether fal puts it forward.
    pub highlighted: bool,
    /// When it came, in RFC 3339.
    pub date: Option<String>,
}

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// To make something.
    Inference,
    /// To train another one.
    Training,
}

/// Whether a model is still offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is.
    Active,
    /// It should no longer be used.
    Deprecated,
}

/// A search.
#[derive(Debug, Clone, Copy)]
pub struct Query<'q> {
    /// Words, an id or its beginning; all models when there is none.
    pub text: Option<&'q str>,
    /// Only this category, exactly.
    pub category: Option<&'q str>,
    /// Only this kind. When absent, training models are found only by texts that ask for training.
    pub kind: Option<Kind>,
    /// Only this status.
    pub status: Status,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hits {
    /// Positions of records, best first. The same query of the same index has the same answer.
    pub ranked: Vec<u32>,
}

/// What a sentence asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// What there is. Text always is.
    pub inputs: MediaSet,
    /// What is wanted.
    pub output: Option<Media>,
    /// What is to be done, in words: `background removal`. Absent when it is plain generation.
    pub operation: Option<&'static str>,
    /// The category where such models are; absent when the sentence did not tell.
    pub category: Option<String>,
    /// All categories that were looked into, that one first.
    pub categories: Vec<&'static str>,
    /// Duration, shape, budget, pace.
    pub hints: Hints,
}

/// A recommended model.
#[derive(Debug, Clone, PartialEq)]
pub struct Pick {
    /// Of its record.
    pub position: u32,
    /// Higher is better; of no meaning between two tasks.
    pub score: f32,
    /// What speaks for it: short sentences, each a fact.
    pub reasons: Vec<String>,
}

/// Models for a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommendation {
    /// How the task was understood.
    pub task: Task,
    /// Up to 40, best first.
    pub picks: Vec<Pick>,
}

/// The catalogue, ready to be searched. Built once for each version of the catalogue.
#[derive(Debug)]
pub struct Index {
    records: Vec<Record>,
    facts: Vec<Facts>,
    priors: Vec<f32>,
    /// By position: the place within the record's category, counted from 1.
    places: Vec<usize>,
    categories: Vec<(String, usize)>,
    /// The ids, taken apart.
    parts: Vec<nearest::Parts>,
    /// Stems that name a family of models and nothing else.
    families: HashSet<Box<str>>,
    deprecated: HashSet<String>,
    lexicon: &'static Lexicon,
    classifier: Option<&'static Classifier>,
    postings: Postings,
    vocabulary: Vocabulary,
}

impl Index {
    /// Reads `records`, which are in the order of their popularity.
    pub fn build(records: Vec<Record>) -> Self {
        let lexicon: &Lexicon = &LEXICON;
        let facts: Vec<Facts> = records.iter().map(|record| facts::read(record, lexicon)).collect();
        let mut builder = Builder::default();
        let known = lexicon.words.iter().map(|token| (token.word.clone(), token.stem.clone()));
        let mut words: HashMap<String, String> = known.collect();
        for (record, facts) in records.iter().zip(&facts) {
            add(&mut builder, &mut words, lexicon, record, facts);
        }
        let postings = builder.build();
        let vocabulary = Vocabulary::new(words, &postings);
        let categories = count_categories(&records);
        let priors = priors(&records, &facts);
        let places = places(&records, &facts);
        let families = families(&facts, lexicon);
        let deprecated = records.iter().filter(|record| record.status == Status::Deprecated);
        let deprecated = deprecated.map(|record| record.endpoint_id.clone()).collect();
        let ids = records.iter().map(|record| record.endpoint_id.as_str());
        let parts = ids.map(nearest::Parts::of).collect();
        Self {
            records,
            facts,
            priors,
            places,
            categories,
            parts,
            families,
            deprecated,
            lexicon,
            classifier: task::CLASSIFIER.as_ref(),
            postings,
            vocabulary,
        }
    }

    /// Searches. Finding nothing is an answer.
    pub fn search(&self, query: &Query<'_>) -> Hits {
        rank::search(self, query)
    }

    /// Recommends models for a task in plain words. No pick needs an input that the task lacks, as
    /// far as category and id tell; the schema is the last word on that.
    pub fn recommend(&self, task: &str) -> Recommendation {
        recommend::recommend(self, task)
    }

    /// The record at a position that this index gave.
    pub fn record(&self, position: u32) -> Option<&Record> {
        self.records.get(position as usize)
    }

    /// All categories with the number of their active models, the largest first.
    pub fn categories(&self) -> &[(String, usize)] {
        &self.categories
    }

    /// Living ids near `endpoint_id`, which is unknown, renamed or deprecated; the nearest first.
    pub fn nearest(&self, endpoint_id: &str, limit: usize) -> Vec<&str> {
        nearest::nearest(self, endpoint_id, limit)
    }

    /// Whether `endpoint_id` is in the catalogue as one that should no longer be used.
    pub fn is_deprecated(&self, endpoint_id: &str) -> bool {
        self.deprecated.contains(endpoint_id)
    }

    /// The number of records.
    pub fn count(&self) -> u32 {
        u32::try_from(self.records.len()).unwrap_or(u32::MAX)
    }

    /// Bytes on the heap, records included, roughly.
    pub fn bytes(&self) -> usize {
        let text = |text: &String| text.capacity();
        let records: usize = self
            .records
            .iter()
            .map(|record| {
                let tags: usize =
                    record.tags.iter().map(|tag| tag.capacity() + size_of::<String>()).sum();
                let options: usize =
                    [&record.group, &record.date].into_iter().flatten().map(text).sum();
                let texts =
                    [&record.endpoint_id, &record.name, &record.description, &record.category];
                size_of::<Record>() + texts.into_iter().map(text).sum::<usize>() + tags + options
            })
            .sum();
        let facts: usize = self
            .facts
            .iter()
            .map(|facts| {
                let family: usize =
                    facts.family.iter().map(|stem| stem.len() + size_of::<Box<str>>()).sum();
                let texts =
                    facts.category.len() + facts.squashed_id.len() + facts.squashed_name.len();
                size_of::<Facts>() + texts + family
            })
            .sum();
        let numbers = self.priors.len() * size_of::<f32>() + self.places.len() * size_of::<usize>();
        let parts: usize = self.parts.iter().map(nearest::Parts::bytes).sum();
        let words = self.postings.bytes() + self.vocabulary.bytes();
        records + facts + numbers + parts + words
    }

    /// What popularity, fal's highlighting and recency add to a score, as a share of it.
    fn prior(&self, position: u32) -> f32 {
        self.priors.get(position as usize).copied().unwrap_or_default()
    }

    fn place_in_category(&self, position: u32) -> usize {
        self.places.get(position as usize).copied().unwrap_or(usize::MAX)
    }
}

/// Adds the words of a record, and the concepts that they name.
fn add(
    builder: &mut Builder,
    words: &mut HashMap<String, String>,
    lexicon: &Lexicon,
    record: &Record,
    facts: &Facts,
) {
    let number = builder.record();
    let id = record.endpoint_id.strip_prefix("fal-ai/").unwrap_or(&record.endpoint_id);
    let mut description = tokens(&record.description);
    description.truncate(DESCRIPTION_WORDS);
    let fields = [
        (Field::Id, tokens(id)),
        (Field::Name, tokens(&record.name)),
        (Field::Group, tokens(record.group.as_deref().unwrap_or_default())),
        (Field::Category, tokens(&facts.category)),
        (Field::Tags, record.tags.iter().flat_map(|tag| tokens(tag)).collect()),
        (Field::Description, description),
    ];
    for (field, tokens) in fields {
        builder.add_all(number, field, &tokens);
        for found in lexicon.find(&tokens, 0) {
            builder.add(number, field, &concept_term(found.concept));
        }
        if matches!(field, Field::Id | Field::Name) {
            for (one, next) in tokens.iter().zip(tokens.iter().skip(1)) {
                // `sam-3-1` is the version 3.1.
                if one.is_number() && next.is_number() {
                    builder.add(number, field, &format!("{}.{}", one.word, next.word));
                }
                let joined = format!("{}{}", one.word, next.word);
                builder.add(number, field, &joined);
                words.entry(joined.clone()).or_insert(joined);
            }
        }
        words.extend(tokens.into_iter().map(|token| (token.word, token.stem)));
    }
}

fn count_categories(records: &[Record]) -> Vec<(String, usize)> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for record in records.iter().filter(|record| record.status == Status::Active) {
        if !record.category.is_empty() {
            *counts.entry(&record.category).or_default() += 1;
        }
    }
    let mut categories: Vec<_> =
        counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    categories.sort_by(|(a, a_count), (b, b_count)| b_count.cmp(a_count).then_with(|| a.cmp(b)));
    categories
}

fn priors(records: &[Record], facts: &[Facts]) -> Vec<f32> {
    let newest = facts.iter().map(|facts| facts.month).max().unwrap_or_default();
    records
        .iter()
        .zip(facts)
        .enumerate()
        .map(|(position, (record, facts))| {
            let popular = 0.25 * POPULAR / (POPULAR + text::float(position));
            let age = f32::from(newest.saturating_sub(facts.month));
            let recent =
                if facts.month == 0 { 0.0 } else { 0.06 * (1.0 - age / NEW_MONTHS).max(0.0) };
            popular + recent + if record.highlighted { 0.08 } else { 0.0 }
        })
        .collect()
}

/// Deprecated models take no place from the others.
fn places(records: &[Record], facts: &[Facts]) -> Vec<usize> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut places = Vec::with_capacity(records.len());
    for (record, facts) in records.iter().zip(facts) {
        let count = counts.entry(&facts.category).or_default();
        *count += usize::from(record.status == Status::Active);
        places.push(*count);
    }
    places
}

/// Stems in the names of owners and apps that mean nothing else in the field. A short one of a
/// single model is more likely a word: "cat", "era".
fn families(facts: &[Facts], lexicon: &Lexicon) -> HashSet<Box<str>> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for stem in facts.iter().flat_map(|facts| &facts.family) {
        *counts.entry(stem).or_default() += 1;
    }
    counts
        .into_iter()
        .filter(|(stem, count)| *count > 1 || stem.len() >= 5)
        .map(|(stem, _)| stem)
        .filter(|stem| !lexicon.is_ordinary(stem) && stem.chars().all(char::is_alphabetic))
        .map(Box::from)
        .collect()
}
