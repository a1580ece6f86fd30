//! One schema out of a document with references: every `$ref` inlined, every way of saying "or null"
//! made one, fal's own extensions dropped, properties in fal's display order.
//!
//! What is malformed is dropped and noted, never an error: fal's documents mix `OpenAPI` 3.0 with words
//! of JSON Schema 2020-12, and some refer to schemas they do not define.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::keywords::{EDITOR, KEYWORDS, admit_null, one_line};

/// Schemas inside schemas, references included. fal's deepest document has about ten.
const MAX_DEPTH: usize = 24;
/// Schemas in one result, over all inlining; the largest of fal's has under a thousand.
const MAX_NODES: usize = 10_000;
/// How often one definition is inlined in full below `DEEP`; after that its outline must do.
const MAX_INLINED: usize = 12;
const DEEP: usize = 5;
/// Characters of a description; fal's longest has 1,101.
const MAX_DESCRIPTION: usize = 1_200;
const MAX_NOTES: usize = 20;

/// Inlines the schemas of one document, sharing the limits between them.
pub(super) struct Flattener<'doc> {
    document: &'doc Value,
    /// The references being inlined, outermost first.
    open: Vec<&'doc str>,
    inlined: HashMap<&'doc str, usize>,
    nodes: usize,
    notes: Vec<String>,
}

impl<'doc> Flattener<'doc> {
    pub(super) fn new(document: &'doc Value) -> Self {
        Self { document, open: Vec::new(), inlined: HashMap::new(), nodes: 0, notes: Vec::new() }
    }

    /// What was found malformed or missing.
    pub(super) fn into_notes(self) -> Vec<String> {
        self.notes
    }

    /// Flattens a schema that describes an object, whatever it says of itself.
    pub(super) fn flatten_object(&mut self, schema: &'doc Value) -> Map<String, Value> {
        let mut flat = self.flatten(schema);
        flat.insert("type".to_owned(), json!("object"));
        in_order(flat)
    }

    /// Flattens one schema; its own title is a class name of fal's, and goes.
    pub(super) fn flatten(&mut self, schema: &'doc Value) -> Map<String, Value> {
        let mut flat = self.schema(schema, 0);
        flat.shift_remove("title");
        flat
    }

    fn schema(&mut self, schema: &'doc Value, depth: usize) -> Map<String, Value> {
        // `true` and `false` are schemas too; fal's use of them is never a rule worth refusing for.
        let Some(node) = schema.as_object() else {
            return Map::new();
        };
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            self.note("the schema is nested too deeply to be shown and checked in full".to_owned());
            return outline(node);
        }

        let mut flat = self.own_words(node, depth);
        let (mut branches, mut nullable) = self.branches(node, depth);
        if branches.len() > 1 {
            if nullable {
                branches.push(null_schema());
            }
            let branches = branches.into_iter().map(Value::Object).collect();
            flat.insert("anyOf".to_owned(), Value::Array(branches));
        } else if let Some(only) = branches.pop() {
            flat = merge(only, flat);
        } else if nullable {
            flat.insert("type".to_owned(), json!("null"));
        }

        if let Some(parts) = node.get("allOf").and_then(Value::as_array) {
            let parts = parts.iter().map(|part| self.schema(part, depth + 1));
            flat = merge(parts.reduce(merge).unwrap_or_default(), flat);
        }
        if let Some(target) = node.get("$ref").and_then(Value::as_str) {
            flat = merge(self.inline(target, depth), flat);
        }
        nullable |= node.get("nullable") == Some(&Value::Bool(true));
        if nullable {
            admit_null(&mut flat);
        }
        in_order(flat)
    }

    /// The alternatives of `anyOf` and `oneOf`, and whether `null` is one of them. `oneOf` is shown as
    /// `anyOf`: that two alternatives fit at once is no reason to refuse an input.
    fn branches(
        &mut self,
        node: &'doc Map<String, Value>,
        depth: usize,
    ) -> (Vec<Map<String, Value>>, bool) {
        let mut branches = Vec::new();
        let mut nullable = false;
        for word in ["anyOf", "oneOf"] {
            for branch in node.get(word).and_then(Value::as_array).into_iter().flatten() {
                let branch = self.schema(branch, depth + 1);
                if branch.get("type") == Some(&json!("null")) {
                    nullable = true;
                } else if !branches.contains(&branch) {
                    branches.push(branch);
                }
            }
        }
        (branches, nullable)
    }

    fn inline(&mut self, target: &'doc str, depth: usize) -> Map<String, Value> {
        let name = target.rsplit('/').next().unwrap_or(target);
        let found = target.strip_prefix('#').and_then(|pointer| self.document.pointer(pointer));
        let Some(schema) = found else {
            self.note(format!(
                "fal does not define `{}`: anything is accepted there, and fal decides",
                one_line(name, 80)
            ));
            return described(format!("`{name}`, which fal does not define."));
        };
        if self.open.contains(&target) {
            return described(format!("`{name}` again, nested."));
        }
        let times = self.inlined.entry(target).or_default();
        *times += 1;
        if depth >= DEEP && *times > MAX_INLINED {
            return schema.as_object().map(outline).unwrap_or_default();
        }
        self.open.push(target);
        let mut flat = self.schema(schema, depth + 1);
        self.open.pop();
        // A definition's title is the name of a class of fal's.
        flat.shift_remove("title");
        flat
    }

    /// The node's words, but for those that combine schemas.
    fn own_words(&mut self, node: &'doc Map<String, Value>, depth: usize) -> Map<String, Value> {
        let mut flat = Map::new();
        for (keyword, value) in node {
            let kept = match (keyword.as_str(), value) {
                ("properties", Value::Object(properties)) => {
                    Some(self.properties(properties, node.get("x-fal-order-properties"), depth))
                }
                // A list of schemas in `items` is how older drafts wrote `prefixItems`.
                ("prefixItems" | "items", Value::Array(items)) => {
                    let items = items.iter().map(|item| self.schema(item, depth + 1));
                    let items = items.map(Value::Object).collect();
                    flat.insert("prefixItems".to_owned(), Value::Array(items));
                    continue;
                }
                ("items" | "additionalProperties", Value::Object(_)) => {
                    Some(Value::Object(self.schema(value, depth + 1)))
                }
                ("additionalProperties" | "uniqueItems" | "deprecated", Value::Bool(_)) => {
                    Some(value.clone())
                }
                ("items" | "exclusiveMinimum" | "exclusiveMaximum", Value::Bool(_))
                | ("anyOf", Value::Array(_))
                | (EDITOR, _)
                | ("default", Value::Null) => continue,
                (word, value) if KEYWORDS.contains(&word) => plain_word(word, value),
                _ => continue,
            };
            match kept {
                Some(kept) => {
                    flat.insert(keyword.clone(), kept);
                }
                None => self.note(format!("a malformed `{keyword}` is ignored")),
            }
        }
        exclusive_bounds(node, &mut flat);
        if !flat.contains_key("examples")
            && let Some(example) = node.get("example")
        {
            flat.insert("examples".to_owned(), json!([example]));
        }
        if !flat.contains_key("description")
            && let Some(limits) = node.get("limit_description").and_then(Value::as_str)
        {
            let limits = one_line(limits, MAX_DESCRIPTION);
            flat.insert("description".to_owned(), Value::String(limits));
        }
        let editor =
            node.get("_fal_ui_field").or_else(|| node.get("ui").and_then(|ui| ui.get("field")));
        if let Some(Value::String(editor)) = editor {
            flat.insert(EDITOR.to_owned(), json!(editor));
        }
        flat
    }

    fn properties(
        &mut self,
        properties: &'doc Map<String, Value>,
        order: Option<&Value>,
        depth: usize,
    ) -> Value {
        let first = order.and_then(Value::as_array).into_iter().flatten();
        let first = first.filter_map(Value::as_str);
        let first = first.filter_map(|name| properties.get_key_value(name));
        let mut flat = Map::with_capacity(properties.len());
        for (name, schema) in first.chain(properties) {
            if flat.contains_key(name) {
                continue;
            }
            let mut schema = self.schema(schema, depth + 1);
            let title = schema.get("title").and_then(Value::as_str);
            if title.is_some_and(|title| letters(title).eq(letters(name))) {
                schema.shift_remove("title");
            }
            flat.insert(name.clone(), Value::Object(schema));
        }
        Value::Object(flat)
    }

    fn note(&mut self, note: String) {
        if self.notes.len() < MAX_NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// The shape of a schema without what is inside: its type, its property names, which are required.
pub(super) fn outline(node: &Map<String, Value>) -> Map<String, Value> {
    let mut outlined = Map::new();
    if let Some(kind) = node.get("type").and_then(|value| plain_word("type", value)) {
        outlined.insert("type".to_owned(), kind);
    }
    if let Some(required) = node.get("required").and_then(|value| plain_word("required", value)) {
        outlined.insert("required".to_owned(), required);
    }
    if let Some(Value::Object(properties)) = node.get("properties") {
        let names = properties.keys().map(|name| (name.clone(), json!({}))).collect();
        outlined.insert("properties".to_owned(), Value::Object(names));
    }
    outlined
}

/// A word whose value is no schema, if the value has the form JSON Schema asks for.
fn plain_word(word: &str, value: &Value) -> Option<Value> {
    match word {
        "type" => known_types(value),
        "title" | "format" | "pattern" => value.is_string().then(|| value.clone()),
        "description" => value.as_str().map(|text| json!(one_line(text, MAX_DESCRIPTION))),
        "enum" | "examples" => match value.as_array() {
            Some(values) if !values.is_empty() || word == "examples" => Some(value.clone()),
            _ => None,
        },
        "const" | "default" => Some(value.clone()),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
            value.is_number().then(|| value.clone())
        }
        "multipleOf" => value.as_f64().filter(|step| *step > 0.0).map(|_| value.clone()),
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
            value.is_u64().then(|| value.clone())
        }
        "required" => {
            let names = value.as_array()?.iter().filter(|name| name.is_string());
            Some(names.cloned().collect())
        }
        _ => None,
    }
}

fn known_types(value: &Value) -> Option<Value> {
    const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];
    let known = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
    match value {
        Value::Array(names) if !names.is_empty() && names.iter().all(known) => Some(value.clone()),
        name if known(name) => Some(name.clone()),
        _ => None,
    }
}

/// `OpenAPI` 3.0 writes an exclusive bound as `minimum` with `exclusiveMinimum: true`.
fn exclusive_bounds(node: &Map<String, Value>, flat: &mut Map<String, Value>) {
    for (inclusive, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")]
    {
        if node.get(exclusive) == Some(&Value::Bool(true))
            && let Some(bound) = flat.remove(inclusive)
        {
            flat.insert(exclusive.to_owned(), bound);
        }
    }
}

/// `over` laid on `base`: properties and `required` are united, any other word of `over` wins.
fn merge(mut base: Map<String, Value>, over: Map<String, Value>) -> Map<String, Value> {
    for (keyword, value) in over {
        match (base.get_mut(&keyword), value) {
            (Some(Value::Object(mine)), Value::Object(theirs)) if keyword == "properties" => {
                mine.extend(theirs);
            }
            (Some(Value::Array(mine)), Value::Array(theirs)) if keyword == "required" => {
                for name in theirs {
                    if !mine.contains(&name) {
                        mine.push(name);
                    }
                }
            }
            (_, value) => {
                base.insert(keyword, value);
            }
        }
    }
    base
}

fn in_order(mut node: Map<String, Value>) -> Map<String, Value> {
    let mut ordered = Map::with_capacity(node.len());
    for keyword in KEYWORDS {
        if let Some((keyword, value)) = node.swap_remove_entry(keyword) {
            let empty = matches!(&value, Value::String(text) if text.is_empty())
                || matches!(&value, Value::Array(values) if values.is_empty());
            if !empty || matches!(keyword.as_str(), "default" | "const") {
                ordered.insert(keyword, value);
            }
        }
    }
    ordered
}

fn null_schema() -> Map<String, Value> {
    Map::from_iter([("type".to_owned(), json!("null"))])
}

fn described(text: String) -> Map<String, Value> {
    Map::from_iter([("description".to_owned(), Value::String(text))])
}

/// What is left of a title or a property name when only its letters and digits count.
fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
}
