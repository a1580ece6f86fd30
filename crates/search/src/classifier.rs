//! Tells what a text wants: which medium becomes which, and by which operation. A log-linear model:
//! each feature of a text has a weight for each label that it was seen with, and the weights of a text
//! are added up. They are learnt when this crate is built (`training.rs`) and read where they lie in
//! the binary: nothing is unpacked, and what no text asks for is not even loaded.

use super::features::{Feature, VIEWS};
use super::media::Media;
use super::operations::Operation;

/// The byte that stands for an answer without an operation.
pub(super) const NO_OPERATION: u8 = u8::MAX;

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

/// All answers that an example has. No other is ever given.
#[derive(Debug, Default)]
pub(super) struct Answers {
    labels: Vec<Label>,
    /// Each with the places of its two labels.
    answers: Vec<(Answer, [usize; 2])>,
}

impl Answers {
    /// Adds an answer unless it is known, and gives the places of its labels.
    pub(super) fn admit(&mut self, answer: Answer) -> [usize; 2] {
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

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = (Answer, [usize; 2])> {
        self.answers.iter().copied()
    }

    /// A zero for each label, to add weights to.
    pub(super) fn sums(&self) -> Vec<f32> {
        vec![0.0; self.labels.len()]
    }

    /// How likely each answer is, from 0 to 1, by the sums of its labels' weights.
    pub(super) fn chances(&self, sums: &[f32]) -> Vec<f32> {
        let of = |label: &usize| sums.get(*label).copied().unwrap_or_default();
        let scores = self.answers.iter().map(|(_, labels)| labels.iter().map(of).sum());
        let scores: Vec<f32> = scores.collect();
        let best = scores.iter().copied().fold(f32::MIN, f32::max);
        let raised: Vec<f32> = scores.iter().map(|score| (score - best).exp()).collect();
        let whole: f32 = raised.iter().sum();
        raised.into_iter().map(|score| score / whole).collect()
    }
}

/// How loudly each feature of a text speaks in it: by its rarity, and so that each view has the same
/// say however many features it has.
pub(super) fn loudness(features: &[(Feature, f32)]) -> Vec<f32> {
    let mut squares = [0.0_f32; VIEWS.len()];
    for (feature, rarity) in features {
        if let Some(square) = squares.get_mut(feature.view()) {
            *square += rarity * rarity;
        }
    }
    let shares: Vec<f32> =
        VIEWS.iter().zip(squares).map(|(share, square)| share / square.sqrt()).collect();
    let share = |feature: Feature| shares.get(feature.view()).copied().unwrap_or_default();
    features.iter().map(|(feature, rarity)| rarity * share(*feature)).collect()
}

/// What was learnt, as `training.rs` writes it.
#[derive(Debug)]
pub(super) struct Classifier {
    answers: Answers,
    /// What one step of a weight is worth.
    step: f32,
    /// The hash of each feature, sorted; a number of four bytes like the next two.
    features: &'static [u8],
    /// The rarity of each.
    rarities: &'static [u8],
    /// Where its weights end.
    ends: &'static [u8],
    /// The label of each weight, one byte.
    labels: &'static [u8],
    /// Its steps, one signed byte.
    steps: &'static [u8],
}

impl Classifier {
    /// Reads what was written, or nothing if it is anything else.
    pub(super) fn read(mut bytes: &'static [u8]) -> Option<Self> {
        let mut take = |count: usize| {
            let (taken, rest) = bytes.split_at_checked(count)?;
            bytes = rest;
            Some(taken)
        };
        let counts = take(12)?;
        let count = |place| number(counts, place).map(|count| count as usize);
        let (answer_count, feature_count, weight_count) = (count(0)?, count(1)?, count(2)?);
        let step = f32::from_bits(number(take(4)?, 0)?);
        let mut answers = Answers::default();
        for answer in take(3 * answer_count)?.chunks_exact(3) {
            let [needs, makes, operation] = *answer else { return None };
            let (needs, makes) = (Media::numbered(needs)?, Media::numbered(makes)?);
            let operation = match operation {
                NO_OPERATION => None,
                number => Some(Operation::numbered(number)?),
            };
            answers.admit(Answer { needs, makes, operation });
        }
        Some(Self {
            answers,
            step,
            features: take(4 * feature_count)?,
            rarities: take(4 * feature_count)?,
            ends: take(4 * feature_count)?,
            labels: take(weight_count)?,
            steps: take(weight_count)?,
        })
    }

    /// How likely each answer is, from 0 to 1.
    pub(super) fn chances(&self, features: &[Feature]) -> Vec<(Answer, f32)> {
        let mut places = Vec::with_capacity(features.len());
        let mut known = Vec::with_capacity(features.len());
        for feature in features {
            if let Some(place) = self.place(*feature)
                && let Some(rarity) = number(self.rarities, place)
            {
                places.push(place);
                known.push((*feature, f32::from_bits(rarity)));
            }
        }
        let mut sums = self.answers.sums();
        for (place, loudness) in places.into_iter().zip(loudness(&known)) {
            for (label, weight) in self.weights(place).into_iter().flatten() {
                if let Some(sum) = sums.get_mut(usize::from(label)) {
                    *sum += weight * loudness;
                }
            }
        }
        let chances = self.answers.chances(&sums);
        self.answers.iter().map(|(answer, _)| answer).zip(chances).collect()
    }

    fn place(&self, feature: Feature) -> Option<usize> {
        let (mut low, mut high) = (0, self.features.len() / 4);
        while low < high {
            let middle = low.midpoint(high);
            match number(self.features, middle)?.cmp(&feature.0) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The weights of a feature, each with its label.
    fn weights(&self, place: usize) -> Option<impl Iterator<Item = (u8, f32)>> {
        let begin = match place.checked_sub(1) {
            Some(before) => number(self.ends, before)? as usize,
            None => 0,
        };
        let end = number(self.ends, place)? as usize;
        let (labels, steps) = (self.labels.get(begin..end)?, self.steps.get(begin..end)?);
        let weights = steps.iter().map(|steps| f32::from(steps.cast_signed()) * self.step);
        Some(labels.iter().copied().zip(weights))
    }
}

/// The number at `place` of a list.
fn number(list: &[u8], place: usize) -> Option<u32> {
    let bytes = list.get(4 * place..4 * place + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}
