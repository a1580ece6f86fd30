//! Every document of fal's catalogue through the tools: fal's own values are never refused, and an
//! input that breaks a rule of the document is refused before it is paid for.
//!
//! The rules are read from the document itself, as the stand-in serves it, so that this shares no
//! reading of schemas with the gateway.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use fal_sim::Models;
use futures_util::{StreamExt as _, stream};
use http::Method;
use serde_json::{Map, Value, json};
use tests::{Era, Rig, instant};

use crate::{schemas, shown};

/// Calls under way at the same time.
const AT_ONCE: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fal_s_own_values_are_never_refused_and_broken_inputs_are_before_they_cost() {
    let documents = Path::new(schemas::SHARED).join("model-openapi.1290.ndjson.gz");
    if !documents.exists() {
        return shown::skipped(schemas::SHARED);
    }
    let rig = rig(documents.clone()).await;
    let mut checks = stream::iter(schemas::ids_in(&documents))
        .map(|id| check(&rig, id))
        .buffer_unordered(AT_ONCE);
    let mut models: HashMap<String, Seen> = HashMap::new();
    while let Some((id, seen)) = checks.next().await {
        models.insert(id, seen);
    }
    assert_eq!(models.len(), 1_290);
    report(&models);

    let mut sent: HashMap<String, usize> = HashMap::new();
    for submit in rig.sim.ledger().submits() {
        *sent.entry(submit.endpoint_id).or_default() += 1;
    }
    for (id, seen) in &models {
        let accepted = sent.get(id).copied().unwrap_or_default();
        assert_eq!(accepted, seen.sent, "{id}: what was refused was not sent");
    }
}

async fn rig(documents: PathBuf) -> Rig {
    let catalog = Path::new(schemas::SHARED).join("models.2026.ndjson.gz");
    let models = Models::Files { catalog: Some(catalog), schemas: Some(documents) };
    let sim = fal_sim::Config { models, ledger_requests: 0, concurrency: usize::MAX, ..instant() };
    Rig::with(sim, |_| ()).await
}

/// What became of one model's inputs.
#[derive(Debug, Default)]
struct Seen {
    sound: usize,
    sent: usize,
    falsely_refused: Vec<String>,
    broken: HashMap<&'static str, usize>,
    /// Broken inputs that were let through, or whose refusal does not say what is wrong.
    missed: Vec<String>,
}

fn report(models: &HashMap<String, Seen>) {
    let sum = |of: fn(&Seen) -> usize| models.values().map(of).sum::<usize>();
    let of = |kind| models.values().filter_map(|seen| seen.broken.get(kind)).sum::<usize>();
    let (sound, broken) = (sum(|seen| seen.sound), sum(|seen| seen.broken.values().sum()));
    let falsely: Vec<&String> = models.values().flat_map(|seen| &seen.falsely_refused).collect();
    let missed: Vec<&String> = models.values().flat_map(|seen| &seen.missed).collect();
    let kinds = KINDS.map(|kind| format!("{} {kind}", of(kind))).join(", ");
    shown::measured(&format!(
        "{} false refusals of {sound} sound inputs; {} of {broken} broken inputs refused ({kinds})",
        falsely.len(),
        broken - missed.len(),
    ));
    assert!(falsely.is_empty(), "{falsely:#?}");
    assert!(missed.is_empty(), "{missed:#?}");
    for kind in KINDS {
        assert!(of(kind) > 100, "{} inputs with {kind}", of(kind));
    }
}

async fn check(rig: &Rig, id: String) -> (String, Seen) {
    let schema = rig.call(Era::Modern, "get_model_schema", json!({"endpoint_id": id})).await;
    let example = schema.value()["example_input"].clone();
    let url = format!("{}/web/api/openapi/queue/openapi.json?endpoint_id={id}", rig.sim_url());
    let document = Document { root: rig.plain(Method::GET, "/").to(url).send().await.json() };
    let input = document.input(&id);
    let mut seen = Seen::default();
    for sound in fal_s_own(&input, &example) {
        seen.sound += 1;
        if let Some(refusal) = submit(rig, &id, &sound, &mut seen).await {
            seen.falsely_refused.push(format!("{id}: {refusal} for {sound}"));
        }
    }
    for Broken { kind, name, input, accepted } in broken(&document, &input, &example) {
        *seen.broken.entry(kind).or_default() += 1;
        let refusal = submit(rig, &id, &input, &mut seen).await.unwrap_or_default();
        let told = refusal.contains(&format!("`{name}`")) && refusal.contains(&accepted);
        if !told {
            seen.missed.push(format!("{id}: {kind} of {name}, not told {accepted:?}: {refusal:?}"));
        }
    }
    (id, seen)
}

/// Submits an input; answers with the problems if it was refused.
async fn submit(rig: &Rig, id: &str, input: &Value, seen: &mut Seen) -> Option<String> {
    let job = json!({"endpoint_id": id, "input": input});
    let outcome = rig.call(Era::Modern, "submit_job", job).await;
    if outcome.is_error() {
        return Some(outcome.error("input_refused")["problems"].to_string().replace("\\\"", "\""));
    }
    seen.sent += 1;
    None
}

/// The example, and the example with each default and each example value of the document.
fn fal_s_own(input: &Map<String, Value>, example: &Value) -> Vec<Value> {
    let mut inputs = vec![example.clone()];
    for (name, property) in properties(input) {
        let examples = property["examples"].as_array().into_iter().flatten();
        for (place, value) in property.get("default").into_iter().chain(examples).enumerate() {
            if place + 1 == inputs.len() {
                inputs.push(example.clone());
            }
            inputs[place + 1][name] = value.clone();
        }
    }
    inputs
}

fn properties(input: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    input.get("properties").and_then(Value::as_object).into_iter().flatten()
}

const KINDS: [&str; 4] = ["missing", "no choice", "out of range", "wrong type"];

/// An input that breaks one rule.
struct Broken {
    kind: &'static str,
    name: String,
    input: Value,
    /// What the refusal has to say beside the name.
    accepted: String,
}

/// For each kind of rule, an input that breaks the first of that kind.
fn broken(document: &Document, input: &Map<String, Value>, example: &Value) -> Vec<Broken> {
    let required: Vec<&str> = input
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut found: Vec<Broken> = Vec::new();
    for (name, written) in properties(input) {
        let property = document.resolved(written);
        let mut add = |kind, broken: Option<(Option<Value>, String)>| {
            let Some((value, accepted)) = broken else { return };
            if found.iter().any(|other| other.kind == kind) {
                return;
            }
            let mut input = example.clone();
            let members = input.as_object_mut().unwrap();
            match value {
                Some(value) => members.insert(name.clone(), value),
                None => members.remove(name),
            };
            found.push(Broken { kind, name: name.clone(), input, accepted });
        };
        let is_required = required.contains(&name.as_str()) && written.get("default").is_none();
        add(KINDS[0], is_required.then(|| (None, "missing".to_owned())));
        add(KINDS[1], no_choice(&property));
        add(KINDS[2], out_of_range(&property));
        add(KINDS[3], wrong_type(&property));
    }
    found
}

type Wrong = (Option<Value>, String);

fn no_choice(property: &Map<String, Value>) -> Option<Wrong> {
    let first = property.get("enum")?.as_array()?.iter().find(|choice| choice.is_string())?;
    Some((Some(json!("xyzzy-no-choice")), first.as_str()?.to_owned()))
}

fn out_of_range(property: &Map<String, Value>) -> Option<Wrong> {
    let bound = |name: &str| property.get(name).filter(|bound| bound.is_number());
    if let Some(most) = bound("maximum") {
        let beyond = if let Some(most) = most.as_i64() {
            json!(most.checked_add(1)?)
        } else {
            json!(most.as_f64()?.abs() * 2.0 + 1.0)
        };
        return Some((Some(beyond), most.to_string()));
    }
    let least = bound("minimum")?;
    Some((Some(json!(least.as_i64()?.checked_sub(1)?)), least.to_string()))
}

fn wrong_type(property: &Map<String, Value>) -> Option<Wrong> {
    // The one or the few values say more than the type, so a refusal names them instead.
    if property.contains_key("enum") || property.contains_key("const") {
        return None;
    }
    let (wrong, noun) = match property.get("type")?.as_str()? {
        "string" => (json!({"xyzzy": 1}), "a string"),
        "integer" => (json!("xyzzy"), "an integer"),
        "number" => (json!("xyzzy"), "a number"),
        "boolean" => (json!("xyzzy"), "true or false"),
        "array" => (json!(7), "a list"),
        "object" => (json!(7), "an object"),
        _ => return None,
    };
    Some((Some(wrong), noun.to_owned()))
}

/// A model's document.
struct Document {
    root: Value,
}

impl Document {
    /// The schema of its input.
    fn input(&self, id: &str) -> Map<String, Value> {
        let body = &self.root["paths"][format!("/{id}")]["post"]["requestBody"];
        self.resolved(&body["content"]["application/json"]["schema"])
    }

    /// A schema without its reference, its single `allOf`, or the `null` beside it. What says more
    /// than one thing is left as it is, and then breaks no rule here.
    fn resolved(&self, schema: &Value) -> Map<String, Value> {
        let members = schema.as_object().unwrap();
        if let Some(target) = members.get("$ref").and_then(Value::as_str) {
            let target = self.root.pointer(target.trim_start_matches('#')).unwrap_or(&Value::Null);
            return if target.is_object() { self.resolved(target) } else { Map::new() };
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let Some(branches) = members.get(keyword).and_then(Value::as_array) else { continue };
            let rest: Vec<&Value> =
                branches.iter().filter(|branch| branch["type"] != "null").collect();
            let [only] = rest.as_slice() else { return Map::new() };
            let mut resolved = self.resolved(only);
            // fal writes the choices beside the combinator as well as inside it.
            resolved.extend(members.clone());
            resolved.remove(keyword);
            return resolved;
        }
        members.clone()
    }
}
