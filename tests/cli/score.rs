//! `score`: pictures against prompts.

use std::path::Path;

use serde_json::Value;

use crate::bench::{Bench, Ran};

/// Copies a picture of the documentation into the bench.
fn with(bench: &Bench, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pictures").join(name);
    bench.write(name, std::fs::read(path).unwrap());
}

fn run(bench: &Bench, arguments: &[&str]) -> Ran {
    bench.program().arg("score").args(arguments).output().unwrap().into()
}

#[test]
fn a_picture_is_most_like_its_own_prompt() {
    let bench = Bench::new().embedded();
    for (picture, own) in [("volcano.jpg", "volcano"), ("sea-at-sunset.jpg", "sea at sunset")] {
        with(&bench, picture);
        let others = ["castle", "red sword", own, "letters"];
        let ran = run(&bench, &[&[picture], &others[..]].concat()).ended(0);
        let lines: Vec<&str> = ran.out.lines().collect();
        let similarity = |line: &&str| line.split(" : ").nth(1).unwrap().trim()[..6].trim().parse::<f64>().unwrap();
        let best = (0..lines.len()).max_by(|a, b| similarity(&lines[*a]).total_cmp(&similarity(&lines[*b]))).unwrap();
        assert_eq!(lines.len(), 4);
        assert!(lines[best].starts_with(own) && lines[best].contains('%') && lines[best].ends_with('█'), "{}", ran.out);
        for (line, prompt) in lines.iter().zip(others) {
            assert!(line.starts_with(prompt), "in the order given: {}", ran.out);
        }
    }
}

#[test]
fn json_has_all_digits_and_the_same_twice() {
    let bench = Bench::new().embedded();
    with(&bench, "volcano.jpg");
    let json = |arguments: &[&str]| -> Value { serde_json::from_str(&run(&bench, arguments).ended(0).out).unwrap() };
    let first = json(&["volcano.jpg", "volcano", "sea", "--json"]);
    let again = json(&["--json", "--model", "pocket", "volcano.jpg", "volcano", "sea"]);
    assert_eq!(first, again);
    assert_eq!((&first["model"], &first["picture"]), (&"pocket".into(), &"volcano.jpg".into()));
    let scores = first["scores"].as_array().unwrap();
    assert_eq!((&scores[0]["prompt"], &scores[1]["prompt"]), (&"volcano".into(), &"sea".into()));
    let share: f64 = scores.iter().map(|score| score["share"].as_f64().unwrap()).sum();
    assert!((share - 1.0).abs() < 1e-12);
    assert!(scores[0]["similarity"].to_string().len() > 8, "{first}");
    // One prompt has no share worth showing.
    let alone = run(&bench, &["volcano.jpg", "volcano"]).ended(0);
    assert!(alone.out.starts_with("volcano :  0.") && !alone.out.contains('%'), "{}", alone.out);
}

#[test]
fn what_was_asked_for_scores_higher_in_what_was_rendered() {
    let bench = Bench::new().embedded();
    let recipe = "size = [64, 64]\nseed = 1\n[[composition]]\nprompts = ['volcano']\n[[phase]]\nsteps = 30\n";
    bench.write("first.toml", recipe.replace("steps = 30", "steps = 1"));
    bench.write("last.toml", recipe);
    bench.done(&["first.toml", "last.toml"]);
    let similarity = |picture: &str| {
        let ran = run(&bench, &[picture, "volcano", "--json"]).ended(0);
        serde_json::from_str::<Value>(&ran.out).unwrap()["scores"][0]["similarity"].as_f64().unwrap()
    };
    let (first, last) = (similarity("first.png"), similarity("last.png"));
    assert!(last > first + 0.05, "{first} {last}");
}

/// A picture of two halves that are not alike, with a hole in it where `hole` says so.
fn halves(bench: &Bench, name: &str, hole: Option<[u8; 4]>) {
    let picture = image::RgbaImage::from_fn(64, 64, |x, y| {
        let within = (20..44).contains(&x) && (20..44).contains(&y);
        match hole.filter(|_| within) {
            Some(colour) => image::Rgba(colour),
            None if y < 32 => image::Rgba([30, 90, 220, 255]),
            None => image::Rgba([200, 160, 20, 255]),
        }
    });
    picture.save(bench.path(name)).unwrap();
}

#[test]
fn a_picture_is_scored_as_people_see_it() {
    let bench = Bench::new();
    // What a file keeps where nothing can be seen makes no difference.
    for (name, hole) in [
        ("white.png", [255; 4]),
        ("red.png", [255, 0, 0, 0]),
        ("black.png", [0; 4]),
        ("half.png", [255, 255, 255, 128]),
    ] {
        halves(&bench, name, Some(hole));
    }
    let score = |name: &str| run(&bench, &[name, "sea", "castle"]).ended(0);
    let white = score("white.png");
    assert!(!white.err.contains("transparent"), "{}", white.err);
    for name in ["red.png", "black.png", "half.png"] {
        let ran = score(name).says(&format!("{name}: parts of this picture are transparent and seen as white"));
        assert_eq!(ran.out, white.out, "{name}");
    }
    // As a camera held on its side stores it, without loss in a PNG.
    let stored = std::fs::read(bench.path("white.png")).unwrap();
    let upright = image::open(bench.path("white.png")).unwrap();
    upright.rotate270().save(bench.path("lying.png")).unwrap();
    let lying = std::fs::read(bench.path("lying.png")).unwrap();
    bench.write("turned.png", turned(&lying, 6));
    bench.write("same.png", turned(&stored, 1));
    assert_ne!(score("lying.png").out, white.out);
    assert_eq!([score("turned.png").out, score("same.png").out], [white.out.clone(), white.out]);
}

/// A PNG that says its orientation (EXIF's tag 0x0112).
pub fn turned(png: &[u8], orientation: u8) -> Vec<u8> {
    let exif = [&b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"[..], &[orientation], &[0; 6]].concat();
    let chunk = [&b"eXIf"[..], &exif].concat();
    let mut crc = flate2::Crc::new();
    crc.update(&chunk);
    // After the header.
    [&png[..33], &(exif.len() as u32).to_be_bytes(), &chunk, &crc.sum().to_be_bytes(), &png[33..]].concat()
}

#[test]
fn what_cannot_be_scored_is_told() {
    let bench = Bench::new();
    with(&bench, "volcano.jpg");
    let whole = bench.read("volcano.jpg");
    bench.write("cut.jpg", &whole[..whole.len() / 2]);
    bench.write("text.png", "not a picture");
    run(&bench, &["missing.png", "sea"]).ended(2).says("missing.png");
    run(&bench, &["cut.jpg", "sea"]).ended(2).says("cut.jpg: is cut off");
    run(&bench, &["text.png", "sea"]).ended(2).says("text.png: is not a picture");
    run(&bench, &[".", "sea"]).ended(2).says("error: cannot read .");
    run(&bench, &["volcano.jpg", "漢字"]).ended(2).says("knows no word of");
    run(&bench, &["volcano.jpg", "sea 漢字"]).ended(0).says("warning").says("does not know");
    run(&bench, &["volcano.jpg", "sea", "--model", "poket"]).ended(2).says("did you mean `pocket`?");
    run(&bench, &["volcano.jpg"]).ended(2).says("PROMPT");
    run(&bench, &[]).ended(2).says("PICTURE");
}
