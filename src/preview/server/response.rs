//! Answers, always with the headers that keep a page safe, and always sent within a bounded time.

use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// The headers of every answer: it must not be cached, sniffed, embedded by other sites, or reported to them.
const ALWAYS: &str = "Cache-Control: no-store\r\n\
    X-Content-Type-Options: nosniff\r\n\
    X-Frame-Options: DENY\r\n\
    Referrer-Policy: no-referrer\r\n\
    Cross-Origin-Resource-Policy: same-origin\r\n\
    Cross-Origin-Opener-Policy: same-origin\r\n\
    Connection: close\r\n";

/// The number of bytes written at a time.
const CHUNK: usize = 64 << 10;

/// An answer with its complete body.
#[derive(Debug)]
pub(super) struct Response {
    pub status: u16,
    kind: &'static str,
    headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// Returns an answer with status 200 and a body of this media type.
    pub fn of(kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Response { status: 200, kind, headers: Vec::new(), body: body.into() }
    }

    /// Returns an answer with a status and a short text.
    pub fn status(status: u16, words: &str) -> Self {
        Response { status, ..Response::of("text/plain; charset=utf-8", words) }
    }

    /// Adds a header. The value must be ASCII without control characters.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn head(&self) -> String {
        let reason = reason(self.status);
        let mut head = format!("HTTP/1.1 {} {reason}\r\n{ALWAYS}Content-Length: {}\r\n", self.status, self.body.len());
        if self.status != 204 {
            head.push_str(&format!("Content-Type: {}\r\n", self.kind));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head + "\r\n"
    }

    /// Sends the answer and ends the connection. Gives up after `limit`.
    pub fn send(&self, stream: &mut TcpStream, limit: Duration) -> io::Result<()> {
        let end = Instant::now() + limit;
        write(stream, self.head().as_bytes(), end)?;
        write(stream, &self.body, end)?;
        stream.shutdown(Shutdown::Write)
    }
}

/// Returns the head of an event stream, which continues for as long as both sides want.
pub(super) fn stream_head() -> String {
    format!("HTTP/1.1 200 OK\r\n{ALWAYS}Content-Type: text/event-stream\r\n\r\n")
}

/// Writes all bytes before `end`: a client that reads a byte a minute is dropped like one that reads nothing.
pub(super) fn write(stream: &mut TcpStream, mut bytes: &[u8], end: Instant) -> io::Result<()> {
    while !bytes.is_empty() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_write_timeout(Some(left))?;
        match stream.write(&bytes[..bytes.len().min(CHUNK)]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        202 => "Accepted",
        204 => "No Content",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn every_answer_has_the_headers_that_keep_it_safe() {
        let head = Response::status(404, "nothing").with("Allow", "GET").head();
        for line in [
            "HTTP/1.1 404 Not Found",
            "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff",
            "Content-Length: 7",
            "Allow: GET",
        ] {
            assert!(head.lines().any(|other| other == line), "{line}: {head}");
        }
        assert!(head.ends_with("\r\n\r\n") && !stream_head().contains("Content-Length"));
    }

    #[test]
    fn who_takes_nothing_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        let response = Response::of("image/jpeg", vec![0; 64 << 20]);
        assert!(response.send(&mut stream, Duration::from_millis(200)).is_err());
        drop(client);
    }
}
