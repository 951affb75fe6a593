//! Several models that look together: `models`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::bench::{Bench, Ran, pixels};
use crate::{models, tiny};

/// Where a small model stands for the embedded one.
const POCKET: &str = "data/recipe-render/models/pocket";

const TEXT: &str = "size = [64, 48]\nseed = 2\nmodels = ['pocket', { name = 'my-clip', weight = 2 }]\n\
                    [[composition]]\nprompts = ['green picture']\nwindows = 1\n\
                    [[detail]]\nname = 'sky'\nprompts = ['red picture', { text = 'blue', stages = [{ cover = 0.5 }] }]\n\
                    windows = 3\n[[phase]]\nsteps = 3\n[[phase]]\nsteps = 3\ndetail = { sky = 0.5 }\n";

/// A folder in which both `pocket` and `my-clip`, with windows of 16 pixels, are there.
fn bench() -> Bench {
    let bench = Bench::new();
    models::hub(&bench);
    models::models(&bench, &["import", "My-Clip"]).ended(0);
    tiny::write(&bench.path(POCKET));
    bench.write("two.toml", TEXT);
    bench
}

fn run(bench: &Bench, arguments: &[&str]) -> Ran {
    models::program(bench).args(arguments).output().unwrap().into()
}

fn json(bench: &Bench, name: &str) -> Value {
    serde_json::from_slice(&bench.read(name)).unwrap()
}

#[test]
fn each_model_looks_for_every_target() {
    let bench = bench();
    run(&bench, &["check", "two.toml"]).ended(0);
    let ran = run(&bench, &["two.toml", "-o", "one.png", "--threads", "1", "--timings", "t.json"]).ended(0);
    for heading in ["sky (pocket)", "sky (my-clip)"] {
        let lines = ran.out.lines().skip_while(|line| *line != heading).skip(1).take(2);
        let won =
            lines.map(|line| line.split(" : ").nth(1).unwrap().split(' ').next().unwrap().parse::<u64>().unwrap());
        assert_eq!(won.sum::<u64>(), 18, "{}", ran.out);
    }
    // Bits hang on neither the number of threads nor on chance.
    run(&bench, &["two.toml", "-o", "two.png", "--threads", "2"]).ended(0);
    assert_eq!(bench.read("one.png"), bench.read("two.png"));
    let timings = json(&bench, "t.json");
    assert_eq!((&timings["models"][0]["name"], &timings["models"][1]["name"]), (&"pocket".into(), &"my-clip".into()));
    let told = run(&bench, &["recover", "one.png", "--verbose"]).ended(0).err;
    assert!(told.contains("model pocket (") && told.contains("my-clip ("), "{told}");
    let facts = recipe_render::output::recover(&bench.path("one.png")).unwrap().facts;
    let targets: Vec<&str> = facts.tally.iter().map(|line| line.target.as_str()).collect();
    assert!(targets.contains(&"composition 1 (pocket)") && targets.contains(&"sky (my-clip)"), "{targets:?}");
    // A picture renders again by itself.
    run(&bench, &["one.png", "-o", "again.png"]).ended(0);
    assert_eq!(pixels(&bench.path("one.png")), pixels(&bench.path("again.png")));
    // Each alone makes another picture, and so does another weight.
    for (name, arguments) in [
        ("pocket", &["--model", "pocket"][..]),
        ("mine", &["--model", "my-clip"]),
        ("weight", &["--set", "models.1.weight=0.1"]),
    ] {
        let file = format!("{name}.png");
        let ran = run(&bench, &[&["two.toml", "-o", &file], arguments].concat()).ended(0);
        assert_ne!(pixels(&bench.path(&file)), pixels(&bench.path("one.png")), "{name}");
        // Several are told apart, one needs not be.
        assert_eq!(ran.out.contains("sky (pocket)"), name == "weight", "{}", ran.out);
    }
}

#[test]
fn a_plan_tells_a_target_once_with_its_models() {
    let bench = bench();
    let out = run(&bench, &["plan", "two.toml"]).ended(0).out;
    assert!(out.contains("models pocket + my-clip 2"), "{out}");
    assert_eq!(out.lines().filter(|line| line.starts_with("sky: 3 windows")).count(), 1, "{out}");
    let told: Value = serde_json::from_slice(&run(&bench, &["plan", "two.toml", "--json"]).ended(0).stdout).unwrap();
    let targets = told["targets"].as_array().unwrap();
    assert_eq!((targets.len(), &targets[1]["name"]), (2, &"sky".into()));
    assert_eq!(told["phases"][1]["weights"].as_array().unwrap().len(), 2);
    let models = serde_json::json!([
        { "name": "pocket", "weight": [1.0, 1.0, 1.0] }, { "name": "my-clip", "weight": [2.0, 2.0, 2.0] }
    ]);
    assert_eq!(targets[1]["models"], models);
    // All windows are counted, those of each model.
    run(&bench, &["two.toml", "--timings", "t.json"]).ended(0);
    assert_eq!(told["effort"]["windows"], json(&bench, "t.json")["windows"]);
    // With a model of its own a target is as it was.
    let own = ["plan", "two.toml", "--json", "--set", "detail.sky.model=pocket"];
    let told: Value = serde_json::from_slice(&run(&bench, &own).ended(0).stdout).unwrap();
    assert_eq!(told["targets"][1]["models"].as_array().unwrap().len(), 1);
}

#[test]
fn what_was_kept_of_an_ensemble_goes_on() {
    let bench = bench().keeping();
    run(&bench, &["two.toml"]).ended(0);
    let picture = bench.read("two.png");
    let again = run(&bench, &["two.toml"]).ended(0).says("rendered before");
    assert_eq!(bench.read("two.png"), picture);
    // The tally of each member is its own, in both.
    let fresh = run(&bench, &["two.toml", "--fresh"]).ended(0);
    assert_eq!((again.out, &bench.read("two.png")), (fresh.out, &picture));
    // The first phase is the same where only the second one differs; another weight is another picture from the start.
    let longer = TEXT.replace("sky = 0.5", "sky = 0.25");
    bench.write("two.toml", &longer);
    run(&bench, &["two.toml"]).ended(0).says("resuming at step 3 of 6");
    let resumed = bench.read("two.png");
    run(&bench, &["two.toml", "--fresh"]).ended(0);
    assert_eq!(bench.read("two.png"), resumed);
    bench.write("two.toml", longer.replace("weight = 2", "weight = 1"));
    let ran = run(&bench, &["two.toml"]).ended(0);
    assert!(!ran.err.contains("resuming") && !ran.err.contains("before"), "{}", ran.err);
}

#[test]
fn what_is_wrong_with_one_model_is_told_at_its_place() {
    let bench = bench();
    bench.write("none.toml", TEXT.replace("'my-clip'", "'your-clip'"));
    run(&bench, &["check", "none.toml"]).ended(2).says("none.toml:3:30").says("no model `your-clip`");
    // Every member has to know the prompts' words.
    bench.write("words.toml", TEXT.replace("red picture", "castle"));
    run(&bench, &["check", "words.toml"]).ended(2).says("model `my-clip` knows no word of \"castle\"");
    // A direction is one model's; the recipes' own is of the embedded one.
    fs::remove_dir_all(bench.path(POCKET)).unwrap();
    let letters = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes/letters.safetensors");
    fs::copy(letters, bench.path("letters.safetensors")).unwrap();
    let class = "{ direction = 'letters.safetensors', class = 'letters', weight = -0.02 }";
    bench.write("direction.toml", TEXT.replace("['red picture', ", &format!("['red picture', {class}, ")));
    run(&bench, &["check", "direction.toml"])
        .ended(2)
        .says("made for another model: it is for `pocket`, not for `my-clip`")
        .says("give it a target of its own, with model = \"pocket\"");
    let own = format!("{TEXT}[[detail]]\nprompts = [{class}]\nmodel = 'pocket'\n");
    bench.write("own.toml", own);
    run(&bench, &["check", "own.toml"]).ended(0);
}

#[test]
fn a_sweep_tells_similarities_by_model() {
    let bench = bench();
    run(&bench, &["sweep", "two.toml", "--set", "models.1.weight=1,3"]).ended(0);
    let index = json(&bench, "two-sweep/index.json");
    let similarities = &index["renders"][1]["similarities"];
    for target in ["sky (pocket)", "sky (my-clip)", "composition 1 (pocket)", "composition 1 (my-clip)"] {
        assert!(similarities[target].is_number(), "{target} is not in {similarities}");
    }
    run(&bench, &["sweep", "two.toml", "--set", "models.1.weight=1,3", "--model", "pocket"])
        .ended(2)
        .says("--model sets what varies: models.1.weight");
}
