//! Wishes in a sentence that are not words to look for: how long, which shape, what it may cost, how
//! quick or how good.

use super::facts::Pace;
use super::text::{Token, is_one_of};

/// What a task says beside what is to be done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hints {
    /// How long the result should last, in seconds.
    pub duration_seconds: Option<f64>,
    /// The shape of the picture, as fal's models name it: `9:16`.
    pub aspect_ratio: Option<&'static str>,
    /// The most it may cost, in US dollars.
    pub budget_usd: Option<f64>,
    /// Whether quick, good or cheap is asked for.
    pub pace: Pace,
}

const ASPECTS: [(&str, &str); 15] = [
    ("9:16", "9:16"),
    ("16:9", "16:9"),
    ("1:1", "1:1"),
    ("4:3", "4:3"),
    ("3:4", "3:4"),
    ("4:5", "4:5"),
    ("21:9", "21:9"),
    ("vertical", "9:16"),
    ("tiktok", "9:16"),
    ("reels", "9:16"),
    ("shorts", "9:16"),
    ("horizontal", "16:9"),
    ("widescreen", "16:9"),
    ("landscape format", "16:9"),
    ("square", "1:1"),
];
const FAST: &str = "realtime fast quick quickly faster fastest quickest rapid instant instantly \
                    immediately speed speedy draft drafts latency";
const IN_NO_TIME: [&str; 5] =
    ["under a second", "sub second", "sub-second", "within seconds", "in seconds"];
const BEST: &str = "best highest premium professional cinematic top quality finest detailed";
const CHEAP: &str = "cheap cheaper cheapest budget affordable inexpensive inexpensively economical \
                     economically cheaply thousands bulk";

/// Reads the hints of a task from its text and that text's tokens.
pub(super) fn read(text: &str, tokens: &[Token]) -> Hints {
    let lower = text.to_lowercase();
    let any = |list: &str| tokens.iter().any(|token| is_one_of(list, &token.word));
    let is_hurried = IN_NO_TIME.iter().any(|said| is_said(&lower, said));
    Hints {
        duration_seconds: duration(tokens),
        aspect_ratio: ASPECTS
            .iter()
            .find(|(said, _)| is_said(&lower, said))
            .map(|(_, ratio)| *ratio),
        budget_usd: budget(&lower),
        pace: Pace { fast: any(FAST) || is_hurried, best: any(BEST), cheap: any(CHEAP) },
    }
}

/// Whether `said` stands in `text` as words of its own.
fn is_said(text: &str, said: &str) -> bool {
    text.match_indices(said).any(|(start, _)| {
        let before = text.get(..start).and_then(|before| before.chars().next_back());
        let after = text.get(start + said.len()..).and_then(|after| after.chars().next());
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    })
}

/// `5 seconds`, `5s`, `10-second`, `2 min`.
fn duration(tokens: &[Token]) -> Option<f64> {
    tokens.iter().enumerate().find_map(|(position, token)| {
        let digits = token.word.trim_end_matches(|c: char| c.is_alphabetic());
        let number: f64 = digits.parse().ok()?;
        let attached = token.word.get(digits.len()..).unwrap_or_default();
        let unit =
            if attached.is_empty() { tokens.get(position + 1)?.word.as_str() } else { attached };
        match unit {
            "s" | "sec" | "secs" | "second" | "seconds" => Some(number),
            "min" | "mins" | "minute" | "minutes" => Some(number * 60.0),
            _ => None,
        }
    })
}

/// `$0.50`, `50 cents`, `2 dollars`, `0.3 usd`.
fn budget(text: &str) -> Option<f64> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c == ',')
        .map(|word| word.trim_end_matches(['.', '!', '?', ')', ';']).trim_start_matches('('))
        .collect();
    words.iter().enumerate().find_map(|(position, word)| {
        if let Some(amount) = word.strip_prefix('$') {
            return amount.parse().ok().filter(|amount: &f64| is_amount(*amount));
        }
        let digits =
            word.trim_end_matches(|c: char| c.is_alphabetic() || c == '¢' || c == '$' || c == '-');
        let number: f64 = digits.parse().ok().filter(|amount: &f64| is_amount(*amount))?;
        let attached = word.get(digits.len()..).unwrap_or_default().trim_matches('-');
        let unit = if attached.is_empty() {
            words.get(position + 1).copied().unwrap_or_default()
        } else {
            attached
        };
        match unit {
            "¢" | "c" | "ct" | "cts" | "cent" | "cents" => Some(number / 100.0),
            "$" | "usd" | "dollar" | "dollars" | "bucks" => Some(number),
            _ => None,
        }
    })
}

fn is_amount(number: f64) -> bool {
    number.is_finite() && number >= 0.0
}

#[cfg(test)]
mod tests {
    use super::super::text::tokens;
    use super::*;

    fn hints(text: &str) -> Hints {
        read(text, &tokens(text))
    }

    #[test]
    fn amounts_are_read_in_dollars_and_cents() {
        for (text, amount) in [
            ("under 50 cents", 0.5),
            ("for less than $0.25.", 0.25),
            ("at most 2 dollars", 2.0),
            ("max 0.3 usd", 0.3),
            ("below 10¢", 0.1),
        ] {
            assert_eq!(hints(text).budget_usd, Some(amount), "{text}");
        }
        assert_eq!(hints("a 5 second video of 3 cats").budget_usd, None);
        assert_eq!(hints("$nan").budget_usd, None);
    }

    #[test]
    fn durations_and_shapes_are_read() {
        let read = hints("a quick 10-second vertical clip");
        assert_eq!(read.duration_seconds, Some(10.0));
        assert_eq!(read.aspect_ratio, Some("9:16"));
        assert!(read.pace.fast && !read.pace.best);
        assert_eq!(hints("5s loop").duration_seconds, Some(5.0));
        assert_eq!(hints("2 minutes, 16:9").duration_seconds, Some(120.0));
        assert_eq!(hints("2 minutes, 16:9").aspect_ratio, Some("16:9"));
        assert_eq!(hints("a vertically challenged dwarf").aspect_ratio, None);
    }
}
