//! A web on loopback: one server that plays every public host, and names that answer as a test says.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use fetch::{Config, Error, Fetcher, Limits, Network};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

/// The name and addresses that the web's server has a certificate for.
pub(crate) const NAME: &str = "files.example";
pub(crate) const PUBLIC_V4: &str = "93.184.215.14";
pub(crate) const PUBLIC_V6: &str = "2606:4700::6810:85e5";

/// What every page holds that says nothing else.
pub(crate) const FILE: &[u8] = b"a file";

/// One thing that a server does on a connection.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Sends these bytes.
    Say(Vec<u8>),
    /// Says nothing for a while.
    Wait(Duration),
    /// Sends these bytes until nobody takes them.
    Repeat(Vec<u8>),
    /// Stays open and says nothing.
    Hang,
}

/// What the server does, by the path that was asked for. Then it closes the connection.
pub(crate) type Script = fn(&str) -> Vec<Step>;

/// A server on loopback.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    _tasks: JoinSet<()>,
}

#[derive(Debug, Default)]
struct State {
    heads: Mutex<Vec<String>>,
    open: AtomicUsize,
}

impl Server {
    pub(crate) async fn start(script: Script, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, Arc::clone(&state), script, tls));
        Self { address, state, _tasks: tasks }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The heads of the requests, oldest first.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.state.heads.lock().unwrap().clone()
    }

    /// Waits until no connection is open.
    pub(crate) async fn is_left(&self) {
        let patience = Instant::now() + Duration::from_secs(10);
        while self.state.open.load(Ordering::SeqCst) > 0 {
            assert!(Instant::now() < patience, "a connection stays open");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn accept(
    listener: TcpListener,
    state: Arc<State>,
    script: Script,
    tls: Option<TlsAcceptor>,
) {
    let mut connections = JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let (state, tls) = (Arc::clone(&state), tls.clone());
        state.open.fetch_add(1, Ordering::SeqCst);
        connections.spawn(async move {
            // A client that leaves early ends the script.
            drop(match tls {
                None => serve(socket, &state, script).await,
                Some(tls) => async { serve(tls.accept(socket).await?, &state, script).await }.await,
            });
            state.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    state: &State,
    script: Script,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    state.heads.lock().unwrap().push(head);
    for step in script(&path) {
        match step {
            Step::Say(bytes) => stream.write_all(&bytes).await?,
            Step::Wait(pause) => tokio::time::sleep(pause).await,
            Step::Repeat(bytes) => loop {
                stream.write_all(&bytes).await?;
            },
            // Ends when the other side closes.
            Step::Hang => drop(stream.read_u8().await),
        }
        stream.flush().await?;
    }
    stream.shutdown().await
}

/// A complete answer.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Step {
    let length = body.len();
    let mut text =
        format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n").into_bytes();
    text.extend_from_slice(body);
    Step::Say(text)
}

/// A public web: one server behind every public address, over TLS.
#[derive(Debug)]
pub(crate) struct Web {
    pub(crate) server: Server,
    pub(crate) names: Arc<Names>,
    pub(crate) fetcher: Fetcher,
}

/// What names say, and where was connected to.
#[derive(Debug)]
pub(crate) struct Names {
    /// The answers to the look-ups of a name, the last one for ever.
    answers: Mutex<HashMap<String, Vec<Vec<IpAddr>>>>,
    looked_up: Mutex<Vec<String>>,
    dialled: Mutex<Vec<SocketAddr>>,
    server: SocketAddr,
}

impl Names {
    /// Says what the look-ups of a name answer, one after the other.
    pub(crate) fn say(&self, name: &str, answers: &[&[&str]]) {
        let addresses = |list: &&[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
        let answers = answers.iter().map(addresses).collect();
        self.answers.lock().unwrap().insert(name.to_owned(), answers);
    }

    /// The names that were looked up since this was asked last.
    pub(crate) fn looked_up(&self) -> Vec<String> {
        std::mem::take(&mut self.looked_up.lock().unwrap())
    }

    /// The addresses that were connected to since this was asked last.
    pub(crate) fn dialled(&self) -> Vec<String> {
        let dialled = std::mem::take(&mut *self.dialled.lock().unwrap());
        dialled.iter().map(|address| address.ip().to_string()).collect()
    }
}

#[derive(Debug)]
struct Fake(Arc<Names>);

impl Network for Fake {
    fn resolve<'a>(&'a self, host: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        self.0.looked_up.lock().unwrap().push(host.to_owned());
        let mut answers = self.0.answers.lock().unwrap();
        let answer = answers
            .get_mut(host.trim_end_matches('.'))
            .map(|answers| if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() });
        async move { answer.ok_or_else(|| io::Error::other("no such name")) }.boxed()
    }

    fn connect(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>> {
        self.0.dialled.lock().unwrap().push(address);
        TcpStream::connect(self.0.server).boxed()
    }
}

impl Web {
    /// A web whose server answers `/to?<url>` with a redirect there, and everything else with
    /// [`FILE`].
    pub(crate) async fn start(allow_private: bool) -> Self {
        let names = [NAME, PUBLIC_V4, PUBLIC_V6].map(str::to_owned);
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(names).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = rustls::DEFAULT_VERSIONS;
        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();

        let server = Server::start(page, Some(TlsAcceptor::from(Arc::new(server)))).await;
        let names = Arc::new(Names {
            answers: Mutex::default(),
            looked_up: Mutex::default(),
            dialled: Mutex::default(),
            server: server.address,
        });
        names.say(NAME, &[&[PUBLIC_V4]]);
        let config = Config { allow_private, ..config() };
        let fetcher = Fetcher::with(config, Box::new(Fake(Arc::clone(&names))), client).unwrap();
        Self { server, names, fetcher }
    }

    /// The whole file behind a URL.
    pub(crate) async fn get(&self, url: &str) -> Result<Vec<u8>, Error> {
        whole(&self.fetcher, url, limits()).await
    }
}

fn page(path: &str) -> Vec<Step> {
    match path.split_once("/to?") {
        Some((_, target)) => {
            vec![answer("302 Found", &format!("location: {target}\r\n"), b"")]
        }
        None => vec![answer("200 OK", "content-type: image/png\r\n", FILE)],
    }
}

/// Short patience, so that silent sources do not hold the tests up.
pub(crate) fn config() -> Config {
    Config { read_timeout: Duration::from_secs(2), ..Config::default() }
}

pub(crate) fn limits() -> Limits {
    Limits { bytes: 1_000_000, deadline: Instant::now() + Duration::from_secs(20) }
}

/// The whole file behind a URL.
pub(crate) async fn whole(fetcher: &Fetcher, url: &str, limits: Limits) -> Result<Vec<u8>, Error> {
    let mut source = fetcher.get(url, limits).await?;
    let mut file = Vec::new();
    while let Some(chunk) = source.chunk().await? {
        let chunk: Bytes = chunk;
        file.extend_from_slice(&chunk);
    }
    Ok(file)
}
