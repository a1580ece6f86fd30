//! What search is measured against: fal's own filter, and BM25 as a textbook has it.

use std::collections::HashMap;

use super::super::Record;
use super::super::stem::stem;
use super::super::text::float;

/// The Platform API's `q`: every word stands somewhere in name, description or category. The order
/// is the catalogue's.
pub(super) fn substring(records: &[Record], query: &str) -> Vec<u32> {
    let query = query.to_lowercase();
    (0_u32..)
        .zip(records)
        .filter(|(_, record)| {
            let text = format!("{} {} {}", record.name, record.description, record.category)
                .to_lowercase();
            query.split_whitespace().all(|word| text.contains(word))
        })
        .map(|(position, _)| position)
        .collect()
}

/// BM25 over id, name, description, category, tags and group as one text, with a light stemmer.
pub(super) struct Bm25 {
    documents: Vec<HashMap<String, f32>>,
    lengths: Vec<f32>,
    holders: HashMap<String, f32>,
}

impl Bm25 {
    pub(super) fn new(records: &[Record]) -> Self {
        let mut documents = Vec::new();
        let mut holders: HashMap<String, f32> = HashMap::new();
        for record in records {
            let text = format!(
                "{} {} {} {} {} {}",
                record.endpoint_id,
                record.name,
                record.description,
                record.category,
                record.tags.join(" "),
                record.group.as_deref().unwrap_or_default()
            );
            let mut counts: HashMap<String, f32> = HashMap::new();
            for word in words(&text) {
                *counts.entry(word).or_default() += 1.0;
            }
            for word in counts.keys() {
                *holders.entry(word.clone()).or_default() += 1.0;
            }
            documents.push(counts);
        }
        let lengths = documents.iter().map(|counts| counts.values().sum()).collect();
        Self { documents, lengths, holders }
    }

    pub(super) fn search(&self, query: &str) -> Vec<u32> {
        let count = float(self.documents.len());
        let average = self.lengths.iter().sum::<f32>() / count;
        let words: Vec<String> = words(query).collect();
        let mut scored: Vec<(f32, u32)> = (0_u32..)
            .zip(&self.documents)
            .map(|(position, counts)| {
                let length = self.lengths[position as usize];
                let score = words
                    .iter()
                    .filter_map(|word| Some((counts.get(word)?, self.holders.get(word)?)))
                    .map(|(frequency, holders)| {
                        let rarity = (1.0 + (count - holders + 0.5) / (holders + 0.5)).ln();
                        rarity * frequency * 2.2
                            / (frequency + 1.2 * (0.25 + 0.75 * length / average))
                    })
                    .sum();
                (score, position)
            })
            .filter(|(score, _)| *score > 0.0)
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        scored.into_iter().map(|(_, position)| position).collect()
    }
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.to_lowercase()
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(stem)
        .collect::<Vec<_>>()
        .into_iter()
}
