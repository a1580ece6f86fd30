//! An entry of the catalogue.
//!
//! It is read leniently: what is absent, null, or of a kind that we do not know is as if it were
//! not there, since one odd entry must not cost a page. `is_favorited` is not read at all: it is
//! about the caller, and what is read here may be shown to others.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// A model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Model {
    /// What to call it by.
    pub endpoint_id: String,
    /// What is known of it. fal's entries always have it; without it every field is empty.
    #[serde(default)]
    pub metadata: ModelMetadata,
}

/// What the catalogue says of a model. Times are in RFC 3339.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ModelMetadata {
    /// The name for people. Not unique.
    #[serde(deserialize_with = "or_default")]
    pub display_name: String,
    /// What it does, in fal's words: `text-to-image`.
    #[serde(deserialize_with = "or_default")]
    pub category: String,
    /// What it does, in a sentence or more.
    #[serde(deserialize_with = "or_default")]
    pub description: String,
    /// Whether it is still offered.
    #[serde(deserialize_with = "or_default")]
    pub status: Option<ModelStatus>,
    /// Free words: `new`, `pro`.
    #[serde(deserialize_with = "or_default")]
    pub tags: Vec<String>,
    /// When the entry last changed.
    #[serde(deserialize_with = "or_default")]
    pub updated_at: Option<String>,
    /// When the model came.
    #[serde(deserialize_with = "or_default")]
    pub date: Option<String>,
    /// A picture of it.
    #[serde(deserialize_with = "or_default")]
    pub thumbnail_url: Option<String>,
    /// A moving picture of it.
    #[serde(deserialize_with = "or_default")]
    pub thumbnail_animated_url: Option<String>,
    /// Where it runs synchronously.
    #[serde(deserialize_with = "or_default")]
    pub model_url: Option<String>,
    /// Where it streams its output, for the few that do.
    #[serde(deserialize_with = "or_default")]
    pub stream_url: Option<String>,
    /// Its source or licence.
    #[serde(deserialize_with = "or_default")]
    pub github_url: Option<String>,
    /// What its output may be used for.
    #[serde(deserialize_with = "or_default")]
    pub license_type: Option<LicenseType>,
    /// The family it belongs to.
    #[serde(deserialize_with = "or_default")]
    pub group: Option<ModelGroup>,
    /// Whether it makes something or trains.
    #[serde(deserialize_with = "or_default")]
    pub kind: Option<ModelKind>,
    /// Models that train for this one.
    #[serde(deserialize_with = "or_default")]
    pub training_endpoint_ids: Vec<String>,
    /// Models that use what this one trains.
    #[serde(deserialize_with = "or_default")]
    pub inference_endpoint_ids: Vec<String>,
    /// How long a run takes, in minutes, roughly.
    #[serde(deserialize_with = "or_default")]
    pub duration_estimate: Option<f64>,
    /// No longer in use at fal; always false.
    #[serde(deserialize_with = "or_default")]
    pub highlighted: bool,
    /// No longer in use at fal; always false.
    #[serde(deserialize_with = "or_default")]
    pub pinned: bool,
}

/// Whether a model is still offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelStatus {
    /// It is.
    Active,
    /// It may still run, and should not be chosen any more.
    Deprecated,
}

impl ModelStatus {
    /// fal's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deprecated => "deprecated",
        }
    }
}

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelKind {
    /// It makes something.
    Inference,
    /// It makes another model.
    Training,
}

impl ModelKind {
    /// fal's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inference => "inference",
            Self::Training => "training",
        }
    }
}

/// What a model's output may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LicenseType {
    /// Business too.
    Commercial,
    /// Research.
    Research,
    /// What its owner allows.
    Private,
}

/// A family of models.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ModelGroup {
    /// Its id.
    pub key: String,
    /// What this model is within it.
    #[serde(default)]
    pub label: String,
}

/// A value that counts as absent when it is not one.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + DeserializeOwned,
{
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_odd_entry_is_read_as_far_as_it_goes() {
        let model: Model = serde_json::from_value(json!({
            "endpoint_id": "fal-ai/odd",
            "metadata": {
                "display_name": null, "status": "retired", "kind": "inference", "tags": null,
                "group": {"label": "no key"}, "duration_estimate": "long", "pinned": true,
                "is_favorited": true, "brand_new": {},
            },
        }))
        .unwrap();
        assert_eq!(
            model,
            Model {
                endpoint_id: "fal-ai/odd".to_owned(),
                metadata: ModelMetadata {
                    kind: Some(ModelKind::Inference),
                    pinned: true,
                    ..ModelMetadata::default()
                },
            }
        );
        let bare: Model = serde_json::from_value(json!({"endpoint_id": "fal-ai/bare"})).unwrap();
        assert_eq!(bare.metadata, ModelMetadata::default());
    }
}
