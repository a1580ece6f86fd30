//! Produced media, fetched from fal's CDN for a look at them. Never with a key, and from nowhere
//! else: the URL comes from a model's output.

use bytes::Bytes;
use http::header;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::{
    Client, Error,
    answer::Answer,
    call::{Call, Operation},
};

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Its type without parameters, in lower case; empty where the CDN does not say.
    pub content_type: String,
    /// The whole of it.
    pub bytes: Bytes,
}

impl Client {
    /// Fetches a file of at most `limit` bytes. An address that is not the CDN's is
    /// [`Error::ForeignUrl`], and nothing is sent.
    pub async fn media(&self, url: &Url, limit: usize, deadline: Instant) -> Result<Media, Error> {
        if !self.hosts().is_cdn(url) {
            return Err(Error::ForeignUrl);
        }
        let call = Call::get(Operation::Media, url.clone(), None);
        let response = self.send(&call, 1, Some(deadline)).await?;
        let answer = timeout_at(deadline, Answer::read(response, false, limit))
            .await
            .map_err(|_| Error::TimedOut { source: None })??;
        if !answer.status.is_success() {
            return Err(Error::UnexpectedStatus { status: answer.status.as_u16() });
        }
        let content_type = answer.header(header::CONTENT_TYPE.as_str()).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default();
        Ok(Media { content_type: essence.trim().to_lowercase(), bytes: answer.body })
    }
}

#[cfg(test)]
mod tests {
    use crate::Hosts;
    use url::Url;

    #[test]
    fn only_the_cdn_s_own_hosts_serve_media() {
        let hosts = Hosts {
            cdn: vec!["fal.media".to_owned(), "127.0.0.1:9000".to_owned()],
            ..Hosts::default()
        };
        for (url, serves) in [
            ("https://fal.media/files/a.png", true),
            ("https://v3b.fal.media/files/b/a.png", true),
            ("http://127.0.0.1:9000/cdn/files/a.png", true),
            ("http://v3b.fal.media/files/b/a.png", false),
            ("https://evilfal.media/a.png", false),
            ("https://fal.media.evil.example/a.png", false),
            ("https://fal.media:8443/a.png", false),
            ("http://127.0.0.1:9001/a.png", false),
            ("http://127.0.0.1/a.png", false),
            ("file:///etc/passwd", false),
            ("data:image/png;base64,AA==", false),
        ] {
            assert_eq!(hosts.is_cdn(&Url::parse(url).unwrap()), serves, "{url}");
        }
    }
}
