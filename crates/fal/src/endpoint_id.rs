//! The id of what runs, `fal-ai/flux/dev`, and the application it belongs to.

use std::{fmt, str::FromStr};

/// First segments that are followed by owner and application, not by an application.
const NAMESPACES: [&str; 2] = ["workflows", "comfy"];

/// What people copy in front of an id: the address of the endpoint or of its page.
const PREFIXES: [&str; 3] =
    ["https://fal.run/", "https://queue.fal.run/", "https://fal.ai/models/"];

/// The longest id we accept, in characters.
const MAX_LENGTH: usize = 256;

/// An endpoint id: at least two segments of `[A-Za-z0-9._-]` (three in the namespaces `workflows`
/// and `comfy`), none of them `.` or `..`, at most 256 characters in all.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(String);

impl EndpointId {
    /// Takes an id as a person or a model wrote it: an address in front of it is stripped, slashes
    /// around it too, and fal's legacy form `123-alias` becomes `123/alias`.
    pub fn parse(text: &str) -> Result<Self, EndpointIdError> {
        let text = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
        let text = text.trim_matches('/');
        if text.is_empty() {
            return Err(EndpointIdError::Empty);
        }
        if text.len() > MAX_LENGTH {
            return Err(EndpointIdError::TooLong);
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
        if !text.chars().all(allowed) {
            return Err(EndpointIdError::BadCharacter);
        }
        let id = legacy(text).unwrap_or_else(|| text.to_owned());
        if id.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
            return Err(EndpointIdError::BadSegment);
        }
        let wanted = application_length(&id);
        if id.split('/').count() < wanted {
            return Err(EndpointIdError::TooFewSegments);
        }
        Ok(Self(id))
    }

    /// The id as fal writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments between the slashes, at least two.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The segments of [`Self::app`].
    pub(crate) fn app_segments(&self) -> impl Iterator<Item = &str> {
        self.segments().take(application_length(&self.0))
    }

    /// The application that the endpoint belongs to: `owner/app`, or `namespace/owner/app` for
    /// workflows and Comfy. Status, result and cancel are addressed by it: with a longer path
    /// fal's queue answers 405 (fal docs, "Queue").
    pub fn app(&self) -> String {
        self.app_segments().collect::<Vec<_>>().join("/")
    }
}

/// How many segments name the application.
fn application_length(id: &str) -> usize {
    let namespaced = id.split('/').next().is_some_and(|first| NAMESPACES.contains(&first));
    if namespaced { 3 } else { 2 }
}

/// `123-alias` as `123/alias`; fal's own clients accept the first.
fn legacy(text: &str) -> Option<String> {
    let (owner, alias) = text.split_once('-')?;
    let is_owner = !owner.is_empty() && owner.bytes().all(|byte| byte.is_ascii_digit());
    let is_alias = !alias.is_empty() && !alias.contains('/');
    (is_owner && is_alias).then(|| format!("{owner}/{alias}"))
}

impl FromStr for EndpointId {
    type Err = EndpointIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for EndpointId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// What is wrong with a text that should be an endpoint id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointIdError {
    /// There is no text.
    #[error("the endpoint id is empty")]
    Empty,
    /// It is longer than 256 characters.
    #[error("the endpoint id is longer than 256 characters")]
    TooLong,
    /// It names no endpoint: an owner alone, or a namespace without owner and application.
    #[error("the endpoint id is not complete; one looks like fal-ai/flux/dev")]
    TooFewSegments,
    /// It has a character that no endpoint id has.
    #[error(
        "the endpoint id may have letters, digits, dots, underscores, hyphens and slashes only"
    )]
    BadCharacter,
    /// A part between two slashes is empty, `.` or `..`.
    #[error("a part of the endpoint id between two slashes is empty, . or ..")]
    BadSegment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_people_write_it() {
        let cases = [
            ("fal-ai/flux/dev", "fal-ai/flux/dev", "fal-ai/flux"),
            ("/fal-ai/flux/dev", "fal-ai/flux/dev", "fal-ai/flux"),
            ("fal-ai/flux/dev/", "fal-ai/flux/dev", "fal-ai/flux"),
            ("https://fal.run/fal-ai/flux/dev", "fal-ai/flux/dev", "fal-ai/flux"),
            ("https://queue.fal.run/fal-ai/flux", "fal-ai/flux", "fal-ai/flux"),
            ("https://fal.ai/models/fal-ai/flux/dev", "fal-ai/flux/dev", "fal-ai/flux"),
            ("123-my-app", "123/my-app", "123/my-app"),
            ("123-owner/app", "123-owner/app", "123-owner/app"),
            ("workflows/me/mine", "workflows/me/mine", "workflows/me/mine"),
            ("workflows/me/mine/more", "workflows/me/mine/more", "workflows/me/mine"),
            ("comfy/me/mine", "comfy/me/mine", "comfy/me/mine"),
            (
                "openrouter/router/openai/v1/responses",
                "openrouter/router/openai/v1/responses",
                "openrouter/router",
            ),
        ];
        for (text, id, app) in cases {
            let parsed: EndpointId = text.parse().unwrap();
            assert_eq!((parsed.as_str(), parsed.app().as_str()), (id, app), "{text}");
        }
    }

    #[test]
    fn what_is_not_an_id_is_refused_with_its_reason() {
        let long = format!("fal-ai/{}", "x".repeat(250));
        let cases = [
            ("", EndpointIdError::Empty),
            ("/", EndpointIdError::Empty),
            ("https://fal.run/", EndpointIdError::Empty),
            (long.as_str(), EndpointIdError::TooLong),
            ("flux", EndpointIdError::TooFewSegments),
            ("workflows/mine", EndpointIdError::TooFewSegments),
            ("fal-ai/flux dev", EndpointIdError::BadCharacter),
            ("fal-ai/flux?x=1", EndpointIdError::BadCharacter),
            ("fal-ai/%2e%2e", EndpointIdError::BadCharacter),
            ("https://evil.example/fal-ai/flux", EndpointIdError::BadCharacter),
            ("fal-ai//flux", EndpointIdError::BadSegment),
            ("fal-ai/../flux", EndpointIdError::BadSegment),
            ("fal-ai/.", EndpointIdError::BadSegment),
            ("123-..", EndpointIdError::BadSegment),
        ];
        for (text, expected) in cases {
            assert_eq!(EndpointId::parse(text).unwrap_err(), expected, "{text:?}");
        }
    }
}
