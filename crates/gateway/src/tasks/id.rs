//! A task's id: which job it is, in a form that is one word in any header, with a checksum so that a
//! mangled id is told from a job that fal does not know. It is no secret and no permission: what it
//! leads to is asked of fal under the caller's own key (docs/adr/005-task-ids.md).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};

/// The form that ids have now; another form gets another number.
const FORM: &str = "1";
/// How much of the SHA-256 is carried, in bytes.
const CHECKSUM: usize = 8;
/// The longest id that is looked at. The longest that can be made has 551 characters.
const MAX_CHARS: usize = 600;

/// A task: a job at fal, and what telling its result needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TaskId {
    /// The job.
    pub(crate) job: fal::Job,
    /// When the job was submitted, to the second.
    pub(crate) created: Timestamp,
    /// Whether the first image is shown with the result.
    pub(crate) preview: bool,
}

impl TaskId {
    /// The id of a job that was submitted now.
    pub(crate) fn new(job: fal::Job, preview: bool) -> Self {
        let now = Timestamp::now();
        let created = Timestamp::from_second(now.as_second()).unwrap_or(now);
        Self { job, created, preview }
    }

    /// The id as clients hold it: base64url of the checksum and of five words.
    pub(crate) fn encode(&self) -> String {
        let words = format!(
            "{FORM} {} {} {} {}",
            self.created.as_second(),
            u8::from(self.preview),
            self.job.request_id,
            self.job.endpoint_id
        );
        let mut bytes = checksum(words.as_bytes());
        bytes.extend_from_slice(words.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads an id; nothing where it is made up or was changed on its way. Asks nobody.
    pub(crate) fn decode(text: &str) -> Option<Self> {
        if text.len() > MAX_CHARS {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (sum, words) = bytes.split_at_checked(CHECKSUM)?;
        if checksum(words) != sum {
            return None;
        }
        Self::of_words(std::str::from_utf8(words).ok()?)
    }

    fn of_words(words: &str) -> Option<Self> {
        let mut words = words.split(' ');
        if words.next()? != FORM {
            return None;
        }
        let created = Timestamp::from_second(words.next()?.parse().ok()?).ok()?;
        let preview = words.next()? == "1";
        let request_id = fal::RequestId::parse(words.next()?).ok()?;
        let endpoint_id = fal::EndpointId::parse(words.next()?).ok()?;
        let job = fal::Job::new(endpoint_id, request_id);
        words.next().is_none().then_some(Self { job, created, preview })
    }
}

fn checksum(words: &[u8]) -> Vec<u8> {
    digest(&SHA256, words).as_ref().iter().copied().take(CHECKSUM).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(endpoint_id: &str, request_id: &str) -> TaskId {
        let endpoint_id = fal::EndpointId::parse(endpoint_id).unwrap();
        TaskId::new(fal::Job::new(endpoint_id, fal::RequestId::parse(request_id).unwrap()), true)
    }

    fn sealed(words: &str) -> String {
        URL_SAFE_NO_PAD.encode([&checksum(words.as_bytes()), words.as_bytes()].concat())
    }

    #[test]
    fn an_id_reads_back_from_a_text_that_is_one_word_in_a_header() {
        let longest = format!("fal-ai/{}", "x".repeat(249));
        for (endpoint_id, request_id) in [
            ("fal-ai/flux/dev", "764cabcf-b745-4b3e-ae38-1200304cf45b"),
            (longest.as_str(), &"r".repeat(128)),
        ] {
            let id = id(endpoint_id, request_id);
            let text = id.encode();
            assert_eq!(TaskId::decode(&text).unwrap(), id);
            assert!(
                text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)),
                "{text}"
            );
            assert!(text.len() <= MAX_CHARS, "{}", text.len());
        }
    }

    #[test]
    fn a_change_of_any_character_is_noticed() {
        let text = id("fal-ai/flux/dev", "764cabcf-b745-4b3e-ae38-1200304cf45b").encode();
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(TaskId::decode(&changed), None, "{at}: {changed}");
        }
        let cut = text.get(..text.len() - 4).unwrap();
        assert_eq!(TaskId::decode(cut), None);
    }

    #[test]
    fn a_text_that_was_never_an_id_is_none() {
        for text in ["", "x", "not base64!", "786512e2-9e0d-44bd-8f29-789f320fe840", "é"] {
            assert_eq!(TaskId::decode(text), None, "{text}");
        }
        assert_eq!(TaskId::decode(&"A".repeat(100_000)), None);
        for words in [
            "",
            "2 0 1 r fal-ai/x",
            "1 soon 1 r fal-ai/x",
            "1 99999999999999 1 r fal-ai/x",
            "1 0 1 ../r fal-ai/x",
            "1 0 1 r ../x",
            "1 0 1 r",
            "1 0 1 r fal-ai/x more",
        ] {
            assert_eq!(TaskId::decode(&sealed(words)), None, "{words}");
        }
    }
}
