//! Our own models, declared compactly in `assets/models.json`.
//!
//! A declaration names its fields in display order: `name`, or `name:library_field` where the two
//! differ, then `!` for a required one, `?` for one written as `anyOf [T, null]`, and `=value` for
//! another default than the library's. A model's own `fields` go before the library's.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::config::StartError;

/// The list and what its declarations refer to.
#[derive(Debug, Deserialize)]
pub(crate) struct Library {
    /// Input fields by name.
    pub(super) fields: Map<String, Value>,
    /// Output fields by name.
    pub(super) outputs: Map<String, Value>,
    /// Helper schemas by name.
    pub(super) schemas: Map<String, Value>,
    #[serde(default)]
    models: Vec<Declaration>,
}

/// One model of ours.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Declaration {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) category: String,
    pub(super) description: String,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    /// Key and label.
    #[serde(default)]
    pub(super) group: Option<(String, String)>,
    #[serde(default)]
    pub(super) status: Option<String>,
    #[serde(default)]
    pub(super) license: Option<String>,
    #[serde(default)]
    pub(super) kind: Option<String>,
    #[serde(default)]
    pub(super) github: Option<String>,
    /// Minutes that a job takes.
    #[serde(default)]
    pub(super) minutes: Option<f64>,
    /// Price of a unit, and the unit.
    #[serde(default)]
    pub(super) price: Option<(f64, String)>,
    /// Endpoints that train weights for this one.
    #[serde(default)]
    pub(super) training: Vec<String>,
    /// Endpoints that use the weights that this one trains.
    #[serde(default)]
    pub(super) inference: Vec<String>,
    #[serde(default)]
    pub(super) marks: Vec<Mark>,
    #[serde(default)]
    pub(super) fields: Map<String, Value>,
    pub(super) input: String,
    pub(super) output: String,
}

/// What sets a model apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mark {
    /// Has an animated thumbnail.
    Animated,
    /// Can be streamed.
    Stream,
    /// Only one account sees it.
    Private,
    /// Still listed, no longer found.
    Lost,
    /// Its document cannot be expanded in lists.
    ExpansionFails,
}

impl Declaration {
    pub(super) fn is(&self, mark: Mark) -> bool {
        self.marks.contains(&mark)
    }
}

/// The library and its models, most popular first.
pub(super) fn load() -> Result<(Arc<Library>, Vec<Declaration>), StartError> {
    let mut library: Library =
        serde_json::from_str(include_str!("../../assets/models.json")).map_err(|source| {
            StartError::ParseModels { path: "models.json".into(), line: source.line(), source }
        })?;
    let models = std::mem::take(&mut library.models);
    Ok((Arc::new(library), models))
}

/// One field of an input or output, as a declaration names it.
#[derive(Debug, PartialEq)]
pub(super) struct Field<'a> {
    pub(super) name: &'a str,
    pub(super) library_name: &'a str,
    pub(super) is_required: bool,
    pub(super) is_nullable: bool,
    pub(super) default: Option<&'a str>,
}

/// Reads a list of fields.
pub(super) fn fields(list: &str) -> impl Iterator<Item = Field<'_>> {
    list.split_whitespace().map(|word| {
        let (word, default) = match word.split_once('=') {
            Some((word, default)) => (word, Some(default)),
            None => (word, None),
        };
        let is_required = word.ends_with('!');
        let is_nullable = word.ends_with('?');
        let word = word.trim_end_matches(['!', '?']);
        let (name, library_name) = word.split_once(':').unwrap_or((word, word));
        Field { name, library_name, is_required, is_nullable, default }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_with_its_marks() {
        let read: Vec<Field<'_>> = fields("prompt! steps:few=4 seed?").collect();
        assert_eq!(read[0].name, "prompt");
        assert!(read[0].is_required);
        assert_eq!((read[1].name, read[1].library_name), ("steps", "few"));
        assert_eq!(read[1].default, Some("4"));
        assert!(read[2].is_nullable);
    }

    #[test]
    fn every_declared_field_is_in_the_library() {
        let (library, models) = load().unwrap();
        for model in models {
            for field in fields(&model.input) {
                let name = field.library_name;
                let is_known = model.fields.contains_key(name) || library.fields.contains_key(name);
                assert!(is_known, "{} {name}", model.id);
            }
            for field in fields(&model.output) {
                assert!(library.outputs.contains_key(field.library_name), "{}", model.id);
            }
        }
    }
}
