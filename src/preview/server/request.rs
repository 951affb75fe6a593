//! Reads a request: a head of bounded size within a bounded time, and no body.

use std::io::{self, Read};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The maximum size of a head in bytes; browsers send one or two thousand.
const LONGEST: usize = 8 << 10;
/// The maximum number of headers.
const MOST: usize = 64;

/// A parsed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub method: String,
    /// The path without the query; never looked up in a file system.
    pub path: String,
    /// Undecoded names and values; ours need no decoding.
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
}

/// Why a request cannot be processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// The client sent nothing or has gone, so nobody is left to answer.
    Gone,
    /// The request did not come in time.
    Late,
    /// The head is longer than any browser sends.
    TooLong,
    /// The request has a body.
    Body,
    /// This is not HTTP.
    Wrong,
}

impl Request {
    /// Reads a request within `limit`.
    pub fn read(stream: &mut TcpStream, limit: Duration) -> Result<Self, Unreadable> {
        let end = Instant::now() + limit;
        let mut head = Vec::with_capacity(1024);
        let mut buffer = [0; 1024];
        loop {
            // With a read timeout alone, a client could send one byte every few seconds for ever.
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Unreadable::Late);
            }
            stream.set_read_timeout(Some(left)).map_err(|_| Unreadable::Gone)?;
            let read = match stream.read(&mut buffer) {
                Ok(0) => return Err(Unreadable::Gone),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Err(Unreadable::Late);
                }
                Err(_) => return Err(Unreadable::Gone),
            };
            head.extend_from_slice(&buffer[..read]);
            if let Some(request) = Request::parse(&head)? {
                return Ok(request);
            }
            if head.len() > LONGEST {
                return Err(Unreadable::TooLong);
            }
        }
    }

    /// Parses a request once its head is complete; what follows the head is ignored.
    pub fn parse(head: &[u8]) -> Result<Option<Self>, Unreadable> {
        let mut headers = [httparse::EMPTY_HEADER; MOST];
        let mut request = httparse::Request::new(&mut headers);
        let length = match request.parse(head) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(Unreadable::TooLong),
            Err(_) => return Err(Unreadable::Wrong),
        };
        if length > LONGEST {
            return Err(Unreadable::TooLong);
        }
        let (Some(method), Some(target)) = (request.method, request.path) else { return Err(Unreadable::Wrong) };
        let header = |header: &httparse::Header| {
            // None of our names and values contains characters beyond ASCII.
            Some((header.name.to_owned(), std::str::from_utf8(header.value).ok()?.trim().to_owned()))
        };
        let headers: Vec<(String, String)> = request.headers.iter().filter_map(header).collect();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.to_owned(), value.to_owned())
        };
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
        let request = Request { method: method.to_owned(), path: path.to_owned(), query, headers };
        let empty = request.header("content-length").is_none_or(|length| length == "0");
        if !empty || request.header("transfer-encoding").is_some() {
            return Err(Unreadable::Body);
        }
        Ok(Some(request))
    }

    /// Returns a header that occurs exactly once; of two, it would be unclear which is meant.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let (_, value) = values.next()?;
        values.next().is_none().then_some(value)
    }

    /// Returns a value of the query.
    pub fn asked(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Parses a request as tests write it: its first line and its headers.
    #[cfg(test)]
    pub fn of(text: &str) -> Self {
        let head = format!("{}\r\n\r\n", text.trim().lines().map(str::trim).collect::<Vec<_>>().join("\r\n"));
        Request::parse(head.as_bytes()).unwrap().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::TcpListener;

    #[test]
    fn parts_of_a_request() {
        let request = Request::of("GET /frame?after=3&x HTTP/1.1\nHost: a:1\nhost2: b\nTwice: 1\ntwice: 2");
        assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/frame"));
        assert_eq!((request.asked("after"), request.asked("x"), request.asked("y")), (Some("3"), Some(""), None));
        assert_eq!((request.header("HOST"), request.header("twice")), (Some("a:1"), None));
    }

    #[test]
    fn what_is_no_request_of_ours() {
        let of = |text: &str| Request::parse(text.as_bytes());
        assert_eq!(of("GET / HTTP/1.1\r\nHost: a"), Ok(None));
        assert_eq!(of("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n"), Err(Unreadable::Body));
        assert_eq!(of("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), Err(Unreadable::Body));
        assert_eq!(of("\u{16}\u{3}\u{1} hello\r\n\r\n"), Err(Unreadable::Wrong));
        let many = "a: b\r\n".repeat(MOST + 1);
        assert_eq!(of(&format!("GET / HTTP/1.1\r\n{many}\r\n")), Err(Unreadable::TooLong));
    }

    /// Returns the result for a client that does `act`.
    fn served(limit: Duration, act: impl FnOnce(TcpStream) + Send + 'static) -> Result<Request, Unreadable> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let client = std::thread::spawn(move || act(client));
        let (mut stream, _) = listener.accept().unwrap();
        let read = Request::read(&mut stream, limit);
        drop(stream);
        client.join().unwrap();
        read
    }

    #[test]
    fn slow_and_endless_clients_are_given_up() {
        let slow = served(Duration::from_millis(200), |mut client| {
            // Send a byte now and then until nobody listens any more.
            while client.write_all(b"G").is_ok() {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        assert_eq!(slow, Err(Unreadable::Late));
        let endless = served(Duration::from_secs(60), |mut client| {
            let _ = client.write_all(b"GET / HTTP/1.1\r\n");
            while client
                .write_all(b"a: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
                .is_ok()
            {}
        });
        assert_eq!(endless, Err(Unreadable::TooLong));
        assert_eq!(served(Duration::from_secs(60), drop), Err(Unreadable::Gone));
        let whole = served(Duration::from_secs(60), |mut client| {
            for part in ["GET /x", " HTTP/1.1\r\nHo", "st: a\r\n\r", "\n"] {
                client.write_all(part.as_bytes()).unwrap();
                client.flush().unwrap();
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        assert_eq!(whole.unwrap().path, "/x");
    }
}
