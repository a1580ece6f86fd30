//! fal's hosts as one listener serves them: each under a path prefix, or one of them at the root.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One of the hosts that fal's public API is spread over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Host {
    /// `queue.fal.run`: submit, status, result, cancel.
    Queue,
    /// `fal.run`: synchronous runs and streams.
    Run,
    /// `rest.fal.ai`: storage.
    Rest,
    /// `api.fal.ai`: the Platform API, whose paths start with `/v1`.
    Api,
    /// `fal.ai`: OpenAPI documents and `llms.txt` of models.
    Web,
    /// `fal.ai/docs`: the docs MCP server at `/mcp`.
    Docs,
    /// `v3b.fal.media`: files.
    Cdn,
}

impl Host {
    /// Every host.
    pub const ALL: [Self; 7] =
        [Self::Queue, Self::Run, Self::Rest, Self::Api, Self::Web, Self::Docs, Self::Cdn];

    /// The first path segment that stands for this host on the main listener.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Run => "run",
            Self::Rest => "rest",
            Self::Api => "api",
            Self::Web => "web",
            Self::Docs => "docs",
            Self::Cdn => "cdn",
        }
    }

    /// The host of this prefix.
    pub(crate) fn from_prefix(prefix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|host| host.prefix() == prefix)
    }
}

/// What one listener serves, and how it is reached.
#[derive(Debug, Clone)]
pub(crate) struct Face {
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    /// The one host served at the root, or none where each has its prefix.
    pub(crate) root: Option<Host>,
    /// The listener's own address, for a request that names no host.
    pub(crate) authority: Arc<str>,
    /// Base URL of the main listener.
    pub(crate) main: Arc<str>,
    /// [`crate::Config::public_url`] without a trailing slash.
    pub(crate) public: Option<Arc<str>>,
}

/// The bases of the URLs that one answer hands out.
#[derive(Debug, Clone)]
pub(crate) struct Bases {
    face: Arc<Face>,
    authority: String,
}

impl Bases {
    /// The bases for a request that named `authority` in its `Host` (or `:authority`).
    pub(crate) fn new(face: Arc<Face>, authority: Option<&str>) -> Self {
        let authority = authority.unwrap_or(&face.authority).to_owned();
        Self { face, authority }
    }

    /// The base URL of one host, without a trailing slash.
    pub(crate) fn base(&self, host: Host) -> String {
        let face = &self.face;
        if let (Some(public), Host::Cdn) = (&face.public, host) {
            return format!("{public}/{}", host.prefix());
        }
        match face.root {
            Some(root) if root == host => format!("{}://{}", face.scheme, self.authority),
            Some(_) => format!("{}/{}", face.main, host.prefix()),
            None => format!("{}://{}/{}", face.scheme, self.authority, host.prefix()),
        }
    }
}
