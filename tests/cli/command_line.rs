//! Arguments, messages, exit codes.

use std::io::Write;
use std::process::Stdio;

use crate::bench::{Bench, Ran, SMALL, pixels};

#[test]
fn help_and_version_are_no_failures_and_nothing_is() {
    let bench = Bench::new();
    for flag in ["--help", "-h"] {
        let ran = bench.done(&[flag]);
        assert!(ran.out.contains("RECIPE") && ran.out.contains("--threads") && ran.err.is_empty());
    }
    assert_eq!(bench.done(&["--version"]).out, format!("recipe-render {}\n", env!("CARGO_PKG_VERSION")));
    let ran = bench.run(&[]).ended(2).says("Usage");
    assert!(ran.out.is_empty());
}

#[test]
fn a_wrong_value_is_answered_with_its_flag() {
    let bench = Bench::small();
    for (flag, value) in [
        ("--size", "640"),
        ("--size", "8x8"),
        ("--steps", "0"),
        ("--steps", "many"),
        ("--seed", "-1"),
        ("--device", "tpu"),
        ("--threads", "0"),
        ("--threads", "1000"),
        ("--every", "0"),
    ] {
        let value = format!("{flag}={value}");
        bench.run(&["small.toml", &value]).ended(2).says(flag);
    }
    bench.run(&["small.toml", "--sice", "64x64"]).ended(2).says("--size");
    bench.run(&["models", "gradient", "pocket", "--windows", "0", "-o", "x.onnx"]).ended(2).says("--windows");
    assert_eq!(bench.names(), ["small.toml"]);
}

#[test]
fn what_is_no_recipe_is_named() {
    let bench = Bench::small();
    bench.write("latin.toml", b"# caf\xe9\n");
    bench.write("wrong.toml", "seed = 4\nsice = [64, 64]\n");
    bench.write("broken.toml", "seed = 4\nsize = [64,\n");
    bench.run(&["missing.toml"]).ended(2).says("missing.toml");
    bench.run(&["."]).ended(2);
    bench.run(&["latin.toml"]).ended(2).says("latin.toml:1:6");
    bench.run(&["wrong.toml"]).ended(2).says("wrong.toml:2:1");
    bench.run(&["broken.toml"]).ended(2).says("broken.toml:");
    bench.run(&["small.toml", "--model", "no-such-model"]).ended(2).says("no-such-model");
    assert!(bench.names().iter().all(|name| name.ends_with(".toml")));
}

#[test]
fn a_device_that_is_not_there_is_an_error() {
    let bench = Bench::small();
    bench.run(&["small.toml", "--device", "cuda:99"]).ended(1).says("error: ").says("CUDA");
    assert_eq!(bench.names(), ["small.toml"]);
}

#[test]
fn a_file_called_like_a_command_is_reached_by_its_path() {
    let bench = Bench::new();
    bench.write("check", SMALL);
    bench.done(&["./check"]);
    assert_eq!(bench.names(), ["check", "check.png"]);
}

#[test]
fn stdout_has_the_tally_and_stderr_the_rest() {
    let bench = Bench::small();
    let ran = bench.done(&["small.toml"]).says("small.png: 6 steps, ");
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ran.out);
    let mut won = 0;
    for (line, prompt) in lines.iter().zip(["sword  : ", "castle : "]) {
        let count = line.strip_prefix(prompt).unwrap_or_else(|| panic!("{line}"));
        let (count, percent) = count.split_once(" (").unwrap();
        assert!(percent.ends_with("%)"), "{line}");
        won += count.parse::<u64>().unwrap();
    }
    assert!(won >= 6);
    let quiet = bench.done(&["small.toml", "--quiet"]);
    assert_eq!((quiet.out, quiet.err), (ran.out, String::new()));
    bench.done(&["small.toml", "-v"]).says("model pocket");
}

#[test]
fn colours_only_where_they_are_wanted() {
    let bench = Bench::new();
    let err = |set: Option<(&str, &str)>| {
        let mut program = bench.program();
        program.arg("missing.toml").envs(set);
        Ran::from(program.output().unwrap()).ended(2).err
    };
    assert!(err(None).starts_with("error: "));
    assert!(err(Some(("NO_COLOR", "1"))).starts_with("error: "));
    assert!(err(Some(("CLICOLOR_FORCE", "1"))).contains("\u{1b}["));
}

#[test]
fn a_recipe_that_fails_does_not_keep_the_others_back() {
    let bench = Bench::small();
    bench.write("wrong.toml", "sice = 4\n");
    bench.write("other.toml", SMALL);
    let ran = bench.run(&["small.toml", "wrong.toml", "other.toml"]).ended(2);
    let ran = ran.says("wrong.toml:1:1").says("small.png").says("other.png");
    assert!(ran.out.contains("small.toml\n") && ran.out.contains("other.toml\n"), "{}", ran.out);
    assert!(bench.path("small.png").exists() && bench.path("other.png").exists());
}

#[test]
fn a_recipe_that_cannot_be_read_keeps_all_back() {
    let bench = Bench::small();
    bench.run(&["small.toml", "missing.toml", "gone.toml"]).ended(2).says("missing.toml").says("gone.toml");
    let ran = bench.run(&["chek", "small.toml"]).ended(2).says("chek").says("did you mean the command `check`?");
    assert!(ran.out.is_empty());
    assert_eq!(bench.names(), ["small.toml"]);
}

#[test]
fn help_is_a_command_too() {
    let bench = Bench::new();
    assert!(bench.done(&["help"]).out.contains("--threads"));
    assert_eq!(bench.done(&["help", "check"]).out, bench.done(&["check", "--help"]).out);
}

#[test]
fn more_steps_than_asked_for_are_told() {
    let bench = Bench::small();
    bench.done(&["small.toml", "--steps", "1"]).says("every phase has at least one step: 2 steps");
    assert!(!bench.done(&["small.toml", "--steps", "2"]).err.contains("at least"));
}

#[test]
fn the_device_is_told_once() {
    let bench = Bench::small();
    for line in [&["small.toml", "-v"][..], &["small.toml", "-v", "--device", "cpu"]] {
        let ran = bench.done(line);
        assert_eq!(ran.err.matches("device: ").count(), 1, "{}", ran.err);
    }
}

#[test]
fn a_recipe_can_come_from_standard_input() {
    let bench = Bench::new();
    let mut child = bench.program().arg("-").stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(SMALL.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(pixels(&bench.path("stdin.png")).dimensions(), (64, 48));
    assert_eq!(bench.recovered("stdin.png").unwrap(), SMALL.as_bytes());
}

#[test]
fn check_only_checks() {
    let bench = Bench::small();
    bench.write("wrong.toml", "seed = 4\nsice = [64, 64]\n");
    let ran = bench.done(&["check", "small.toml"]);
    assert!(ran.out.starts_with("small.toml: ") && ran.err.is_empty(), "{} {}", ran.out, ran.err);
    bench.run(&["check", "wrong.toml", "small.toml"]).ended(2).says("wrong.toml:2:1");
    bench.run(&["--size", "64x64", "check", "small.toml"]).ended(2).says("--size");
    assert_eq!(bench.names(), ["small.toml", "wrong.toml"]);
}

#[test]
fn schema_prints_json_and_the_reference() {
    let bench = Bench::new();
    let schema: serde_json::Value = serde_json::from_str(&bench.done(&["schema"]).out).unwrap();
    assert!(schema["properties"]["detail"].is_object(), "{schema}");
    assert!(bench.done(&["schema", "--reference"]).out.contains("| "));
}

#[test]
fn models_are_listed() {
    let bench = Bench::new();
    assert!(bench.done(&["models", "list"]).out.lines().any(|line| line.starts_with("pocket ")));
}

/// Only the model can tell which words it knows; the message still points into the recipe.
#[test]
fn prompts_of_unknown_words_are_pointed_at() {
    let bench = Bench::new();
    bench.write("odd.toml", SMALL.replace("\"castle\"", "\"野兎\""));
    bench.run(&["odd.toml"]).ended(2).says("odd.toml:7:21");
    bench.write("model.toml", format!("model = \"no-such-model\"\n{SMALL}"));
    bench.run(&["model.toml"]).ended(2).says("model.toml:1:9");
    assert_eq!(bench.names(), ["model.toml", "odd.toml"]);
}

/// One rule at every door: what the recipe takes as a seed the command line takes, and the picture keeps.
#[test]
fn a_seed_is_the_same_wherever_it_is_said() {
    let bench = Bench::small();
    let plan = |line: &[&str]| {
        let ran = bench.done(&[&["plan", "--json"], line].concat());
        let told: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
        told["seed"].as_u64().unwrap()
    };
    let most = "18446744073709551615";
    for (text, seed) in [("0", 0), (most, u64::MAX), ("0xff", 255), ("1_000", 1000), ("9223372036854775808", 1 << 63)] {
        bench.write("said.toml", SMALL.replace("seed = 4", &format!("seed = {text}")));
        let set = format!("seed={text}");
        assert_eq!(plan(&["said.toml"]), seed);
        assert_eq!(plan(&["small.toml", "--seed", text]), seed);
        assert_eq!(plan(&["small.toml", "--set", &set]), seed);
        let swept = bench.done(&["sweep", "small.toml", "--dry-run", "--set", &format!("seed={text},4")]);
        assert!(swept.out.contains(text), "{}", swept.out);
    }
    for text in ["18446744073709551616", "-1", "1.5", "1e3"] {
        bench.write("said.toml", SMALL.replace("seed = 4", &format!("seed = {text}")));
        let set = format!("seed={text}");
        let swept = format!("seed={text},4");
        let option = format!("--seed={text}");
        for line in [
            &["check", "said.toml"][..],
            &["plan", "small.toml", &option],
            &["plan", "small.toml", "--set", &set],
            &["sweep", "small.toml", "--dry-run", "--set", &swept],
        ] {
            bench.run(line).ended(2).says("a whole number from 0 to 18446744073709551615");
        }
    }
    // What a picture keeps is what was said.
    for line in [&["--seed", most][..], &["--set", &format!("seed={most}")]] {
        bench.done(&[&["small.toml"], line].concat());
        let first = bench.read("small.png");
        assert_eq!(plan(&["small.png"]), u64::MAX);
        bench.done(&["small.png"]);
        assert_eq!(bench.read("small-again.png"), first);
    }
    let ran = bench.done(&[
        "sweep",
        "small.toml",
        "--set",
        "seed=18446744073709551614..18446744073709551615",
        "--output",
        "s",
    ]);
    assert!(ran.out.contains("sheet.png"), "{}", ran.out);
}

/// The same for the steps of the whole run.
#[test]
fn the_steps_of_a_run_have_one_limit() {
    let bench = Bench::small();
    let recipe = SMALL.replace("steps = 3", "share = 0.5");
    for (steps, code) in [("10000000", 0), ("10_000_000", 0), ("10000001", 2), ("0", 2), ("4294967295", 2)] {
        bench.write("said.toml", format!("{recipe}\n[render]\nsteps = {steps}\n"));
        bench.run(&["plan", "said.toml"]).ended(code);
        bench.run(&["plan", "small.toml", "--steps", steps]).ended(code);
        bench.write("shared.toml", format!("{recipe}\n[render]\nsteps = 4\n"));
        bench.run(&["plan", "shared.toml", "--set", &format!("render.steps={steps}")]).ended(code);
    }
}
