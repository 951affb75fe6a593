//! Server-sent events (HTML standard, 9.2): sends news for as long as the page listens.

use std::fmt::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::response::{stream_head, write};
use crate::preview::hub::{Heard, Listener};

/// The minimum time between two messages to a page: neither screens nor people are faster.
const PAUSE: Duration = Duration::from_millis(100);
/// After this much silence a comment is sent, to detect a page that has gone away.
const SILENCE: Duration = Duration::from_secs(10);
/// A page that does not accept a message for this long is dropped; it will reconnect.
const LIMIT: Duration = Duration::from_secs(20);
/// Milliseconds after which a browser reconnects.
const RETRY: u32 = 1000;

/// Sends a page the news until either side goes away. `hello` is JSON about the program, sent first.
pub(super) fn stream(stream: &mut TcpStream, mut listener: Listener, hello: &str) -> std::io::Result<()> {
    let mut send = |text: &str| write(stream, text.as_bytes(), Instant::now() + LIMIT);
    send(&format!("{}retry: {RETRY}\n\n{}", stream_head(), event("hello", hello)))?;
    loop {
        match listener.next(SILENCE) {
            Heard::News(news) => {
                let text: String = news.iter().map(|(name, json)| event(name, json)).collect();
                send(&text)?;
                // News that arrives during the pause is sent together, only the newest of each kind.
                std::thread::sleep(PAUSE);
            }
            Heard::Silence => send(": still here\n\n")?,
            Heard::End => return send(&event("end", "{}")),
        }
    }
}

/// Formats an event. Data of several lines becomes several `data` lines, which the browser joins again.
fn event(name: &str, data: &str) -> String {
    let mut text = format!("event: {name}\n");
    // All line ends of the event format.
    for line in data.replace("\r\n", "\n").split(['\n', '\r']) {
        let _ = writeln!(text, "data: {line}");
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn framing() {
        assert_eq!(event("step", r#"{"a":1}"#), "event: step\ndata: {\"a\":1}\n\n");
        assert_eq!(event("x", "a\r\nb\rc\n\nd"), "event: x\ndata: a\ndata: b\ndata: c\ndata: \ndata: d\n\n");
        assert_eq!(event("x", ""), "event: x\ndata: \n\n");
    }
}
