use std::path::Path;

use super::*;
use crate::recipe::{self, Overrides};

const RECIPE: &str = r#"
title = "A"
size = [32, 32]
seed = 4
[[composition]]
name = "whole"
prompts = ["sea"]
[[detail]]
name = "late"
prompts = ["sword", { text = "letters", weight = -0.3 }]
stages = [{ cover = [0.3, 0.6] }, { rotate = 10 }]
[[phase]]
name = "one"
steps = 4
rate = 0.05
finest = 9
detail = 0
[[phase]]
name = "two"
steps = 3
rate = 0.03
finest = 9
"#;

fn plan(text: &str) -> Plan {
    let compiled = recipe::compile(Path::new("a.toml"), text, &Overrides::default());
    compiled.unwrap_or_else(|wrong| panic!("{text}\n{wrong:?}")).plan
}

fn conditions() -> Conditions {
    Conditions { models: vec!["model".into()], library: "1.0".into(), device: "cpu".into(), files: Contents::default() }
}

/// Returns the key after every step, beginning with the start's.
fn keys(text: &str, conditions: &Conditions) -> Vec<Key> {
    let plan = plan(text);
    let mut chain = Chain::new(&plan, conditions);
    let mut keys = vec![chain.key()];
    while chain.advance() {
        keys.push(chain.key());
    }
    assert_eq!(keys.len() as u64, plan.steps() + 1);
    keys
}

/// Returns the number of steps up to which the keys of the recipe and of an edited one agree.
fn common(from: &str, to: &str) -> Option<usize> {
    let edited = RECIPE.replacen(from, to, 1);
    assert_ne!(edited, RECIPE, "{from}");
    let (own, others) = (keys(RECIPE, &conditions()), keys(&edited, &conditions()));
    own.iter().zip(&others).take_while(|(a, b)| a == b).count().checked_sub(1)
}

#[test]
fn what_changes_no_pixel_changes_no_key() {
    for (from, to) in [
        ("title = \"A\"", "title = \"B\""),
        ("[[phase]]", "# a comment\n[[phase]]"),
        ("name = \"one\"", "name = \"first\""),
        ("rate = 0.05", "rate = \"0.025 * 2\""),
        ("name = \"two\"\nsteps = 3", "name = \"two\"\nsteps = 9"),
    ] {
        assert_eq!(common(from, to), Some(7), "{from} -> {to}");
    }
}

#[test]
fn what_is_not_looked_at_yet_does_not_count_yet() {
    for (from, to) in [
        ("\"sword\"", "\"castle\""),
        ("weight = -0.3", "weight = -0.4"),
        ("rotate = 10", "rotate = 11"),
        ("cover = [0.3, 0.6]", "cover = [0.3, 0.7]"),
        ("rate = 0.03", "rate = 0.04"),
        ("rate = 0.03", "rate = 0.03\noptimiser = \"sign\""),
        ("rate = 0.03", "rate = 0.03\ngradient = \"plain\""),
        ("rate = 0.03", "rate = 0.03\nresolution = 0.5"),
        ("rate = 0.03", "rate = 0.03\npatience = 2"),
        ("name = \"late\"", "name = \"later\""),
        ("name = \"late\"", "name = \"late\"\nwindows = 3"),
        ("name = \"late\"", "name = \"late\"\nloss = \"cosine\""),
        ("name = \"late\"", "name = \"late\"\nselect = \"worst\""),
        ("[\"sword\", {", "[\"sword\", \"castle\", {"),
    ] {
        assert_eq!(common(from, to), Some(4), "{from} -> {to}");
    }
}

#[test]
fn a_spectrum_counts_unless_it_is_the_one_that_noise_has_without_it() {
    let of = |noise: &str| keys(&format!("[[detail]]\nprompts = ['x']\nstages = [{{ {noise} }}]\n"), &conditions());
    let white = of("noise = 0.1");
    assert_eq!(white, of("noise = 0.1, spectrum = 'white'"));
    let (pink, brown) = (of("noise = 0.1, spectrum = 'pink'"), of("noise = 0.1, spectrum = 'brown'"));
    let (fine, coarse) =
        (of("noise = 0.1, spectrum = { coarse = 2 }"), of("noise = 0.1, spectrum = { coarse = 't*9 + 1' }"));
    let all = [white, pink, brown, fine, coarse];
    assert!((0..5).all(|i| (0..i).all(|j| all[i][1] != all[j][1])));
}

/// Calibration counts for several prompts; a single prompt is not calibrated.
#[test]
fn calibration_counts_where_prompts_are_compared() {
    let key = "name = \"late\"";
    let none = "name = \"late\"\ncalibration = \"none\"";
    assert_eq!(common(key, none), Some(7));
    let two = RECIPE.replacen("[\"sword\", {", "[\"sword\", \"castle\", {", 1);
    let compared = |from: &str, to: &str| {
        let (own, others) = (keys(&two, &conditions()), keys(&two.replacen(from, to, 1), &conditions()));
        own.iter().zip(&others).take_while(|(a, b)| a == b).count() - 1
    };
    assert_eq!((compared(key, none), compared(key, "name = \"late\"\ncalibration = \"start\"")), (4, 4));
    let turns = "name = \"late\"\nselect = \"turns\"";
    let (own, others) =
        (two.replacen(key, turns, 1), two.replacen(key, &format!("{turns}\ncalibration = \"none\""), 1));
    assert_eq!(keys(&own, &conditions()), keys(&others, &conditions()));
}

#[test]
fn what_counts_from_the_start_leaves_nothing() {
    for (from, to) in [("seed = 4", "seed = 5"), ("[32, 32]", "[32, 33]"), ("title", "[canvas]\nbasis = \"pixels\"\n#")]
    {
        let edited = match from {
            "title" => format!("{RECIPE}\n[canvas]\nbasis = \"pixels\"\n"),
            from => RECIPE.replacen(from, to, 1),
        };
        assert_ne!(keys(RECIPE, &conditions())[0], keys(&edited, &conditions())[0], "{from}");
    }
    for changed in
        [Conditions { library: "1.1".into(), ..conditions() }, Conditions { device: "cuda".into(), ..conditions() }]
    {
        assert_ne!(keys(RECIPE, &conditions())[0], keys(RECIPE, &changed)[0]);
    }
    let model = Conditions { models: vec!["another".into()], ..conditions() };
    assert_ne!(keys(RECIPE, &conditions())[1], keys(RECIPE, &model)[1]);
    assert_eq!(common("\"sea\"", "\"sky\""), Some(0));
    assert_eq!(common("rate = 0.05", "rate = 0.06"), Some(0));
    assert_eq!(common("finest = 9", "finest = 8"), Some(0));
    assert_eq!(common("rate = 0.05", "rate = \"0.05 * (1 - 0.1 * (step > 1))\""), Some(2));
}

#[test]
fn the_same_file_by_another_name_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let contents = |name: &str| Contents::read([path(name).as_path()]).unwrap();
    std::fs::write(path("a.png"), "x").unwrap();
    std::fs::write(path("b.png"), "x").unwrap();
    let a = contents("a.png");
    assert_eq!(a.hash(&path("a.png")), contents("b.png").hash(&path("b.png")));
    assert!(a.are_unchanged());
    std::fs::write(path("a.png"), "yy").unwrap();
    assert!(!a.are_unchanged());
    assert_ne!(a, contents("a.png"));
    assert!(Contents::read([path("missing").as_path()]).is_err());
}

/// A phase that ran out of patience makes another course of the same plan.
#[test]
fn where_a_phase_ends_early_counts() {
    let plan = plan(&RECIPE.replacen("rate = 0.05", "rate = 0.05\npatience = 2", 1));
    let conditions = conditions();
    let course = |steps, cuts: &[(usize, u64)]| {
        let mut chain = Chain::new(&plan, &conditions);
        assert!(chain.replay(steps, cuts));
        chain
    };
    let (whole, cut) = (course(3, &[]), course(3, &[(0, 3)]));
    assert_ne!(whole.key(), cut.key());
    assert!(cut.phase_is_over() && !whole.phase_is_over());
    assert_eq!(course(4, &[(0, 3)]).position(), (1, 1));
    assert_eq!(course(4, &[(0, 3)]).cuts(), [(0, 3)]);
    assert_ne!(course(5, &[]).key(), course(4, &[(0, 3)]).key());
}
