//! Models that advise.

use serde_json::{Value, json};

use crate::bench::{Bench, pixels};
use crate::tiny;

const RECIPE: &str = "model = './mine'\nsize = [48, 48]\n[[detail]]\nprompts = ['castle']\n[[phase]]\nsteps = 2\n";
const ADVICE: &str = "\n[advice.detail]\nplaces = 0\nwindows = 3\n\n[advice.phase]\nrate = 0.07\ngradient = 'plain'\n\n[advice.adam]\nepsilon = 1e-8\n";

/// A small model in a folder, with this behind its description.
pub fn mine(bench: &Bench, more: &str) {
    for (name, mut bytes) in tiny::files() {
        if name == "model.toml" {
            bytes.extend(more.as_bytes());
        }
        bench.write(&format!("mine/{name}"), bytes);
    }
}

fn plan(bench: &Bench, arguments: &[&str]) -> Value {
    serde_json::from_slice(&bench.done(&[&["plan", "--json"], arguments].concat()).stdout).unwrap()
}

#[test]
fn a_plan_tells_where_its_values_come_from() {
    let bench = Bench::new();
    mine(&bench, ADVICE);
    bench.write("a.toml", RECIPE);
    let told = plan(&bench, &["a.toml", "--seed", "5", "--set", "detail.0.loss=cosine"]);
    let (target, phase) = (&told["targets"][0], &told["phases"][0]);
    assert_eq!(
        (&target["windows"], &target["sight"], &phase["gradient"]),
        (&json!(3), &json!("places"), &json!("plain"))
    );
    assert_eq!(phase["rate"], json!([0.07, 0.07, 0.07]));
    for (from, key, origin) in [
        (&told["from"], "size", "recipe"),
        (&told["from"], "seed", "command line"),
        (&told["from"], "canvas.basis", "program"),
        (&target["from"], "windows", "model"),
        (&target["from"], "loss", "command line"),
        (&target["from"], "select", "program"),
        (&phase["from"], "steps", "recipe"),
        (&phase["from"], "rate", "model"),
        (&phase["from"], "finest", "program"),
        (&phase["from"], "optimiser", "program"),
        (&phase["from"], "optimiser.epsilon", "model"),
    ] {
        assert_eq!(from[key], origin, "{key}: {from}");
    }
    let page = bench.done(&["plan", "a.toml"]).out;
    let words = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "picture 48x48, seed 0', fourier' (decay 1.5', chroma 0.6'), from mean 0.5', noise 0.02'",
        "phase 1 2 0.07* 5→5→50' adam' (beta1 0.9', beta2 0.99', epsilon 0.00000001*) plain*",
        "detail 1: 3 windows* a step, places*, select best', loss spherical'",
        "through' cover",
        "marks * the model's advice, ' the program's default",
    ] {
        assert!(words.contains(expected), "{expected} is not in\n{page}");
    }
    // A recipe's own value wins, and has no mark.
    bench.write("b.toml", RECIPE.replace("['castle']", "['castle']\nwindows = 5"));
    assert!(bench.done(&["plan", "b.toml"]).out.contains("detail 1: 5 windows a step, places*,"));
    // The command line's model advises in the place of the recipe's.
    let told = plan(&bench, &["a.toml", "--model", "pocket"]);
    assert_eq!((&told["targets"][0]["windows"], &told["from"]["model"]), (&json!(12), &json!("command line")));
}

#[test]
fn wrong_advice_is_told_at_its_line() {
    let bench = Bench::new();
    mine(&bench, "\n[advice.detail]\nwindows = 0\n");
    bench.write("a.toml", RECIPE);
    let line = String::from_utf8(bench.read("mine/model.toml")).unwrap().lines().count();
    for command in [["a.toml"].as_slice(), &["check", "a.toml"], &["plan", "a.toml"]] {
        let ran = bench.run(command).ended(2);
        let err = anstream::adapter::strip_str(&ran.err).to_string().replace('\\', "/");
        assert!(err.contains(&format!("mine/model.toml:{line}:11")), "{err}");
        assert!(err.contains("`windows` is out of range") && err.contains("expected a whole number from 1"), "{err}");
    }
    // It is told as well when the model itself is checked, and does not hide the rest.
    let checked = bench.run(&["models", "check", "./mine"]).ended(1);
    assert!(checked.out.contains("gradient  right") && checked.out.contains("its advice"), "{}", checked.out);
    mine(&bench, "\n[advise.detail]\nwindows = 1\n");
    bench.run(&["check", "a.toml"]).ended(2).says("advise");
}

#[test]
fn a_picture_renders_again_and_another_advice_makes_another_one() {
    let bench = Bench::new();
    mine(&bench, ADVICE);
    bench.write("a.toml", RECIPE);
    bench.done(&["a.toml"]);
    let again = bench.done(&["a.png"]);
    assert_eq!(bench.read("a.png"), bench.read("a-again.png"));
    assert!(!again.err.contains("another model"), "{}", again.err);
    bench.done(&["a.toml", "-o", "plain.png", "--model", "pocket"]);
    assert_ne!(pixels(&bench.path("a.png")), pixels(&bench.path("plain.png")));
    // Another advice is another model, as far as pictures are concerned: it is said, and a sweep renders anew.
    let sweep = |bench: &Bench| bench.done(&["sweep", "a.toml", "--set", "seed=1,2", "--dry-run"]).out;
    bench.done(&["sweep", "a.toml", "--set", "seed=1,2"]);
    let there = sweep(&bench);
    assert_eq!(sweep(&bench), there);
    mine(&bench, &ADVICE.replace("windows = 3", "windows = 4"));
    bench.done(&["a.png", "-o", "other.png"]).says("another model");
    assert_ne!(sweep(&bench), there);
    assert_ne!(pixels(&bench.path("a.png")), pixels(&bench.path("other.png")));
}
