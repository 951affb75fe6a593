//! `direction fit` with examples that the program draws itself, and the directions that come along.

use std::path::Path;

use recipe_render::clip::ModelFolder;
use recipe_render::direction::Directions;
use serde_json::Value;

use crate::bench::{Bench, Ran};

/// The folder of the font that is part of the program.
const OWN_FONT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/crates/output/src/output/font");

fn fit(bench: &Bench, arguments: &[&str]) -> Ran {
    bench.program().args(["direction", "fit"]).args(arguments).output().unwrap().into()
}

fn lettering(bench: &Bench, file: &str, more: &[&str]) -> Ran {
    let first = ["--lettering", "--fonts", OWN_FONT, "--background", "gradient", "--count", "120", "-o", file];
    fit(bench, &[&first, more].concat())
}

#[test]
fn lettering_is_learned_from_drawn_examples() {
    let bench = Bench::new();
    let ran = lettering(&bench, "a.safetensors", &["--examples", "drawn", "--json"]).ended(0);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["classes"][0]["class"], "letters");
    assert_eq!(told["classes"][0]["positives"], 120);
    // Over plain backdrops lettering cannot be missed.
    let accuracy = told["classes"][0]["scores"]["accuracy"]["value"].as_f64().unwrap();
    assert!(accuracy > 0.85, "{accuracy}");
    for folder in ["drawn/letters", "drawn/not-letters"] {
        assert_eq!(std::fs::read_dir(bench.path(folder)).unwrap().count(), 120);
    }
    let file = Directions::open(&bench.path("a.safetensors")).unwrap();
    assert!(file.made.contains("--lettering --count 120 --seed 0") && file.made.contains("NotoSans"), "{}", file.made);

    // The same whatever the number of threads, another one with another seed.
    lettering(&bench, "b.safetensors", &["--threads", "1"]).ended(0);
    assert_eq!(bench.read("a.safetensors"), bench.read("b.safetensors"));
    lettering(&bench, "c.safetensors", &["--seed", "1"]).ended(0);
    assert_ne!(bench.read("a.safetensors"), bench.read("c.safetensors"));

    // What was drawn can be given back as folders.
    let ran = fit(&bench, &["--positive", "drawn/letters", "--negative", "drawn/not-letters", "-o", "d.safetensors"]);
    assert!(ran.ended(0).out.starts_with("letters: 120 pictures against 120"));
}

#[test]
fn each_contrast_is_a_class_by_itself() {
    let bench = Bench::new();
    fit(&bench, &["--stripes", "--borders", "--grid", "--noise", "--count", "60", "-o", "all.safetensors"]).ended(0);
    fit(&bench, &["--stripes", "--count", "60", "-o", "one.safetensors"]).ended(0);
    let open = |file: &str| Directions::open(&bench.path(file)).unwrap();
    let all = open("all.safetensors");
    let classes: Vec<&str> = all.classes.iter().map(|direction| direction.class.as_str()).collect();
    assert_eq!(classes, ["noise", "grid", "borders", "stripes"]);
    assert_eq!(all.class("stripes"), open("one.safetensors").class("stripes"));
}

#[test]
fn pictures_of_ones_own_are_drawn_over() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("mine")).unwrap();
    let blue = image::RgbImage::from_pixel(100, 80, image::Rgb([0, 0, 220]));
    blue.save(bench.path("mine/blue.png")).unwrap();
    bench.write("mine/broken.png", "no picture");
    let more = ["--background", "mine", "--examples", "drawn", "--count", "12", "-o", "a.safetensors"];
    fit(&bench, &[&["--borders"], &more[..]].concat()).ended(0).says("broken.png");
    let drawn = image::open(bench.path("drawn/not-borders/000003.png")).unwrap().into_rgb8();
    let middle = drawn.get_pixel(drawn.width() / 2, drawn.height() / 2).0;
    assert!(middle[2] > 150 && middle[0] < 70, "{middle:?}");
}

#[test]
fn what_is_wrong_is_told() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("empty")).unwrap();
    let wrong = |arguments: &[&str]| fit(&bench, &[arguments, &["-o", "a.safetensors"]].concat()).ended(2);
    wrong(&["--lettering", "--background", "clouds"]).says("neither a kind of backdrop nor a folder").says("gradient");
    wrong(&["--lettering", "--background", "empty"]).says("no picture");
    wrong(&["--lettering", "--fonts", "empty"]).says("no font with all letters");
    wrong(&["--lettering", "--positive", "empty", "--negative", "empty"]).says("cannot be used with");
    wrong(&["--more", "sea", "--less", "land", "--count", "9"]).says("--lettering");
    wrong(&["--noise", "--fonts", "empty"]).says("--lettering");
    wrong(&["--lettering", "--count", "3"]).says("8..");
    assert!(!bench.path("a.safetensors").exists());
}

#[test]
fn the_recipes_direction_is_of_the_embedded_model() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes/letters.safetensors");
    let directions = Directions::open(&path).unwrap();
    let model = ModelFolder::find("pocket", Path::new("")).unwrap();
    assert_eq!(directions.model.hash, model.hash().unwrap(), "fit it anew: {}", directions.made);
    let letters = directions.class("letters").unwrap();
    let accuracy = letters.about.scores.as_ref().unwrap().accuracy.value;
    assert!(accuracy >= 0.95, "{accuracy}");
}
