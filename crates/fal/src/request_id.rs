//! The id of a job in fal's queue.

use std::{fmt, str::FromStr};

/// The longest id we accept, in characters. fal's are UUIDs.
const MAX_LENGTH: usize = 128;

/// A job's id: 1 to 128 characters of `[A-Za-z0-9_-]`, so that it is one path segment and nothing
/// else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(String);

impl RequestId {
    /// Takes an id as fal or a caller wrote it.
    pub fn parse(text: &str) -> Result<Self, RequestIdError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        match text {
            "" => Err(RequestIdError::Empty),
            text if text.len() > MAX_LENGTH => Err(RequestIdError::TooLong),
            text if !text.bytes().all(allowed) => Err(RequestIdError::BadCharacter),
            text => Ok(Self(text.to_owned())),
        }
    }

    /// The id as fal wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RequestId {
    type Err = RequestIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for RequestId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// What is wrong with a text that should be a request id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestIdError {
    /// There is no text.
    #[error("the request id is empty")]
    Empty,
    /// It is longer than 128 characters.
    #[error("the request id is longer than 128 characters")]
    TooLong,
    /// It has a character that no request id has.
    #[error("the request id may have letters, digits, hyphens and underscores only")]
    BadCharacter,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_one_plain_path_segment() {
        assert!(RequestId::parse("764cabcf-b745-4b3e-ae38-1200304cf45b").is_ok());
        assert!(RequestId::parse(&"x".repeat(128)).is_ok());
        let cases = [
            (String::new(), RequestIdError::Empty),
            ("x".repeat(129), RequestIdError::TooLong),
            ("a/b".to_owned(), RequestIdError::BadCharacter),
            ("..".to_owned(), RequestIdError::BadCharacter),
            ("a?b".to_owned(), RequestIdError::BadCharacter),
            ("é".to_owned(), RequestIdError::BadCharacter),
        ];
        for (text, expected) in cases {
            assert_eq!(RequestId::parse(&text).unwrap_err(), expected, "{text:?}");
        }
    }
}
