//! The client: one keep-alive HTTP/1.1 connection, one request at a time. It knows just enough of
//! HTTP to check the status and to find the end of a body that has a `Content-Length`, so that it
//! costs less than any server it measures.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::error::Error;

/// Holds a whole answer of the usual size, so that it is mostly read in one piece.
const BUFFER_BYTES: usize = 64 * 1024;
/// An answer beyond this is a mistake.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
const HEAD_END: &[u8] = b"\r\n\r\n";

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(addr: SocketAddr) -> Result<Self, Error> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(BUFFER_BYTES) })
    }

    /// Sends a whole request and reads the body of its answer. Any status but 200 is an error.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<&[u8], Error> {
        match self.exchange(request).await? {
            (200, body) => Ok(body),
            (status, body) => Err(Error::wrong(&format!("200 instead of {status}"), body)),
        }
    }

    /// The same with whatever status, which comes with the body.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<(u16, &[u8]), Error> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            self.read().await?;
            if let Some(head) = Head::parse(&self.buffer)? {
                break head;
            }
        };
        let end = head.bytes.saturating_add(head.body_bytes);
        if end > MAX_ANSWER_BYTES {
            return Err(Error::WrongAnswer(format!("an answer of {end} bytes")));
        }
        self.buffer.reserve(end.saturating_sub(self.buffer.len()));
        while self.buffer.len() < end {
            self.read().await?;
        }
        if self.buffer.len() > end {
            return Err(Error::WrongAnswer("more bytes than Content-Length says".to_owned()));
        }
        Ok((head.status, self.buffer.get(head.bytes..).unwrap_or_default()))
    }

    async fn read(&mut self) -> Result<(), Error> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => {
                Err(Error::WrongAnswer("the connection closed before the answer's end".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

/// What has to be known of an answer's head.
#[derive(Debug, PartialEq)]
struct Head {
    status: u16,
    /// The length of the head itself.
    bytes: usize,
    body_bytes: usize,
}

impl Head {
    /// The head, if all of it has arrived.
    fn parse(buffer: &[u8]) -> Result<Option<Self>, Error> {
        let Some(length) = buffer.windows(HEAD_END.len()).position(|bytes| bytes == HEAD_END)
        else {
            return Ok(None);
        };
        let read = || {
            let head = std::str::from_utf8(buffer.get(..length)?).ok()?;
            let mut lines = head.split("\r\n");
            let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
            let body_bytes = lines
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.trim().parse().ok())?;
            Some(Self { status, bytes: length + HEAD_END.len(), body_bytes })
        };
        read().map(Some).ok_or_else(|| Error::wrong("a status and a Content-Length", buffer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    /// Asks a server that answers the first request with these pieces and then closes.
    async fn answer_of(pieces: &[&[u8]]) -> Result<Vec<u8>, Error> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            stream.read_exact(&mut [0; 4]).await.unwrap();
            for piece in pieces {
                stream.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let ask = async {
            let mut connection = Connection::open(addr).await?;
            connection.ask(b"GET ").await.map(<[u8]>::to_vec)
        };
        tokio::join!(serve, ask).1
    }

    #[tokio::test]
    async fn an_answer_is_read_whole_however_it_is_cut() {
        let pieces: [&[u8]; 4] =
            [b"HTTP/1.1 200 OK\r\nConte", b"nt-Length: 4\r\n\r", b"\n{\"", b"\"}"];
        assert_eq!(answer_of(&pieces).await.unwrap(), b"{\"\"}");
    }

    #[tokio::test]
    async fn what_is_not_a_whole_200_of_known_length_is_a_wrong_answer() {
        for (answer, reason) in [
            ("HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno", "200 instead of 503, got no"),
            ("HTTP/1.1 200 OK\r\n\r\n", "a status and a Content-Length"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", "more bytes than"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "closed before"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", "an answer of 100000044 bytes"),
        ] {
            let error = answer_of(&[answer.as_bytes()]).await.unwrap_err();
            assert!(matches!(error, Error::WrongAnswer(_)), "{error}");
            assert!(error.to_string().contains(reason), "{error}");
        }
    }
}
