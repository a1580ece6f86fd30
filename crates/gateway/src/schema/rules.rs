//! The part of an input schema that an input can fairly be held to, compiled.
//!
//! A wrong refusal is worse than a late one, so whatever fal contradicts itself about is left out:
//! bounds that exclude each other, patterns that do not compile, and every rule that one of fal's own
//! defaults or examples breaks. `null` stands for "not given" wherever a property may be left out.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value, json};

use super::keywords::{add_type, admit_null, for_each_child, property, required, type_of};
use super::present::json_chars;

/// Rounds of taking back rules that fal's own values break. Each round takes back all that are
/// visible; a second becomes visible only behind the first.
const MAX_ROUNDS: usize = 6;
/// Examples of one property that are held against its rules.
const MAX_EVIDENCE: usize = 20;
const MAX_NOTES: usize = 20;

/// A compiled schema and what was left out of it.
pub(super) struct Rules {
    /// None where nothing of the schema can be relied on.
    pub(super) validator: Option<Validator>,
    /// One line for each rule that was left out, for people.
    pub(super) unsound: Vec<String>,
    /// Characters of the compact JSON the validator was compiled from.
    pub(super) json_chars: usize,
}

impl Rules {
    /// Compiles what is sound in a flattened object schema. `example` is a valid input to start from.
    pub(super) fn derive(input: &Map<String, Value>, example: &Value) -> Self {
        let mut unsound = Vec::new();
        let mut rules = input.clone();
        keep_sound(&mut rules, &mut unsound);
        let mut rules = Value::Object(rules);
        let evidence = evidence(input, example);
        for _ in 0..MAX_ROUNDS {
            let Some(validator) = compile(&rules) else {
                break;
            };
            let broken = broken_rules(&validator, &evidence);
            if broken.is_empty() {
                unsound.truncate(MAX_NOTES);
                let json_chars = json_chars(&rules);
                return Self { validator: Some(validator), unsound, json_chars };
            }
            for rule in broken {
                unsound.push(format!(
                    "`{}` of `{}` is loosened: a default or example of fal's own breaks it",
                    rule.keyword,
                    rule.property()
                ));
                rule.take_back(&mut rules);
            }
        }
        unsound.push("the schema contradicts itself: only fal checks the input".to_owned());
        unsound.truncate(MAX_NOTES);
        Self { validator: None, unsound, json_chars: 0 }
    }
}

fn compile(rules: &Value) -> Option<Validator> {
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        // Linear time: the pattern is fal's, but the text is anyone's.
        .with_pattern_options(PatternOptions::regex())
        .offline()
        .build(rules)
        .ok()
}

/// Removes from one schema, and from those inside it, what cannot be a rule.
fn keep_sound(node: &mut Map<String, Value>, unsound: &mut Vec<String>) {
    node.retain(|keyword, _| !ANNOTATIONS.contains(&keyword.as_str()));
    for (low, high) in RANGES {
        let bound = |word: &str| node.get(word).and_then(Value::as_f64);
        let exclusive = low.starts_with('e') || high.starts_with('e');
        let empty = match (bound(low), bound(high)) {
            (Some(low), Some(high)) => low > high || (exclusive && low >= high),
            _ => false,
        };
        if empty {
            unsound.push(format!("`{low}` and `{high}` exclude each other and are not enforced"));
            node.remove(low);
            node.remove(high);
        }
    }
    if let Some(pattern) = node.get("pattern")
        && compile(&json!({"pattern": pattern})).is_none()
    {
        unsound.push("a `pattern` is not one that can be checked".to_owned());
        node.remove("pattern");
    }
    if let Some(value) = node.remove("const") {
        let listed = node.entry("enum").or_insert_with(|| json!([]));
        if let Value::Array(values) = listed
            && !values.contains(&value)
        {
            values.push(value);
        }
    }
    // The listed values say it all; a `type` beside them can only contradict them.
    if node.contains_key("enum") {
        node.remove("type");
    }
    keep_sound_required(node, unsound);
    for_each_child(node, &mut |child| keep_sound(child, unsound));

    let required: Vec<String> = required(node).map(str::to_owned).collect();
    if let Some(Value::Object(properties)) = node.get_mut("properties") {
        for (name, schema) in properties {
            if let Value::Object(schema) = schema
                && !required.contains(name)
            {
                admit_null(schema);
            }
        }
    }
}

const ANNOTATIONS: [&str; 6] =
    ["title", "description", "examples", "deprecated", "default", super::keywords::EDITOR];

const RANGES: [(&str, &str); 7] = [
    ("minimum", "maximum"),
    ("exclusiveMinimum", "maximum"),
    ("minimum", "exclusiveMaximum"),
    ("exclusiveMinimum", "exclusiveMaximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
];

/// A property with a default is not required, whatever the list says, nor is one that does not exist.
fn keep_sound_required(node: &mut Map<String, Value>, unsound: &mut Vec<String>) {
    if !node.contains_key("properties") {
        return;
    }
    let sound =
        |name: &&str| property(node, name).is_some_and(|schema| !schema.contains_key("default"));
    let kept: Vec<Value> = required(node).filter(sound).map(Value::from).collect();
    if kept.len() < required(node).count() {
        unsound.push("a `required` property has a default or is not described".to_owned());
    }
    node.insert("required".to_owned(), Value::Array(kept));
}

/// An input made of fal's own values.
struct Evidence {
    input: Value,
    /// Put together from the defaults inside other schemas, so that required properties may lack.
    partial: bool,
}

/// The example, and whole inputs that are the example with one more default or example of every
/// property that has one.
fn evidence(input: &Map<String, Value>, example: &Value) -> Vec<Evidence> {
    let whole = || Evidence { input: example.clone(), partial: false };
    let mut inputs = vec![whole()];
    let mut partial = Map::new();
    let properties = input.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        let Some(schema) = schema.as_object() else {
            continue;
        };
        let examples = schema.get("examples").and_then(Value::as_array);
        let values = schema
            .get("default")
            .into_iter()
            .chain(examples.into_iter().flatten().take(MAX_EVIDENCE));
        for (index, value) in (1..).zip(values) {
            if index == inputs.len() {
                inputs.push(whole());
            }
            if let Some(Evidence { input: Value::Object(input), .. }) = inputs.get_mut(index) {
                input.insert(name.clone(), value.clone());
            }
        }
        if let Some(defaults) = nested_defaults(schema, 0) {
            partial.insert(name.clone(), defaults);
        }
    }
    inputs.push(Evidence { input: Value::Object(partial), partial: true });
    inputs
}

/// The defaults inside a schema, in the shape of a value of it. What is required and has no default
/// is missing from it.
fn nested_defaults(schema: &Map<String, Value>, depth: usize) -> Option<Value> {
    if depth > 4 {
        return None;
    }
    let inside = |schema: &Value| {
        let schema = schema.as_object()?;
        let own = schema.get("default").cloned();
        own.or_else(|| nested_defaults(schema, depth + 1))
    };
    if let Some(items) = schema.get("items") {
        return inside(items).map(|item| json!([item]));
    }
    let properties = schema.get("properties")?.as_object()?;
    let defaults: Map<String, Value> = properties
        .iter()
        .filter_map(|(name, schema)| Some((name.clone(), inside(schema)?)))
        .collect();
    (!defaults.is_empty()).then_some(Value::Object(defaults))
}

/// A rule that one of fal's own values breaks.
#[derive(PartialEq)]
struct Broken {
    /// Where in the rules, as a JSON pointer to the schema that holds the keyword.
    schema: String,
    keyword: String,
    /// The value, or for `required` the name that is missing.
    value: Value,
}

fn broken_rules(validator: &Validator, evidence: &[Evidence]) -> Vec<Broken> {
    let mut broken = Vec::new();
    for Evidence { input, partial } in evidence {
        if validator.is_valid(input) {
            continue;
        }
        for error in validator.iter_errors(input) {
            let missing = matches!(error.kind(), ValidationErrorKind::Required { .. });
            if missing && (*partial || error.instance_path().is_empty()) {
                continue;
            }
            let rule = Broken::from(&error);
            if !broken.contains(&rule) {
                broken.push(rule);
            }
        }
    }
    broken
}

impl From<&ValidationError<'_>> for Broken {
    fn from(error: &ValidationError<'_>) -> Self {
        let keyword = error.kind().keyword();
        let path = error.schema_path().as_str();
        let schema = path.rfind(&format!("/{keyword}")).and_then(|end| path.get(..end));
        let value = match error.kind() {
            ValidationErrorKind::Required { property } => property.clone(),
            _ => error.instance().as_ref().clone(),
        };
        Self { schema: schema.unwrap_or_default().to_owned(), keyword: keyword.to_owned(), value }
    }
}

impl Broken {
    /// The top-level property the rule belongs to.
    fn property(&self) -> &str {
        self.schema.split('/').nth(2).unwrap_or("(root)")
    }

    fn take_back(self, rules: &mut Value) {
        let Some(Value::Object(node)) = rules.pointer_mut(&self.schema) else {
            return;
        };
        match (self.keyword.as_str(), node.get_mut(&self.keyword)) {
            ("enum", Some(Value::Array(values))) => values.push(self.value),
            ("type", Some(_)) => add_type(node, type_of(&self.value)),
            ("required", Some(Value::Array(names))) => names.retain(|name| *name != self.value),
            // Which alternative was meant is unknown, so one more is added that fits.
            ("anyOf", Some(Value::Array(branches))) => branches.push(match self.value {
                Value::Array(_) | Value::Object(_) => json!({"type": type_of(&self.value)}),
                scalar => json!({"enum": [scalar]}),
            }),
            (keyword, _) => {
                node.remove(keyword);
            }
        }
    }
}
