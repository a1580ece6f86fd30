//! Text of fal's answers on its way into something that people read.

/// The longest piece of fal's text where nothing else is said, in characters.
pub(crate) const MAX_CHARS: usize = 500;

/// `text` on one line: white space collapsed, control characters and the invisible characters that
/// reorder text dropped, cut at [`MAX_CHARS`].
pub(crate) fn clean(text: &str) -> String {
    clean_to(text, MAX_CHARS)
}

/// The same, cut at `max_chars`.
pub(crate) fn clean_to(text: &str, max_chars: usize) -> String {
    let mut cleaned = String::new();
    let mut length = 0;
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() {
            gap = length > 0;
            continue;
        }
        if c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}') {
            continue;
        }
        let added = if gap { 2 } else { 1 };
        if length + added > max_chars {
            break;
        }
        if gap {
            cleaned.push(' ');
        }
        cleaned.push(c);
        length += added;
        gap = false;
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_one_clean_bounded_line() {
        let cases = [
            ("plain", "plain"),
            (" a\r\n\tb  c ", "a b c"),
            ("\u{1b}[31mred\u{0}", "[31mred"),
            ("user\u{202E}txt.exe", "usertxt.exe"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(clean(text), expected);
        }
        assert_eq!(clean(&"é ".repeat(1000)).chars().count(), 499);
        assert_eq!(clean(&"é".repeat(1000)).chars().count(), MAX_CHARS);
    }
}
