//! What the tests share: the description as JSON, its examples as answers, and the checker.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};
use openapi_contract::{Contract, Operation};
use serde_json::{Map, Value};

pub(crate) static CONTRACT: LazyLock<Contract> =
    LazyLock::new(|| Contract::fal().expect("the description is sound"));

pub(crate) static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../fal.openapi.json")).expect("the description is JSON")
});

/// One answer or request, as the checker takes it.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Exchange {
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        set(&mut self.headers, name, value);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub(crate) fn body(mut self, body: &str) -> Self {
        self.body = body.as_bytes().to_vec();
        self
    }

    pub(crate) fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the example's body is JSON")
    }

    /// The same answer with one value of its body set, or removed where `value` is `None`.
    pub(crate) fn edit(self, pointer: &str, value: Option<Value>) -> Self {
        let mut body = self.json();
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer into the body");
        let parent = body.pointer_mut(parent).expect("the example has this place");
        if let Some(value) = value {
            parent[key] = value;
        } else {
            let object = parent.as_object_mut().expect("an object");
            object.remove(key).expect("the example has this property");
        }
        let body = body.to_string();
        self.body(&body)
    }
}

pub(crate) fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    let name: HeaderName = name.parse().expect("a header name");
    headers.insert(name, HeaderValue::from_str(value).expect("a header value"));
}

pub(crate) fn resolve(value: &Value) -> &Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => {
            let target = DOCUMENT.pointer(reference.trim_start_matches('#'));
            resolve(target.unwrap_or_else(|| panic!("{reference} leads nowhere")))
        }
        None => value,
    }
}

/// Every operation of the description, with its id.
pub(crate) fn described() -> Vec<(&'static str, &'static Value)> {
    let document: &'static Value = &DOCUMENT;
    let paths = document["paths"].as_object().expect("paths");
    paths
        .values()
        .flat_map(|item| item.as_object().expect("a path item"))
        .filter_map(|(_, operation)| Some((operation.get("operationId")?.as_str()?, operation)))
        .collect()
}

pub(crate) fn operation(operation: Operation) -> &'static Value {
    let id = operation.id();
    let found = described().into_iter().find(|(other, _)| *other == id);
    found.unwrap_or_else(|| panic!("{id} is not described")).1
}

/// The example that the description gives for an answer, with the headers it must have.
pub(crate) fn example(which: Operation, status: &str, media_type: &str) -> Exchange {
    let response = resolve(&operation(which)["responses"][status]);
    let example = &response["content"][media_type]["example"];
    let mut headers = HeaderMap::new();
    set(&mut headers, "content-type", media_type);
    let described = response.get("headers").and_then(Value::as_object);
    for (name, header) in described.unwrap_or(&Map::new()) {
        let header = resolve(header);
        let belongs = header.get("x-media-type").is_none_or(|only| only == media_type);
        if header["required"] == true && belongs {
            set(&mut headers, name, header["example"].as_str().expect("text"));
        }
        if let Some(pointer) = header.get("x-equals-body").and_then(Value::as_str)
            && let Some(value) = example.pointer(pointer).and_then(Value::as_str)
        {
            set(&mut headers, name, value);
        }
    }
    let body = match example {
        Value::String(text) if media_type != "application/json" => text.clone(),
        value => value.to_string(),
    };
    Exchange {
        status: status.replace("XX", "18").parse().expect("a status"),
        headers,
        body: body.into_bytes(),
    }
}

pub(crate) fn json_example(which: Operation, status: &str) -> Exchange {
    example(which, status, "application/json")
}

pub(crate) fn check(which: Operation, answer: &Exchange) -> Result<(), Vec<String>> {
    CONTRACT.check_response(which, answer.status, &answer.headers, &answer.body)
}

/// Asserts that an answer is refused, and that one of the sentences begins as given.
pub(crate) fn refused(which: Operation, answer: &Exchange, start: &str) {
    match check(which, answer) {
        Err(found) if found.iter().any(|what| what.starts_with(start)) => {}
        other => panic!("{start:?} is not in {other:#?}"),
    }
}
