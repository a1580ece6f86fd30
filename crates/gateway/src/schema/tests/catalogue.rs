//! Every document of fal's catalogue, where a copy of it lies beside the repository.

use std::io::{BufRead, BufReader};

use flate2::read::GzDecoder;
use serde_json::Value;

use super::{ModelSchema, faults};

const CATALOGUE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/fal/model-openapi.1290.ndjson.gz");
const DOCUMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/fal/models");
const MAX_CHARS: usize = 40_000;

fn skip(missing: &str) {
    #[expect(clippy::print_stderr, reason = "a test that did not run must say so")]
    {
        eprintln!("SKIPPED: {missing} is not there");
    }
}

fn check_document(id: &str, document: &Value) -> Result<ModelSchema, String> {
    let model =
        ModelSchema::from_openapi(id, document).map_err(|error| format!("{id}: {error}"))?;
    let shown = model.presentation(MAX_CHARS).to_string();
    let refuse = |problem: String| Err(format!("{id}: {problem}"));
    if shown.contains("\"$ref\"") || shown.contains("x-fal") || shown.contains("x-editor") {
        return refuse("something of the document's own is shown".to_owned());
    }
    if shown.chars().count() > MAX_CHARS {
        return refuse(format!("{} characters are shown", shown.chars().count()));
    }
    let example = model.check(model.example_input());
    if !example.faults.is_empty() {
        return refuse(format!("its example has faults: {:?}", faults(&example)));
    }
    for (name, value) in values_of_fal(id, document) {
        let mut input = model.example_input().clone();
        input[&name] = value;
        let verdict = model.check(&input);
        if !verdict.faults.is_empty() {
            return refuse(format!("fal's own {name}: {:?}", faults(&verdict)));
        }
    }
    let schema = model.input_schema();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let mut listed = schema["required"].as_array().into_iter().flatten();
        let required = listed.any(|known| known == name) && property.get("default").is_none();
        let mut input = model.example_input().clone();
        input[name] = Value::Null;
        if !required && !model.check(&input).faults.is_empty() {
            return refuse(format!("null is refused for `{name}`"));
        }
        input.as_object_mut().unwrap().shift_remove(name);
        let missing = model.check(&input).faults.iter().any(|fault| fault.path == *name);
        if missing != required {
            return refuse(format!("`{name}` left out: missing is {missing}"));
        }
    }
    Ok(model)
}

/// Every default and example of an input property, read from the document itself.
fn values_of_fal(id: &str, document: &Value) -> Vec<(String, Value)> {
    let body = &document["paths"][format!("/{id}")]["post"]["requestBody"];
    let target = body["content"]["application/json"]["schema"]["$ref"].as_str().unwrap();
    let input = document.pointer(target.trim_start_matches('#')).unwrap();
    let mut values = Vec::new();
    for (name, property) in input["properties"].as_object().into_iter().flatten() {
        let examples = property["examples"].as_array().into_iter().flatten();
        for value in property.get("default").into_iter().chain(examples) {
            values.push((name.clone(), value.clone()));
        }
    }
    values
}

#[test]
fn every_model_of_the_catalogue_is_understood() {
    let Ok(file) = std::fs::File::open(CATALOGUE) else {
        return skip(CATALOGUE);
    };
    let lines: Vec<String> =
        BufReader::new(GzDecoder::new(file)).lines().collect::<Result<_, _>>().unwrap();
    let half = |lines: &[String]| {
        let check = |line: &String| {
            let line: Value = serde_json::from_str(line).unwrap();
            check_document(line["endpoint_id"].as_str().unwrap(), &line["openapi"])
        };
        lines.iter().map(check).collect::<Vec<_>>()
    };
    let (left, right) = lines.split_at(lines.len() / 2);
    let checked = std::thread::scope(|scope| {
        let left = scope.spawn(|| half(left));
        let mut checked = half(right);
        checked.extend(left.join().unwrap());
        checked
    });
    let failed: Vec<_> = checked.iter().filter_map(|result| result.as_ref().err()).collect();
    assert!(failed.is_empty(), "{} failed: {failed:#?}", failed.len());
    assert_eq!(checked.len(), 1_290);
    // A rise means that a kind of sound schema is being mistaken for an unsound one.
    let unsound = checked.iter().flatten().filter(|model| !model.unsound().is_empty());
    assert_eq!(unsound.count(), 7);
}

#[test]
fn every_document_as_fal_publishes_it_is_understood() {
    let Ok(folder) = std::fs::read_dir(DOCUMENTS) else {
        return skip(DOCUMENTS);
    };
    let mut seen = 0;
    for file in folder {
        let path = file.unwrap().path();
        let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let id = document["info"]["x-fal-metadata"]["endpointId"].as_str().unwrap();
        let model = check_document(id, &document).unwrap();
        assert_eq!(model.unsound(), <[String; 0]>::default(), "{id}");
        assert!(model.category().is_some(), "{id}");
        seen += 1;
    }
    assert_eq!(seen, 11);
}
