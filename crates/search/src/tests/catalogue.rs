//! Catalogues to search: the dump of the real one, and records by hand.

use std::io::Read as _;

use super::super::{Kind, Record, Status};

const DUMP: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/fal/models.2026.ndjson.gz");

/// The real catalogue, unless its dump is absent.
pub(super) fn real() -> Option<Vec<Record>> {
    let file = std::fs::File::open(DUMP).ok()?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    Some(text.lines().map(|line| read(&serde_json::from_str(line).unwrap())).collect())
}

fn read(line: &serde_json::Value) -> Record {
    let model = &line["model"];
    let metadata = &model["metadata"];
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let tags = metadata["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
    Record {
        endpoint_id: text(&model["endpoint_id"]),
        name: text(&metadata["display_name"]),
        description: text(&metadata["description"]),
        category: text(&metadata["category"]),
        tags: tags.iter().map(text).collect(),
        group: metadata["group"]["label"].as_str().map(str::to_owned),
        kind: if metadata["kind"] == "training" { Kind::Training } else { Kind::Inference },
        status: if metadata["status"] == "deprecated" {
            Status::Deprecated
        } else {
            Status::Active
        },
        highlighted: metadata["highlighted"] == true,
        date: metadata["date"].as_str().map(str::to_owned),
    }
}

/// A record that says no more than what is given.
pub(super) fn record(endpoint_id: &str, name: &str, category: &str, description: &str) -> Record {
    Record {
        endpoint_id: endpoint_id.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
        category: category.to_owned(),
        tags: Vec::new(),
        group: None,
        kind: if category == "training" { Kind::Training } else { Kind::Inference },
        status: Status::Active,
        highlighted: false,
        date: None,
    }
}
