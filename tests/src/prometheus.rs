//! Prometheus text, read as strictly as the format and `promtool check metrics` want it: whatever is
//! against the rules fails the test.

use std::collections::{BTreeMap, BTreeSet};

/// The samples of one metric.
#[derive(Clone, Debug)]
pub struct Family {
    /// Its name.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// Each with its labels and value.
    pub samples: Vec<Sample>,
}

/// One line with a value.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The metric's name, with the ending that a histogram's parts have.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

/// Every family of a text, by name.
pub fn read(text: &str) -> BTreeMap<String, Family> {
    assert!(text.ends_with('\n'), "the last line is complete");
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let (name, help) = comment(line, "# HELP ");
        assert!(is_metric_name(name) && !help.is_empty(), "{line}");
        let (named, kind) = comment(lines.next().expect("a type after the help"), "# TYPE ");
        assert_eq!(named, name, "the type of the metric that the help is of");
        let mut samples = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            samples.push(sample(line));
        }
        let family = Family { name: name.to_owned(), kind: kind.to_owned(), samples };
        family.check();
        assert!(families.insert(name.to_owned(), family).is_none(), "{name} comes twice");
    }
    families
}

impl Family {
    /// The sum of the values whose labels have these values; of a histogram's counts.
    pub fn total(&self, wanted: &[(&str, &str)]) -> f64 {
        let has = |sample: &&Sample| {
            wanted
                .iter()
                .all(|&(label, value)| sample.labels.get(label).is_some_and(|v| v == value))
        };
        let counts = |sample: &&Sample| self.kind != "histogram" || sample.name.ends_with("_count");
        self.samples.iter().filter(has).filter(counts).map(|sample| sample.value).sum()
    }

    /// The names of its labels, but for a histogram's `le`.
    pub fn labels(&self) -> BTreeSet<&str> {
        let names = self.samples.iter().flat_map(|sample| sample.labels.keys());
        names.map(String::as_str).filter(|name| *name != "le").collect()
    }

    fn check(&self) {
        let name = &self.name;
        assert!(!self.samples.is_empty(), "{name} has no sample");
        let mut seen = BTreeSet::new();
        for sample in &self.samples {
            let series = format!("{} {:?}", sample.name, sample.labels);
            assert!(seen.insert(series.clone()), "{series} comes twice");
            assert!(sample.value.is_finite(), "{series}: {}", sample.value);
        }
        match self.kind.as_str() {
            "counter" => {
                assert!(name.ends_with("_total"), "{name}: a counter ends in _total");
                assert!(self.samples.iter().all(|s| s.name == *name && s.value >= 0.0), "{name}");
            }
            "gauge" => {
                assert!(!name.ends_with("_total"), "{name}: only a counter ends in _total");
                assert!(self.samples.iter().all(|s| s.name == *name), "{name}");
            }
            "histogram" => self.check_histogram(),
            other => panic!("{name}: the type {other}"),
        }
    }

    /// Each series has buckets in rising order, the last of which is the count, and a sum.
    fn check_histogram(&self) {
        let mut series: BTreeMap<String, Vec<&Sample>> = BTreeMap::new();
        for sample in &self.samples {
            let mut labels = sample.labels.clone();
            let bound = labels.remove("le");
            let part = sample.name.strip_prefix(&self.name).expect("a part of the histogram");
            assert!(["_bucket", "_sum", "_count"].contains(&part), "{}", sample.name);
            assert_eq!(part == "_bucket", bound.is_some(), "{}", sample.name);
            series.entry(format!("{labels:?}")).or_default().push(sample);
        }
        for (labels, samples) in series {
            let (mut above, mut below) = (f64::NEG_INFINITY, 0.0);
            let mut sums = 0;
            for sample in samples {
                match sample.labels.get("le") {
                    Some(bound) => {
                        let bound: f64 = bound.parse().expect("a bound");
                        assert!(bound > above && sample.value >= below, "{labels}: {sample:?}");
                        (above, below) = (bound, sample.value);
                    }
                    None if sample.name.ends_with("_count") => {
                        assert!(above.is_infinite(), "{labels}: the last bucket has no bound");
                        assert!((sample.value - below).abs() < 0.5, "{labels}: {sample:?}");
                    }
                    None => sums += 1,
                }
            }
            assert_eq!(sums, 1, "{labels}: one sum");
        }
    }
}

fn comment<'a>(line: &'a str, begin: &str) -> (&'a str, &'a str) {
    let rest = line.strip_prefix(begin).unwrap_or_else(|| panic!("{begin:?} expected: {line}"));
    rest.split_once(' ').unwrap_or((rest, ""))
}

fn sample(line: &str) -> Sample {
    let name_ends = line.find(['{', ' ']).unwrap_or_else(|| panic!("{line}"));
    let (name, mut rest) = line.split_at(name_ends);
    assert!(is_metric_name(name), "{line}");
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
            assert!(is_label_name(label), "{line}");
            let (value, after) = quoted(after).unwrap_or_else(|| panic!("{line}"));
            assert!(labels.insert(label.to_owned(), value).is_none(), "{label} twice: {line}");
            rest = after.strip_prefix(',').unwrap_or(after);
        }
        rest = &rest[1..];
    }
    let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
    let value = value.parse().unwrap_or_else(|error| panic!("{error}: {line}"));
    Sample { name: name.to_owned(), labels, value }
}

/// A label's value up to its closing quotation mark, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                escaped @ ('\\' | '"') => escaped,
                _ => return None,
            }),
            other => value.push(other),
        }
    }
    None
}

fn is_metric_name(name: &str) -> bool {
    is_name(name, |character| character == '_' || character == ':')
}

fn is_label_name(name: &str) -> bool {
    is_name(name, |character| character == '_') && !name.starts_with("__")
}

fn is_name(name: &str, also: fn(char) -> bool) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || also(first))
        && name.chars().all(|character| character.is_ascii_alphanumeric() || also(character))
}
