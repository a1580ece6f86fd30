//! Media that really open, made by code from nothing but their own URL: no generated file is
//! stored, so any number of results costs no memory.

pub(crate) mod glb;
pub(crate) mod png;
pub(crate) mod wav;

use bytes::Bytes;

use crate::hash;

/// A one-second H.264 clip of a test pattern, 160 by 96, 12 frames a second. See assets/README.md.
const CLIP: &[u8] = include_bytes!("../assets/clip.mp4");
/// Sides of a picture, in pixels: beyond it a path is not one of ours.
const LARGEST_SIDE: u32 = 4096;

/// A kind of file that the stand-in can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Png { width: u32, height: u32 },
    Wav,
    Mp4,
    Glb,
    Json,
    Weights,
}

/// A file, before it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Media {
    pub(crate) kind: Kind,
    /// Decides the colour of a picture, the pitch of a tone.
    look: u32,
}

impl Media {
    /// A file of this kind. Equal seeds make equal files.
    pub(crate) fn new(kind: Kind, seed: u64) -> Self {
        let kind = match kind {
            Kind::Png { width, height } => Kind::Png {
                width: width.clamp(1, LARGEST_SIDE),
                height: height.clamp(1, LARGEST_SIDE),
            },
            other => other,
        };
        Self { kind, look: u32::try_from(hash::mix(seed) >> 32).unwrap_or_default() }
    }

    /// The path of the file on the CDN: `/files/b/{8 hex}/{21 letters}.ext`, and for pictures
    /// their size before the extension.
    pub(crate) fn path(self) -> String {
        let size = match self.kind {
            Kind::Png { width, height } => format!("_{width}x{height}"),
            _ => String::new(),
        };
        format!("/files/b/{:08x}/{}{size}.{}", self.look, self.id(), self.extension())
    }

    /// The file that a path was made for, if one was.
    pub(crate) fn from_path(path: &str) -> Option<Self> {
        let (look, name) = path.strip_prefix("/files/b/")?.split_once('/')?;
        let look = u32::from_str_radix(look, 16).ok()?;
        let (stem, extension) = name.rsplit_once('.')?;
        let kind = match extension {
            "png" => {
                let (width, height) = stem.rsplit_once('_')?.1.split_once('x')?;
                Kind::Png { width: width.parse().ok()?, height: height.parse().ok()? }
            }
            "wav" => Kind::Wav,
            "mp4" => Kind::Mp4,
            "glb" => Kind::Glb,
            "json" => Kind::Json,
            "safetensors" => Kind::Weights,
            _ => return None,
        };
        let media = Self { kind, look };
        (media.path() == path).then_some(media)
    }

    /// The type of the file.
    pub(crate) fn content_type(self) -> &'static str {
        match self.kind {
            Kind::Png { .. } => "image/png",
            Kind::Wav => "audio/wav",
            Kind::Mp4 => "video/mp4",
            Kind::Glb => "model/gltf-binary",
            Kind::Json => "application/json",
            Kind::Weights => "application/octet-stream",
        }
    }

    /// The end of the file's name, without a dot.
    pub(crate) fn extension(self) -> &'static str {
        match self.kind {
            Kind::Png { .. } => "png",
            Kind::Wav => "wav",
            Kind::Mp4 => "mp4",
            Kind::Glb => "glb",
            Kind::Json => "json",
            Kind::Weights => "safetensors",
        }
    }

    /// Makes the file.
    pub(crate) fn bytes(self) -> Bytes {
        match self.kind {
            Kind::Png { width, height } => png::picture(width, height, self.look),
            Kind::Wav => wav::tone(self.look),
            Kind::Mp4 => Bytes::from_static(CLIP),
            Kind::Glb => glb::tetrahedron(self.look),
            Kind::Json => Bytes::from_static(br#"{"rank":16,"learning_rate":0.0004}"#),
            Kind::Weights => weights(self.look),
        }
    }

    fn id(self) -> String {
        let size = match self.kind {
            Kind::Png { width, height } => (u64::from(width) << 32) | u64::from(height),
            _ => 0,
        };
        let seed = hash::hash(u64::from(self.look) ^ size, self.extension().as_bytes());
        hash::name(seed, 21)
    }
}

/// A safetensors file with one small tensor.
fn weights(look: u32) -> Bytes {
    let header = br#"{"lora.down":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#;
    let mut file = Vec::with_capacity(header.len() + 24);
    file.extend_from_slice(&(header.len() as u64).to_le_bytes());
    file.extend_from_slice(header);
    for index in 0..4u16 {
        let share = f32::from(u16::try_from(look >> 16).unwrap_or_default()) / f32::from(u16::MAX);
        file.extend_from_slice(&(share + f32::from(index)).to_le_bytes());
    }
    Bytes::from(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_back_to_its_file_and_no_other_path_does() {
        for kind in [Kind::Png { width: 64, height: 48 }, Kind::Wav, Kind::Glb, Kind::Weights] {
            let media = Media::new(kind, 42);
            assert_eq!(Media::from_path(&media.path()), Some(media));
        }
        let path = Media::new(Kind::Png { width: 64, height: 48 }, 42).path();
        assert_eq!(Media::from_path(&path.replace("64x48", "65x48")), None);
        assert_eq!(Media::from_path("/files/b/00000000/x.png"), None);
    }
}
