//! What a file is called, and what it is: by its name, and by its first bytes.

use mime2ext::mime2ext;

/// The type of what nobody knows.
pub(super) const UNKNOWN: &str = "application/octet-stream";

/// The longest name, characters.
const MAX_NAME: usize = 100;

/// The longest end of a name that counts as an extension, characters.
const MAX_EXTENSION: usize = 12;

/// Types that the first bytes settle. Others are containers, or text, or look like something else:
/// what is said of them is believed.
const SETTLED: [&str; 7] = [
    "application/pdf",
    "audio/wav",
    "image/bmp",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
];

/// A media type without its parameters, in lower case; nothing if it is none.
pub(crate) fn media_type(text: &str) -> Option<String> {
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/')?;
    let is_token = |token: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "+-._".contains(c);
        !token.is_empty() && token.len() <= 100 && token.chars().all(plain)
    };
    (is_token(kind) && is_token(subtype)).then_some(essence)
}

/// What the first bytes say.
pub(super) fn by_bytes(start: &[u8]) -> Option<&'static str> {
    infer::get(start).map(|found| canonical(found.mime_type()))
}

/// What the name's extension says.
pub(super) fn by_name(name: &str) -> Option<&'static str> {
    mime_guess::from_path(name).first_raw()
}

/// Whether a server that says this says nothing.
pub(super) fn is_vague(kind: &str) -> bool {
    matches!(kind, UNKNOWN | "binary/octet-stream" | "application/x-download" | "text/plain")
}

/// Whether the first bytes leave no doubt about this type.
pub(super) fn is_settled(kind: &str) -> bool {
    SETTLED.contains(&canonical(kind))
}

/// Whether a file that is `found` by its first bytes cannot be what was `declared`.
pub(super) fn contradict(declared: &str, found: &str) -> bool {
    let declared = canonical(declared);
    if declared == found || declared == UNKNOWN {
        return false;
    }
    let family = |kind: &str| match kind.split('/').next() {
        // Containers hold either.
        Some("audio" | "video") => Some("sound or film"),
        Some("image") => Some("image"),
        _ => None,
    };
    let families = (family(declared), family(found));
    is_settled(declared)
        || is_settled(found)
        || matches!(families, (Some(one), Some(other)) if one != other)
}

/// One name for types that have several.
fn canonical(kind: &str) -> &str {
    match kind {
        "image/jpg" | "image/pjpeg" => "image/jpeg",
        "image/x-ms-bmp" => "image/bmp",
        "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => "audio/wav",
        "audio/mp3" => "audio/mpeg",
        "audio/m4a" | "audio/x-m4a" => "audio/mp4",
        "audio/x-flac" => "audio/flac",
        other => other,
    }
}

/// The last part of a path, with everything replaced that some system could take for more than a
/// letter; nothing if nothing is left.
pub(super) fn clean_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).find(|part| !part.is_empty())?;
    let mut clean = String::new();
    for c in last.chars() {
        if c.is_alphanumeric() || matches!(c, '.' | '-') {
            clean.push(c);
        } else if !clean.ends_with('_') {
            clean.push('_');
        }
    }
    let clean = clean.trim_start_matches(['.', '-', '_']);
    let Some((stem, extension)) = split(clean) else {
        let short: String = clean.chars().take(MAX_NAME).collect();
        return (!short.is_empty()).then_some(short);
    };
    let room = MAX_NAME.saturating_sub(extension.len() + 1);
    Some(format!("{}.{extension}", stem.chars().take(room).collect::<String>()))
}

/// A name that ends in an extension: its own if it has a known one, else the type's.
pub(super) fn with_extension(name: Option<String>, kind: &str) -> String {
    let name = name.unwrap_or_else(|| "file".to_owned());
    let is_known = split(&name).is_some_and(|_| by_name(&name).is_some());
    // A name with an extension of its own field, such as `.safetensors`, is left alone where the
    // type says nothing better.
    if is_known || (kind == UNKNOWN && split(&name).is_some()) {
        return name;
    }
    format!("{name}.{}", extension(canonical(kind)))
}

/// The extension of a type. Models look at it, so it is the one in use and not, as the table's is
/// for these, the first that was ever registered.
fn extension(kind: &str) -> &'static str {
    match kind {
        "audio/aac" => "aac",
        "audio/flac" => "flac",
        "audio/mpeg" => "mp3",
        "audio/ogg" => "ogg",
        "video/quicktime" => "mov",
        other => mime2ext(other).unwrap_or("bin"),
    }
}

/// A name and its extension, where the end looks like one.
fn split(name: &str) -> Option<(&str, &str)> {
    let (stem, extension) = name.rsplit_once('.')?;
    let plain = extension.chars().all(|c| c.is_ascii_alphanumeric());
    (!stem.is_empty() && !extension.is_empty() && extension.len() <= MAX_EXTENSION && plain)
        .then_some((stem, extension))
}
