//! `plan`: what a recipe comes to.

use serde_json::{Value, json};

use crate::bench::{Bench, SMALL};

const TEXT: &str = "
title = 'Two'
size = [96, 64]
seed = 5
[[composition]]
prompts = ['castle']
windows = 2
[[detail]]
name = 'parts'
prompts = ['sword', { text = 'letters', weight = -0.3 }]
windows = 3
stages = [{ cover = [0.3, 0.6] }, { rotate = 10 }]
[[phase]]
name = 'compose'
steps = 5
rate = 0.06
finest = { keys = [[0, 5], [1, 15]] }
detail = 0
[[phase]]
steps = 11
rate = '0.1 * (1 - t)'
";

const PHASES: &str = "
size = [96, 96]
[render]
steps = 100
[[detail]]
prompts = ['castle']
[[phase]]
name = 'coarse'
share = 0.6
repeat = 2
rate = 0.05
finest = 'off'
resolution = 0.25
[[phase]]
name = 'fine'
optimiser = 'sgd'
gradient = { clip = 1 }
rate = 0.02
resolution = '0.25 + 0.75 * t'
patience = 20
";

fn plan(bench: &Bench, arguments: &[&str]) -> Value {
    let ran = bench.done(&[&["plan", "--json"], arguments].concat());
    serde_json::from_slice(&ran.stdout).unwrap()
}

#[test]
fn a_plan_fits_on_a_screen() {
    let bench = Bench::new();
    bench.write("two.toml", TEXT);
    let out = bench.done(&["plan", "two.toml"]).out;
    assert!(out.lines().count() <= 24 && out.lines().all(|line| line.chars().count() <= 112), "{out}");
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "Two",
        "96x64, seed 5, fourier",
        "model pocket, windows of 32x32",
        "phases steps rate finest composition 1 parts",
        "compose 5 0.06 5→10→15 1 -",
        "phase 2 11 0.1→0.05→0",
        "parts: 3 windows a step, 9 places that stay', select best', loss spherical'",
        "\"sword\", \"letters\" -0.3",
        "cover 0.3..0.6, rotate ±10, edge mirror",
        "16 steps, 32 looks at the whole, 33 at details: 65 windows, 5 in a step at most",
        "memory at least ",
        "time --measure",
    ] {
        assert!(words.contains(expected), "{expected} is not in\n{out}");
    }
}

#[test]
fn programs_are_told_the_same() {
    let bench = Bench::new();
    bench.write("two.toml", TEXT);
    let told = plan(&bench, &["two.toml"]);
    assert_eq!(told["phases"][0]["finest"], json!([5.0, 10.0, 15.0]));
    assert_eq!(told["phases"][0]["weights"], json!([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]));
    assert_eq!(told["targets"][1]["prompts"][1]["prompt"], "letters");
    assert_eq!(told["targets"][1]["pipelines"][0]["stages"][1]["low"], json!([-10.0, -10.0, -10.0]));
    let effort = &told["effort"];
    assert_eq!((&effort["steps"], &effort["windows"], &effort["measured"]), (&json!(16), &json!(65), &Value::Null));
    // With what the command line says in place of the recipe.
    let told = plan(&bench, &["two.toml", "--size", "300x600", "--steps", "64", "--seed", "7", "--draft"]);
    assert_eq!((&told["size"], &told["seed"], &told["effort"]["steps"]), (&json!([100, 200]), &json!(7), &json!(16)));
    bench.write("wrong.toml", "sice = 4\n");
    bench.run(&["plan", "wrong.toml", "--json"]).ended(2).says("wrong.toml:1:1");
}

#[test]
fn phases_tell_what_is_unusual_about_them() {
    let bench = Bench::new();
    bench.write("phases.toml", PHASES);
    let out = bench.done(&["plan", "phases.toml"]).out;
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "phases steps rate finest optimiser gradient canvas patience detail 1",
        "coarse 30 0.05 all adam' normalise' 24x24 - 1",
        "coarse (2) 30 0.05 all adam' normalise' 24x24 - 1",
        "fine 40 0.02 all' sgd (momentum 0.9') clip 1 24x24→60x60→96x96 20 steps 1",
    ] {
        assert!(words.replace(" → ", "→").contains(expected), "{expected} is not in\n{out}");
    }
    let told = plan(&bench, &["phases.toml", "--steps", "10"]);
    let steps: Vec<u64> =
        told["phases"].as_array().unwrap().iter().map(|phase| phase["steps"].as_u64().unwrap()).collect();
    assert_eq!((steps.iter().sum::<u64>(), steps.len()), (10, 3));
    assert_eq!(told["phases"][2]["canvas"], json!([[24, 24], [48, 48], [96, 96]]));
    // Patience is scaled as its phase is: 20 of 40 steps.
    assert_eq!((&told["phases"][2]["gradient"], &told["phases"][2]["patience"]), (&json!("clip"), &json!(2)));
}

#[test]
fn a_phase_that_ends_early_is_told_of_everywhere() {
    let bench = Bench::new();
    bench.write("early.toml", SMALL.replacen("steps = 3", "steps = 30\npatience = 4\ngain = 1\nrate = 0.01", 1));
    let ran = bench.done(&["early.toml", "--phases", "--every", "31", "--timings", "t.json"]);
    assert!(ran.err.contains("8 of 33 steps, the others were not needed"), "{}", ran.err);
    let timings: Value = serde_json::from_slice(&bench.read("t.json")).unwrap();
    assert_eq!((&timings["steps"], &timings["spared"]), (&json!(8), &json!(25)));
    // The first step after the early end has the number that it always had.
    let names = bench.names();
    assert!(names.iter().any(|name| name == "early-000031.png"), "{names:?}");
    assert!(names.iter().any(|name| name.contains("compose")), "{names:?}");
    // The whole picture says so inside, and renders again without a word about missing steps.
    let facts = recipe_render::output::recover(&bench.path("early.png")).unwrap().facts;
    assert_eq!((facts.steps, facts.steps_spared, facts.steps_planned), (8, 25, 33));
    let again = bench.done(&["early.png", "-o", "again.png"]);
    assert!(!again.err.contains("from step"), "{}", again.err);
    assert_eq!(bench.read("early.png"), bench.read("again.png"));
}

#[test]
fn windows_are_those_of_the_render() {
    let bench = Bench::small();
    bench.done(&["small.toml", "--timings", "timings.json"]);
    let timings: Value = serde_json::from_slice(&bench.read("timings.json")).unwrap();
    // A picture stands for its recipe.
    let told = plan(&bench, &["small.png"]);
    assert_eq!(told["effort"]["windows"], timings["windows"]);
    assert_eq!(told["effort"]["steps"], timings["steps"]);
}

#[test]
fn time_is_told_after_a_few_steps() {
    let bench = Bench::new();
    bench.write("long.toml", SMALL.replace("steps = 3", "steps = 1000000"));
    let told = plan(&bench, &["long.toml", "--measure"]);
    let measured = &told["effort"]["measured"];
    let (pace, seconds) = (measured["windows_per_second"].as_f64().unwrap(), measured["seconds"].as_f64().unwrap());
    assert!(pace > 0.0);
    assert!((seconds * pace - told["effort"]["windows"].as_f64().unwrap()).abs() < 1.0);
    assert_eq!(bench.names(), ["long.toml"]);
}
