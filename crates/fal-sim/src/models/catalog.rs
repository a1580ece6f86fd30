//! Every model, in the order in which lists show them.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::built_in::{self, Declaration, Library, Mark};
use super::card;
use super::{Model, Price, Source, Template, Visibility, files, generated};
use crate::auth::Standing;
use crate::config::{Models, StartError};
use crate::router::app_of;

/// All models of one stand-in.
#[derive(Debug)]
pub(crate) struct Catalog {
    models: Vec<Arc<Model>>,
    by_id: HashMap<String, Arc<Model>>,
    /// Whether an app has anything that is not private.
    apps: HashMap<String, bool>,
}

impl Catalog {
    /// Loads the models that the configuration names.
    pub(crate) fn load(models: &Models) -> Result<Self, StartError> {
        let models = match models {
            Models::BuiltIn => declared(0)?,
            Models::Generated(count) => declared(*count)?,
            Models::Files { catalog, schemas } => {
                files::load(catalog.as_deref(), schemas.as_deref())?
            }
        };
        let models: Vec<Arc<Model>> = models.into_iter().map(Arc::new).collect();
        let mut by_id = HashMap::new();
        let mut apps: HashMap<String, bool> = HashMap::new();
        for model in models.iter().filter(|model| model.visibility != Visibility::Lost) {
            by_id.insert(model.endpoint_id.clone(), Arc::clone(model));
            let is_public = apps.entry(app_of(&model.endpoint_id).to_owned()).or_default();
            *is_public |= model.visibility != Visibility::Private;
        }
        Ok(Self { models, by_id, apps })
    }

    /// The listed models that this caller may see.
    pub(crate) fn listed(&self, standing: Option<Standing>) -> impl Iterator<Item = &Arc<Model>> {
        self.models.iter().filter(move |model| match model.visibility {
            Visibility::Public | Visibility::Lost => true,
            Visibility::Unlisted => false,
            Visibility::Private => standing == Some(Standing::Private),
        })
    }

    /// A model by id, for a caller who may be anonymous.
    pub(crate) fn find(
        &self,
        endpoint_id: &str,
        standing: Option<Standing>,
    ) -> Option<&Arc<Model>> {
        self.by_id.get(endpoint_id).filter(|model| {
            model.visibility != Visibility::Private || standing == Some(Standing::Private)
        })
    }

    /// A model that this caller may run.
    pub(crate) fn runnable(&self, endpoint_id: &str, standing: Standing) -> Option<Arc<Model>> {
        self.find(endpoint_id, Some(standing)).cloned()
    }

    /// Whether there is a model of this id, whoever may see it.
    pub(crate) fn is_known(&self, endpoint_id: &str) -> bool {
        self.by_id.contains_key(endpoint_id)
    }

    /// Whether this caller may know of any model of this app.
    pub(crate) fn has_app(&self, app: &str, standing: Standing) -> bool {
        self.apps.get(app).is_some_and(|is_public| *is_public || standing == Standing::Private)
    }
}

fn declared(at_least: usize) -> Result<Vec<Model>, StartError> {
    let (library, mut declarations) = built_in::load()?;
    generated::extend(&mut declarations, at_least);
    Ok(declarations.into_iter().map(|model| of_declaration(&library, model)).collect())
}

fn of_declaration(library: &Arc<Library>, model: Declaration) -> Model {
    let visibility = match (model.is(Mark::Private), model.is(Mark::Lost)) {
        (true, _) => Visibility::Private,
        (_, true) => Visibility::Lost,
        _ => Visibility::Public,
    };
    Model {
        visibility,
        endpoint_id: model.id.clone(),
        name: model.name.clone(),
        description: model.description.clone(),
        category: model.category.clone(),
        is_deprecated: model.status.as_deref() == Some("deprecated"),
        price: model.price.clone().map(|(unit_price, unit)| Price { unit_price, unit }),
        expansion_fails: model.is(Mark::ExpansionFails),
        search_text: search_text(&model.name, &model.description, &model.category),
        card: card::of_declaration(&model),
        source: Source::Declared(Arc::clone(library), Box::new(model)),
        document: OnceLock::new(),
        program: OnceLock::new(),
    }
}

/// A model that is not one of ours.
#[derive(Debug)]
pub(super) struct Foreign {
    pub(super) endpoint_id: String,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) category: String,
    pub(super) is_deprecated: bool,
    pub(super) is_listed: bool,
    pub(super) card: Template,
    pub(super) document: Option<bytes::Bytes>,
}

impl Foreign {
    /// As a model of the catalogue. Its price is a usual one of its category.
    pub(super) fn into_model(self) -> Model {
        Model {
            search_text: search_text(&self.name, &self.description, &self.category),
            visibility: if self.is_listed { Visibility::Public } else { Visibility::Unlisted },
            price: usual_price(&self.category),
            endpoint_id: self.endpoint_id,
            name: self.name,
            description: self.description,
            category: self.category,
            is_deprecated: self.is_deprecated,
            expansion_fails: false,
            card: self.card,
            source: self.document.map_or(Source::Missing, Source::Verbatim),
            document: OnceLock::new(),
            program: OnceLock::new(),
        }
    }
}

fn usual_price(category: &str) -> Option<Price> {
    let (unit_price, unit) = match category {
        "text-to-image" | "image-to-image" => (0.04, "images"),
        "image-to-video" | "text-to-video" | "audio-to-video" => (0.1, "seconds"),
        "video-to-video" => (0.1, "input seconds"),
        "text-to-speech" => (0.05, "1000 characters"),
        "llm" | "text-to-text" | "vision" => (0.5, "1000 tokens"),
        "speech-to-text" => (0.0, "compute seconds"),
        "unknown" => return None,
        _ => (0.1, "generations"),
    };
    Some(Price { unit_price, unit: unit.to_owned() })
}

fn search_text(name: &str, description: &str, category: &str) -> String {
    format!("{name} {description} {category}").to_lowercase()
}
