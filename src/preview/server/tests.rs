//! Tests the server with well-behaved and badly behaved clients.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::*;
use crate::preview::{Activity, RawFrame, Step};

/// A passing test never waits this long.
const DEADLINE: Duration = Duration::from_secs(60);

struct Site {
    hub: Arc<Hub>,
    server: Server,
}

impl Site {
    fn new() -> Self {
        let hub = Hub::new();
        let server = Server::start(hub.clone(), "127.0.0.1:0".parse().unwrap(), b"test").unwrap();
        Site { hub, server }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.server.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    fn ask(&self, first: &str, headers: &str) -> String {
        let mut stream = self.connect();
        let head = format!("{first} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n", self.server.address);
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Opens a page that listens to events.
    fn listen(&self) -> BufReader<TcpStream> {
        let mut stream = self.connect();
        stream.write_all(format!("GET /events HTTP/1.1\r\nHost: {}\r\n\r\n", self.server.address).as_bytes()).unwrap();
        BufReader::new(stream)
    }
}

/// Reads events until one with this name comes, and returns its data.
fn hear(events: &mut BufReader<TcpStream>, name: &str) -> String {
    let mut lines = events.lines().map(|line| line.unwrap());
    let wanted = format!("event: {name}");
    lines.by_ref().find(|line| *line == wanted).unwrap_or_else(|| panic!("no {name}"));
    lines.next().unwrap().strip_prefix("data: ").unwrap().to_owned()
}

fn step(step: u64) -> Step {
    Step { step, ..Step::default() }
}

fn shot(side: u32) -> RawFrame {
    // Noise, which JPEG cannot compress well.
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let rgb = (0..side * side * 3).map(|_| noise()).collect();
    RawFrame::new([side, side], rgb, true, &serde_json::json!({ "step": 1, "windows": [] }))
}

#[test]
fn the_page_comes_with_its_policy_and_nothing_else_is_there() {
    let site = Site::new();
    let page = site.ask("GET /", "");
    assert!(
        page.starts_with("HTTP/1.1 200 OK\r\n")
            && page.contains("Content-Security-Policy: default-src 'none'; script-src 'nonce-")
    );
    assert!(site.ask("GET /etc/passwd", "").starts_with("HTTP/1.1 404"));
    assert!(site.ask("GET /", "Content-Length: 3\r\n").starts_with("HTTP/1.1 413"));
    assert!(site.ask("GET /", &"A: b\r\n".repeat(2000)).starts_with("HTTP/1.1 431"));
    assert!(site.ask("POST /pause", "").starts_with("HTTP/1.1 403"));
    let mut stream = site.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 403") && !answer.contains(&site.server.token), "{answer}");
}

#[test]
fn everything_is_told_at_first_and_then_what_is_new() {
    let site = Site::new();
    site.hub.activity(Activity::Running);
    site.hub.step(step(7), std::iter::empty());
    let mut events = site.listen();
    assert!(hear(&mut events, "hello").contains("instance"));
    assert_eq!(hear(&mut events, "activity"), "\"running\"");
    assert!(hear(&mut events, "step").contains("\"step\":7"));
    site.hub.step(step(8), std::iter::empty());
    assert!(hear(&mut events, "step").contains("\"step\":8"));
    site.hub.farewell(Duration::ZERO);
    hear(&mut events, "end");
}

#[test]
fn pictures_are_encoded_when_they_are_wanted_and_the_newest_is_sent() {
    let site = Site::new();
    for _ in 0..3 {
        site.hub.show(shot(16));
    }
    let answer = site.ask("GET /frame?after=0", "");
    assert!(answer.contains("Picture-Number: 3\r\n") && answer.contains("Picture-Facts: {\"step\":1"), "{answer}");
    assert!(answer.contains("Content-Type: image/jpeg"));
    // There is no newer picture for now.
    assert!(site.ask("GET /frame?after=3", "").starts_with("HTTP/1.1 204"));
    // A number from an earlier process.
    assert!(site.ask("GET /frame?after=99", "").contains("Picture-Number: 3"));
}

#[test]
fn a_page_that_takes_nothing_keeps_nobody_waiting() {
    let site = Site::new();
    site.hub.activity(Activity::Running);
    // These clients ask and never read.
    let mut stuck: Vec<TcpStream> = (0..20).map(|_| site.listen().into_inner()).collect();
    site.hub.show(shot(1024));
    for _ in 0..20 {
        let mut stream = site.connect();
        stream.write_all(format!("GET /frame HTTP/1.1\r\nHost: {}\r\n\r\n", site.server.address).as_bytes()).unwrap();
        stuck.push(stream);
    }
    let before = Instant::now();
    for number in 1..=2000 {
        site.hub.step(step(number), std::iter::empty());
    }
    // A send that waited would take all of its time limit.
    assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
    // Another page is sent the last step, not all of them.
    let mut events = site.listen();
    assert!(hear(&mut events, "step").contains("\"step\":2000"));
    for stream in stuck {
        let _ = stream.shutdown(Shutdown::Both);
    }
}

#[test]
fn connections_are_bounded() {
    let site = Site::new();
    // These connections send nothing.
    let silent: Vec<TcpStream> = (0..MOST).map(|_| site.connect()).collect();
    let until = Instant::now() + DEADLINE;
    while !site.ask("GET /", "").starts_with("HTTP/1.1 503") {
        assert!(Instant::now() < until);
    }
    drop(silent);
    while !site.ask("GET /", "").starts_with("HTTP/1.1 200") {
        assert!(Instant::now() < until);
    }
}

#[test]
fn listeners_are_fewer_than_connections() {
    let site = Site::new();
    let mut pages: Vec<_> = (0..MOST_LISTENERS).map(|_| site.listen()).collect();
    for page in &mut pages {
        hear(page, "hello");
    }
    assert!(site.ask("GET /events", "").starts_with("HTTP/1.1 503"));
    assert!(site.ask("GET /", "").starts_with("HTTP/1.1 200"));
}

#[test]
fn from_afar_the_link_has_the_token() {
    let near = Site::new();
    assert_eq!(near.server.link(), format!("http://{}/", near.server.address));
    let far = Server::start(Hub::new(), "0.0.0.0:0".parse().unwrap(), b"test").unwrap();
    assert!(far.link().ends_with(&format!(":{}/?token={}", far.address.port(), far.token)), "{}", far.link());
    assert!(!far.link().contains("0.0.0.0"));
}
