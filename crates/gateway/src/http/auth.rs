//! The one place where a caller's key enters: `Authorization: Bearer <key_id>:<key_secret>`.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::error::KeyProblem;

/// The caller's key, or which mistake was made.
pub(super) fn key(headers: &HeaderMap) -> Result<fal::Key, KeyProblem> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(KeyProblem::Missing)?;
    if values.next().is_some() {
        return Err(KeyProblem::Several);
    }
    let Ok(value) = value.to_str() else {
        return Err(KeyProblem::Malformed(fal::KeyError::NotAscii));
    };
    let value = value.trim();
    let (scheme, key) = value.split_once(' ').unwrap_or((value, ""));
    let key = key.trim();
    if scheme.eq_ignore_ascii_case("key") {
        return Err(KeyProblem::KeyScheme);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(if is_placeholder(value) {
            KeyProblem::Placeholder
        } else {
            KeyProblem::OtherScheme
        });
    }
    if key.is_empty() {
        return Err(KeyProblem::Empty);
    }
    // A real key has hexadecimal halves, which no placeholder has.
    let hexadecimal = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'-' | b':');
    if !key.bytes().all(hexadecimal) && is_placeholder(key) {
        return Err(KeyProblem::Placeholder);
    }
    fal::Key::parse(key).map_err(KeyProblem::Malformed)
}

/// What a client sends when it did not fill in its variable, or a person their key: `${FAL_KEY}`,
/// `$FAL_KEY`, `%FAL_KEY%`, `{{FAL_KEY}}`, `<FAL_KEY>`, `YOUR_FAL_KEY`, `FAL_KEY`. No key looks like
/// that: its halves are hexadecimal.
fn is_placeholder(key: &str) -> bool {
    let upper = key.to_ascii_uppercase();
    key.contains(['$', '{', '}', '<', '>', '%'])
        || upper.contains("FAL_KEY")
        || upper.contains("FAL-KEY")
        || upper.starts_with("YOUR_")
        || upper.starts_with("YOUR-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const GOOD: &str = "c0ffee00-0000-4000-8000-000000000000:0123456789abcdef0123456789abcdef";

    fn problem(value: &str) -> Option<KeyProblem> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        key(&headers).err()
    }

    #[test]
    fn the_mistake_in_a_header_is_named() {
        for (value, expected) in [
            (format!("Bearer {GOOD}"), None),
            (format!("bearer   {GOOD} "), None),
            (format!("Key {GOOD}"), Some(KeyProblem::KeyScheme)),
            (format!("Basic {GOOD}"), Some(KeyProblem::OtherScheme)),
            (GOOD.to_owned(), Some(KeyProblem::OtherScheme)),
            ("Bearer".to_owned(), Some(KeyProblem::Empty)),
            ("Bearer ".to_owned(), Some(KeyProblem::Empty)),
            ("Bearer ${FAL_KEY}".to_owned(), Some(KeyProblem::Placeholder)),
            ("Bearer $FAL_KEY".to_owned(), Some(KeyProblem::Placeholder)),
            ("Bearer YOUR_FAL_KEY".to_owned(), Some(KeyProblem::Placeholder)),
            ("Bearer <key_id>:<key_secret>".to_owned(), Some(KeyProblem::Placeholder)),
            ("${AUTH}".to_owned(), Some(KeyProblem::Placeholder)),
            ("Bearer abc".to_owned(), Some(KeyProblem::Malformed(fal::KeyError::NoColon))),
            ("Bearer a:b:c".to_owned(), Some(KeyProblem::Malformed(fal::KeyError::ManyColons))),
            ("Bearer a:".to_owned(), Some(KeyProblem::Malformed(fal::KeyError::EmptyHalf))),
        ] {
            assert_eq!(problem(&value), expected, "{value}");
        }
        assert_eq!(key(&HeaderMap::new()).unwrap_err(), KeyProblem::Missing);
    }

    #[test]
    fn two_headers_are_refused_because_it_is_not_known_which_one_counts() {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(&format!("Bearer {GOOD}")).unwrap();
        headers.append(AUTHORIZATION, value.clone());
        headers.append(AUTHORIZATION, value);
        assert_eq!(key(&headers).unwrap_err(), KeyProblem::Several);
    }

    #[test]
    fn no_problem_s_text_repeats_the_header() {
        let text = KeyProblem::Malformed(fal::KeyError::NoColon).to_string();
        assert!(!text.contains("abc"));
    }
}
