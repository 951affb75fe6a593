//! `--watch`: what is saved is rendered.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Stdio};
use std::sync::mpsc::{Receiver, channel};

use crate::advice::mine;
use crate::bench::{Bench, DEADLINE, SMALL, endless, pixels, until};

/// A program that watches, `small.toml` unless it is told otherwise.
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
        Self::start_in(Bench::new(), text)
    }

    fn start_in(bench: Bench, text: &str) -> Self {
        bench.write("small.toml", text);
        Self::start_with(bench, &["small.toml", "--watch"])
    }

    fn start_with(bench: Bench, arguments: &[&str]) -> Self {
        Self::start_at(bench, ".", arguments)
    }

    /// In a folder of the bench.
    fn start_at(bench: Bench, folder: &str, arguments: &[&str]) -> Self {
        let mut program = bench.program();
        program.current_dir(bench.path(folder));
        program.args(arguments).stdout(Stdio::null()).stderr(Stdio::piped());
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
            heard.extend(self.hear("waiting for an edit of small.toml"));
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

/// Writes a file as careful editors do: it appears whole.
fn save(bench: &Bench, name: &str, text: &str) {
    bench.write("new", text);
    fs::rename(bench.path("new"), bench.path(name)).unwrap();
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
    watching.hear("waiting");
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
    assert!(!heard.iter().any(|line| line.contains("waiting")), "{heard:#?}");
    fs::write(watching.bench.path("small.toml"), SMALL).unwrap();
    watching.hear("edit at ");
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

/// As version control, restores and `rsync --delete` do it.
#[test]
fn the_recipe_s_folder_may_be_replaced() {
    for (start, recipe, picture) in [(".", "wd/small.toml", "small.png"), ("wd", "small.toml", "wd/small.png")] {
        let bench = Bench::new();
        bench.write("wd/small.toml", SMALL);
        let watching = Watching::start_at(bench, start, &[recipe, "--watch"]);
        let bench = &watching.bench;
        let rename = |from: &str, to: &str| fs::rename(bench.path(from), bench.path(to)).unwrap();
        let shows = |text: &str| {
            until("the picture shows what is there", || {
                watching.hear("waiting for an edit of");
                bench.recovered(picture).as_deref() == Some(text.as_bytes())
            });
        };
        shows(SMALL);
        bench.write("wd.new/small.toml", seeded(5));
        rename("wd", "wd.old");
        rename("wd.new", "wd");
        shows(&seeded(5));
        bench.write("wd/small.toml", seeded(6));
        shows(&seeded(6));
        // Removed, and made anew.
        fs::remove_dir_all(bench.path("wd")).unwrap();
        bench.write("wd/small.toml", seeded(7));
        shows(&seeded(7));
    }
}

#[test]
fn what_was_missing_in_a_missing_folder_is_noticed_when_it_comes() {
    let bench = Bench::small();
    bench.done(&["small.toml", "-o", "a.png"]);
    let picture = bench.read("a.png");
    let text = "extends = 'parts/base.toml'\nmodel = './models/mine'\n[canvas]\ninit = { image = 'start/a.png' }\n";
    let watching = Watching::start_in(bench, text);
    let bench = &watching.bench;
    watching.hear("cannot build on \"parts/base.toml\": there is no such file");
    watching.hear("waiting for an edit of small.toml");
    bench.write("parts/base.toml", SMALL);
    watching.hear("cannot start from \"start/a.png\": there is no such file");
    watching.hear("waiting for an edit of small.toml");
    bench.write("start/a.png", picture);
    watching.hear("models/mine");
    watching.hear("waiting for an edit of small.toml");
    // Written elsewhere, and moved to its place as a whole.
    for file in fs::read_dir(crate::tiny::folder()).unwrap().flatten() {
        bench.write(&format!("fresh/{}", file.file_name().to_string_lossy()), fs::read(file.path()).unwrap());
    }
    fs::create_dir(bench.path("models")).unwrap();
    fs::rename(bench.path("fresh"), bench.path("models/mine")).unwrap();
    watching.expect(text);
}

#[test]
fn what_the_recipe_builds_on_is_followed_even_while_it_is_wrong() {
    let text = "extends = 'base.toml'\nseed = 8\n";
    let watching = Watching::start(text);
    watching.hear("cannot build on \"base.toml\": there is no such file");
    watching.hear("waiting for an edit of small.toml");
    let base = watching.bench.path("base.toml");
    let save = |text: &str| {
        watching.bench.write("new", text);
        fs::rename(watching.bench.path("new"), &base).unwrap();
    };
    save(&format!("sice = 3\n{SMALL}"));
    watching.hear("base.toml:1:1");
    watching.hear("waiting for an edit of small.toml");
    save(SMALL);
    watching.expect(text);
    let first = watching.bench.read("small.png");
    save(&SMALL.replace("castle", "volcano"));
    watching.hear("6 steps");
    watching.hear("waiting for an edit of small.toml");
    assert_ne!(watching.bench.read("small.png"), first);
    assert!(watching.bench.done(&["recover", "small.png"]).err.contains("builds on base.toml"));
}

/// Steps of the phases that an edit leaves alone are not done again, and the picture is the one of an undisturbed render.
#[test]
fn an_edit_goes_on_from_where_it_matters() {
    let text = SMALL.replacen("steps = 3", "steps = 20", 1).replacen(
        "steps = 3",
        "steps = 5000000\nrate = 0.05\nfinest = 9",
        1,
    );
    let text = text.replacen("steps = 20", "steps = 20\nrate = 0.05\nfinest = 9", 1);
    let bench = Bench::new().keeping();
    let watching = Watching::start_in(bench, &text);
    until("the second phase is under way", || !watching.bench.checkpoints().is_empty());
    // A comment is no reason to do anything again.
    let commented = format!("# a comment\n{text}");
    watching.bench.write("small.toml", &commented);
    let heard = watching.hear("resuming at step");
    assert!(heard.iter().any(|line| line.contains("small.toml: only comments")), "{heard:#?}");
    // The second phase alone changes.
    let edited = text.replacen("steps = 5000000\nrate = 0.05", "steps = 4\nrate = 0.01", 1);
    watching.bench.write("small.toml", &edited);
    let heard = watching.hear("resuming at step 20 of 24: phase 2");
    assert!(heard.iter().any(|line| line.contains("small.toml: phase.1.rate, phase.1.steps")), "{heard:#?}");
    watching.expect(&edited);
    let undisturbed = Bench::new();
    undisturbed.write("small.toml", &edited);
    undisturbed.done(&["small.toml"]);
    assert_eq!(watching.bench.read("small.png"), undisturbed.read("small.png"));
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

/// Two recipes, one that does not end and one that is edited: each picture is that of an undisturbed render.
#[test]
fn several_recipes_take_turns() {
    let bench = Bench::new();
    let long = SMALL.replace("steps = 3", "steps = 400");
    bench.write("long.toml", &long);
    bench.write("small.toml", SMALL);
    let watching = Watching::start_with(bench, &["watch", "long.toml", "small.toml"]);
    until("the first one is under way", || watching.bench.path("long.png").exists());
    // An edit of the other one comes first.
    save(&watching.bench, "small.toml", &seeded(5));
    watching.hear("small.toml: seed");
    watching.hear("long.toml: put aside at step");
    watching.hear("small.png: 6 steps");
    watching.hear("long.toml: resuming at step");
    assert_eq!(watching.bench.recovered("small.png").unwrap(), seeded(5).as_bytes());
    watching.hear("waiting for an edit of one of 2 recipes");
    let alone = Bench::new();
    alone.write("long.toml", &long);
    alone.done(&["long.toml"]);
    assert_eq!(watching.bench.read("long.png"), alone.read("long.png"));
}

#[test]
fn recipes_of_a_folder_come_and_go() {
    let bench = Bench::new();
    bench.write("recipes/a.toml", SMALL);
    bench.write("recipes/b.toml", "sice = 4\n");
    bench.write("recipes/notes.txt", "none");
    fs::create_dir(bench.path("out")).unwrap();
    let watching = Watching::start_with(bench, &["recipes", "--watch", "-o", "out"]);
    watching.hear("b.toml:1:1");
    watching.hear("waiting for an edit of one of 2 recipes; these cannot be rendered as they stand: recipes/b.toml");
    let bench = &watching.bench;
    assert_eq!(bench.recovered("out/a.png").unwrap(), SMALL.as_bytes());
    save(bench, "recipes/b.toml", &seeded(5));
    watching.hear("edit at ");
    watching.hear("b.png: 6 steps");
    watching.hear("waiting for an edit of one of 2 recipes");
    save(bench, "recipes/c.toml", &seeded(6));
    watching.hear("recipes/c.toml is new");
    watching.hear("c.png: 6 steps");
    watching.hear("waiting for an edit of one of 3 recipes");
    // One whose picture would take another's place is refused, and the others go on.
    fs::remove_file(bench.path("recipes/a.toml")).unwrap();
    watching.hear("recipes/a.toml is gone; its picture stays");
    assert!(bench.path("out/a.png").exists());
    watching.hear("waiting for an edit of one of 2 recipes");
    save(bench, "recipes/c.toml", &endless());
    until("the endless one is under way", || bench.recovered("out/c.png") == Some(endless().into_bytes()));
    fs::remove_file(bench.path("recipes/c.toml")).unwrap();
    watching.hear("recipes/c.toml is gone");
    watching.hear("waiting for an edit of recipes/b.toml");
}

#[test]
fn what_cannot_go_with_several_is_refused() {
    let bench = Bench::small();
    bench.write("other.toml", SMALL);
    bench.write("file.png", "");
    for line in [
        &["watch", "small.toml", "other.toml", "-o", "file.png"][..],
        &["watch", ".", "-o", "file.png"],
        &["small.toml", "other.toml", "--watch", "-o", "new.png"],
    ] {
        bench.run(line).ended(2).says("several recipes need");
    }
    bench.run(&["watch", ".", "--timings", "t.json"]).ended(2).says("--timings measures one recipe");
    bench.run(&["watch", "small.toml", "--video", "v.gif"]).ended(2).says("without --watch");
    bench.run(&["watch", "nowhere.toml"]).ended(2).says("nowhere.toml");
}

#[test]
fn changes_are_found_by_polling() {
    let bench = Bench::new();
    bench.write("small.toml", SMALL);
    let watching = Watching::start_with(bench, &["watch", "--watch-poll", "0.1", "small.toml"]);
    watching.expect(SMALL);
    fs::write(watching.bench.path("small.toml"), seeded(5)).unwrap();
    watching.expect(&seeded(5));
    save(&watching.bench, "small.toml", &seeded(6));
    watching.expect(&seeded(6));
}

#[test]
fn a_recipe_that_is_away_is_followed_when_it_is_back() {
    let watching = Watching::start(SMALL);
    watching.expect(SMALL);
    fs::remove_file(watching.bench.path("small.toml")).unwrap();
    watching.hear("small.toml is gone; it is followed again when it is back");
    save(&watching.bench, "small.toml", SMALL);
    watching.hear("again matches its picture");
    watching.hear("waiting for an edit of small.toml");
    save(&watching.bench, "small.toml", &seeded(5));
    watching.expect(&seeded(5));
}

/// The picture of a recipe that nobody disturbed.
fn undisturbed(text: &str) -> Vec<u8> {
    let bench = Bench::new();
    bench.write("small.toml", text);
    bench.done(&["small.toml"]);
    bench.read("small.png")
}

#[test]
fn an_edit_can_go_on_from_the_canvas_as_it_is() {
    let long = SMALL.replace("steps = 3", "steps = 5000000\nrate = 0.05\nfinest = 9");
    let bench = Bench::new().keeping();
    bench.write("small.toml", &long);
    let watching = Watching::start_with(bench, &["watch", "small.toml", "--watch=continue"]);
    let bench = &watching.bench;
    let grown = |text: &str| until("it grows", || bench.recovered("small.png").as_deref() == Some(text.as_bytes()));
    grown(&long);
    // What it looks for.
    let other = long.replace("castle", "volcano");
    save(bench, "small.toml", &other);
    watching.hear("small.toml: detail.0.prompts");
    let heard = watching.hear("small.toml: continuing from the canvas as it is, at step ");
    assert!(!heard.iter().any(|line| line.contains("at step 0 ")), "{heard:#?}");
    grown(&other);
    // Its size, and basis.
    let larger = other.replace("[64, 48]", "[80, 80]").replace("seed = 4", "seed = 4\ncanvas.basis = 'pixels'");
    save(bench, "small.toml", &larger);
    watching.hear("continuing from the picture as it is, since the canvas now has another size or basis, at step ");
    grown(&larger);
    assert_eq!(pixels(&bench.path("small.png")).dimensions(), (80, 80));
    // And how long it goes on: it is over.
    let short = larger.replace("steps = 5000000", "steps = 3");
    save(bench, "small.toml", &short);
    watching.hear("continuing from the canvas as it is, at step 3 of 6: phase 2");
    watching.hear("waiting for an edit");
    let picture = bench.read("small.png");
    // A comment changes nothing but the text.
    let commented = format!("# a comment\n{short}");
    save(bench, "small.toml", &commented);
    watching.hear("only comments");
    watching.hear("resuming at step 6 of 6");
    watching.hear("waiting for an edit");
    assert_eq!(bench.recovered("small.png").unwrap(), commented.as_bytes());
    bench.write("before.png", picture);
    assert_eq!(pixels(&bench.path("small.png")), pixels(&bench.path("before.png")));
    // It says so inside, and whoever reads it is told.
    bench.done(&["recover", "small.png"]).says("the recipe was edited 3 times").says("cannot be made again");
    bench.done(&["recover", "small.png", "-v"]).says("detail.0.prompts").says("canvas (new), size");
    bench.done(&["recover", "small.png", "--all", "all"]).says("cannot be made again");
    bench.done(&["small.png"]).says("cannot be made again");
    assert_eq!(pixels(&bench.path("small-again.png")), {
        bench.write("expected.png", undisturbed(&commented));
        pixels(&bench.path("expected.png"))
    });
    // Nothing of it is taken for an ordinary render's.
    drop(bench.run(&["small.toml", "-o", "ordinary.png"]).ended(0));
    assert_eq!(bench.read("ordinary.png"), undisturbed(&commented));
    // A finished picture goes on, too: its last phase is done again.
    save(bench, "small.toml", &short.replace("sword", "sea"));
    watching.hear("continuing from the canvas as it is, at step 3 of 6: phase 2");
    watching.hear("small.png: 6 steps");
}

/// An edit of what was not done yet is no reason for another picture than an undisturbed render's.
#[test]
fn an_edit_of_a_later_phase_continues_an_ordinary_render() {
    let text = SMALL.replace("steps = 3", "steps = 3\nrate = 0.05\nfinest = 9");
    let bench = Bench::new();
    bench.write("small.toml", &text);
    let watching = Watching::start_with(bench, &["small.toml", "--watch=continue"]);
    watching.expect(&text);
    let longer = format!("{text}[[phase]]\nsteps = 3\nrate = 0.05\nfinest = 9\n");
    save(&watching.bench, "small.toml", &longer);
    watching.hear("small.toml: resuming at step 6 of 9: phase 3");
    watching.expect(&longer);
    assert_eq!(watching.bench.read("small.png"), undisturbed(&longer));
}

#[test]
fn another_advice_of_the_model_is_heeded_and_a_wrong_one_told() {
    let bench = Bench::new();
    mine(&bench, "\n[advice.phase]\nrate = 0.05\n");
    let recipe = format!("model = './mine'\n{SMALL}");
    let watching = Watching::start_in(bench, &recipe);
    watching.expect(&recipe);
    let picture = watching.bench.read("small.png");
    let description = String::from_utf8(watching.bench.read("mine/model.toml")).unwrap();
    save(&watching.bench, "mine/model.toml", &description.replace("rate = 0.05", "rate = -1"));
    watching.hear("`rate` is out of range");
    assert_eq!(watching.bench.read("small.png"), picture);
    save(&watching.bench, "mine/model.toml", &description.replace("rate = 0.05", "rate = 0.09"));
    watching.hear("edit at");
    watching.hear("waiting for an edit of small.toml");
    assert_ne!(pixels(&watching.bench.path("small.png")), image::load_from_memory(&picture).unwrap().to_rgb8());
}
