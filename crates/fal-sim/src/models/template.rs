//! Ready-made JSON text with a few holes, so that an answer is made by copying bytes.

use bytes::Bytes;

/// The hole for the base URL of the CDN, as it stands in our own JSON.
pub(crate) const CDN: &str = "{{cdn}}";
/// The hole for `is_favorited`, as a JSON string.
pub(crate) const FAVORITED: &str = "\"{{favorited}}\"";

#[derive(Debug, Clone)]
enum Piece {
    Text(Bytes),
    Cdn,
    Favorited,
}

/// A text with holes.
#[derive(Debug, Clone)]
pub(crate) struct Template(Vec<Piece>);

/// What goes into the holes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fill<'a> {
    /// Base URL of the CDN.
    pub(crate) cdn: &'a str,
    /// Whether a key came with the request: `is_favorited` is null without one.
    pub(crate) has_key: bool,
}

impl Template {
    /// Finds the holes in a text.
    pub(crate) fn new(text: &str) -> Self {
        let mut pieces = Vec::new();
        for (number, part) in text.split(CDN).enumerate() {
            if number > 0 {
                pieces.push(Piece::Cdn);
            }
            for (number, part) in part.split(FAVORITED).enumerate() {
                if number > 0 {
                    pieces.push(Piece::Favorited);
                }
                if !part.is_empty() {
                    pieces.push(Piece::Text(Bytes::copy_from_slice(part.as_bytes())));
                }
            }
        }
        Self(pieces)
    }

    /// A text without holes.
    pub(crate) fn verbatim(text: Bytes) -> Self {
        Self(vec![Piece::Text(text)])
    }

    /// Appends the filled text.
    pub(crate) fn write(&self, out: &mut Vec<u8>, fill: Fill<'_>) {
        for piece in &self.0 {
            out.extend_from_slice(match piece {
                Piece::Text(text) => text,
                Piece::Cdn => fill.cdn.as_bytes(),
                Piece::Favorited if fill.has_key => b"false",
                Piece::Favorited => b"null",
            });
        }
    }

    /// The filled text; nothing is copied where there is no hole.
    pub(crate) fn fill(&self, fill: Fill<'_>) -> Bytes {
        if let [Piece::Text(text)] = self.0.as_slice() {
            return text.clone();
        }
        let mut out = Vec::with_capacity(8 * 1024);
        self.write(&mut out, fill);
        Bytes::from(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_filled_and_everything_else_is_kept() {
        let template = Template::new(r#"{"f":"{{favorited}}","a":"{{cdn}}/x","b":"{{cdn}}"}"#);
        let fill = Fill { cdn: "http://h/cdn", has_key: false };
        assert_eq!(template.fill(fill), r#"{"f":null,"a":"http://h/cdn/x","b":"http://h/cdn"}"#);
        assert_eq!(Template::new("plain").fill(fill), "plain");
    }
}
