//! A reader of server-sent events (WHATWG HTML, "Server-sent events"), for the one kind fal sends:
//! events that consist of `data`. Names, ids and reconnection times are skipped.

/// The longest line, and the longest event, in bytes.
const MAX_BYTES: usize = 1024 * 1024;

/// Takes bytes as they arrive and gives the data of each complete event.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    line: Vec<u8>,
    data: Option<Vec<u8>>,
    after_cr: bool,
    begun: bool,
}

/// A line or an event is longer than we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than {MAX_BYTES} bytes")]
pub(crate) struct TooLong;

impl Reader {
    /// Reads more bytes and returns the data of the events that they complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, TooLong> {
        let mut events = Vec::new();
        for &byte in bytes {
            // A line ends with LF, CR, or CR LF, and the last of these may come in two pieces.
            let second_half = self.after_cr && byte == b'\n';
            self.after_cr = byte == b'\r';
            match byte {
                b'\n' if second_half => {}
                b'\n' | b'\r' => events.extend(self.end_line()?),
                byte if self.line.len() < MAX_BYTES => self.line.push(byte),
                _ => return Err(TooLong),
            }
        }
        Ok(events)
    }

    /// Takes the line; an empty one completes an event.
    fn end_line(&mut self) -> Result<Option<Vec<u8>>, TooLong> {
        let line = std::mem::take(&mut self.line);
        let mut line = line.as_slice();
        if !self.begun {
            self.begun = true;
            line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
        }
        if line.is_empty() {
            return Ok(self.data.take());
        }
        let (field, value) = match line.iter().position(|&byte| byte == b':') {
            Some(colon) => line.split_at(colon),
            None => (line, &b""[..]),
        };
        if field == b"data" {
            let value = value.strip_prefix(b":").unwrap_or(value);
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match &mut self.data {
                Some(data) if data.len() + value.len() >= MAX_BYTES => return Err(TooLong),
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(pieces: &[&[u8]]) -> Vec<String> {
        let mut reader = Reader::default();
        pieces
            .iter()
            .flat_map(|piece| reader.push(piece).unwrap())
            .map(|data| String::from_utf8(data).unwrap())
            .collect()
    }

    #[test]
    fn events_are_read_with_any_line_end_and_any_cut() {
        let streams: [&[u8]; 4] = [
            b"data: a\n\ndata: b\n\n",
            b"data: a\r\n\r\ndata: b\r\n\r\n",
            b"data: a\r\rdata: b\r\r",
            b"\xEF\xBB\xBFdata:a\n\n\ndata:b\n\n",
        ];
        for stream in streams {
            assert_eq!(events(&[stream]), ["a", "b"]);
            let bytes: Vec<&[u8]> = stream.chunks(1).collect();
            assert_eq!(events(&bytes), ["a", "b"]);
        }
    }

    #[test]
    fn only_data_counts() {
        let stream =
            b": ping\n\nevent: status\nid: 7\nretry: 10\ndata: a\ndata:  b\n\ndata\n\ndatum: c\n\n";
        assert_eq!(events(&[stream]), ["a\n b", ""]);
    }

    #[test]
    fn an_event_that_is_not_complete_is_not_given() {
        assert!(events(&[b"data: a\n"]).is_empty());
        assert!(events(&[b"data: a"]).is_empty());
    }

    #[test]
    fn lines_and_events_are_bounded() {
        let mut reader = Reader::default();
        assert_eq!(reader.push(&vec![b'x'; MAX_BYTES]), Ok(vec![]));
        assert_eq!(reader.push(b"x"), Err(TooLong));

        let mut reader = Reader::default();
        let line = [b"data: ".as_slice(), &vec![b'x'; 1000], b"\n"].concat();
        let outcome = (0..2000).find_map(|_| reader.push(&line).err());
        assert_eq!(outcome, Some(TooLong));
    }
}
