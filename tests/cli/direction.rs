//! `direction`: fitted to pictures that are drawn here, looked at, and used.

use image::{Rgb, RgbImage};
use serde_json::Value;

use crate::bench::{Bench, Ran};

/// A number from 0 to 1 that depends on nothing but its arguments.
fn chance(seed: u32, index: u32) -> f32 {
    let hash = (seed.wrapping_mul(2_654_435_761) ^ index.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b);
    ((hash ^ (hash >> 15)).wrapping_mul(0xc2b2_ae35) >> 8) as f32 / (1u32 << 24) as f32
}

/// A gradient between two colours; the same with stripes over it where they are wanted.
fn picture(seed: u32, stripes: bool) -> RgbImage {
    let of = |index| 60.0 + 140.0 * chance(seed, index);
    let (from, to) = ([of(0), of(1), of(2)], [of(3), of(4), of(5)]);
    let (turn, width) = (chance(seed, 6) * 3.0, 5.0 + 6.0 * chance(seed, 7));
    RgbImage::from_fn(96, 96, |x, y| {
        let (x, y) = (x as f32, y as f32);
        let along = x * turn.cos() + y * turn.sin();
        let dark = if stripes && (along / width).rem_euclid(2.0) < 1.0 { -60.0 } else { 0.0 };
        Rgb([0, 1, 2].map(|channel| (from[channel] + (to[channel] - from[channel]) * y / 96.0 + dark) as u8))
    })
}

/// Writes pictures with the numbers `of`.
fn draw(bench: &Bench, folder: &str, of: std::ops::Range<u32>, stripes: bool) {
    for seed in of {
        let path = bench.path(&format!("{folder}/{seed:03}.png"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        picture(seed, stripes).save(path).unwrap();
    }
}

/// Forty striped pictures and the same ones without stripes.
fn examples() -> Bench {
    let bench = Bench::new();
    draw(&bench, "stripes", 0..40, true);
    draw(&bench, "plain", 0..40, false);
    bench
}

fn fit(bench: &Bench, arguments: &[&str]) -> Ran {
    bench.program().args(["direction", "fit"]).args(arguments).output().unwrap().into()
}

const FOLDERS: [&str; 6] = ["--positive", "stripes", "--negative", "plain", "-o", "stripes.safetensors"];

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.out))
}

#[test]
fn stripes_are_learned_from_two_folders() {
    let bench = examples();
    let ran = fit(&bench, &FOLDERS).ended(0);
    assert!(ran.out.starts_with("stripes: 40 pictures against 40; scored on 16 held out\n"), "{}", ran.out);
    assert!(ran.out.contains("accuracy") && ran.out.contains("ROC area") && ran.out.contains("95% confidence"));
    let file = bench.read("stripes.safetensors");

    // Again, by another number of threads and from another place: the same bytes.
    let all = fit(&bench, &[&FOLDERS[..], &["--json", "--threads", "1"]].concat()).ended(0);
    assert!(bench.read("stripes.safetensors") == file);
    let all = json(&all);
    let scores = &all["classes"][0]["scores"];
    assert!(scores["accuracy"]["value"].as_f64().unwrap() >= 0.9, "{all:#}");
    assert!(scores["area"]["low"].as_f64().unwrap() > 0.7, "{all:#}");
    // Pairs of the same name are held out together.
    assert_eq!((&scores["positives"]["of"], &scores["negatives"]["of"]), (&8.into(), &8.into()));
    assert_eq!((&all["model"], &all["classes"][0]["class"]), (&"pocket".into(), &"stripes".into()));
}

#[test]
fn several_classes_come_into_one_file() {
    let bench = Bench::new();
    draw(&bench, "set/striped", 0..30, true);
    draw(&bench, "set/plain", 30..60, false);
    for seed in 0..30 {
        bench.write(&format!("set/dots/{seed}.png"), "");
        let plain = picture(90 + seed, false);
        let dots = RgbImage::from_fn(96, 96, |x, y| {
            let near = (x as i32 % 24 - 12).pow(2) + (y as i32 % 24 - 12).pow(2) < 40;
            if near { Rgb([250, 250, 30]) } else { *plain.get_pixel(x, y) }
        });
        dots.save(bench.path(&format!("set/dots/{seed}.png"))).unwrap();
    }
    bench.write("set/readme.txt", "no picture");
    bench.write("set/loose.png", "in no class");
    let ran = fit(&bench, &["--classes", "set", "-o", "set.safetensors", "--json"]).ended(0);
    let ran = ran.says("1 picture outside the classes' folders is left out");
    let all = json(&ran);
    let names: Vec<&str> = all["classes"].as_array().unwrap().iter().map(|c| c["class"].as_str().unwrap()).collect();
    assert_eq!(names, ["dots", "plain", "striped"]);
    for class in all["classes"].as_array().unwrap() {
        assert_eq!((&class["positives"], &class["negatives"]), (&30.into(), &60.into()));
        assert!(class["scores"]["area"]["value"].as_f64().unwrap() > 0.85, "{all:#}");
    }
}

#[test]
fn texts_make_a_direction_too() {
    let bench = Bench::new();
    let texts = ["--more", "volcano", "--less", "sea", "--less", "castle", "-o", "v.safetensors"];
    let ran = fit(&bench, &texts).ended(0);
    assert_eq!(ran.out, "volcano: one text against 2 texts\n  no scores: texts leave nothing to hold out\n");
    assert!(bench.path("v.safetensors").is_file());
    fit(&bench, &["--more", "sea", "--less", "sea", "-o", "n.safetensors"]).ended(2).says("have the same mean");
    fit(&bench, &["--more", "漢字", "--less", "sea", "-o", "n.safetensors"]).ended(2).says("knows no word of");
    assert_eq!(bench.names(), ["v.safetensors"]);
}

#[test]
fn what_cannot_be_read_is_named_and_a_handful_is_needed() {
    let bench = examples();
    bench.write("stripes/broken.png", "not a picture");
    let cut = bench.read("stripes/001.png");
    bench.write("stripes/cut.PNG", &cut[..cut.len() / 2]);
    bench.write("stripes/.hidden.png", "not a picture");
    bench.write("stripes/notes.txt", "not a picture");
    let ran = fit(&bench, &[&FOLDERS[..], &["--json"]].concat()).ended(0);
    let ran = ran.says("stripes/broken.png: is not a picture").says("stripes/cut.PNG: ");
    assert_eq!(json(&ran)["skipped"].as_array().unwrap().len(), 2);

    let few = Bench::new();
    draw(&few, "stripes", 0..7, true);
    draw(&few, "plain", 0..20, false);
    fit(&few, &FOLDERS).ended(2).says("\"stripes\": 7 readable pictures, at least 8 are needed").says("hint");
    // Eight files, but one of them is no picture.
    few.write("stripes/8.png", "not a picture");
    fit(&few, &FOLDERS).ended(2).says("\"stripes\": 7 readable pictures");
    assert!(!few.path("stripes.safetensors").exists());
}

#[test]
fn the_same_picture_in_two_classes_is_told() {
    let bench = examples();
    bench.write("plain/other.png", bench.read("stripes/003.png"));
    fit(&bench, &FOLDERS).ended(0).says("are the same picture, in two classes");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let bench = Bench::new();
    draw(&bench, "plain", 0..1, false);
    bench.write("empty/notes.txt", "nothing");
    let out = ["-o", "x.safetensors"];
    for (arguments, says) in [
        (&["--positive", "plain"][..], "--negative"),
        (&["--negative", "plain"][..], "--positive"),
        (&["--classes", "plain", "--positive", "plain"][..], "cannot be used with"),
        (&["--more", "sea"][..], "--less"),
        (&["--less", "sea"][..], "--more"),
        (&["--more", "sea", "--less", "castle", "--negative", "plain"][..], "cannot be used with"),
        (&["--classes", "plain", "--class", "x"][..], "cannot be used with"),
        (&["--classes", "plain"][..], "there are no folders in this folder"),
        (&["--positive", "plain", "--negative", "empty"][..], "empty: there are no pictures in this folder"),
        (&["--positive", "plain", "--negative", "nowhere"][..], "cannot read nowhere"),
        (&["--more", "sea", "--less", "castle", "--class", " "][..], "is not a name"),
        (&["--more", "sea", "--less", "castle", "--model", "poket"][..], "did you mean `pocket`?"),
    ] {
        fit(&bench, &[arguments, &out[..]].concat()).ended(2).says(says);
    }
    fit(&bench, &["--more", "sea", "--less", "castle"]).ended(2).says("--output");
    let nowhere = ["--more", "sea", "--less", "castle", "-o", "no/where.safetensors"];
    fit(&bench, &nowhere).ended(1).says("the folder no does not exist");
}

/// With `stripes.safetensors`.
fn fitted() -> Bench {
    let bench = examples();
    fit(&bench, &FOLDERS).ended(0);
    bench
}

fn show(bench: &Bench, arguments: &[&str]) -> Ran {
    bench.program().args(["direction", "show"]).args(arguments).output().unwrap().into()
}

/// A picture whose right half is striped.
fn half(bench: &Bench) {
    let (plain, striped) = (picture(300, false), picture(300, true));
    let half = RgbImage::from_fn(192, 192, |x, y| {
        let of = if x < 96 { &plain } else { &striped };
        *of.get_pixel(x % 96, y % 96)
    });
    half.save(bench.path("half.png")).unwrap();
}

#[test]
fn what_shows_stripes_is_found() {
    let bench = fitted();
    for (seed, stripes) in [(200, true), (201, false)] {
        picture(seed, stripes).save(bench.path(&format!("{stripes}.png"))).unwrap();
    }
    let probability = |picture: &str| {
        let ran = show(&bench, &["stripes.safetensors", picture, "--json"]).ended(0);
        json(&ran)["probability"].as_f64().unwrap()
    };
    let (with, without) = (probability("true.png"), probability("false.png"));
    assert!(with > 0.5 && without < 0.5, "{with} {without}");

    half(&bench);
    let ran = show(&bench, &["stripes.safetensors", "half.png", "-o", "map.png", "--json", "--places", "3"]).ended(0);
    let found = json(&ran);
    let places = found["classes"][0]["places"].as_array().unwrap();
    let middle = |place: &Value| place["left"].as_u64().unwrap() + place["side"].as_u64().unwrap() / 2;
    assert!(places.len() == 3 && middle(&places[0]) > 96, "{found:#}");
    assert_eq!((&found["size"], &found["class"]), (&serde_json::json!([192, 192]), &"stripes".into()));
    assert_eq!(found["places"], found["classes"][0]["places"]);
    let map = image::open(bench.path("map.png")).unwrap().to_rgb8();
    assert!(map.width() > 900 && map.height() > 500, "{:?}", map.dimensions());

    let ran = show(&bench, &["stripes.safetensors", "half.png"]).ended(0);
    assert!(ran.out.starts_with("stripes : probability 0.") && ran.out.contains("\n  1. 0."), "{}", ran.out);
}

#[test]
fn what_cannot_be_shown_is_told() {
    let bench = Bench::new();
    picture(1, true).save(bench.path("a.png")).unwrap();
    bench.write("garbage.safetensors", "garbage");
    show(&bench, &["missing.safetensors", "a.png"]).ended(2).says("cannot read missing.safetensors");
    show(&bench, &["garbage.safetensors", "a.png"]).ended(2).says("garbage.safetensors: is not a file of directions");
    show(&bench, &["a.png", "a.png"]).ended(2).says("a.png: is not a file of directions");
    fit(&bench, &["--more", "sea", "--less", "castle", "-o", "sea.safetensors"]).ended(0);
    show(&bench, &["sea.safetensors", "garbage.safetensors"]).ended(2).says("is not a picture");
    show(&bench, &["sea.safetensors", "a.png", "-o", "no/map.png"]).ended(1).says("the folder no does not exist");
    other_model(&bench, "sea.safetensors");
    show(&bench, &["sea.safetensors", "a.png"])
        .ended(2)
        .says("made for another model")
        .says("direction fit --model pocket");
}

/// Makes a file of directions one of another model.
fn other_model(bench: &Bench, file: &str) {
    let mut bytes = bench.read(file);
    let mark = br#"hash\":\""#;
    let at = bytes.windows(mark.len()).position(|part| part == mark).unwrap() + mark.len();
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    bench.write(file, bytes);
}

/// A recipe of one detail, with its prompts.
fn recipe(prompts: &str) -> String {
    format!(
        "size = [64, 64]\nseed = 3\n[[detail]]\nprompts = [{prompts}]\nwindows = 4\nstages = [{{ cover = 0.6 }}]\n\
         [[phase]]\nsteps = 40\n"
    )
}

const AWAY: &str = "{ direction = 'stripes.safetensors', class = 'stripes', weight = -0.02 }";
const TO: &str = "{ direction = 'stripes.safetensors', weight = 0.02, above = 0.99 }";

/// The mean probability that a render's tally tells.
fn mean(ran: &Ran) -> f64 {
    let line = ran.out.lines().find(|line| line.contains(" : probability ")).unwrap_or_else(|| panic!("{}", ran.out));
    line.split(" : probability ").nth(1).unwrap().split(',').next().unwrap().parse().unwrap()
}

#[test]
fn a_direction_acts_on_what_is_rendered_in_either_sign() {
    let bench = fitted();
    bench.write("twin.toml", recipe("'castle'"));
    bench.write("away.toml", recipe(&format!("'castle', {AWAY}")));
    bench.write("to.toml", recipe(&format!("'castle', {TO}")));
    let ran = bench.done(&["twin.toml"]);
    assert!(!ran.out.contains("probability"), "{}", ran.out);
    let (away, to) = (bench.done(&["away.toml"]), bench.done(&["to.toml"]));
    assert!(away.out.starts_with("castle") && away.out.contains("mean of 160 windows"), "{}", away.out);
    assert!(mean(&away) < mean(&to), "{} {}", away.out, to.out);
    let parts = |picture: &str| {
        let ran = show(&bench, &["stripes.safetensors", picture, "--json"]).ended(0);
        json(&ran)["mean_of_parts"].as_f64().unwrap()
    };
    let (twin, away, to) = (parts("twin.png"), parts("away.png"), parts("to.png"));
    assert!(away < twin && twin < to && to > 0.4, "{away} {twin} {to}");
}

#[test]
fn what_the_classifier_calls_its_class_can_be_rendered_alone() {
    let bench = fitted();
    let alone =
        "size = [64, 64]\n[[composition]]\nprompts = [{ direction = 'stripes.safetensors' }]\n[[phase]]\nsteps = 40\n";
    bench.write("alone.toml", alone);
    bench.done(&["alone.toml"]);
    let ran = show(&bench, &["stripes.safetensors", "alone.png", "--json"]).ended(0);
    assert!(json(&ran)["probability"].as_f64().unwrap() > 0.8, "{}", ran.out);
    // The picture tells of it.
    let ran = bench.program().args(["plan", "alone.toml", "--json"]).output().unwrap();
    let plan: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!(plan["targets"][0]["prompts"][0]["kind"], "direction", "{plan:#}");
}

#[test]
fn directions_in_every_loss_and_selection() {
    let bench = fitted();
    for loss in ["spherical", "cosine", "dot", "l1", "l2"] {
        for select in ["best", "mix", "all", "random"] {
            let text = recipe(&format!("'castle', {{ text = 'sea', stages = [{{ cover = 0.3 }}] }}, {AWAY}"));
            let text = text.replace("windows = 4", &format!("windows = 2\nloss = '{loss}'\nselect = '{select}'"));
            bench.write("a.toml", text.replace("steps = 40", "steps = 2"));
            let ran = bench.done(&["a.toml"]);
            assert!((0.0..=1.0).contains(&mean(&ran)), "{loss} {select}: {}", ran.out);
        }
    }
}

#[test]
fn the_same_twice_and_over_a_stop_the_tally_too() {
    let bench = fitted().keeping();
    let text = recipe(&format!("'castle', {AWAY}")).replace("steps = 40", "steps = 6\n[[phase]]\nsteps = 4");
    bench.write("a.toml", &text);
    let whole = bench.done(&["a.toml", "--fresh"]);
    let picture = bench.read("a.png");
    // With another second phase the first one is taken over.
    bench.write("a.toml", text.replace("steps = 4", "steps = 4\nrate = 0.01"));
    let ran = bench.done(&["a.toml"]).says("step 6");
    assert!(ran.out.contains("mean of 40 windows"), "{}", ran.out);
    bench.write("a.toml", &text);
    let again = bench.done(&["a.toml"]);
    assert_eq!((again.out == whole.out, bench.read("a.png") == picture), (true, true), "{}", again.out);
    // Another file of directions is another picture.
    let other = ["--positive", "plain", "--negative", "stripes", "--class", "stripes", "-o", "stripes.safetensors"];
    fit(&bench, &other).ended(0);
    bench.done(&["a.toml"]);
    assert!(bench.read("a.png") != picture);
}

#[test]
fn directions_that_do_not_fit_are_marked_in_the_recipe() {
    let bench = Bench::new();
    draw(&bench, "set/lines", 0..10, true);
    draw(&bench, "set/plain", 20..30, false);
    fit(&bench, &["--classes", "set", "-o", "set.safetensors"]).ended(0);
    bench.write("garbage.safetensors", "garbage");
    let check = |direction: &str| {
        bench.write("a.toml", recipe(&format!("'castle',\n{{ direction = {direction}, weight = -1 }}")));
        bench.run(&["check", "a.toml"]).ended(2).says("a.toml:5:")
    };
    check("'set.safetensors'").says("has several classes, and none is named").says("there are lines, plain");
    check("'set.safetensors', class = 'line'").says("has no class \"line\"").says("did you mean \"lines\"?");
    check("'set.safetensors', class = 'dragons'").says("there are lines, plain");
    check("'garbage.safetensors'").says("is not a file of directions");
    other_model(&bench, "set.safetensors");
    check("'set.safetensors', class = 'lines'").says("made for another model").says("direction fit --model pocket");
}

#[test]
fn what_has_no_effect_is_warned_of() {
    let bench = Bench::new();
    fit(&bench, &["--more", "sea", "--less", "castle", "-o", "sea.safetensors"]).ended(0);
    for (more, says) in [
        ("weight = -1, above = 0.8", "`above` is for a direction with a positive weight"),
        ("weight = 1, below = 0.2", "`below` is for a direction with a negative weight"),
        ("weight = 0", "never pulls"),
        ("weight = -1, scale = 2", "directions do not compete"),
        ("weight = -1, templates = ['a {}']", "`templates` are for texts"),
        ("weight = -1, stages = [{ cover = 0.5 }]", "its own stages have no effect"),
        ("weight = -1 }, { direction = 'sea.safetensors', weight = -1", "is already in the list"),
    ] {
        bench.write("a.toml", recipe(&format!("'castle', {{ direction = 'sea.safetensors', {more} }}")));
        bench.run(&["check", "a.toml"]).ended(0).says(says);
    }
}
