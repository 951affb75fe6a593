//! `recipe-render sweep`: all combinations, and a contact sheet of them.

use serde_json::Value;

use crate::bench::{Bench, SMALL, pixels};

/// The names in a sweep's folder, sorted.
fn inside(bench: &Bench, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(bench.path(folder)).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn index(bench: &Bench, folder: &str) -> Value {
    serde_json::from_slice(&bench.read(&format!("{folder}/index.json"))).unwrap()
}

fn states(bench: &Bench, folder: &str) -> Vec<String> {
    let index = index(bench, folder);
    let renders = index["renders"].as_array().unwrap();
    renders.iter().map(|render| render["state"].as_str().unwrap().to_owned()).collect()
}

const FOUR: [&str; 6] = ["sweep", "small.toml", "--set", "seed=1..2", "--set", "phase.0.rate=0.03,0.05"];

#[test]
fn all_combinations_are_rendered_and_each_picture_is_one_of_ours() {
    let bench = Bench::small();
    let ran = bench.done(&FOUR).says("1/4: seed = 1, phase.0.rate = 0.03").says("4/4: seed = 2, phase.0.rate = 0.05");
    assert_eq!(ran.out, "small-sweep/sheet.png\n");
    let pictures = ["seed=1_rate=0.03.png", "seed=1_rate=0.05.png", "seed=2_rate=0.03.png", "seed=2_rate=0.05.png"];
    assert_eq!(inside(&bench, "small-sweep"), [&["index.json"][..], &pictures, &["sheet.png"]].concat());
    assert_eq!(bench.names(), ["small-sweep", "small.toml"]);
    // What stands in the recipe by other means gives the same pixels.
    let other = SMALL.replace("seed = 4", "seed = 2").replace("name = \"compose\"", "name = \"compose\"\nrate = 0.05");
    bench.write("other.toml", other);
    bench.done(&["other.toml"]);
    assert_eq!(pixels(&bench.path("other.png")), pixels(&bench.path("small-sweep/seed=2_rate=0.05.png")));
    // Each renders again by itself.
    bench.done(&["small-sweep/seed=2_rate=0.05.png", "-o", "again.png"]);
    assert_eq!(bench.read("again.png"), bench.read("small-sweep/seed=2_rate=0.05.png"));
    assert_eq!(bench.recovered("small-sweep/seed=1_rate=0.03.png").unwrap(), SMALL.as_bytes());

    let index = index(&bench, "small-sweep");
    let render = &index["renders"][3];
    assert_eq!((&render["file"], &render["state"]), (&pictures[3].into(), &"rendered".into()));
    assert_eq!(render["set"], serde_json::json!({ "seed": "2", "phase.0.rate": "0.05" }));
    assert_eq!(render["steps"], 6);
    assert!(render["seconds"].as_f64().unwrap() > 0.0);
    assert!(render["similarities"]["detail 1"].as_f64().is_some(), "{render}");
    assert_eq!(render["tally"].as_array().unwrap().len(), 2);

    // On the sheet the pictures stand as they are: two columns, two rows.
    let sheet = pixels(&bench.path("small-sweep/sheet.png"));
    let places: Vec<(u32, u32)> = pictures
        .iter()
        .map(|name| {
            let picture = pixels(&bench.path(&format!("small-sweep/{name}")));
            let (width, height) = (sheet.width() - picture.width(), sheet.height() - picture.height());
            let is_at = |left: u32, top: u32| {
                picture.enumerate_pixels().all(|(x, y, pixel)| sheet.get_pixel(left + x, top + y) == pixel)
            };
            let mut all = (0..=height).flat_map(|y| (0..=width).map(move |x| (x, y)));
            all.find(|(left, top)| is_at(*left, *top)).unwrap_or_else(|| panic!("{name} is not on the sheet"))
        })
        .collect();
    let [a, b, c, d] = places[..] else { panic!("four") };
    assert!(a.1 == b.1 && c.1 == d.1 && a.0 == c.0 && b.0 == d.0 && a.0 < b.0 && a.1 < c.1, "{places:?}");
}

#[test]
fn only_what_is_missing_is_rendered() {
    let bench = Bench::small();
    bench.done(&FOUR);
    let before = index(&bench, "small-sweep");
    let sheet = bench.read("small-sweep/sheet.png");
    let untouched = bench.read("small-sweep/seed=1_rate=0.03.png");
    std::fs::remove_file(bench.path("small-sweep/seed=1_rate=0.05.png")).unwrap();
    std::fs::remove_file(bench.path("small-sweep/sheet.png")).unwrap();
    // A name alone does not make a picture the right one.
    std::fs::copy(bench.path("small-sweep/seed=2_rate=0.05.png"), bench.path("small-sweep/seed=2_rate=0.03.png"))
        .unwrap();
    bench.done(&FOUR).says("2 of 4 pictures already exist").says("4 pictures: 2 rendered, 2 already there");
    assert_eq!(states(&bench, "small-sweep"), ["there", "rendered", "rendered", "there"]);
    assert_eq!(bench.read("small-sweep/sheet.png"), sheet);
    assert_eq!(bench.read("small-sweep/seed=1_rate=0.03.png"), untouched);
    // What only the render knew is kept.
    let after = index(&bench, "small-sweep");
    assert_eq!(before["renders"][3]["similarities"], after["renders"][3]["similarities"]);
    assert_eq!(before["renders"][3]["seconds"], after["renders"][3]["seconds"]);
    // Nothing is missing.
    assert!(!bench.done(&FOUR).says("4 of 4 pictures already exist").err.contains("1/4"));
    // Another recipe, other steps: other pictures.
    let more = [&FOUR[..], &["--steps", "2"]].concat();
    bench.done(&more).says("4 pictures: 4 rendered");
    bench.write("small.toml", SMALL.replace("\"castle\"", "\"sea\""));
    bench.done(&FOUR).says("4 pictures: 4 rendered");
}

#[test]
fn a_dry_run_renders_nothing() {
    let bench = Bench::small();
    let line = [&FOUR[..], &["--dry-run"]].concat();
    let ran = bench.done(&line);
    assert!(ran.out.contains("to render  small-sweep/seed=1_rate=0.03.png  seed = 1, phase.0.rate = 0.03\n"));
    assert!(ran.out.ends_with("4 pictures, 4 to render, 24 steps in all\n"), "{}", ran.out);
    assert_eq!(bench.names(), ["small.toml"]);
}

#[test]
fn options_apply_to_all_and_one_value_is_no_variation() {
    let bench = Bench::small();
    let line = ["sweep", "small.toml", "--set", "seed=1,2", "--set", "detail.0.windows=2", "-o", "there"];
    bench.done(&[&line[..], &["--size", "40x32", "--steps", "2"]].concat());
    assert_eq!(inside(&bench, "there"), ["index.json", "seed=1.png", "seed=2.png", "sheet.png"]);
    assert_eq!(pixels(&bench.path("there/seed=2.png")).dimensions(), (40, 32));
    bench.done(&["recover", "there/seed=1.png"]).says("--set detail.0.windows=2 --set seed=1");
    bench.write("large.toml", SMALL.replace("[64, 48]", "[288, 240]").replace("steps = 3", "steps = 4"));
    bench.done(&["sweep", "large.toml", "--set", "seed=1,2", "--draft"]);
    assert_eq!(pixels(&bench.path("large-draft-sweep/seed=1.png")).dimensions(), (96, 80));
}

#[test]
fn zipped_values_vary_together() {
    let bench = Bench::small();
    bench.done(&["sweep", "small.toml", "--zip", "seed=1..2", "--zip", "phase.0.steps=1,2"]);
    let names = ["index.json", "seed=1_steps=1.png", "seed=2_steps=2.png", "sheet.png"];
    assert_eq!(inside(&bench, "small-sweep"), names);
    bench
        .run(&["sweep", "small.toml", "--zip", "seed=1..2", "--zip", "phase.0.steps=1,2,3"])
        .ended(2)
        .says("cannot pair");
}

#[test]
fn everything_is_checked_before_anything_is_rendered() {
    let bench = Bench::small();
    let sweep = |set: &[&str]| {
        let set: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
        bench.run(&[&["sweep", "small.toml"][..], &set].concat())
    };
    // The mistakes of single combinations, each once.
    let ran = sweep(&["seed=1..2", "phase.0.rate=0.03,-1"]).ended(2);
    assert_eq!(ran.err.matches("with seed = 1, phase.0.rate = -1, and 1 more").count(), 1, "{}", ran.err);
    let ran = ran.says("2 of 4 combinations cannot be rendered");
    assert!(!ran.err.contains("1/4"));
    sweep(&["phase.0.rat=1,2"]).ended(2).says("rat");
    sweep(&["detail.0.prompts=[\"sea\"],[\"漢字\"]"]).ended(2).says("1 of 2 combinations").says("漢字");
    // The command line's own.
    sweep(&["seed=1,", "phase.0.rate=0.1..0.5"]).ended(2).says("a value is missing").says("needs a step");
    sweep(&["seed=1"]).ended(2).says("nothing varies");
    sweep(&["seed=1..1000", "phase.0.steps=1..1000"]).ended(2).says("1000000 renders");
    bench.run(&["sweep", "small.toml", "--set", "seed=1..3", "--seed", "4"]).ended(2).says("--seed sets what varies");
    bench.run(&["sweep", "missing.toml", "--set", "seed=1..3"]).ended(2).says("missing.toml");
    bench.run(&["sweep", "small.toml", "--set", "seed=1..3", "-o", "small.toml"]).ended(2).says("not a folder");
    // A mistake of the recipe is told once, as it always is.
    bench.write("small.toml", "sice = 4\n");
    let ran = sweep(&["seed=1..8"]).ended(2);
    assert_eq!(ran.err.matches("small.toml:1:1").count(), 1, "{}", ran.err);
    assert!(!ran.err.contains("with seed"), "{}", ran.err);
    assert_eq!(bench.names(), ["small.toml"]);
}

#[cfg(unix)]
#[test]
fn a_picture_that_cannot_be_written_does_not_stop_the_others() {
    let bench = Bench::small();
    // The file size limit stands for a full disk; large pictures do not fit.
    bench.done(&["small.toml", "--steps", "1"]);
    let line =
        "trap '' XFSZ; ulimit -f 100; exec \"$PROGRAM\" sweep small.toml --set 'size=[600, 600],[64, 48]' --steps 1";
    let ran = bench.shell(line).ended(1).says("not written");
    assert_eq!(states(&bench, "small-sweep"), ["failed", "rendered"], "{}", ran.err);
}

#[cfg(unix)]
#[test]
fn an_interrupted_sweep_has_its_sheet_and_goes_on_where_it_was() {
    use std::process::{Command, Stdio};

    use crate::bench::{Ran, until};
    let bench = Bench::new();
    bench.write("small.toml", SMALL);
    let mut program = bench.program();
    program.args(["sweep", "small.toml", "--zip", "seed=1,2,3", "--zip", "phase.1.steps=1,5000000,2"]);
    let child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the first picture is there", || bench.path("small-sweep/seed=1_steps=1.png").exists());
    // The second one is begun, or about to be.
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    Ran::from(child.wait_with_output().unwrap()).ended(130);
    let found = states(&bench, "small-sweep");
    assert!(found[0] == "rendered" && found[1] != "rendered" && found[2] == "missing", "{found:?}");
    pixels(&bench.path("small-sweep/sheet.png"));
    let ran = bench.done(&["sweep", "small.toml", "--zip", "seed=1,3", "--zip", "phase.1.steps=1,2"]);
    ran.says("1 of 2 pictures already exist").says("2 pictures: 1 rendered, 1 already there");
}

/// A comma that may belong to the text is told of; in quotes it does belong to it.
#[test]
fn a_text_that_was_split_is_told() {
    let bench = Bench::small();
    let sweep = |value: &str| {
        let set = format!("detail.0.prompts.0={value}");
        bench.done(&["sweep", "small.toml", "--dry-run", "--set", &set, "--set", "seed=1, 2"])
    };
    sweep("a castle, at dusk")
        .says("2 values, \"a castle\" and \"at dusk\"")
        .says("--set 'detail.0.prompts.0=\"a castle, at dusk\"'");
    for whole in ["\"a castle, at dusk\"", "'a castle, at dusk'", "a castle,at dusk"] {
        let ran = sweep(whole);
        assert!(!ran.err.contains("values,"), "{}", ran.err);
    }
    let ran = sweep("\"a castle, at dusk\"");
    assert!(ran.out.contains("2 "), "{}", ran.out);
}
