//! The inverted index: BM25F with the impact of each posting computed when it is built, so that a
//! query only adds numbers up.

use std::collections::HashMap;

use super::text::{Token, float};

/// Where in a record a word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Id,
    Name,
    Group,
    Category,
    Tags,
    Description,
}

/// How much a word counts in each field, and how much the field's length takes from that. Found on
/// the tuning half of the labelled queries.
const WEIGHTS: [(Field, f32, f32); 6] = [
    (Field::Id, 3.0, 0.3),
    (Field::Name, 3.0, 0.3),
    (Field::Group, 1.5, 0.2),
    (Field::Category, 2.0, 0.0),
    (Field::Tags, 1.5, 0.4),
    (Field::Description, 1.0, 0.5),
];

/// How soon more of the same word stops counting.
const SATURATION: f32 = 1.2;

/// A record that a term is in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Posting {
    pub(super) record: u32,
    /// What it adds to the record's score.
    pub(super) impact: f32,
    /// Whether it is in the record's id or name.
    pub(super) in_title: bool,
}

/// A term with the records it is in, in their order.
#[derive(Debug)]
pub(super) struct Term {
    /// How rare it is: what a query that names it loses when a record lacks it.
    pub(super) rarity: f32,
    pub(super) postings: Vec<Posting>,
}

/// Terms by their text. A concept of the lexicon is a term as well.
#[derive(Debug, Default)]
pub(super) struct Postings {
    ids: HashMap<Box<str>, u32>,
    terms: Vec<Term>,
}

impl Postings {
    pub(super) fn id(&self, term: &str) -> Option<u32> {
        self.ids.get(term).copied()
    }

    pub(super) fn term(&self, id: u32) -> Option<&Term> {
        self.terms.get(id as usize)
    }

    /// Bytes on the heap, roughly.
    pub(super) fn bytes(&self) -> usize {
        let names: usize =
            self.ids.keys().map(|term| term.len() + size_of::<(Box<str>, u32)>() + 8).sum();
        let lists: usize = self
            .terms
            .iter()
            .map(|term| term.postings.capacity() * size_of::<Posting>() + size_of::<Term>())
            .sum();
        names + lists
    }
}

/// The term that stands for a concept.
pub(super) fn concept_term(concept: usize) -> String {
    format!("\u{1}{concept}")
}

/// Collects what is in the records.
#[derive(Debug, Default)]
pub(super) struct Builder {
    /// By term: record, field, how often.
    counts: HashMap<String, Vec<(u32, Field, f32)>>,
    /// By record and field: number of words.
    lengths: Vec<[f32; WEIGHTS.len()]>,
}

impl Builder {
    /// Begins the next record.
    pub(super) fn record(&mut self) -> u32 {
        self.lengths.push([0.0; WEIGHTS.len()]);
        u32::try_from(self.lengths.len() - 1).unwrap_or(u32::MAX)
    }

    /// Adds a word, by its stem, to a field of the record.
    pub(super) fn add(&mut self, record: u32, field: Field, term: &str) {
        if !self.counts.contains_key(term) {
            self.counts.insert(term.to_owned(), Vec::new());
        }
        if let Some(counts) = self.counts.get_mut(term) {
            let of_record = counts.iter_mut().rev().take_while(|(of, ..)| *of == record);
            match of_record.into_iter().find(|(_, of, _)| *of == field) {
                Some((_, _, count)) => *count += 1.0,
                None => counts.push((record, field, 1.0)),
            }
        }
    }

    /// Adds the words of a field, which count for its length.
    pub(super) fn add_all(&mut self, record: u32, field: Field, tokens: &[Token]) {
        for token in tokens {
            self.add(record, field, &token.stem);
        }
        let length = self
            .lengths
            .get_mut(record as usize)
            .and_then(|lengths| lengths.get_mut(field as usize));
        if let Some(length) = length {
            *length += float(tokens.len());
        }
    }

    /// Computes what each word is worth in each record.
    pub(super) fn build(self) -> Postings {
        let records = float(self.lengths.len()).max(1.0);
        let mut average = [0.0_f32; WEIGHTS.len()];
        for lengths in &self.lengths {
            for (sum, length) in average.iter_mut().zip(lengths) {
                *sum += length / records;
            }
        }
        let mut sorted: Vec<_> = self.counts.into_iter().collect();
        // The order of a hash map differs between runs; that of the terms must not.
        sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut postings = Postings::default();
        for (text, counts) in sorted {
            let term = term(&counts, records, &average, &self.lengths);
            postings.ids.insert(
                text.into_boxed_str(),
                u32::try_from(postings.terms.len()).unwrap_or(u32::MAX),
            );
            postings.terms.push(term);
        }
        postings
    }
}

fn term(
    counts: &[(u32, Field, f32)],
    records: f32,
    average: &[f32; WEIGHTS.len()],
    lengths: &[[f32; WEIGHTS.len()]],
) -> Term {
    let mut weighted: Vec<(u32, f32, bool)> = Vec::new();
    for (record, field, count) in counts {
        let place = *field as usize;
        let (_, weight, shortening) = WEIGHTS.get(place).copied().unwrap_or((*field, 1.0, 0.0));
        let mean = average.get(place).copied().unwrap_or(1.0).max(0.1);
        let length =
            lengths.get(*record as usize).and_then(|l| l.get(place)).copied().unwrap_or(mean);
        let frequency = weight * count / (1.0 - shortening + shortening * length / mean);
        let in_title = matches!(field, Field::Id | Field::Name);
        match weighted.last_mut() {
            Some((last, sum, title)) if last == record => {
                *sum += frequency;
                *title |= in_title;
            }
            _ => weighted.push((*record, frequency, in_title)),
        }
    }
    let holders = float(weighted.len());
    let rarity = (1.0 + (records - holders + 0.5) / (holders + 0.5)).ln();
    let postings = weighted
        .into_iter()
        .map(|(record, frequency, in_title)| Posting {
            record,
            impact: rarity * frequency * (SATURATION + 1.0) / (frequency + SATURATION),
            in_title,
        })
        .collect();
    Term { rarity, postings }
}
