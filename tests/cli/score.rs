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
