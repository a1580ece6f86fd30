//! Files on their way to fal: what a file is called and what it is, the bytes that come in a call,
//! those that come from a URL, and the command that sends a file without us.

pub(crate) mod command;
pub(crate) mod data;
mod kind;
mod transfer;

use std::time::Duration;

pub(crate) use kind::media_type;
pub(crate) use transfer::transfer;

use crate::error::ToolError;

/// What the caller says about its file.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Its name, as the caller wrote it.
    pub(crate) file_name: Option<String>,
    /// Its type, as [`media_type`] reads it.
    pub(crate) content_type: Option<String>,
    /// How long fal is to keep it.
    pub(crate) lifetime: Option<Duration>,
}

/// What is known of a file besides.
#[derive(Debug, Default)]
pub(crate) struct Found<'a> {
    /// What it is called where it comes from.
    pub(crate) file_name: Option<&'a str>,
    /// What it is said to be where it comes from.
    pub(crate) content_type: Option<&'a str>,
    /// Its first bytes; none where it does not come by us.
    pub(crate) start: Option<&'a [u8]>,
}

/// A file that is at fal.
#[derive(Debug)]
pub(crate) struct Uploaded {
    /// What was announced.
    pub(crate) file: fal::NewFile,
    /// Where it is.
    pub(crate) file_url: url::Url,
    /// Its size, bytes.
    pub(crate) size: u64,
}

/// The tool whose arguments are wrong.
pub(crate) const TOOL: &str = "upload_file";

/// The refusal of an argument, in a sentence.
pub(crate) fn problem(text: impl Into<String>) -> ToolError {
    ToolError::InvalidArguments { tool: TOOL, problems: vec![text.into()] }
}

/// What to announce: the caller's word first, then the origin's, then the file's own.
pub(crate) fn describe(told: Told, found: &Found<'_>) -> Result<fal::NewFile, ToolError> {
    let by_bytes = found.start.and_then(kind::by_bytes);
    if let (Some(declared), Some(found)) = (&told.content_type, by_bytes)
        && kind::contradict(declared, found)
    {
        return Err(problem(format!(
            "`content_type` is {declared}, but the file's first bytes are those of {found}: leave it out, or send the right file"
        )));
    }
    let name = told.file_name.as_deref().or(found.file_name).and_then(kind::clean_name);
    let by_name = name.as_deref().and_then(kind::by_name);
    let content_type = told
        .content_type
        .or_else(|| found.content_type.and_then(media_type).filter(|kind| !kind::is_vague(kind)))
        .or_else(|| by_bytes.filter(|kind| kind::is_settled(kind)).map(str::to_owned))
        .or_else(|| by_name.or(by_bytes).map(str::to_owned))
        .unwrap_or_else(|| kind::UNKNOWN.to_owned());
    let file_name = kind::with_extension(name, &content_type);
    Ok(fal::NewFile { file_name, content_type, lifetime: told.lifetime })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF";
    const WAV: &[u8] = b"RIFF\x24\0\0\0WAVEfmt ";

    fn described(
        told: (Option<&str>, Option<&str>),
        found: (Option<&str>, Option<&str>, Option<&'static [u8]>),
    ) -> Result<(String, String), String> {
        let told = Told {
            file_name: told.0.map(str::to_owned),
            content_type: told.1.map(str::to_owned),
            lifetime: None,
        };
        let found = Found { file_name: found.0, content_type: found.1, start: found.2 };
        match describe(told, &found) {
            Ok(file) => Ok((file.file_name, file.content_type)),
            Err(ToolError::InvalidArguments { problems, .. }) => Err(problems.concat()),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_type_is_the_caller_s_the_origin_s_the_bytes_or_the_name_s() {
        let cases = [
            ((None, Some("image/png")), (None, Some("image/jpeg"), Some(PNG)), "image/png"),
            ((None, None), (None, Some("image/png; q=1"), Some(PNG)), "image/png"),
            ((None, None), (None, Some("application/octet-stream"), Some(PNG)), "image/png"),
            ((None, None), (None, Some("text/plain"), Some(WAV)), "audio/wav"),
            ((Some("a.png"), None), (None, None, Some(JPEG)), "image/jpeg"),
            ((Some("a.glb"), None), (None, None, Some(b"glTF")), "model/gltf-binary"),
            ((Some("a.svg"), None), (None, None, Some(b"<svg")), "image/svg+xml"),
            ((Some("a.json"), None), (None, None, Some(b"{}")), "application/json"),
            ((Some("voice.WAV"), None), (None, None, None), "audio/wav"),
            ((None, None), (Some("clip.mp4"), None, None), "video/mp4"),
            ((Some("weights.safetensors"), None), (None, None, None), "application/octet-stream"),
            ((None, None), (None, Some("no type"), Some(b"??")), "application/octet-stream"),
        ];
        for (told, found, expected) in cases {
            assert_eq!(described(told, found).unwrap().1, expected, "{told:?} {found:?}");
        }
    }

    #[test]
    fn a_type_that_the_first_bytes_contradict_is_refused_and_a_doubtful_one_is_not() {
        let refused =
            |declared, start| described((None, Some(declared)), (None, None, Some(start)));
        for (declared, start, found) in [
            ("image/png", JPEG, "image/jpeg"),
            ("audio/wav", PNG, "image/png"),
            ("image/png", b"<html>", "text/html"),
            ("image/png", b"%PDF-1.7", "application/pdf"),
            ("image/heic", PNG, "image/png"),
            ("audio/ogg", b"II*\0\x08\0\0\0\0\0\0\0", "image/tiff"),
        ] {
            let problem = refused(declared, start).unwrap_err();
            let both = format!(
                "`content_type` is {declared}, but the file's first bytes are those of {found}"
            );
            assert!(problem.starts_with(&both), "{problem}");
        }
        for (declared, start) in [
            ("image/jpg", JPEG),
            ("audio/x-wav", WAV),
            ("audio/vnd.wave", WAV),
            ("application/octet-stream", PNG),
            ("image/png", b"no type at all"),
            ("model/gltf-binary", b"glTF\x02\0\0\0"),
            ("image/svg+xml", b"<?xml version='1.0'?><svg/>"),
            ("audio/mp4", b"\0\0\0\x20ftypmp42\0\0\0\0mp42isom"),
            ("audio/webm", b"\x1a\x45\xdf\xa3\0\0\0\0webm"),
            ("model/obj", b"# a cube"),
        ] {
            assert!(refused(declared, start).is_ok(), "{declared}");
        }
    }

    #[test]
    fn a_name_is_cleaned_and_ends_as_its_type_says() {
        let cases = [
            ((Some("../my cat.png"), None), "my_cat.png"),
            ((Some("C:\\photos\\Kätzchen 猫.png"), None), "Kätzchen_猫.png"),
            ((Some("a;rm -rf $(x)`y`\n.png"), None), "a_rm_-rf_x_y_.png"),
            ((Some("..png"), None), "png.png"),
            ((Some("...///"), None), "file.png"),
            ((Some("photo"), None), "photo.png"),
            ((Some("photo.v2"), None), "photo.v2.png"),
            ((None, None), "file.png"),
        ];
        for (told, expected) in cases {
            let (name, _) = described(told, (None, None, Some(PNG))).unwrap();
            assert_eq!(name, expected, "{told:?}");
        }
        let long = format!("{}.jpeg", "x".repeat(500));
        let (name, _) = described((Some(&long), None), (None, None, None)).unwrap();
        assert!(name.chars().count() <= 100 && name.ends_with("x.jpeg"), "{name}");
        for (kind, expected) in [
            ("image/jpeg", "file.jpg"),
            ("audio/mpeg", "file.mp3"),
            ("audio/wav", "file.wav"),
            ("video/mp4", "file.mp4"),
            ("image/svg+xml", "file.svg"),
            ("text/plain", "file.txt"),
            ("model/gltf-binary", "file.glb"),
            ("application/octet-stream", "file.bin"),
            ("made/up", "file.bin"),
        ] {
            assert_eq!(described((None, Some(kind)), (None, None, None)).unwrap().0, expected);
        }
    }
}
