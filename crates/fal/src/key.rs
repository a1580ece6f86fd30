//! A caller's fal key: checked for shape, never printable. It is read in one place only, where
//! the client writes it into a request.

use std::fmt;

use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};

/// A fal key, `<key_id>:<key_secret>`. Printing it shows nothing of it, and its memory is wiped
/// when the last copy is dropped.
#[derive(Clone)]
pub struct Key(SecretString);

impl Key {
    /// Takes a key as a caller sent it, without any `Key` or `Bearer` prefix.
    ///
    /// fal documents more than one shape for the two halves, so nothing is checked beyond one colon
    /// between two non-empty halves of visible ASCII.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(KeyError::NotAscii);
        }
        let (id, secret) = text.split_once(':').ok_or(KeyError::NoColon)?;
        if secret.contains(':') {
            return Err(KeyError::ManyColons);
        }
        if id.is_empty() || secret.is_empty() {
            return Err(KeyError::EmptyHalf);
        }
        Ok(Self(SecretString::from(text)))
    }

    /// What tells this key from others without telling what it is.
    pub(crate) fn fingerprint(&self, salt: &hmac::Key) -> Fingerprint {
        #[expect(clippy::disallowed_methods, reason = "hashed under a secret salt at once")]
        let text = self.0.expose_secret();
        let tag = hmac::sign(salt, text.as_bytes());
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        Fingerprint(bytes)
    }

    /// The secret itself, still wrapped: unwrapping it is up to the one place that sends it.
    pub(crate) fn secret(&self) -> &SecretString {
        &self.0
    }
}

/// Stands for a key where one caller's things must not be given to another. The same key has the same
/// fingerprint for one client and another for the next one; nothing leads back to the key
/// (HMAC-SHA256 under a secret of the client's own).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(redacted)")
    }
}

/// What is wrong with a text that should be a key. The text itself is never part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no text at all.
    #[error("the key is empty")]
    Empty,
    /// There is no colon, so it is one half of a key or something else.
    #[error("the key has no colon; a fal key is <key_id>:<key_secret>")]
    NoColon,
    /// There is more than one colon.
    #[error("the key has more than one colon; a fal key is <key_id>:<key_secret>")]
    ManyColons,
    /// One side of the colon is empty.
    #[error("one half of the key is empty; a fal key is <key_id>:<key_secret>")]
    EmptyHalf,
    /// It has a space, a control character or something that is not ASCII.
    #[error("the key has a space or a character that is not visible ASCII")]
    NotAscii,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_two_non_empty_halves_of_visible_ascii() {
        for good in ["id:secret", "0b9a7c1e-1111-4222-8333-444455556666:0123456789abcdef", "a:b"] {
            assert!(Key::parse(good).is_ok(), "{good}");
        }
        let bad = [
            ("", KeyError::Empty),
            ("idsecret", KeyError::NoColon),
            ("a:b:c", KeyError::ManyColons),
            (":secret", KeyError::EmptyHalf),
            ("id:", KeyError::EmptyHalf),
            (":", KeyError::EmptyHalf),
            ("id: secret", KeyError::NotAscii),
            ("id:sécret", KeyError::NotAscii),
            ("id:secret\r\nX: y", KeyError::NotAscii),
        ];
        for (text, expected) in bad {
            assert_eq!(Key::parse(text).unwrap_err(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_key_and_its_errors_print_nothing_of_it() {
        let key = Key::parse("canary:canary").unwrap();
        assert_eq!(format!("{key:?} {:?}", Some(&key)), "Key(redacted) Some(Key(redacted))");
        let error = Key::parse("canary canary").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
