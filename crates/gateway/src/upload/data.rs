//! Bytes that come in the call itself: base64, or a data URI.

use data_url::DataUrl;
use data_url::forgiving_base64;

/// The largest file, bytes: as base64 it fits the default of `--max-body-bytes`.
pub(crate) const MAX_DATA_BYTES: usize = 10 * 1024 * 1024;

/// A file that came in a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Data {
    /// The type that the data URI names.
    pub(crate) content_type: Option<String>,
    /// The file.
    pub(crate) bytes: Vec<u8>,
}

/// Reads base64 (either alphabet, with or without padding and line breaks) or a data URI. An error
/// is the end of a sentence about the argument, and repeats nothing of it.
pub(crate) fn decode(text: &str) -> Result<Data, String> {
    let text = text.trim();
    // Three bytes are four letters; a data URI has a head, and line breaks are harmless.
    if text.len() / 4 * 3 > MAX_DATA_BYTES + MAX_DATA_BYTES / 16 {
        return Err(too_large());
    }
    let is_uri = text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("data:"));
    let data = if is_uri { data_uri(text)? } else { base64(text)? };
    match data.bytes.len() {
        0 => Err("holds no bytes".to_owned()),
        length if length > MAX_DATA_BYTES => Err(too_large()),
        _ => Ok(data),
    }
}

fn too_large() -> String {
    format!(
        "holds more than {MAX_DATA_BYTES} bytes: use `path`, which sends a file of any size straight to fal, or `url`"
    )
}

fn data_uri(text: &str) -> Result<Data, String> {
    let broken =
        || "is a data URI that cannot be read: expected data:<type>;base64,<base64>".to_owned();
    let uri = DataUrl::process(text).map_err(|_| broken())?;
    let (bytes, _) = uri.decode_to_vec().map_err(|_| broken())?;
    // A URI that names no type means plain text by its standard, and nothing by its users.
    let names_type = !text.get(5..).unwrap_or_default().starts_with([',', ';']);
    let content_type = names_type.then(|| uri.mime_type().to_string());
    Ok(Data { content_type, bytes })
}

fn base64(text: &str) -> Result<Data, String> {
    let standard = text.replace('-', "+").replace('_', "/");
    let bytes = forgiving_base64::decode_to_vec(standard.as_bytes()).map_err(|_| {
        "is neither base64 nor a data URI; a file is named by `path`, an address by `url`"
            .to_owned()
    })?;
    Ok(Data { content_type: None, bytes })
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn read(text: &str) -> Result<(Option<String>, Vec<u8>), String> {
        decode(text).map(|data| (data.content_type, data.bytes))
    }

    #[test]
    fn every_usual_way_of_writing_bytes_is_read() {
        let bytes = vec![0xfb, 0xff, 0xfe, b'!'];
        for text in ["+//+IQ==", "+//+IQ", "-__-IQ==", "-__-IQ", " +//+\r\nIQ== \n"] {
            assert_eq!(read(text), Ok((None, bytes.clone())), "{text}");
        }
        for (text, kind) in [
            ("data:image/png;base64,+//+IQ==", Some("image/png")),
            ("DATA:image/png;BASE64,+//+IQ", Some("image/png")),
            ("data:image/png;charset=x;base64,+//+IQ==", Some("image/png;charset=x")),
            ("data:;base64,+//+IQ==", None),
            ("data:application/x-a,%FB%FF%FE!", Some("application/x-a")),
            ("data:,%FB%FF%FE!", None),
        ] {
            assert_eq!(read(text), Ok((kind.map(str::to_owned), bytes.clone())), "{text}");
        }
    }

    #[test]
    fn what_is_not_bytes_is_refused_without_being_repeated() {
        for (text, problem) in [
            ("", "holds no bytes"),
            ("data:image/png;base64,", "holds no bytes"),
            ("data:image/png", "is a data URI that cannot be read"),
            ("data:image/png;base64,canary!", "is a data URI that cannot be read"),
            ("/home/canary/a.png", "is neither base64"),
            ("https://example.com/canary.png", "is neither base64"),
            ("can@ary", "is neither base64"),
        ] {
            let found = read(text).unwrap_err();
            assert!(found.starts_with(problem) && !found.contains("canary"), "{text}: {found}");
        }
    }

    #[test]
    fn the_limit_is_exact_and_stated() {
        let most = STANDARD.encode(vec![7; MAX_DATA_BYTES]);
        assert_eq!(read(&most).unwrap().1.len(), MAX_DATA_BYTES);
        for bytes in [MAX_DATA_BYTES + 1, 2 * MAX_DATA_BYTES] {
            let problem = read(&STANDARD.encode(vec![7; bytes])).unwrap_err();
            assert!(problem.starts_with("holds more than 10485760 bytes"), "{problem}");
        }
        assert!(most.len() < crate::Config::default().max_body_bytes);
    }
}
