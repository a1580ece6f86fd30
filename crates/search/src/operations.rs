//! What people do with media, and how they say it: `operations.tsv` has one row per operation, with
//! the categories of fal's catalogue that hold its models and the phrases that name it. Queries,
//! tasks and records are all read with this one table, so a synonym is added in one place.

/// What is done, beyond turning one kind of media into another. In the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    RemoveBackground,
    ReplaceBackground,
    RemoveObject,
    Inpaint,
    Outpaint,
    Reframe,
    Upscale,
    Restore,
    Colorize,
    Relight,
    StyleTransfer,
    PixelArt,
    TryOn,
    FaceSwap,
    Headshot,
    Retouch,
    FaceEdit,
    Vectorize,
    Transparent,
    Segment,
    Depth,
    Pose,
    Edges,
    Describe,
    Ocr,
    Detect,
    Moderate,
    LipSync,
    Avatar,
    MotionControl,
    ExtendVideo,
    Interpolate,
    Keyframes,
    Reference,
    EditVideo,
    AddSound,
    SoundEffect,
    Music,
    Song,
    Speech,
    Dialogue,
    CloneVoice,
    DesignVoice,
    ChangeVoice,
    Transcribe,
    DescribeAudio,
    DetectSpeech,
    Subtitle,
    Dub,
    SeparateAudio,
    EnhanceAudio,
    EditMusic,
    Merge,
    AddTrack,
    ExtractFrame,
    Retexture,
    Motion3d,
    World3d,
    Mesh,
    Train,
    Lora,
    DetectAi,
    Chat,
    Embed,
    PromptWriting,
    ControlNet,
    ProductShot,
    Variation,
    Watermark,
    Multiview,
    Character,
    Staging,
    Layers,
    Measure,
    Metadata,
    Effects,
    RemoveText,
    ReplaceCharacter,
    MultiviewMesh,
    Filter,
    Material,
    PathMotion,
    HairEdit,
    AgeEdit,
    Sticker,
    TextInImage,
    Licensed,
    RestyleAudio,
    Sketch3d,
    Human3d,
    CutVideo,
    Retake,
    Deblur,
    Document,
    Edit,
    Animate,
}

/// Every operation, in the order of the table.
pub(super) const ALL: [Operation; 96] = [
    Operation::RemoveBackground,
    Operation::ReplaceBackground,
    Operation::RemoveObject,
    Operation::Inpaint,
    Operation::Outpaint,
    Operation::Reframe,
    Operation::Upscale,
    Operation::Restore,
    Operation::Colorize,
    Operation::Relight,
    Operation::StyleTransfer,
    Operation::PixelArt,
    Operation::TryOn,
    Operation::FaceSwap,
    Operation::Headshot,
    Operation::Retouch,
    Operation::FaceEdit,
    Operation::Vectorize,
    Operation::Transparent,
    Operation::Segment,
    Operation::Depth,
    Operation::Pose,
    Operation::Edges,
    Operation::Describe,
    Operation::Ocr,
    Operation::Detect,
    Operation::Moderate,
    Operation::LipSync,
    Operation::Avatar,
    Operation::MotionControl,
    Operation::ExtendVideo,
    Operation::Interpolate,
    Operation::Keyframes,
    Operation::Reference,
    Operation::EditVideo,
    Operation::AddSound,
    Operation::SoundEffect,
    Operation::Music,
    Operation::Song,
    Operation::Speech,
    Operation::Dialogue,
    Operation::CloneVoice,
    Operation::DesignVoice,
    Operation::ChangeVoice,
    Operation::Transcribe,
    Operation::DescribeAudio,
    Operation::DetectSpeech,
    Operation::Subtitle,
    Operation::Dub,
    Operation::SeparateAudio,
    Operation::EnhanceAudio,
    Operation::EditMusic,
    Operation::Merge,
    Operation::AddTrack,
    Operation::ExtractFrame,
    Operation::Retexture,
    Operation::Motion3d,
    Operation::World3d,
    Operation::Mesh,
    Operation::Train,
    Operation::Lora,
    Operation::DetectAi,
    Operation::Chat,
    Operation::Embed,
    Operation::PromptWriting,
    Operation::ControlNet,
    Operation::ProductShot,
    Operation::Variation,
    Operation::Watermark,
    Operation::Multiview,
    Operation::Character,
    Operation::Staging,
    Operation::Layers,
    Operation::Measure,
    Operation::Metadata,
    Operation::Effects,
    Operation::RemoveText,
    Operation::ReplaceCharacter,
    Operation::MultiviewMesh,
    Operation::Filter,
    Operation::Material,
    Operation::PathMotion,
    Operation::HairEdit,
    Operation::AgeEdit,
    Operation::Sticker,
    Operation::TextInImage,
    Operation::Licensed,
    Operation::RestyleAudio,
    Operation::Sketch3d,
    Operation::Human3d,
    Operation::CutVideo,
    Operation::Retake,
    Operation::Deblur,
    Operation::Document,
    Operation::Edit,
    Operation::Animate,
];

/// A row of the table.
#[derive(Debug)]
pub(super) struct Spec {
    pub(super) operation: Operation,
    /// How a reason names it.
    pub(super) label: &'static str,
    /// fal's categories whose models do it, the most usual first.
    pub(super) categories: Vec<&'static str>,
    /// How people say it. Words are compared by stem; stop words are left out.
    pub(super) phrases: Vec<&'static str>,
}

impl Operation {
    /// The operation by its place in the declaration.
    pub(super) fn numbered(number: u8) -> Option<Self> {
        ALL.get(usize::from(number)).copied()
    }

    /// Operations that say little: they give way to any other that the same text names.
    pub(super) fn is_general(self) -> bool {
        matches!(
            self,
            Self::Edit | Self::Animate | Self::Chat | Self::Lora | Self::Mesh | Self::EditVideo
        )
    }
}

/// The table, read.
pub(super) fn table() -> Vec<Spec> {
    rows(include_str!("../tables/operations.tsv"))
        .zip(ALL)
        .map(|(mut columns, operation)| Spec {
            operation,
            label: columns.nth(1).unwrap_or_default(),
            categories: list(columns.next()),
            phrases: list(columns.next()),
        })
        .collect()
}

/// The rows of a table, each as its columns.
pub(super) fn rows(table: &'static str) -> impl Iterator<Item = std::str::Split<'static, char>> {
    table
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| line.split('\t'))
}

/// A column that holds several values.
pub(super) fn list(column: Option<&'static str>) -> Vec<&'static str> {
    column.unwrap_or_default().split(", ").filter(|value| !value.is_empty()).collect()
}

/// A set of operations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Operations(u128);

impl Operations {
    pub(super) fn insert(&mut self, operation: Operation) {
        self.0 |= 1 << (operation as u32);
    }

    pub(super) fn contains(self, operation: Operation) -> bool {
        self.0 & (1 << (operation as u32)) != 0
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn len(self) -> u32 {
        self.0.count_ones()
    }
}

impl FromIterator<Operation> for Operations {
    fn from_iter<I: IntoIterator<Item = Operation>>(operations: I) -> Self {
        let mut set = Self::default();
        operations.into_iter().for_each(|operation| set.insert(operation));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_its_row_in_order() {
        let names: Vec<_> = rows(include_str!("../tables/operations.tsv"))
            .map(|mut columns| columns.next().unwrap())
            .collect();
        assert_eq!(names, ALL.map(|operation| format!("{operation:?}")));
        for (index, spec) in table().iter().enumerate() {
            assert_eq!(spec.operation as usize, index);
            assert!(!spec.label.is_empty() && !spec.categories.is_empty());
            assert!(!spec.phrases.is_empty(), "{:?}", spec.operation);
        }
    }
}
