//! A connection that is written to byte by byte: cut, slow and oversized requests.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A TCP connection to a server. Dropping it closes it.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
}

impl Connection {
    /// Connects.
    pub async fn open(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.expect("a connection");
        stream.set_nodelay(true).expect("TCP_NODELAY");
        Self { stream }
    }

    /// Writes; a peer that has closed already is not an error.
    pub async fn write(&mut self, bytes: &[u8]) {
        drop(self.stream.write_all(bytes).await);
    }

    /// Reads until `end` stands in what came, which it answers with.
    pub async fn read_until(&mut self, end: &str, patience: Duration) -> String {
        let mut read = Vec::new();
        let reading = async {
            let mut piece = [0; 4096];
            while !String::from_utf8_lossy(&read).contains(end) {
                let length = self.stream.read(&mut piece).await.expect("more bytes");
                assert_ne!(length, 0, "closed after: {}", String::from_utf8_lossy(&read));
                read.extend_from_slice(&piece[..length]);
            }
        };
        timeout(patience, reading).await.unwrap_or_else(|_| panic!("no {end:?} in time"));
        String::from_utf8_lossy(&read).into_owned()
    }

    /// The body of one answer that says its length; nothing if the connection ends before it.
    pub async fn read_answer(&mut self, patience: Duration) -> Option<String> {
        let mut read = String::new();
        let reading = async {
            let mut piece = [0; 4096];
            loop {
                match self.stream.read(&mut piece).await {
                    Ok(length @ 1..) => read.push_str(&String::from_utf8_lossy(&piece[..length])),
                    Ok(0) | Err(_) if read.is_empty() => return None,
                    end => panic!("{end:?} within an answer: {read}"),
                }
                let Some((head, body)) = read.split_once("\r\n\r\n") else { continue };
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if length.expect("a length").parse() == Ok(body.len()) {
                    return Some(body.to_owned());
                }
            }
        };
        timeout(patience, reading).await.expect("an answer in time")
    }

    /// Everything up to the end of the connection, as text. A reset counts as an end.
    pub async fn read_to_end(self, patience: Duration) -> String {
        String::from_utf8_lossy(&self.read_bytes_to_end(patience).await).into_owned()
    }

    /// The same as bytes.
    pub async fn read_bytes_to_end(mut self, patience: Duration) -> Vec<u8> {
        let mut read = Vec::new();
        let reading = async {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = self.stream.read(&mut piece).await {
                read.extend_from_slice(&piece[..length]);
            }
        };
        timeout(patience, reading).await.expect("the end of the connection in time");
        read
    }
}
