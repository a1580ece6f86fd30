//! A socket that misbehaves, for what a proper server cannot be made to do.
#![expect(clippy::unwrap_used, reason = "a rig that fails should fail the test")]

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use fal::{Client, Config, Hosts};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::AbortHandle,
};
use url::Url;

/// What happens to each connection.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    /// It is closed before anything is read.
    Slam,
    /// It is left open, and nothing is ever said.
    Silence,
    /// The request is read, then the connection is closed.
    ReadAndClose,
    /// The request is read, these bytes are said, then the connection is closed.
    Say(&'static str),
    /// The request is read, and these bytes are said to all once [`Raw::speak`] was called.
    SayLater(&'static str),
    /// The request is read, these bytes are said, and no more follow.
    SayAndStall(&'static str),
}

/// The socket.
pub(crate) struct Raw {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    heard: Arc<Mutex<Vec<u8>>>,
    spoken: Arc<Notify>,
    server: AbortHandle,
}

impl Raw {
    pub(crate) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let spoken = Arc::new(Notify::new());
        let (count, ear) = (Arc::clone(&connections), Arc::clone(&heard));
        let now = Arc::clone(&spoken);
        #[expect(clippy::disallowed_methods, reason = "ended when the rig is dropped")]
        let server = tokio::spawn(async move {
            let mut manner = manner;
            let mut open = Vec::new();
            loop {
                tokio::select! {
                    connection = listener.accept() => {
                        let (stream, _) = connection.unwrap();
                        count.fetch_add(1, Ordering::SeqCst);
                        open.extend(behave(stream, manner, &ear).await);
                    }
                    () = now.notified() => if let Manner::SayLater(bytes) = manner {
                        for stream in &mut open {
                            stream.write_all(bytes.as_bytes()).await.unwrap();
                        }
                        manner = Manner::Say(bytes);
                    },
                }
            }
        });
        Self { address, connections, heard, spoken, server: server.abort_handle() }
    }

    /// Says what was to be said later, to all who wait and to all who come.
    pub(crate) fn speak(&self) {
        self.spoken.notify_one();
    }

    /// How often somebody connected.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Everything that was said to it, connections one after the other.
    pub(crate) fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }

    pub(crate) fn base(&self, scheme: &str) -> Url {
        Url::parse(&format!("{scheme}://{}", self.address)).unwrap()
    }

    pub(crate) fn config(&self, scheme: &str) -> Config {
        let base = self.base(scheme);
        let hosts = Hosts {
            queue: base.clone(),
            api: base.clone(),
            rest: base.clone(),
            web: base.clone(),
            docs: base,
            cdn: vec![self.address.to_string()],
        };
        Config { hosts, ..Config::default() }
    }

    pub(crate) fn client(&self, scheme: &str) -> Client {
        Client::new(self.config(scheme)).unwrap()
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Gives the connection back if it is to stay open.
async fn behave(mut stream: TcpStream, manner: Manner, ear: &Mutex<Vec<u8>>) -> Option<TcpStream> {
    let (said, stays) = match manner {
        Manner::Slam => return None,
        Manner::Silence => return Some(stream),
        Manner::ReadAndClose => ("", false),
        Manner::SayLater(_) => ("", true),
        Manner::Say(bytes) => (bytes, false),
        Manner::SayAndStall(bytes) => (bytes, true),
    };
    let request = read_request(&mut stream).await;
    ear.lock().unwrap().extend(request);
    stream.write_all(said.as_bytes()).await.unwrap();
    if !stays {
        stream.shutdown().await.unwrap();
    }
    stays.then_some(stream)
}

/// One request, up to the end of the body that `Content-Length` announces.
async fn read_request(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return bytes;
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return bytes;
        }
    }
}
