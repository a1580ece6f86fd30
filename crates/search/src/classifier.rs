//! Learns from examples what a text wants: which medium becomes which, and by which operation. A
//! log-linear model: each feature of a text has a weight for each label that it was seen with, the
//! weights of a text are added up, and training moves them until the examples come out right.

use std::collections::HashMap;

use super::media::Media;
use super::operations::Operation;

/// How often training goes through the examples.
const ROUNDS: usize = 3;
/// Features of fewer examples than this say nothing.
const LEAST_EXAMPLES: usize = 3;
/// How far an example moves a weight at first; the more it has moved, the less it does.
const STEP: f32 = 0.3;
const INERTIA: f32 = 0.5;
/// The share of itself that a weight loses each time.
const DECAY: f32 = 0.002;
/// An example whose answer is this likely teaches nothing more.
const LEARNT: f32 = 0.98;
/// How far apart in the table examples are that follow each other in training, as neighbours are
/// alike. A prime, so that all have their turn.
const STRIDE: usize = 7919;

/// What a text wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) needs: Media,
    pub(super) makes: Media,
    pub(super) operation: Option<Operation>,
}

impl Answer {
    /// What becomes what.
    pub(super) fn media(self) -> (Media, Media) {
        (self.needs, self.makes)
    }
}

/// One half of an answer: weights are learnt for each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Label {
    Conversion(Media, Media),
    Operation(Option<Operation>),
}

/// Texts by their features, each with the answer to it. The features are in one piece, which is given
/// back whole when training is over; thousands of small ones would leave the heap full of holes.
#[derive(Debug, Default)]
pub(super) struct Examples {
    features: Vec<u64>,
    /// Where the features of each text end.
    ends: Vec<(usize, Answer)>,
}

impl Examples {
    pub(super) fn push(&mut self, features: &[u64], answer: Answer) {
        self.features.extend_from_slice(features);
        self.ends.push((self.features.len(), answer));
    }

    fn get(&self, place: usize) -> Option<(&[u64], Answer)> {
        let (end, answer) = self.ends.get(place)?;
        let before = place.checked_sub(1).and_then(|before| self.ends.get(before));
        let begin = before.map_or(0, |(end, _)| *end);
        Some((self.features.get(begin..*end)?, *answer))
    }

    fn iter(&self) -> impl Iterator<Item = (&[u64], Answer)> {
        (0..self.ends.len()).filter_map(|place| self.get(place))
    }
}

/// What was learnt.
#[derive(Debug)]
pub(super) struct Classifier {
    labels: Vec<Label>,
    /// Each answer with the places of its two labels. An answer that no example has is never given.
    answers: Vec<(Answer, [usize; 2])>,
    /// Feature to its place in `weights`.
    places: HashMap<u64, usize>,
    weights: Vec<Vec<Weight>>,
}

#[derive(Debug)]
struct Weight {
    label: usize,
    value: f32,
    /// The sum of the squares of its moves.
    moved: f32,
}

impl Classifier {
    /// Learns from `examples`.
    pub(super) fn train(examples: &Examples) -> Self {
        let mut classifier = Self::untrained(examples);
        let count = examples.ends.len();
        for place in 0..ROUNDS * count {
            if let Some((features, answer)) = examples.get(place * STRIDE % count) {
                let known = classifier.known(features);
                classifier.learn(&known, answer);
            }
        }
        classifier
    }

    fn untrained(examples: &Examples) -> Self {
        let mut counts: HashMap<u64, usize> = HashMap::new();
        for feature in &examples.features {
            *counts.entry(*feature).or_default() += 1;
        }
        let mut classifier = Self {
            labels: Vec::new(),
            answers: Vec::new(),
            places: HashMap::new(),
            weights: Vec::new(),
        };
        for (features, answer) in examples.iter() {
            let labels = classifier.admit(answer);
            let features = features.iter();
            for feature in features.filter(|feature| counts.get(feature) >= Some(&LEAST_EXAMPLES)) {
                let next = classifier.weights.len();
                let place = *classifier.places.entry(*feature).or_insert(next);
                if place == next {
                    classifier.weights.push(Vec::new());
                }
                let Some(weights) = classifier.weights.get_mut(place) else { continue };
                for label in labels {
                    if !weights.iter().any(|weight| weight.label == label) {
                        weights.push(Weight { label, value: 0.0, moved: 0.0 });
                    }
                }
            }
        }
        classifier
    }

    /// Adds an answer unless it is known.
    fn admit(&mut self, answer: Answer) -> [usize; 2] {
        if let Some((_, labels)) = self.answers.iter().find(|(known, _)| *known == answer) {
            return *labels;
        }
        let conversion = Label::Conversion(answer.needs, answer.makes);
        let labels = [conversion, Label::Operation(answer.operation)].map(|label| {
            self.labels.iter().position(|known| *known == label).unwrap_or_else(|| {
                self.labels.push(label);
                self.labels.len() - 1
            })
        });
        self.answers.push((answer, labels));
        labels
    }

    /// The places of those features that say something.
    fn known(&self, features: &[u64]) -> Vec<usize> {
        features.iter().filter_map(|feature| self.places.get(feature).copied()).collect()
    }

    /// Moves the weights of the features to where `answer` is likelier.
    fn learn(&mut self, features: &[usize], answer: Answer) {
        let mut errors = vec![0.0; self.labels.len()];
        for ((candidate, labels), chance) in self.answers.iter().zip(self.chances_of(features)) {
            if *candidate == answer && chance > LEARNT {
                return;
            }
            let error = f32::from(u8::from(*candidate == answer)) - chance;
            for label in labels {
                if let Some(sum) = errors.get_mut(*label) {
                    *sum += error;
                }
            }
        }
        for feature in features {
            for weight in self.weights.get_mut(*feature).into_iter().flatten() {
                let error = errors.get(weight.label).copied().unwrap_or_default();
                let slope = error - DECAY * weight.value;
                weight.moved += slope * slope;
                weight.value += STEP * slope / (INERTIA + weight.moved).sqrt();
            }
        }
    }

    /// How likely each answer is, from 0 to 1.
    pub(super) fn chances(&self, features: &[u64]) -> Vec<(Answer, f32)> {
        let chances = self.chances_of(&self.known(features));
        self.answers.iter().map(|(answer, _)| *answer).zip(chances).collect()
    }

    /// In the order of the answers.
    fn chances_of(&self, features: &[usize]) -> Vec<f32> {
        let mut sums = vec![0.0_f32; self.labels.len()];
        for weight in features.iter().filter_map(|place| self.weights.get(*place)).flatten() {
            if let Some(sum) = sums.get_mut(weight.label) {
                *sum += weight.value;
            }
        }
        let of = |label: &usize| sums.get(*label).copied().unwrap_or_default();
        let scores = self.answers.iter().map(|(_, labels)| labels.iter().map(of).sum());
        let scores: Vec<f32> = scores.collect();
        let best = scores.iter().copied().fold(f32::MIN, f32::max);
        let raised: Vec<f32> = scores.iter().map(|score| (score - best).exp()).collect();
        let whole: f32 = raised.iter().sum();
        raised.into_iter().map(|score| score / whole).collect()
    }

    /// Bytes on the heap, roughly.
    pub(super) fn bytes(&self) -> usize {
        let weights: usize =
            self.weights.iter().map(|of| of.capacity() * size_of::<Weight>()).sum();
        let places = self.places.capacity() * (size_of::<(u64, usize)>() + 1);
        weights + places + self.weights.capacity() * size_of::<Vec<Weight>>()
    }
}

#[cfg(test)]
mod tests {
    use std::array;

    use super::*;

    fn examples<const N: usize>(texts: [(&[u64], Media, Operation); N]) -> Examples {
        let mut examples = Examples::default();
        for (features, needs, operation) in texts {
            let operation = Some(operation);
            examples.push(features, Answer { needs, makes: Media::Image, operation });
        }
        examples
    }

    #[test]
    fn what_distinguishes_the_examples_decides_and_what_they_share_does_not() {
        let shared = 1;
        let upscaled: (&[u64], _, _) = (&[shared, 2], Media::Image, Operation::Upscale);
        let restored: (&[u64], _, _) = (&[shared, 3], Media::Video, Operation::Restore);
        let texts: [_; 40] = array::from_fn(|at| if at % 2 == 0 { upscaled } else { restored });
        let classifier = Classifier::train(&examples(texts));
        for (feature, operation) in [(2, Operation::Upscale), (3, Operation::Restore)] {
            let chances = classifier.chances(&[shared, feature, 99]);
            let sure = chances.iter().find(|(_, chance)| *chance > 0.8).unwrap();
            assert_eq!(sure.0.operation, Some(operation));
        }
        let undecided = classifier.chances(&[shared]);
        assert!(undecided.iter().all(|(_, chance)| (0.3..0.7).contains(chance)), "{undecided:?}");
    }

    #[test]
    fn a_feature_of_one_example_says_nothing() {
        let classifier = Classifier::train(&examples([
            (&[1], Media::Image, Operation::Upscale),
            (&[2], Media::Video, Operation::Restore),
        ]));
        let chances = classifier.chances(&[1]);
        assert!(chances.iter().all(|(_, chance)| (chance - 0.5).abs() < 1e-6), "{chances:?}");
    }
}
