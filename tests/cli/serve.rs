//! `--serve`: the live page, asked the way a browser asks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use crate::bench::{Bench, DEADLINE, SMALL, endless, pixels, until};

/// A program that serves the page of `small.toml`.
struct Serving {
    bench: Bench,
    child: Child,
    /// Like `127.0.0.1:4711`.
    address: String,
    token: String,
}

impl Serving {
    fn start(text: &str, more: &[&str]) -> Self {
        let bench = Bench::new();
        bench.write("small.toml", text);
        let mut program = bench.program();
        program.args(["small.toml", "--quiet", "--serve"]).args(more);
        let mut child = program.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let link = lines.next().unwrap().unwrap();
        // Somebody must read on, or the program would wait.
        std::thread::spawn(move || lines.for_each(drop));
        let address = link.strip_prefix("live page: http://").unwrap().trim_end_matches('/').to_owned();
        let mut serving = Serving { bench, child, address, token: String::new() };
        let page = serving.get("/");
        let token = page.split("name=\"token\" content=\"").nth(1).unwrap();
        serving.token = token[..32].to_owned();
        serving
    }

    fn send(&self, head: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(format!("{head}\r\n\r\n").as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }

    fn get(&self, path: &str) -> String {
        String::from_utf8_lossy(&self.send(&format!("GET {path} HTTP/1.1\r\nHost: {}", self.address))).into_owned()
    }

    /// What is answered to a wish that is sent as the page sends it.
    fn wish(&self, path: &str) -> String {
        let (address, token) = (&self.address, &self.token);
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nRecipe-Render-Token: {token}"
        );
        String::from_utf8_lossy(&self.send(&head)).into_owned()
    }

    #[track_caller]
    fn granted(&self, path: &str) {
        let answer = self.wish(path);
        assert!(answer.starts_with("HTTP/1.1 202"), "{path}: {answer}");
    }

    fn listen(&self) -> Events {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(format!("GET /events HTTP/1.1\r\nHost: {}\r\n\r\n", self.address).as_bytes()).unwrap();
        Events(BufReader::new(stream))
    }

    fn interrupt(&mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Events(BufReader<TcpStream>);

impl Events {
    /// Waits for an event of this name with these words in its data.
    #[track_caller]
    fn hear(&mut self, name: &str, words: &str) -> serde_json::Value {
        let mut line = String::new();
        let mut event = String::new();
        loop {
            line.clear();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the end came before {name} with {words:?}");
            if let Some(name) = line.strip_prefix("event: ") {
                event = name.trim_end().to_owned();
            }
            if let Some(data) = line.strip_prefix("data: ").filter(|data| event == name && data.contains(words)) {
                return serde_json::from_str(data).unwrap();
            }
        }
    }
}

#[test]
fn a_page_shows_and_steers_a_render() {
    let serving = Serving::start(&endless(), &[]);
    let mut events = serving.listen();
    assert_eq!(events.hear("recipe", "")["text"], endless());
    let render = events.hear("render", "");
    assert_eq!((&render["title"], &render["output"]), (&"Small".into(), &"small.png".into()));
    assert_eq!(render["targets"][0]["prompts"][1]["text"], "castle");
    events.hear("step", "");
    events.hear("curves", "[");
    // Pictures come when they are asked for.
    let frame = serving.send(&format!("GET /frame?after=0 HTTP/1.1\r\nHost: {}", serving.address));
    let body = frame.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let picture = image::load_from_memory(&frame[body..]).unwrap();
    assert_eq!((picture.width(), picture.height()), (64, 48));
    assert!(String::from_utf8_lossy(&frame[..body]).contains("\"windows\":[[[["));
    let mut views = String::new();
    until("views come", || {
        views = serving.get("/views?after=0");
        views.starts_with("HTTP/1.1 200")
    });
    assert!(views.contains("\"tiles\":[[0,"), "{views}");

    serving.granted("/pause");
    events.hear("activity", "paused");
    // What is told now is where it stands; nothing more happens.
    let mut paused = serving.listen();
    let step = paused.hear("step", "{")["step"].as_u64().unwrap();
    for more in 1..=3 {
        serving.granted("/step");
        let now = paused.hear("step", "{")["step"].as_u64().unwrap();
        assert_eq!(now, step + more);
    }
    serving.granted("/save");
    let saved = paused.hear("notice", "saved");
    let name = format!("small-{:06}.png", step + 3);
    assert_eq!(saved[1]["name"], name);
    assert_eq!(serving.bench.recovered(&name).unwrap(), endless().as_bytes());
    assert_eq!(pixels(&serving.bench.path(&name)).dimensions(), (64, 48));
    let download = serving.get("/saved");
    assert!(download.contains(&format!("attachment; filename=\"{name}\"")), "{download}");
    serving.granted("/resume");
    paused.hear("activity", "running");
    until("it goes on", || paused.hear("step", "{")["step"].as_u64().unwrap() > step + 4);
}

#[test]
fn strangers_are_refused() {
    let serving = Serving::start(&endless(), &[]);
    serving.listen().hear("step", "{");
    let (address, token) = (&serving.address, &serving.token);
    let send = |head: String| String::from_utf8_lossy(&serving.send(&head)).into_owned();
    for head in [
        format!("POST /pause HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}"),
        format!(
            "POST /pause HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nRecipe-Render-Token: {:032}",
            0
        ),
        format!("POST /pause HTTP/1.1\r\nHost: {address}\r\nRecipe-Render-Token: {token}"),
        format!(
            "POST /pause HTTP/1.1\r\nHost: {address}\r\nOrigin: http://evil.example\r\nRecipe-Render-Token: {token}"
        ),
        format!(
            "POST /pause HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nRecipe-Render-Token: {token}"
        ),
        "GET / HTTP/1.1\r\nHost: evil.example".to_owned(),
        format!("GET /frame HTTP/1.1\r\nHost: {address}\r\nSec-Fetch-Site: cross-site"),
    ] {
        let answer = send(head.clone());
        assert!(answer.starts_with("HTTP/1.1 403") && !answer.contains(&serving.token), "{head}\n{answer}");
    }
    assert!(serving.get("/small.toml").starts_with("HTTP/1.1 404"));
    assert!(serving.get("/../small.toml").starts_with("HTTP/1.1 404"));
    assert!(serving.wish("/pause?").starts_with("HTTP/1.1 202"));
}

#[test]
fn a_page_behind_a_mapped_port_shows_and_steers() {
    let serving = Serving::start(&endless(), &[]);
    serving.listen().hear("step", "{");
    let token = &serving.token;
    let send = |head: String| String::from_utf8_lossy(&serving.send(&head)).into_owned();
    for host in ["localhost:9000", "127.0.0.1:9000", "[::1]:9000", "render.localhost:9000", "localhost"] {
        let page = send(format!("GET / HTTP/1.1\r\nHost: {host}"));
        assert!(page.starts_with("HTTP/1.1 200"), "{host}: {page}");
        let wish = |origin: &str| {
            send(format!("POST /pause HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nRecipe-Render-Token: {token}"))
        };
        assert!(wish(&format!("http://{host}")).starts_with("HTTP/1.1 202"), "{host}");
        for origin in ["http://localhost:3000", "http://evil.example:9000", "null"] {
            assert!(wish(origin).starts_with("HTTP/1.1 403"), "{host} from {origin}");
        }
    }
}

#[test]
fn a_crowd_that_says_nothing_does_not_hold_the_render_up() {
    let serving = Serving::start(&endless(), &[]);
    let mut events = serving.listen();
    events.hear("step", "{");
    let mut crowd = Vec::new();
    for number in 0..1000 {
        let mut stream = TcpStream::connect(&serving.address).unwrap();
        // Some say nothing, some begin and stop, some ask for more than anybody may. Those that are refused may have been
        // closed already.
        let _ = match number % 3 {
            0 => Ok(()),
            1 => stream.write_all(b"GET / HTTP/1.1\r\nHo"),
            _ => stream.write_all(&[b'A'; 64 << 10]),
        };
        crowd.push(stream);
    }
    let step = events.hear("step", "{")["step"].as_u64().unwrap();
    until("the render goes on", || events.hear("step", "{")["step"].as_u64().unwrap() > step + 3);
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string(format!("/proc/{}/status", serving.child.id())).unwrap();
        let threads = status.lines().find_map(|line| line.strip_prefix("Threads:")).unwrap();
        assert!(threads.trim().parse::<usize>().unwrap() < 250, "{threads} threads for 1000 connections");
    }
    drop(crowd);
    until("the page is there again", || {
        let mut stream = TcpStream::connect(&serving.address).unwrap();
        let head = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", serving.address);
        let mut answer = Vec::new();
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.read_to_end(&mut answer));
        answer.starts_with(b"HTTP/1.1 200")
    });
}

#[test]
fn paths_that_climb_and_requests_without_end_get_nothing() {
    let serving = Serving::start(&endless(), &[]);
    for path in [
        "/../small.toml",
        "/saved/../../small.toml",
        "/%2e%2e/small.toml",
        "/..%2fsmall.toml",
        "/..\\small.toml",
        "//small.toml",
        "/saved%00",
        "/frame/../small.toml",
    ] {
        let answer = serving.get(path);
        assert!(answer.starts_with("HTTP/1.1 404") || answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
    }
    // The file that `/saved` sends is the program's own choice.
    assert!(serving.get("/saved?path=/etc/passwd").starts_with("HTTP/1.1 404"));
    for line in [format!("GET /{}", "a".repeat(1 << 20)), format!("GET / HTTP/1.1\r\n{}", "A: b\r\n".repeat(1 << 18))] {
        let mut stream = TcpStream::connect(&serving.address).unwrap();
        // What is not read any more cannot be sent to its end.
        let _ = stream.write_all(line.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));
    }
    assert!(serving.get("/").starts_with("HTTP/1.1 200"));
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_paused_render() {
    let mut serving = Serving::start(&endless(), &[]);
    let mut events = serving.listen();
    events.hear("activity", "running");
    serving.granted("/pause");
    events.hear("activity", "paused");
    assert_eq!(serving.interrupt(), Some(130));
    events.hear("activity", "stopped");
    events.hear("end", "");
    assert_eq!(serving.bench.recovered("small.png").unwrap(), endless().as_bytes());
}

#[test]
fn the_picture_does_not_depend_on_who_watches() {
    let bench = Bench::small();
    bench.done(&["small.toml", "-o", "alone.png"]);
    // Held until its pages are there, so that they see all of it.
    let mut serving = Serving::start(SMALL, &[]);
    let pages: Vec<_> = (0..3).map(|_| serving.listen()).collect();
    let _ = serving.get("/frame");
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
    for mut page in pages {
        page.hear("activity", "finished");
        page.hear("end", "");
    }
    assert_eq!(serving.bench.read("small.png"), bench.read("alone.png"));
}

#[test]
fn mistakes_are_shown_at_their_place_and_the_render_goes_on() {
    let serving = Serving::start(&endless(), &["--watch"]);
    let mut events = serving.listen();
    events.hear("step", "{");
    let wrong = format!("sice = 4\n{SMALL}");
    serving.bench.write("new", &wrong);
    std::fs::rename(serving.bench.path("new"), serving.bench.path("small.toml")).unwrap();
    let recipe = events.hear("recipe", "sice");
    assert_eq!(recipe["text"], wrong);
    let finding = &recipe["findings"][0];
    assert_eq!((&finding["line"], &finding["column"], &finding["end_column"]), (&1.into(), &1.into(), &5.into()));
    assert!(finding["message"].as_str().unwrap().contains("sice"));
    events.hear("step", "{");
    serving.bench.write("new", SMALL);
    std::fs::rename(serving.bench.path("new"), serving.bench.path("small.toml")).unwrap();
    assert_eq!(events.hear("recipe", "")["findings"], serde_json::json!([]));
    events.hear("activity", "finished");
    assert!(serving.wish("/pause").starts_with("HTTP/1.1 409"));
}

#[test]
fn a_recipe_wrong_from_the_start_is_on_the_page() {
    let serving = Serving::start("sice = 4\n", &["--watch"]);
    let mut events = serving.listen();
    assert!(events.hear("recipe", "sice")["findings"][0]["line"].is_u64());
    events.hear("activity", "failed");
}

#[test]
fn addresses_that_cannot_be_served_at() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let bench = Bench::small();
    bench.run(&["small.toml", "--serve", &port]).ended(1).says("cannot serve the live page at 127.0.0.1").says("hint");
    bench.run(&["small.toml", "--serve=nowhere"]).ended(2).says("is not an address like 8080");
    bench.run(&["small.toml", "--serve", "0.0.0.0:0"]).ended(0).says("anyone who has this link").says("/?token=");
}
