//! One operation of the description, compiled: parameters, key, request body, answers.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::ContractError;
use crate::document::Document;
use crate::schema::Schema;

/// What the description says about one operation.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) key: Key,
    /// The media types that the request's `Accept` header has to name.
    pub(crate) accept: Vec<String>,
    pub(crate) request_body: Option<Contents>,
    /// By status, or by class of statuses: `200`, `4XX`.
    responses: BTreeMap<String, Response>,
}

/// A parameter of the query or a header of the request.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) place: Place,
    pub(crate) required: bool,
    pub(crate) schema: Schema,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Query,
    Header,
}

/// Whether the operation takes the caller's key, and what its header looks like.
#[derive(Debug)]
pub(crate) enum Key {
    Required(Schema),
    Optional(Schema),
    /// The operation is public: a key that is sent all the same is a leak.
    Unwanted,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) headers: Vec<Header>,
    pub(crate) contents: Contents,
}

#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) required: bool,
    /// The header belongs to answers of this media type only.
    pub(crate) media_type: Option<String>,
    /// The header repeats the value at this pointer of the body, where there is one.
    pub(crate) equals_body: Option<String>,
    pub(crate) schema: Schema,
}

/// What a body may be, by media type.
#[derive(Debug)]
pub(crate) struct Contents(BTreeMap<String, Content>);

#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) schema: Schema,
    pub(crate) events: Option<Events>,
}

/// What an event stream carries.
#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) each: Schema,
    /// No event follows one that matches this.
    pub(crate) last: Option<Schema>,
}

impl Described {
    pub(crate) fn compile(document: &Document, id: &str) -> Result<Self, ContractError> {
        let operation = document.operation(id)?;
        let mut parameters = Vec::new();
        for parameter in array(operation, "parameters") {
            parameters.extend(compile_parameter(document, parameter, id)?);
        }
        let request_body = operation
            .get("requestBody")
            .map(|body| compile_contents(document, document.resolve(body)?, id))
            .transpose()?;
        let responses = object(operation, "responses")
            .ok_or_else(|| ContractError::Missing(format!("the answers of {id}")))?
            .iter()
            .map(|(status, response)| {
                let place = format!("{id} {status}");
                let response = compile_response(document, response, &place)?;
                Ok((status.clone(), response))
            })
            .collect::<Result<_, ContractError>>()?;
        Ok(Self {
            parameters,
            key: compile_key(document, operation)?,
            accept: array(operation, "x-accept")
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            request_body,
            responses,
        })
    }

    /// The answer with this status: described by itself, or by its class.
    pub(crate) fn response(&self, status: u16) -> Option<&Response> {
        self.responses
            .get(&status.to_string())
            .or_else(|| self.responses.get(&format!("{}XX", status / 100)))
    }

    pub(crate) fn statuses(&self) -> String {
        let statuses: Vec<&str> = self.responses.keys().map(String::as_str).collect();
        statuses.join(", ")
    }
}

impl Contents {
    /// What is said about bodies of this media type, parameters of the type left aside.
    pub(crate) fn get(&self, media_type: &str) -> Option<&Content> {
        self.0.get(media_type).or_else(|| self.0.get("*/*"))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn media_types(&self) -> String {
        let types: Vec<&str> = self.0.keys().map(String::as_str).collect();
        types.join(", ")
    }
}

/// Path parameters give `None`: the caller of the checker names the operation, not a path.
fn compile_parameter(
    document: &Document,
    parameter: &Value,
    id: &str,
) -> Result<Option<Parameter>, ContractError> {
    let parameter = document.resolve(parameter)?;
    let name = text(parameter, "name")
        .ok_or_else(|| ContractError::Missing(format!("the name of a parameter of {id}")))?;
    let place = match text(parameter, "in") {
        Some("query") => Place::Query,
        Some("header") => Place::Header,
        _ => return Ok(None),
    };
    let what = format!("parameter {name} of {id}");
    let schema = if let Some(schema) = parameter.get("schema") {
        Schema::compile(document, schema, &what)?
    } else {
        let schema = parameter
            .pointer("/content/application~1json/schema")
            .ok_or_else(|| ContractError::Missing(format!("the schema of {what}")))?;
        Schema::compile_json_text(document, schema, &what)?
    };
    Ok(Some(Parameter {
        name: name.to_owned(),
        place,
        required: flag(parameter, "required"),
        schema,
    }))
}

fn compile_key(document: &Document, operation: &Value) -> Result<Key, ContractError> {
    let schemes: Vec<&Map<String, Value>> =
        array(operation, "security").filter_map(Value::as_object).collect();
    let Some(name) = schemes.iter().find_map(|scheme| scheme.keys().next()) else {
        return Ok(Key::Unwanted);
    };
    let pattern = text(document.security_scheme(name)?, "x-pattern")
        .ok_or_else(|| ContractError::Missing(format!("the pattern of {name}")))?;
    let schema = json!({ "type": "string", "pattern": pattern });
    let schema = Schema::compile(document, &schema, name)?;
    if schemes.iter().any(|scheme| scheme.is_empty()) {
        return Ok(Key::Optional(schema));
    }
    Ok(Key::Required(schema))
}

fn compile_response(
    document: &Document,
    response: &Value,
    place: &str,
) -> Result<Response, ContractError> {
    let response = document.resolve(response)?;
    let mut headers = Vec::new();
    for (name, header) in object(response, "headers").into_iter().flatten() {
        let header = document.resolve(header)?;
        let what = format!("header {name} of {place}");
        let schema = header
            .get("schema")
            .ok_or_else(|| ContractError::Missing(format!("the schema of {what}")))?;
        headers.push(Header {
            name: name.clone(),
            required: flag(header, "required"),
            media_type: text(header, "x-media-type").map(str::to_owned),
            equals_body: text(header, "x-equals-body").map(str::to_owned),
            schema: Schema::compile(document, schema, &what)?,
        });
    }
    Ok(Response { headers, contents: compile_contents(document, response, place)? })
}

fn compile_contents(
    document: &Document,
    owner: &Value,
    place: &str,
) -> Result<Contents, ContractError> {
    let mut contents = BTreeMap::new();
    for (media_type, content) in object(owner, "content").into_iter().flatten() {
        let what = format!("{media_type} of {place}");
        let compile = |key: &str| -> Result<Option<Schema>, ContractError> {
            let schema = content.get(key);
            schema.map(|schema| Schema::compile(document, schema, &what)).transpose()
        };
        let schema = compile("schema")?
            .ok_or_else(|| ContractError::Missing(format!("the schema of {what}")))?;
        let last = compile("x-last-event")?;
        let events = compile("x-event-schema")?.map(|each| Events { each, last });
        contents.insert(media_type.clone(), Content { schema, events });
    }
    Ok(Contents(contents))
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool) == Some(true)
}

fn object<'a>(value: &'a Value, key: &str) -> Option<&'a Map<String, Value>> {
    value.get(key).and_then(Value::as_object)
}

fn array<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}
