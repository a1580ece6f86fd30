//! The description as a JSON document: references followed, operations found by their id.

use serde_json::{Map, Value};

use crate::ContractError;

/// How many references in a row are followed before they count as a circle.
const MAX_REFERENCES: usize = 8;

/// The methods that a path may have, as OpenAPI spells them.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The parsed description.
#[derive(Debug)]
pub(crate) struct Document {
    root: Value,
}

impl Document {
    pub(crate) fn parse(text: &str) -> Result<Self, ContractError> {
        Ok(Self { root: serde_json::from_str(text)? })
    }

    /// The reusable parts, which every schema may refer to.
    pub(crate) fn components(&self) -> Value {
        self.root.get("components").cloned().unwrap_or_else(|| Value::Object(Map::new()))
    }

    /// The operation with this `operationId`.
    pub(crate) fn operation(&self, id: &str) -> Result<&Value, ContractError> {
        self.root
            .get("paths")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(Map::values)
            .flat_map(|item| METHODS.iter().filter_map(|method| item.get(method)))
            .find(|operation| operation.get("operationId").and_then(Value::as_str) == Some(id))
            .ok_or_else(|| ContractError::Missing(format!("the operation {id}")))
    }

    /// The security scheme with this name.
    pub(crate) fn security_scheme(&self, name: &str) -> Result<&Value, ContractError> {
        self.root
            .pointer("/components/securitySchemes")
            .and_then(|schemes| schemes.get(name))
            .ok_or_else(|| ContractError::Missing(format!("the security scheme {name}")))
    }

    /// What `value` stands for: itself, or what its `$ref` leads to.
    pub(crate) fn resolve<'a>(&'a self, value: &'a Value) -> Result<&'a Value, ContractError> {
        let mut value = value;
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
                return Ok(value);
            };
            value = reference
                .strip_prefix('#')
                .and_then(|pointer| self.root.pointer(pointer))
                .ok_or_else(|| ContractError::Reference(reference.to_owned()))?;
        }
        Err(ContractError::Reference(value.to_string()))
    }
}
