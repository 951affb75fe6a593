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
        "model pocket, windows of 64x64",
        "phases steps rate finest composition 1 parts",
        "compose 5 0.06 5→10→15 1 -",
        "phase 2 11 0.1→0.05→0",
        "parts: 3 windows a step, places, select best, loss spherical",
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
