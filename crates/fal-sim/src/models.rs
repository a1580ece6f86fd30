//! The models: what the catalogue says of each, its OpenAPI document, and the parts of that
//! document that running it needs.

pub(crate) mod schema;

mod built_in;
mod card;
mod catalog;
mod files;
mod generated;
mod openapi;
mod template;

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::Value;

pub(crate) use catalog::Catalog;
pub(crate) use template::{Fill, Template};

use crate::models::built_in::{Declaration, Library};
use crate::models::schema::Program;
use crate::profile::Profile;

/// What one unit of a model's work costs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Price {
    pub(crate) unit_price: f64,
    /// Plural, as fal writes them: `images`, `megapixels`, `compute seconds`.
    pub(crate) unit: String,
}

/// One model.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) endpoint_id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) category: String,
    pub(crate) is_deprecated: bool,
    pub(crate) price: Option<Price>,
    pub(crate) visibility: Visibility,
    pub(crate) expansion_fails: bool,
    /// Name, description and category in lower case.
    search_text: String,
    /// The catalogue entry without its closing brace.
    pub(crate) card: Template,
    source: Source,
    document: OnceLock<Option<Template>>,
    program: OnceLock<Program>,
}

/// Who finds a model where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// Everybody, everywhere.
    Public,
    /// Everybody, but it is in no list: it has a schema and no catalogue entry.
    Unlisted,
    /// Listed for everybody, and otherwise as if it did not exist.
    Lost,
    /// Only the account that owns it.
    Private,
}

/// Where a model's document comes from.
#[derive(Debug)]
enum Source {
    /// Made from our own declaration when it is first asked for.
    Declared(Arc<Library>, Box<Declaration>),
    /// As it was read from a file.
    Verbatim(Bytes),
    /// There is none.
    Missing,
}

impl Model {
    /// The OpenAPI document, if the model has one.
    pub(crate) fn document(&self) -> Option<&Template> {
        self.document
            .get_or_init(|| match &self.source {
                Source::Declared(library, declaration) => {
                    let document = openapi::document(library, declaration);
                    Some(Template::new(&document.to_string()))
                }
                Source::Verbatim(bytes) => Some(Template::verbatim(bytes.clone())),
                Source::Missing => None,
            })
            .as_ref()
    }

    /// The `detail[]` body with which the model refuses an input, if it does.
    pub(crate) fn refusal(&self, input: &[u8]) -> Option<Bytes> {
        self.program().refusal(input)
    }

    /// The document as schemas that can be run.
    pub(crate) fn program(&self) -> &Program {
        self.program.get_or_init(|| {
            let document = match &self.source {
                Source::Declared(library, declaration) => openapi::document(library, declaration),
                Source::Verbatim(bytes) => serde_json::from_slice(bytes).unwrap_or_default(),
                Source::Missing => Value::Null,
            };
            Program::new(&self.endpoint_id, document)
        })
    }

    /// How long its jobs take.
    pub(crate) fn profile(&self) -> Profile {
        Profile::of_category(&self.category)
    }

    /// Whether a free text finds this model. `text` is in lower case.
    pub(crate) fn is_found_by(&self, text: &str) -> bool {
        text.split_whitespace().all(|word| self.search_text.contains(word))
    }
}
