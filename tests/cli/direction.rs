//! `direction`: fitted to pictures that are drawn here, looked at, and used.

use image::{Rgb, RgbImage};
use serde_json::Value;

use crate::bench::{Bench, Ran};

/// A number from 0 to 1 that depends on nothing but its arguments.
fn chance(seed: u32, index: u32) -> f32 {
    let hash = (seed.wrapping_mul(2_654_435_761) ^ index.wrapping_mul(0x9e37_79b9)).wrapping_mul(0x85eb_ca6b);
    ((hash ^ (hash >> 15)).wrapping_mul(0xc2b2_ae35) >> 8) as f32 / (1u32 << 24) as f32
}

/// A gradient between two colours; the same with stripes over it where they are wanted.
fn picture(seed: u32, stripes: bool) -> RgbImage {
    let of = |index| 60.0 + 140.0 * chance(seed, index);
    let (from, to) = ([of(0), of(1), of(2)], [of(3), of(4), of(5)]);
    let (turn, width) = (chance(seed, 6) * 3.0, 5.0 + 6.0 * chance(seed, 7));
    RgbImage::from_fn(96, 96, |x, y| {
        let (x, y) = (x as f32, y as f32);
        let along = x * turn.cos() + y * turn.sin();
        let dark = if stripes && (along / width).rem_euclid(2.0) < 1.0 { -60.0 } else { 0.0 };
        Rgb([0, 1, 2].map(|channel| (from[channel] + (to[channel] - from[channel]) * y / 96.0 + dark) as u8))
    })
}

/// Writes pictures with the numbers `of`.
fn draw(bench: &Bench, folder: &str, of: std::ops::Range<u32>, stripes: bool) {
    for seed in of {
        let path = bench.path(&format!("{folder}/{seed:03}.png"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        picture(seed, stripes).save(path).unwrap();
    }
}

/// Forty striped pictures and the same ones without stripes.
fn examples() -> Bench {
    let bench = Bench::new();
    draw(&bench, "stripes", 0..40, true);
    draw(&bench, "plain", 0..40, false);
    bench
}

fn fit(bench: &Bench, arguments: &[&str]) -> Ran {
    bench.program().args(["direction", "fit"]).args(arguments).output().unwrap().into()
}

const FOLDERS: [&str; 6] = ["--positive", "stripes", "--negative", "plain", "-o", "stripes.safetensors"];

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.out))
}

#[test]
fn stripes_are_learned_from_two_folders() {
    let bench = examples();
    let ran = fit(&bench, &FOLDERS).ended(0);
    assert!(ran.out.starts_with("stripes: 40 pictures against 40; scores are of 16 held out\n"), "{}", ran.out);
    assert!(ran.out.contains("accuracy") && ran.out.contains("ROC area") && ran.out.contains("95% confidence"));
    let file = bench.read("stripes.safetensors");

    // Again, by another number of threads and from another place: the same bytes.
    let all = fit(&bench, &[&FOLDERS[..], &["--json", "--threads", "1"]].concat()).ended(0);
    assert!(bench.read("stripes.safetensors") == file);
    let all = json(&all);
    let scores = &all["classes"][0]["scores"];
    assert!(scores["accuracy"]["value"].as_f64().unwrap() >= 0.9, "{all:#}");
    assert!(scores["area"]["low"].as_f64().unwrap() > 0.7, "{all:#}");
    // Pairs of the same name are held out together.
    assert_eq!((&scores["positives"]["of"], &scores["negatives"]["of"]), (&8.into(), &8.into()));
    assert_eq!((&all["model"], &all["classes"][0]["class"]), (&"pocket".into(), &"stripes".into()));
}

#[test]
fn several_classes_come_into_one_file() {
    let bench = Bench::new();
    draw(&bench, "set/striped", 0..30, true);
    draw(&bench, "set/plain", 30..60, false);
    for seed in 0..30 {
        bench.write(&format!("set/dots/{seed}.png"), "");
        let dots = RgbImage::from_fn(96, 96, |x, y| {
            let near = (x as i32 % 24 - 12).pow(2) + (y as i32 % 24 - 12).pow(2) < 40;
            if near { Rgb([250, 250, 30]) } else { *picture(90 + seed, false).get_pixel(x, y) }
        });
        dots.save(bench.path(&format!("set/dots/{seed}.png"))).unwrap();
    }
    bench.write("set/readme.txt", "no picture");
    bench.write("set/loose.png", "in no class");
    let ran = fit(&bench, &["--classes", "set", "-o", "set.safetensors", "--json"]).ended(0);
    let ran = ran.says("1 picture in no class's folder is left out");
    let all = json(&ran);
    let names: Vec<&str> = all["classes"].as_array().unwrap().iter().map(|c| c["class"].as_str().unwrap()).collect();
    assert_eq!(names, ["dots", "plain", "striped"]);
    for class in all["classes"].as_array().unwrap() {
        assert_eq!((&class["positives"], &class["negatives"]), (&30.into(), &60.into()));
        assert!(class["scores"]["area"]["value"].as_f64().unwrap() > 0.85, "{all:#}");
    }
}

#[test]
fn texts_make_a_direction_too() {
    let bench = Bench::new();
    let texts = ["--more", "volcano", "--less", "sea", "--less", "castle", "-o", "v.safetensors"];
    let ran = fit(&bench, &texts).ended(0);
    assert_eq!(ran.out, "volcano: one text against 2 texts\n  no scores: texts leave nothing to hold out\n");
    assert!(bench.path("v.safetensors").is_file());
    fit(&bench, &["--more", "sea", "--less", "sea", "-o", "n.safetensors"]).ended(2).says("have the same mean");
    fit(&bench, &["--more", "漢字", "--less", "sea", "-o", "n.safetensors"]).ended(2).says("knows no word of");
    assert_eq!(bench.names(), ["v.safetensors"]);
}

#[test]
fn what_cannot_be_read_is_named_and_a_handful_is_needed() {
    let bench = examples();
    bench.write("stripes/broken.png", "not a picture");
    let cut = bench.read("stripes/001.png");
    bench.write("stripes/cut.PNG", &cut[..cut.len() / 2]);
    bench.write("stripes/.hidden.png", "not a picture");
    bench.write("stripes/notes.txt", "not a picture");
    let ran = fit(&bench, &[&FOLDERS[..], &["--json"]].concat()).ended(0);
    let ran = ran.says("stripes/broken.png: is not a picture").says("stripes/cut.PNG: ");
    assert_eq!(json(&ran)["skipped"].as_array().unwrap().len(), 2);

    let few = Bench::new();
    draw(&few, "stripes", 0..7, true);
    draw(&few, "plain", 0..20, false);
    fit(&few, &FOLDERS).ended(2).says("\"stripes\": 7 pictures that can be read, at least 8 are needed").says("hint");
    // Eight files, but one of them is no picture.
    few.write("stripes/8.png", "not a picture");
    fit(&few, &FOLDERS).ended(2).says("\"stripes\": 7 pictures that can be read");
    assert!(!few.path("stripes.safetensors").exists());
}

#[test]
fn the_same_picture_in_two_classes_is_told() {
    let bench = examples();
    bench.write("plain/other.png", bench.read("stripes/003.png"));
    fit(&bench, &FOLDERS).ended(0).says("are the same picture, in two classes");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let bench = Bench::new();
    draw(&bench, "plain", 0..1, false);
    bench.write("empty/notes.txt", "nothing");
    let out = ["-o", "x.safetensors"];
    for (arguments, says) in [
        (&["--positive", "plain"][..], "--negative"),
        (&["--negative", "plain"][..], "--positive"),
        (&["--classes", "plain", "--positive", "plain"][..], "cannot be used with"),
        (&["--more", "sea"][..], "--less"),
        (&["--less", "sea"][..], "--more"),
        (&["--more", "sea", "--less", "castle", "--negative", "plain"][..], "cannot be used with"),
        (&["--classes", "plain", "--class", "x"][..], "cannot be used with"),
        (&["--classes", "plain"][..], "there is no folder in it"),
        (&["--positive", "plain", "--negative", "empty"][..], "empty: there is no picture in it"),
        (&["--positive", "plain", "--negative", "nowhere"][..], "cannot read nowhere"),
        (&["--more", "sea", "--less", "castle", "--class", " "][..], "is no name"),
        (&["--more", "sea", "--less", "castle", "--model", "poket"][..], "did you mean `pocket`?"),
    ] {
        fit(&bench, &[arguments, &out[..]].concat()).ended(2).says(says);
    }
    fit(&bench, &["--more", "sea", "--less", "castle"]).ended(2).says("--output");
    let nowhere = ["--more", "sea", "--less", "castle", "-o", "no/where.safetensors"];
    fit(&bench, &nowhere).ended(1).says("the folder no does not exist");
}
