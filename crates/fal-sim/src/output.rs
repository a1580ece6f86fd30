//! A model's output, made from its own output schema: files that open where the schema has files,
//! the input's own values where names agree, and something plausible elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::hash;
use crate::hosts::{Bases, Host};
use crate::input::Input;
use crate::media::{Kind, Media, wav};
use crate::models::Model;
use crate::models::schema::Program;
use crate::queue::job::Job;

/// Schemas nested deeper than this are left out: some refer to themselves.
const DEEPEST: usize = 8;

/// The output of a job. The same job gives the same output whenever it is asked for.
pub(crate) fn build(bases: &Bases, seed: u64, model: &Model, job: &Job) -> Value {
    let maker = Maker {
        program: model.program(),
        category: &model.category,
        input: Input::read(&job.input),
        cdn: bases.base(Host::Cdn),
        seed: hash::mix(seed ^ job.input_hash),
        seconds: job.inference_seconds,
    };
    match model.program().output() {
        Some(schema) => maker.make("output", schema, 0, 0).unwrap_or_else(|| json!({})),
        // Nothing is known of the output, so it is a file of the category's kind.
        None => json!({ "output": maker.file(by_category(&model.category), &Map::new(), 0) }),
    }
}

#[derive(Debug)]
struct Maker<'a> {
    program: &'a Program,
    category: &'a str,
    input: Input,
    cdn: String,
    seed: u64,
    seconds: f64,
}

impl Maker<'_> {
    /// A value for the property `name`. `index` tells the items of one array apart.
    fn make(&self, name: &str, schema: &Value, index: u64, depth: usize) -> Option<Value> {
        if depth > DEEPEST {
            return None;
        }
        let reference = Program::name_of(schema).unwrap_or_default();
        let schema = self.program.resolve(schema)?;
        if let Some(value) = schema.get("const") {
            return Some(value.clone());
        }
        if let Some(first) = schema.get("enum").and_then(|options| options.get(0)) {
            return Some(first.clone());
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(branches) = schema.get(keyword).and_then(Value::as_array) {
                return branches
                    .iter()
                    .filter(|branch| branch.get("type") != Some(&json!("null")))
                    .find_map(|branch| self.make(name, branch, index, depth + 1));
            }
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return self.all_of(name, parts, index, depth);
        }
        match type_of(schema) {
            "object" => Some(self.object(name, reference, schema, index, depth)),
            "array" => Some(self.array(name, schema, depth)),
            "integer" => Some(self.integer(name, schema)),
            "number" => Some(number(name, schema)),
            "boolean" => Some(
                schema.get("default").filter(|v| v.is_boolean()).cloned().unwrap_or(json!(false)),
            ),
            "null" => None,
            _ => Some(json!(self.text(name, schema, index))),
        }
    }

    fn all_of(&self, name: &str, parts: &[Value], index: u64, depth: usize) -> Option<Value> {
        let mut whole = Map::new();
        for part in parts {
            match self.make(name, part, index, depth + 1)? {
                Value::Object(map) => whole.extend(map),
                other => return Some(other),
            }
        }
        Some(Value::Object(whole))
    }

    fn object(
        &self,
        name: &str,
        reference: &str,
        schema: &Value,
        index: u64,
        depth: usize,
    ) -> Value {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return self.open_object(name, schema);
        };
        if properties.get("url").is_some_and(|url| type_of(url) == "string") {
            let kind = by_words(name)
                .or_else(|| by_words(reference))
                .unwrap_or_else(|| by_category(self.category));
            let file = self.file(kind, properties, index);
            return self.complete(file, schema, properties, index, depth);
        }
        self.complete(Map::new(), schema, properties, index, depth)
    }

    /// Adds the properties that are still missing, in display order.
    fn complete(
        &self,
        mut object: Map<String, Value>,
        schema: &Value,
        properties: &Map<String, Value>,
        index: u64,
        depth: usize,
    ) -> Value {
        let is_file = !object.is_empty();
        let order = schema.get("x-fal-order-properties").and_then(Value::as_array);
        let ordered = order.into_iter().flatten().filter_map(Value::as_str);
        let names: Vec<&str> = ordered.chain(properties.keys().map(String::as_str)).collect();
        for name in names {
            let Some(property) = properties.get(name) else {
                continue;
            };
            let is_required = schema
                .get("required")
                .and_then(Value::as_array)
                .is_some_and(|required| required.iter().any(|other| other == name));
            if object.contains_key(name) || is_file && !is_required {
                continue;
            }
            match self.make(name, property, index, depth + 1) {
                Some(value) => object.insert(name.to_owned(), value),
                None if is_required => object.insert(name.to_owned(), Value::Null),
                None => None,
            };
        }
        Value::Object(object)
    }

    fn open_object(&self, name: &str, schema: &Value) -> Value {
        match (name, schema.get("additionalProperties")) {
            ("timings", _) => json!({ "inference": self.seconds }),
            (_, Some(Value::Bool(true))) => json!({ "summary": self.sentence() }),
            _ => json!({}),
        }
    }

    /// A file of this kind, with those of the usual facts that the schema has a place for.
    fn file(&self, kind: Kind, properties: &Map<String, Value>, index: u64) -> Map<String, Value> {
        let media = self.media(kind, index);
        let mut file = Map::new();
        file.insert("url".to_owned(), json!(self.url(media)));
        let mut fact = |name: &str, value: Option<Value>| {
            if let (Some(value), true) = (value, properties.contains_key(name)) {
                file.insert(name.to_owned(), value);
            }
        };
        let (width, height) = match media.kind {
            Kind::Png { width, height } => (Some(json!(width)), Some(json!(height))),
            Kind::Mp4 => (Some(json!(160)), Some(json!(96))),
            _ => (None, None),
        };
        fact("width", width);
        fact("height", height);
        fact("content_type", Some(json!(media.content_type())));
        fact("file_name", Some(json!(format!("output.{}", media.extension()))));
        // A picture would have to be made to be measured.
        let is_small = !matches!(media.kind, Kind::Png { .. });
        fact("file_size", is_small.then(|| json!(media.bytes().len())));
        let has_length = matches!(media.kind, Kind::Wav | Kind::Mp4);
        fact("duration", has_length.then(|| json!(1.0)));
        let is_sound = matches!(media.kind, Kind::Wav);
        fact("sample_rate", is_sound.then(|| json!(wav::SAMPLE_RATE)));
        file
    }

    fn media(&self, kind: Kind, index: u64) -> Media {
        let kind = match kind {
            Kind::Png { .. } => {
                let (width, height) = self.input.size();
                Kind::Png { width, height }
            }
            other => other,
        };
        Media::new(kind, self.seed.wrapping_add(index))
    }

    fn url(&self, media: Media) -> String {
        if self.input.is_inline() && matches!(media.kind, Kind::Png { .. }) {
            let bytes = STANDARD.encode(media.bytes());
            return format!("data:{};base64,{bytes}", media.content_type());
        }
        format!("{}{}", self.cdn, media.path())
    }

    fn array(&self, name: &str, schema: &Value, depth: usize) -> Value {
        if let Some(items) = schema.get("prefixItems").and_then(Value::as_array) {
            let made = items.iter().filter_map(|item| self.make(name, item, 0, depth + 1));
            return made.collect();
        }
        let Some(items) = schema.get("items") else {
            return json!([]);
        };
        let bound = |keyword: &str| {
            schema.get(keyword).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok())
        };
        let count = match name {
            "images" | "has_nsfw_concepts" => self.input.count(),
            _ => 1,
        };
        let count = count.max(bound("minItems").unwrap_or(0)).min(bound("maxItems").unwrap_or(64));
        let made = (0..count as u64).filter_map(|index| self.make(name, items, index, depth + 1));
        made.collect()
    }

    fn integer(&self, name: &str, schema: &Value) -> Value {
        if let Some(value) = self.echo(name).filter(|value| value.is_i64() || value.is_u64()) {
            return value.clone();
        }
        if name == "seed" {
            return json!(self.seed >> 33);
        }
        if let Some(value) = schema.get("default").filter(|v| v.is_i64() || v.is_u64()) {
            return value.clone();
        }
        let least = schema.get("minimum").and_then(Value::as_i64);
        let above = schema.get("exclusiveMinimum").and_then(Value::as_i64).map(|n| n + 1);
        json!(least.or(above).unwrap_or(0))
    }

    fn text(&self, name: &str, schema: &Value, index: u64) -> String {
        if name == "url" || name.ends_with("_url") || name.ends_with("_urls") {
            let kind = by_words(name).unwrap_or_else(|| by_category(self.category));
            return self.url(self.media(kind, index));
        }
        if let Some(text) = self.echo(name).and_then(Value::as_str) {
            return text.to_owned();
        }
        schema
            .get("default")
            .or_else(|| schema.get("examples").and_then(|examples| examples.get(0)))
            .and_then(Value::as_str)
            .map_or_else(|| self.sentence(), str::to_owned)
    }

    fn echo(&self, name: &str) -> Option<&Value> {
        self.input.get(name)
    }

    fn sentence(&self) -> String {
        match self.input.text("prompt").or_else(|| self.input.text("text")) {
            Some(prompt) => format!("The stand-in was asked: {prompt}"),
            None => "The stand-in has nothing to say about this input.".to_owned(),
        }
    }
}

fn number(name: &str, schema: &Value) -> Value {
    if let Some(value) = schema.get("default").filter(|value| value.is_number()) {
        return value.clone();
    }
    if name.contains("duration") {
        return json!(1.0);
    }
    let least = schema.get("minimum").and_then(Value::as_f64);
    let above = schema.get("exclusiveMinimum").and_then(Value::as_f64).map(|n| n + 0.5);
    json!(least.or(above).unwrap_or(0.0))
}

fn type_of(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(name)) => name,
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or("null")
        }
        _ if schema.get("properties").is_some() => "object",
        _ => "string",
    }
}

/// The kind of file that a name speaks of.
fn by_words(name: &str) -> Option<Kind> {
    const WORDS: [(&str, Kind); 23] = [
        ("lora", Kind::Weights),
        ("weights", Kind::Weights),
        ("checkpoint", Kind::Weights),
        ("config", Kind::Json),
        ("json", Kind::Json),
        ("metadata", Kind::Json),
        ("mesh", Kind::Glb),
        ("glb", Kind::Glb),
        ("gltf", Kind::Glb),
        ("model_url", Kind::Glb),
        ("video", Kind::Mp4),
        ("clip", Kind::Mp4),
        ("audio", Kind::Wav),
        ("speech", Kind::Wav),
        ("music", Kind::Wav),
        ("sound", Kind::Wav),
        ("vocals", Kind::Wav),
        ("image", PICTURE),
        ("mask", PICTURE),
        ("texture", PICTURE),
        ("thumbnail", PICTURE),
        ("photo", PICTURE),
        ("frame", PICTURE),
    ];
    let name = name.to_ascii_lowercase();
    WORDS.into_iter().find(|(word, _)| name.contains(word)).map(|(_, kind)| kind)
}

/// The kind of file that a category's models make.
fn by_category(category: &str) -> Kind {
    match category.rsplit("to-").next().unwrap_or(category) {
        "video" => Kind::Mp4,
        "audio" | "speech" => Kind::Wav,
        "3d" => Kind::Glb,
        "training" => Kind::Weights,
        "json" | "text" => Kind::Json,
        _ => PICTURE,
    }
}

/// A picture, whose size the input decides.
const PICTURE: Kind = Kind::Png { width: 0, height: 0 };
