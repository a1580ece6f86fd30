//! Kinds of media, as models take and make them.

/// What a model takes or makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// Words: a prompt, a script, a transcript.
    Text,
    /// A still image.
    Image,
    /// A moving one.
    Video,
    /// Speech, music, any sound.
    Audio,
    /// A 3D object.
    Mesh,
    /// JSON and other data for machines.
    Data,
    /// An archive of training data.
    Archive,
    /// The weights that training makes.
    Weights,
    /// The area of an image to change.
    Mask,
}

/// Every kind, in the order of the declaration.
const ALL: [Media; 9] = [
    Media::Text,
    Media::Image,
    Media::Video,
    Media::Audio,
    Media::Mesh,
    Media::Data,
    Media::Archive,
    Media::Weights,
    Media::Mask,
];

impl Media {
    /// Its name, for people and models.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Mesh => "3D model",
            Self::Data => "data",
            Self::Archive => "archive of training data",
            Self::Weights => "model weights",
            Self::Mask => "mask",
        }
    }

    /// The kind by its place in the declaration.
    pub(super) fn numbered(number: u8) -> Option<Self> {
        ALL.get(usize::from(number)).copied()
    }

    /// The kind by the name that categories use.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "text" => Self::Text,
            "image" => Self::Image,
            "video" => Self::Video,
            "audio" | "speech" => Self::Audio,
            "mesh" | "3d" => Self::Mesh,
            "data" | "json" => Self::Data,
            "archive" => Self::Archive,
            "weights" => Self::Weights,
            "mask" => Self::Mask,
            _ => return None,
        })
    }
}

/// A set of kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MediaSet(u16);

impl MediaSet {
    pub(super) fn of(media: Media) -> Self {
        Self(1 << (media as u16))
    }

    pub(super) fn with(self, media: Media) -> Self {
        Self(self.0 | Self::of(media).0)
    }

    /// Whether `media` is among them.
    pub fn contains(self, media: Media) -> bool {
        self.0 & Self::of(media).0 != 0
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether everything in this set is in `other`.
    pub(super) fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Without the kinds that every caller has: words.
    pub(super) fn beyond_text(self) -> Self {
        Self(self.0 & !Self::of(Media::Text).0)
    }

    /// The kinds, in the order of the declaration.
    pub fn iter(self) -> impl Iterator<Item = Media> {
        ALL.into_iter().filter(move |media| self.contains(*media))
    }
}
