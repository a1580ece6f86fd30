//! Somebody's web server with files of any size, made while they are sent.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The files begin like a PNG.
const MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

/// The period of a file's bytes: a prime, so that a part in another's place shows.
const PERIOD: usize = 65_521;

/// The server. It ends when dropped.
#[derive(Debug)]
pub struct Source {
    addr: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Source {
    /// Starts it on a free loopback port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream));
            }
        });
        Self { addr, _tasks: tasks }
    }

    /// A file of so many bytes, sent with its length.
    pub fn file(&self, size: usize) -> String {
        self.url("length", size, size)
    }

    /// The same, sent in chunks, without its length.
    pub fn chunked(&self, size: usize) -> String {
        self.url("chunks", size, size)
    }

    /// A file of which so many bytes are announced, and `size` sent.
    pub fn lying(&self, announced: usize, size: usize) -> String {
        self.url("length", announced, size)
    }

    /// A file in chunks that breaks off after `size` bytes.
    pub fn cut(&self, size: usize) -> String {
        self.url("cut", size, size)
    }

    fn url(&self, how: &str, announced: usize, size: usize) -> String {
        format!("http://{}/{how}/{announced}/{size}/my%20photo", self.addr)
    }
}

/// The bytes of such a file.
pub fn file_bytes(size: usize) -> Vec<u8> {
    let mut bytes = block().repeat(size.div_ceil(PERIOD));
    bytes.truncate(size);
    bytes
}

fn block() -> Vec<u8> {
    let mut block = MAGIC.to_vec();
    let mut state: u32 = 1;
    while block.len() < PERIOD {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        block.extend_from_slice(&state.to_be_bytes()[..1]);
    }
    block
}

async fn serve(mut stream: TcpStream) {
    // A client that has enough closes the connection.
    drop(answer(&mut stream).await);
}

async fn answer(stream: &mut TcpStream) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut parts = head.split('/').skip(1);
    let how = parts.next().expect("a way to send").to_owned();
    let mut number = || parts.next().and_then(|part| part.parse().ok()).expect("a number");
    let (announced, size): (usize, usize) = (number(), number());
    let is_chunked = how != "length";
    let framing = if is_chunked {
        "transfer-encoding: chunked".to_owned()
    } else {
        format!("content-length: {announced}")
    };
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: image/png\r\n{framing}\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let block = block();
    let mut left = size;
    while left > 0 {
        let piece = &block[..block.len().min(left)];
        if is_chunked {
            stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await?;
        }
        stream.write_all(piece).await?;
        if is_chunked {
            stream.write_all(b"\r\n").await?;
        }
        left -= piece.len();
    }
    if how == "chunks" {
        stream.write_all(b"0\r\n\r\n").await?;
    }
    stream.shutdown().await
}
