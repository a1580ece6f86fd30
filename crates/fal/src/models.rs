//! fal's catalogue (Platform API, "List models") and the schema of each model in it.

mod document;
mod find;
mod list;
mod model;

pub use document::ModelDocument;
pub use find::Found;
pub use list::{ModelsPage, ModelsQuery};
pub use model::{LicenseType, Model, ModelGroup, ModelKind, ModelMetadata, ModelStatus};
