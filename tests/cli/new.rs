//! `new`: recipes to begin from.

use crate::bench::{Bench, Ran, SMALL};

/// `new`, with the user's folder in the bench.
fn new(bench: &Bench, arguments: &[&str]) -> Ran {
    let mut program = bench.program();
    program.env("XDG_DATA_HOME", bench.path("data")).arg("new").args(arguments).output().unwrap().into()
}

fn text(bench: &Bench, name: &str) -> String {
    String::from_utf8(bench.read(name)).unwrap()
}

#[test]
fn the_template_is_sound_and_editors_find_its_schema() {
    let bench = Bench::new();
    let ran = new(&bench, &["sea-at-night"]).ended(0).says("sea-at-night.toml: written");
    assert!(ran.out.is_empty());
    let ran = bench.done(&["check", "sea-at-night.toml"]);
    assert_eq!(ran.err, "");
    let text = text(&bench, "sea-at-night.toml");
    assert!(text.contains("title = \"sea at night\""));
    if cfg!(target_os = "linux") {
        let schema = text.lines().next().unwrap().strip_prefix("#:schema file://").unwrap();
        assert_eq!(std::fs::read(schema).unwrap(), bench.done(&["schema"]).stdout);
    }
}

#[test]
fn a_schema_nearby_is_preferred() {
    let bench = Bench::new();
    bench.write("schema/recipe.schema.json", "{}");
    bench.write("recipes/readme", "");
    new(&bench, &["recipes/a"]).ended(0);
    new(&bench, &["b.toml"]).ended(0);
    assert!(text(&bench, "recipes/a.toml").starts_with("#:schema ../schema/recipe.schema.json\n"));
    assert!(text(&bench, "b.toml").starts_with("#:schema ./schema/recipe.schema.json\n"));
    assert!(!bench.path("data").exists());
}

#[test]
fn nothing_is_overwritten() {
    let bench = Bench::small();
    new(&bench, &["small"]).ended(2).says("small.toml: already exists");
    assert_eq!(text(&bench, "small.toml"), SMALL);
    new(&bench, &["no/such/folder/a"]).ended(1).says("does not exist");
    new(&bench, &["x/"]).ended(2).says("not a name");
}

#[test]
fn recipes_are_copied() {
    let bench = Bench::small();
    bench.write("recipe.schema.json", "{}");
    let body = |name: &str| text(&bench, name).split_once('\n').unwrap().1.to_owned();
    new(&bench, &["mine", "--from", "volcano"]).ended(0);
    let volcano = include_str!("../../recipes/volcano.toml");
    assert_eq!(body("mine.toml"), volcano.split_once('\n').unwrap().1);
    new(&bench, &["other", "--from", "small.toml"]).ended(0);
    assert_eq!(body("other.toml"), SMALL);
    bench.done(&["small.toml", "--steps", "2"]);
    new(&bench, &["third", "--from", "small.png"]).ended(0);
    assert_eq!(body("third.toml"), SMALL);
    for name in ["mine.toml", "other.toml", "third.toml"] {
        assert!(text(&bench, name).starts_with("#:schema ./recipe.schema.json\n"));
        bench.done(&["check", name]);
    }
    new(&bench, &["fourth", "--from", "vulcano"]).ended(2).says("volcano");
    assert!(!bench.path("fourth.toml").exists());
}

#[test]
fn a_copy_that_misses_its_pictures_is_told() {
    let bench = Bench::new();
    bench.write("there/a.toml", format!("{SMALL}\n[canvas]\ninit = {{ image = \"start.png\" }}\n"));
    image::RgbImage::new(80, 60).save(bench.path("there/start.png")).unwrap();
    assert!(!new(&bench, &["there/b", "--from", "there/a.toml"]).ended(0).err.contains("warning"));
    new(&bench, &["b", "--from", "there/a.toml"]).ended(0).says("start.png").says("not valid here");
}
