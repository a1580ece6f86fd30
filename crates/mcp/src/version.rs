//! Protocol versions, and the line between the two eras.

use std::fmt;

/// A protocol version that this implementation speaks, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProtocolVersion {
    /// The first published version. Its HTTP+SSE transport is not served; `initialize` is.
    V2024_11_05,
    /// Brought Streamable HTTP. A request without a version header is read as this one.
    V2025_03_26,
    /// Brought the version header, `structuredContent` and `title`.
    V2025_06_18,
    /// The last version with a handshake.
    V2025_11_25,
    /// The stateless core.
    V2026_07_28,
}

impl ProtocolVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 5] = [
        Self::V2024_11_05,
        Self::V2025_03_26,
        Self::V2025_06_18,
        Self::V2025_11_25,
        Self::V2026_07_28,
    ];
    /// The first version without a handshake: metadata travels with each request (SEP-2575).
    pub const STATELESS: Self = Self::V2026_07_28;
    /// What `initialize` is answered with when it names a version that has no handshake or is unknown.
    pub const NEWEST_LEGACY: Self = Self::V2025_11_25;
    /// What a legacy request without a version header is taken to speak (2025-06-18, transports).
    pub const WITHOUT_HEADER: Self = Self::V2025_03_26;

    /// The version as it stands on the wire, `YYYY-MM-DD`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The version that `text` names, if it is one of ours.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.as_str() == text)
    }

    /// The era that this version belongs to.
    pub fn era(self) -> Era {
        if self >= Self::STATELESS { Era::Modern } else { Era::Legacy }
    }

    /// The answer to an `initialize` that asks for `requested`: the same version where it has a
    /// handshake, else the newest that has one (2025-11-25, lifecycle, "Version Negotiation").
    pub fn negotiate(requested: &str) -> Self {
        Self::parse(requested)
            .filter(|version| version.era() == Era::Legacy)
            .unwrap_or(Self::NEWEST_LEGACY)
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which set of rules a request follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Era {
    /// Versions with an `initialize` handshake, up to 2025-11-25.
    Legacy,
    /// Stateless versions, from 2026-07-28 on.
    Modern,
}

/// Whether `text` has the form of a version that is not older than the stateless core, known or not:
/// a client that sends one speaks by the modern rules and expects their errors.
pub(crate) fn reads_as_modern(text: &str) -> bool {
    let digits_at = |range: std::ops::Range<usize>| {
        text.get(range).is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    text.len() == 10
        && digits_at(0..4)
        && text.get(4..5) == Some("-")
        && digits_at(5..7)
        && text.get(7..8) == Some("-")
        && digits_at(8..10)
        && text >= ProtocolVersion::STATELESS.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_reads_back_from_its_own_text() {
        for version in ProtocolVersion::ALL {
            assert_eq!(ProtocolVersion::parse(version.as_str()), Some(version));
        }
    }

    #[test]
    fn versions_are_listed_oldest_first_and_their_order_is_that_of_their_text() {
        assert!(ProtocolVersion::ALL.is_sorted());
        assert!(ProtocolVersion::ALL.map(ProtocolVersion::as_str).is_sorted());
    }

    #[test]
    fn initialize_is_answered_with_the_version_asked_for_if_that_has_a_handshake() {
        // "If the server supports the requested protocol version, it MUST respond with the same
        // version. Otherwise, the server MUST respond with another protocol version it supports."
        for (requested, answered) in [
            ("2024-11-05", "2024-11-05"),
            ("2025-06-18", "2025-06-18"),
            ("2026-07-28", "2025-11-25"),
            ("2099-01-01", "2025-11-25"),
            ("", "2025-11-25"),
        ] {
            assert_eq!(ProtocolVersion::negotiate(requested).as_str(), answered, "{requested}");
        }
    }

    #[test]
    fn only_dates_from_the_stateless_core_on_read_as_modern() {
        for (text, modern) in [
            ("2026-07-28", true),
            ("2099-01-01", true),
            ("2026-07-27", false),
            ("2025-11-25", false),
            ("banana", false),
            ("9999-99-9é", false),
            ("", false),
        ] {
            assert_eq!(reads_as_modern(text), modern, "{text}");
        }
    }
}
