//! `--watch`: what is saved is rendered.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Stdio};
use std::sync::mpsc::{Receiver, channel};

use crate::bench::{Bench, DEADLINE, SMALL, endless, until};

/// A program that watches `small.toml`.
struct Watching {
    bench: Bench,
    child: Child,
    lines: Receiver<String>,
}

fn lines(stderr: ChildStderr) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

impl Watching {
    fn start(text: &str) -> Self {
        let bench = Bench::new();
        bench.write("small.toml", text);
        let mut program = bench.program();
        program.args(["small.toml", "--watch"]).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = program.spawn().unwrap();
        let lines = lines(child.stderr.take().unwrap());
        Watching { bench, child, lines }
    }

    /// Waits for a line of stderr with these words; returns all lines up to it.
    #[track_caller]
    fn hear(&self, words: &str) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            match self.lines.recv_timeout(DEADLINE) {
                Ok(line) => heard.push(line),
                Err(error) => panic!("{words:?} was never heard ({error}), but {heard:#?}"),
            }
            if heard.last().is_some_and(|line| line.contains(words)) {
                return heard;
            }
        }
    }

    /// Waits until the picture is the one of this text, and the program idle.
    #[track_caller]
    fn expect(&self, text: &str) -> Vec<String> {
        let mut heard = Vec::new();
        until("the picture shows what was saved", || {
            heard.extend(self.hear("watching small.toml"));
            self.bench.recovered("small.png").as_deref() == Some(text.as_bytes())
        });
        heard
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The small recipe with another seed.
fn seeded(seed: u64) -> String {
    SMALL.replace("seed = 4", &format!("seed = {seed}"))
}

#[test]
fn whatever_way_it_is_saved() {
    let watching = Watching::start(SMALL);
    watching.expect(SMALL);
    let recipe = watching.bench.path("small.toml");
    // Truncated and written.
    fs::write(&recipe, seeded(5)).unwrap();
    watching.expect(&seeded(5));
    // Written elsewhere and renamed.
    watching.bench.write("new", seeded(6));
    fs::rename(watching.bench.path("new"), &recipe).unwrap();
    watching.expect(&seeded(6));
    // Moved away, then written anew.
    fs::rename(&recipe, watching.bench.path("small.toml~")).unwrap();
    fs::write(&recipe, seeded(7)).unwrap();
    watching.expect(&seeded(7));
    // Deleted, and back.
    fs::remove_file(&recipe).unwrap();
    fs::write(&recipe, seeded(8)).unwrap();
    watching.expect(&seeded(8));
}

#[test]
fn a_mistake_is_shown_and_the_picture_kept() {
    let watching = Watching::start(SMALL);
    watching.expect(SMALL);
    let picture = watching.bench.read("small.png");
    watching.bench.write("new", format!("sice = 4\n{SMALL}"));
    fs::rename(watching.bench.path("new"), watching.bench.path("small.toml")).unwrap();
    watching.hear("small.toml:1:1");
    watching.hear("watching");
    assert_eq!(watching.bench.read("small.png"), picture);
    fs::write(watching.bench.path("small.toml"), seeded(5)).unwrap();
    watching.expect(&seeded(5));
}

#[test]
fn a_recipe_wrong_from_the_start_can_be_mended() {
    let watching = Watching::start("sice = 4\n");
    watching.hear("small.toml:1:1");
    fs::write(watching.bench.path("small.toml"), SMALL).unwrap();
    watching.expect(SMALL);
}

#[test]
fn a_touch_changes_nothing() {
    let watching = Watching::start(SMALL);
    watching.expect(SMALL);
    let recipe = watching.bench.path("small.toml");
    fs::File::options().write(true).open(&recipe).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
    watching.bench.write("small.png~", "another program's");
    watching.bench.write("new", seeded(5));
    fs::rename(watching.bench.path("new"), &recipe).unwrap();
    let heard = watching.expect(&seeded(5));
    let renders = heard.iter().filter(|line| line.contains("6 steps")).count();
    assert_eq!(renders, 1, "{heard:#?}");
}

#[test]
fn a_running_render_goes_on_after_a_mistake_and_stops_for_a_better_recipe() {
    let watching = Watching::start(&endless());
    // It grows on disk meanwhile.
    until("the growing picture is there", || watching.bench.recovered("small.png") == Some(endless().into_bytes()));
    watching.bench.write("new", format!("sice = 4\n{SMALL}"));
    fs::rename(watching.bench.path("new"), watching.bench.path("small.toml")).unwrap();
    let heard = watching.hear("small.toml:1:1");
    assert!(!heard.iter().any(|line| line.contains("watching")), "{heard:#?}");
    fs::write(watching.bench.path("small.toml"), SMALL).unwrap();
    watching.hear("starting again");
    watching.expect(SMALL);
}

#[test]
fn a_file_the_recipe_needs_is_followed() {
    let bench = Bench::small();
    bench.done(&["small.toml", "-o", "a.png"]);
    bench.done(&["small.toml", "--seed", "9", "-o", "b.png"]);
    let watching = Watching::start(SMALL);
    watching.expect(SMALL);
    fs::copy(bench.path("a.png"), watching.bench.path("start.png")).unwrap();
    let text = format!("{SMALL}\n[canvas]\ninit = {{ image = \"start.png\" }}\n");
    watching.bench.write("small.toml", &text);
    watching.expect(&text);
    fs::copy(bench.path("b.png"), watching.bench.path("start.png")).unwrap();
    watching.hear("6 steps");
}

#[test]
fn what_the_recipe_builds_on_is_followed_even_while_it_is_wrong() {
    let text = "extends = 'base.toml'\nseed = 8\n";
    let watching = Watching::start(text);
    watching.hear("cannot build on \"base.toml\": there is no such file");
    watching.hear("watching small.toml");
    let base = watching.bench.path("base.toml");
    let save = |text: &str| {
        watching.bench.write("new", text);
        fs::rename(watching.bench.path("new"), &base).unwrap();
    };
    save(&format!("sice = 3\n{SMALL}"));
    watching.hear("base.toml:1:1");
    watching.hear("watching small.toml");
    save(SMALL);
    watching.expect(text);
    let first = watching.bench.read("small.png");
    save(&SMALL.replace("castle", "volcano"));
    watching.hear("6 steps");
    watching.hear("watching small.toml");
    assert_ne!(watching.bench.read("small.png"), first);
    assert!(watching.bench.done(&["recover", "small.png"]).err.contains("builds on base.toml"));
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it() {
    let interrupt = |watching: &mut Watching| {
        let id = watching.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        assert_eq!(watching.child.wait().unwrap().code(), Some(130));
    };
    let mut idle = Watching::start(SMALL);
    idle.expect(SMALL);
    interrupt(&mut idle);
    let mut busy = Watching::start(&endless());
    until("the growing picture is there", || busy.bench.path("small.png").exists());
    interrupt(&mut busy);
    busy.hear("stopped after");
    assert_eq!(busy.bench.recovered("small.png").unwrap(), endless().as_bytes());
}
