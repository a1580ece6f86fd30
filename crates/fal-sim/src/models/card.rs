//! A model's entry in the catalogue, in the shape of `GET /v1/models`: some fields always, others
//! only where they say something.

use serde_json::{Map, Value, json};

use super::built_in::{Declaration, Mark};
use super::template::{CDN, Template};
use crate::hash;
use crate::media::{Kind, Media};

/// The path of a model's thumbnail on the CDN.
pub(super) fn thumbnail(endpoint_id: &str) -> String {
    Media::new(Kind::Png { width: 320, height: 240 }, hash::hash(0, endpoint_id.as_bytes())).path()
}

/// The entry of one of our own models.
pub(super) fn of_declaration(model: &Declaration) -> Template {
    let id = &model.id;
    let draw = hash::hash(0, id.as_bytes());
    let date = format!("2026-{:02}-{:02}T10:{:02}:00.000Z", draw % 9 + 1, draw % 28 + 1, draw % 60);
    let mut fields = Fields::default();
    fields.set("display_name", json!(model.name));
    fields.set("category", json!(model.category));
    fields.set("description", json!(model.description));
    fields.set("status", json!(model.status.as_deref().unwrap_or("active")));
    fields.set("tags", json!(model.tags));
    fields.set("updated_at", json!("2026-11-02T08:30:00.000Z"));
    fields.set("is_favorited", json!("{{favorited}}"));
    fields.set("thumbnail_url", json!(format!("{CDN}{}", thumbnail(id))));
    if model.is(Mark::Animated) {
        let clip = Media::new(Kind::Mp4, draw).path();
        fields.set("thumbnail_animated_url", json!(format!("{CDN}{clip}")));
    }
    fields.set("model_url", json!(format!("https://fal.run/{id}")));
    fields.set_some("github_url", model.github.as_ref());
    fields.set("license_type", json!(model.license.as_deref().unwrap_or("commercial")));
    fields.set("date", json!(date));
    if let Some((key, label)) = &model.group {
        fields.set("group", json!({ "key": key, "label": label }));
    }
    fields.set("highlighted", json!(false));
    fields.set("kind", json!(model.kind.as_deref().unwrap_or("inference")));
    if !model.training.is_empty() {
        fields.set("training_endpoint_ids", json!(model.training));
    }
    if !model.inference.is_empty() {
        fields.set("inference_endpoint_ids", json!(model.inference));
    }
    if model.is(Mark::Stream) {
        fields.set("stream_url", json!(format!("https://fal.run/{id}/stream")));
    }
    fields.set_some("duration_estimate", model.minutes.as_ref());
    fields.set("pinned", json!(false));
    open(id, &fields.0)
}

/// The entry of an endpoint of which nothing is known but its id: it has no metadata.
pub(super) fn of_id(endpoint_id: &str) -> Template {
    Template::new(json!({ "endpoint_id": endpoint_id }).to_string().trim_end_matches('}'))
}

/// The entry that a file of models gives. What every entry has and this one lacks is filled in.
pub(super) fn of_metadata(
    endpoint_id: &str,
    category: &str,
    given: Map<String, Value>,
) -> Template {
    let mut fields = Fields::default();
    fields.set("display_name", json!(endpoint_id));
    fields.set("category", json!(category));
    fields.set("description", json!(""));
    fields.set("status", json!("active"));
    fields.set("tags", json!([]));
    fields.set("updated_at", json!("2026-01-01T00:00:00.000Z"));
    fields.set("is_favorited", Value::Null);
    fields.set("thumbnail_url", json!(""));
    fields.set("model_url", json!(format!("https://fal.run/{endpoint_id}")));
    fields.set("date", json!("2026-01-01T00:00:00.000Z"));
    fields.set("highlighted", json!(false));
    fields.set("pinned", json!(false));
    // A given field that the defaults have keeps its place; the others come after.
    fields.0.extend(given);
    fields.set("is_favorited", json!("{{favorited}}"));
    open(endpoint_id, &fields.0)
}

fn open(endpoint_id: &str, metadata: &Map<String, Value>) -> Template {
    let text = json!({ "endpoint_id": endpoint_id, "metadata": metadata }).to_string();
    Template::new(text.strip_suffix('}').unwrap_or(&text))
}

#[derive(Debug, Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    fn set_some<T: serde::Serialize>(&mut self, name: &str, value: Option<&T>) {
        if let Some(value) = value {
            self.set(name, json!(value));
        }
    }
}
