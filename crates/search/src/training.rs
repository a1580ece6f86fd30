//! Teaches the classifier, when this crate is built. It learns from the examples of the tables:
//! training moves the weights until the examples come out right.

use std::collections::{BTreeMap, BTreeSet};
use std::num::TryFromIntError;

use super::classifier::{Answer, Answers, NO_OPERATION, loudness};
use super::features::{Feature, features};
use super::lexicon::{LEXICON, Lexicon};
use super::media::Media;
use super::operations::{ALL, Operation, list, rows};
use super::text::{float, tokens};

/// How often training goes through the examples.
const ROUNDS: usize = 3;
/// Features of fewer examples than this say nothing.
const LEAST_EXAMPLES: usize = 2;
/// How far an example moves a weight at first; the more it has moved, the less it does.
const STEP: f32 = 0.5;
const INERTIA: f32 = 0.1;
/// An example whose answer is this likely teaches nothing more.
const LEARNT: f32 = 0.98;
/// How far apart in the table examples are that follow each other in training, as neighbours are
/// alike. A prime, so that all have their turn.
const STRIDE: usize = 7919;
/// The most steps that a weight may be from zero, as one byte holds it.
const MOST_STEPS: f32 = 127.0;

/// A text by its features, with the answer to it.
#[derive(Debug)]
pub(super) struct Example {
    pub(super) features: Vec<Feature>,
    pub(super) answer: Answer,
}

/// An example as the pupil sees it.
#[derive(Debug)]
struct Lesson {
    /// The place of each feature that says something, and how loudly it does.
    features: Vec<(usize, f32)>,
    answer: Answer,
}

/// What is learnt of a feature.
#[derive(Debug)]
struct Learnt {
    feature: Feature,
    rarity: f32,
    weights: Vec<Weight>,
}

#[derive(Debug)]
struct Weight {
    label: usize,
    value: f32,
    /// The sum of the squares of its moves.
    moved: f32,
}

/// What is known while it is learnt.
#[derive(Debug)]
struct Pupil {
    answers: Answers,
    /// Sorted by feature.
    learnt: Vec<Learnt>,
}

/// Learns from `examples`, and writes down what was learnt for `Classifier::read`.
pub(super) fn learn(examples: &[Example]) -> Result<Vec<u8>, TryFromIntError> {
    let mut pupil = Pupil::new(examples);
    let lessons: Vec<Lesson> = examples.iter().map(|example| pupil.lesson(example)).collect();
    for place in 0..ROUNDS * lessons.len() {
        if let Some(lesson) = lessons.get(place * STRIDE % lessons.len()) {
            pupil.learn(lesson);
        }
    }
    pupil.write()
}

impl Pupil {
    fn new(examples: &[Example]) -> Self {
        let mut answers = Answers::default();
        // How many examples have the feature, and the labels of those.
        let mut seen: BTreeMap<Feature, (usize, Vec<usize>)> = BTreeMap::new();
        for example in examples {
            let labels = answers.admit(example.answer);
            for feature in &example.features {
                let (count, known) = seen.entry(*feature).or_default();
                *count += 1;
                for label in labels {
                    if !known.contains(&label) {
                        known.push(label);
                    }
                }
            }
        }
        let common = seen.into_iter().filter(|(_, (count, _))| *count >= LEAST_EXAMPLES);
        let weight = |label| Weight { label, value: 0.0, moved: 0.0 };
        let learnt = common.map(|(feature, (count, labels))| Learnt {
            feature,
            rarity: 1.0 + (float(1 + examples.len()) / float(1 + count)).ln(),
            weights: labels.into_iter().map(weight).collect(),
        });
        Self { answers, learnt: learnt.collect() }
    }

    fn lesson(&self, example: &Example) -> Lesson {
        let place = |feature| self.learnt.binary_search_by_key(feature, |learnt| learnt.feature);
        let places: Vec<usize> = example.features.iter().flat_map(place).collect();
        let learnt = places.iter().filter_map(|place| self.learnt.get(*place));
        let known: Vec<(Feature, f32)> =
            learnt.map(|learnt| (learnt.feature, learnt.rarity)).collect();
        let features = places.into_iter().zip(loudness(&known)).collect();
        Lesson { features, answer: example.answer }
    }

    /// Moves the weights of the lesson's features to where its answer is likelier.
    fn learn(&mut self, lesson: &Lesson) {
        let mut sums = self.answers.sums();
        for (place, loudness) in &lesson.features {
            for weight in self.learnt.get(*place).into_iter().flat_map(|learnt| &learnt.weights) {
                if let Some(sum) = sums.get_mut(weight.label) {
                    *sum += weight.value * loudness;
                }
            }
        }
        let mut errors = self.answers.sums();
        for ((answer, labels), chance) in self.answers.iter().zip(self.answers.chances(&sums)) {
            let is_right = answer == lesson.answer;
            if is_right && chance > LEARNT {
                return;
            }
            for label in labels {
                if let Some(error) = errors.get_mut(label) {
                    *error += f32::from(u8::from(is_right)) - chance;
                }
            }
        }
        for (place, loudness) in &lesson.features {
            let weights = self.learnt.get_mut(*place).map(|learnt| &mut learnt.weights);
            for weight in weights.into_iter().flatten() {
                let slope = loudness * errors.get(weight.label).copied().unwrap_or_default();
                weight.moved += slope * slope;
                weight.value += STEP * slope / (INERTIA + weight.moved).sqrt();
            }
        }
    }

    /// In the form that `Classifier::read` reads: how many answers, features and weights there are,
    /// what a step is worth, then each list in one piece. Numbers are little-endian.
    fn write(&self) -> Result<Vec<u8>, TryFromIntError> {
        let weights = self.learnt.iter().flat_map(|learnt| &learnt.weights);
        let most = weights.map(|weight| weight.value.abs()).fold(f32::MIN_POSITIVE, f32::max);
        let step = most / MOST_STEPS;
        let (mut hashes, mut rarities, mut ends) = (Vec::new(), Vec::new(), Vec::new());
        let (mut labels, mut steps) = (Vec::new(), Vec::new());
        for learnt in &self.learnt {
            for weight in &learnt.weights {
                let steps_away = whole(weight.value / step);
                // A weight of no steps says nothing.
                if steps_away != 0 {
                    labels.push(u8::try_from(weight.label)?);
                    steps.push(steps_away.cast_unsigned());
                }
            }
            hashes.extend(learnt.feature.0.to_le_bytes());
            rarities.extend(learnt.rarity.to_le_bytes());
            ends.extend(u32::try_from(labels.len())?.to_le_bytes());
        }
        let mut written = Vec::new();
        for count in [self.answers.iter().len(), self.learnt.len(), labels.len()] {
            written.extend(u32::try_from(count)?.to_le_bytes());
        }
        written.extend(step.to_le_bytes());
        for (answer, _) in self.answers.iter() {
            let operation = answer.operation.map_or(NO_OPERATION, |operation| operation as u8);
            written.extend([answer.needs as u8, answer.makes as u8, operation]);
        }
        for list in [hashes, rarities, ends, labels, steps] {
            written.extend(list);
        }
        Ok(written)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "no weight is more than 127 steps from zero")]
fn whole(steps: f32) -> i8 {
    steps.round() as i8
}

/// What the classifier learns from. A phrase of an operation or a category is a text of its own.
pub(super) fn examples() -> Vec<Example> {
    let lexicon: &Lexicon = &LEXICON;
    let category = |name: &str| lexicon.category(name).map(|found| (found.needs, found.makes));
    let mut examples = Vec::new();
    let mut add = |text: &str, media: Option<(Media, Media)>, operation: Option<Operation>| {
        let Some((needs, makes)) = media else { return };
        let tokens = tokens(text);
        let features = features(&tokens, &lexicon.find(&tokens, 1), lexicon);
        examples.push(Example { features, answer: Answer { needs, makes, operation } });
    };
    for mut columns in rows(include_str!("../tables/examples.tsv")) {
        let mut next = || columns.next().unwrap_or_default();
        let (name, operation, text) = (next(), operation(next()), next());
        add(text, category(name), operation);
    }
    for spec in &lexicon.specs {
        let media: Vec<_> = spec.categories.iter().filter_map(|name| category(name)).collect();
        for phrase in &spec.phrases {
            let named = tokens(phrase).iter().find_map(|token| lexicon.noun(token));
            let suits = |(needs, _): &&(Media, Media)| named == Some(*needs);
            add(phrase, media.iter().find(suits).or(media.first()).copied(), Some(spec.operation));
        }
    }
    for mut columns in rows(include_str!("../tables/categories.tsv")) {
        let media = columns.next().and_then(category);
        let phrases = list(columns.next());
        let operation = columns.nth(2).and_then(operation);
        for phrase in phrases {
            add(phrase, media, operation);
        }
    }
    examples
}

/// The stems of all words of the examples, sorted, one a line.
pub(super) fn familiar() -> String {
    let texts = rows(include_str!("../tables/examples.tsv")).filter_map(|mut line| line.nth(2));
    let stems: BTreeSet<String> = texts.flat_map(tokens).map(|token| token.stem).collect();
    stems.into_iter().collect::<Vec<_>>().join("\n")
}

/// The operation by its name in the tables, `RemoveBackground`.
fn operation(name: &str) -> Option<Operation> {
    ALL.into_iter().find(|operation| format!("{operation:?}") == name)
}

#[cfg(test)]
mod tests {
    use super::super::classifier::Classifier;
    use super::*;

    fn example(text: &str, needs: Media, operation: Operation) -> Example {
        let answer = Answer { needs, makes: needs, operation: Some(operation) };
        Example { features: seen(text), answer }
    }

    fn seen(text: &str) -> Vec<Feature> {
        features(&tokens(text), &[], &LEXICON)
    }

    fn taught(examples: &[Example]) -> Classifier {
        Classifier::read(learn(examples).unwrap().leak()).unwrap()
    }

    #[test]
    fn what_distinguishes_the_examples_decides_and_what_they_share_does_not() {
        let examples: Vec<Example> = (0..40)
            .map(|number| match number % 2 {
                0 => example("zzzz qqqq", Media::Image, Operation::Upscale),
                _ => example("zzzz wwww", Media::Video, Operation::Restore),
            })
            .collect();
        let classifier = taught(&examples);
        for (text, operation) in
            [("zzzz qqqq kkkk", Operation::Upscale), ("zzzz wwww", Operation::Restore)]
        {
            let chances = classifier.chances(&seen(text));
            let sure = chances.iter().find(|(_, chance)| *chance > 0.8).unwrap();
            assert_eq!(sure.0.operation, Some(operation));
        }
        let undecided = classifier.chances(&seen("zzzz"));
        assert!(undecided.iter().all(|(_, chance)| (0.3..0.7).contains(chance)), "{undecided:?}");
    }

    #[test]
    fn a_feature_of_one_example_says_nothing() {
        let classifier = taught(&[
            example("qqqq", Media::Image, Operation::Upscale),
            example("wwww", Media::Video, Operation::Restore),
        ]);
        let chances = classifier.chances(&seen("qqqq"));
        assert!(chances.iter().all(|(_, chance)| (chance - 0.5).abs() < 1e-6), "{chances:?}");
    }

    #[test]
    fn what_is_cut_short_is_not_read() {
        let examples = vec![example("qqqq", Media::Image, Operation::Upscale)];
        let written = learn(&examples).unwrap();
        let cut: &'static [u8] = written[..written.len() - 1].to_vec().leak();
        assert!(Classifier::read(cut).is_none());
        assert!(Classifier::read(b"").is_none());
    }

    #[test]
    fn the_same_tables_teach_the_same() {
        let built = include_bytes!(concat!(env!("OUT_DIR"), "/classifier"));
        assert!(learn(&examples()).unwrap() == built);
        assert!(familiar() == include_str!(concat!(env!("OUT_DIR"), "/familiar")));
    }

    #[test]
    fn every_example_names_a_category_and_an_operation_of_the_tables() {
        let mut texts = Vec::new();
        for columns in rows(include_str!("../tables/examples.tsv")).map(Iterator::collect::<Vec<_>>)
        {
            let [category, name, text] = columns[..] else { panic!("{columns:?}") };
            assert!(LEXICON.category(category).is_some(), "{text}");
            assert!(name == "-" || operation(name).is_some(), "{text}");
            texts.push(text.to_lowercase());
        }
        texts.sort_unstable();
        let count = texts.len();
        texts.dedup();
        assert_eq!(texts.len(), count, "an example is there twice");
    }
}
