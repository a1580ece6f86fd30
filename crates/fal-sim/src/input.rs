//! What an input asks for, as far as outputs and bills depend on it.

use serde_json::Value;

/// The size of a picture when the input names none.
const DEFAULT_SIZE: (u32, u32) = (1024, 768);
/// The length of a clip or recording when the input names none, in seconds.
const DEFAULT_SECONDS: f64 = 5.0;

/// An input that has been read.
#[derive(Debug)]
pub(crate) struct Input(Value);

impl Input {
    /// Reads an input. One that is not JSON asks for nothing.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        Self(serde_json::from_slice(bytes).unwrap_or_default())
    }

    /// A field of the input.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A field that is a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// Width and height of the pictures, in pixels.
    pub(crate) fn size(&self) -> (u32, u32) {
        let exact = |value: &Value| {
            let side = |name| u32::try_from(value.get(name)?.as_u64()?).ok();
            Some((side("width")?, side("height")?))
        };
        let asked = ["image_size", "exact_size", "size"]
            .into_iter()
            .find_map(|name| self.get(name))
            .and_then(|size| exact(size).or_else(|| named_size(size.as_str()?)));
        asked.or_else(|| exact(&self.0)).or_else(|| self.size_by_ratio()).unwrap_or(DEFAULT_SIZE)
    }

    /// How many pictures, from 1 to 16.
    pub(crate) fn count(&self) -> usize {
        let asked = self.get("num_images").and_then(Value::as_u64).unwrap_or(1);
        usize::try_from(asked.clamp(1, 16)).unwrap_or(1)
    }

    /// Length of a clip or recording, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        ["duration", "duration_choice", "length", "seconds", "seconds_total"]
            .into_iter()
            .find_map(|name| self.get(name))
            .and_then(|value| {
                value.as_f64().or_else(|| value.as_str()?.trim_end_matches('s').parse().ok())
            })
            .filter(|seconds| (0.0..=3600.0).contains(seconds))
            .unwrap_or(DEFAULT_SECONDS)
    }

    /// Whether media are to come inside the answer.
    pub(crate) fn is_inline(&self) -> bool {
        self.get("sync_mode").and_then(Value::as_bool).unwrap_or(false)
    }

    /// Letters of everything that is to be read or spoken.
    pub(crate) fn letters(&self) -> usize {
        ["text", "prompt", "lyrics", "system_prompt"]
            .into_iter()
            .filter_map(|name| self.text(name))
            .map(|text| text.chars().count())
            .sum()
    }

    fn size_by_ratio(&self) -> Option<(u32, u32)> {
        let (width, height) = self.text("aspect_ratio")?.split_once(':')?;
        let (width, height): (u32, u32) = (width.parse().ok()?, height.parse().ok()?);
        let longest = match self.text("resolution") {
            Some("0.5K") => 512,
            Some("2K") => 2048,
            Some("4K") => 4096,
            _ => 1024,
        };
        let unit = longest / width.max(height).max(1);
        (width > 0 && height > 0 && unit > 0).then_some((width * unit, height * unit))
    }
}

fn named_size(name: &str) -> Option<(u32, u32)> {
    Some(match name {
        "square_hd" => (1024, 1024),
        "square" => (512, 512),
        "portrait_4_3" => (768, 1024),
        "portrait_16_9" => (576, 1024),
        "landscape_4_3" => (1024, 768),
        "landscape_16_9" => (1024, 576),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_in_every_form_in_which_models_take_it() {
        let size = |text: &str| Input::read(text.as_bytes()).size();
        assert_eq!(size(r#"{"image_size":"square"}"#), (512, 512));
        assert_eq!(size(r#"{"image_size":{"width":640,"height":480}}"#), (640, 480));
        assert_eq!(size(r#"{"width":320,"height":200}"#), (320, 200));
        assert_eq!(size(r#"{"aspect_ratio":"16:9"}"#), (1024, 576));
        assert_eq!(size(r#"{"aspect_ratio":"auto"}"#), DEFAULT_SIZE);
        assert_eq!(size("not json"), DEFAULT_SIZE);
    }
}
