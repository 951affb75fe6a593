//! Pictures in the place of recipes, and drafts.

use crate::bench::{Bench, SMALL, pixels};
use crate::tiny;

#[test]
fn a_picture_is_rendered_again_byte_for_byte() {
    let bench = Bench::small();
    bench.done(&["small.toml", "--size", "48x32", "--steps", "3", "--seed", "9"]);
    let first = bench.read("small.png");
    let ran = bench.done(&["small.png"]).says("--size 48x32 --steps 3 --seed 9").says("small-again.png: 3 steps");
    assert!(ran.out.contains("sword"));
    assert_eq!(bench.read("small.png"), first);
    assert_eq!(bench.read("small-again.png"), first);
    // And what was rendered again can be rendered again, whatever it is called.
    std::fs::rename(bench.path("small-again.png"), bench.path("renamed")).unwrap();
    bench.done(&["./renamed", "-o", "third.png"]);
    assert_eq!(bench.read("third.png"), first);
}

#[test]
fn the_command_line_has_the_last_word() {
    let bench = Bench::small();
    bench.done(&["small.toml", "--size", "48x32", "--steps", "2"]);
    bench.done(&["small.png", "--steps", "4"]).says("4 steps");
    assert_eq!(pixels(&bench.path("small-again.png")).dimensions(), (48, 32));
    bench.done(&["recover", "small-again.png"]).says("--size 48x32 --steps 4");
}

#[test]
fn a_picture_does_not_give_way_to_itself() {
    let bench = Bench::small();
    bench.done(&["small.toml"]);
    let first = bench.read("small.png");
    bench.run(&["small.png", "-o", "small.png"]).ended(2).says("which is the recipe small.png");
    bench.run(&["small.png", "--watch"]).ended(2).says("is a picture").says("recover small.png");
    assert_eq!(bench.read("small.png"), first);
    assert_eq!(bench.names(), ["small.png", "small.toml"]);
}

#[test]
fn paths_count_from_the_pictures_folder() {
    let bench = Bench::new();
    bench.write("there/small.toml", format!("{SMALL}\n[canvas]\ninit = {{ image = \"start.png\" }}\n"));
    image::RgbImage::new(80, 60).save(bench.path("there/start.png")).unwrap();
    bench.done(&["there/small.toml", "-o", "there/small.png"]);
    bench.done(&["there/small.png"]);
    assert_eq!(bench.read("small-again.png"), bench.read("there/small.png"));
    // Away from its folder the recipe misses the picture it starts from.
    std::fs::copy(bench.path("there/small.png"), bench.path("moved.png")).unwrap();
    for arguments in [&["moved.png"][..], &["check", "moved.png"]] {
        bench.run(arguments).ended(2).says("start.png").says("moved.png:18:").says("the picture's folder");
    }
}

#[test]
fn other_pictures_are_no_recipes() {
    let bench = Bench::small();
    image::RgbImage::new(4, 4).save(bench.path("foreign.png")).unwrap();
    bench.write("text.png", SMALL);
    bench.write("photo.JPG", "\u{ff}");
    bench.run(&["photo.JPG"]).ended(2).says("photo.JPG: this is a picture").says("PNG");
    bench.run(&["foreign.png"]).ended(2).says("foreign.png has no recipe inside");
    bench.run(&["check", "text.png"]).ended(2).says("is not a PNG");
    bench.run(&["missing.png"]).ended(2).says("missing.png: ");
    let names = bench.names();
    assert!(!names.iter().any(|name| name.contains("again")), "{names:?}");
}

#[test]
fn a_model_that_has_changed_is_told() {
    let bench = Bench::small();
    let folder = |deviation: &str| {
        tiny::write(&bench.path("eyes"));
        let description = std::fs::read_to_string(bench.path("eyes/model.toml")).unwrap();
        let size = format!("size = {}\n", tiny::SIDE);
        assert!(description.contains(&size));
        bench.write("eyes/model.toml", description.replace(&size, &format!("{size}deviation = {deviation}\n")));
    };
    folder("[1.0, 1.0, 1.0]");
    bench.done(&["small.toml", "--model", "./eyes", "--steps", "2"]);
    assert!(!bench.done(&["small.png"]).err.contains("another model"));
    assert_eq!(bench.read("small-again.png"), bench.read("small.png"));
    folder("[1.1, 1.0, 1.0]");
    bench.done(&["small.png"]).says("another model");
}

#[test]
fn a_draft_is_small_and_short_and_has_its_own_name() {
    let bench = Bench::new();
    bench.write("large.toml", SMALL.replace("[64, 48]", "[288, 240]").replace("steps = 3", "steps = 4"));
    bench.done(&["large.toml", "--draft"]).says("draft: 96x80, 2 steps").says("large-draft.png: 2 steps");
    assert_eq!(bench.names(), ["large-draft.png", "large.toml"]);
    assert_eq!(pixels(&bench.path("large-draft.png")).dimensions(), (96, 80));
    bench.done(&["recover", "large-draft.png"]).says("--size 96x80 --steps 2");
    // It is the draft of what would be rendered.
    bench.done(&["large.toml", "--draft", "--size", "600x300", "--steps", "12", "-o", "d.png"]).says("d.png: 3 steps");
    assert_eq!(pixels(&bench.path("d.png")).dimensions(), (200, 100));
    // What is wrong is told once.
    bench.write("wrong.toml", "sice = 4\n");
    let err = bench.run(&["wrong.toml", "--draft"]).ended(2).err;
    assert_eq!(err.matches("wrong.toml:1:1").count(), 1, "{err}");
}

#[test]
fn a_picture_keeps_all_that_it_was_made_of() {
    let bench = Bench::new();
    bench.write("lib/base.toml", SMALL);
    bench.write("lib/blue.toml", "[canvas]\ninit = { colour = [0.1, 0.2, 0.6] }\n");
    let text = "extends = ['../lib/base.toml', '../lib/blue.toml']\ntitle = 'Built'\n";
    bench.write("mine/built.toml", text);
    bench.done(&["mine/built.toml", "-o", "built.png", "--set", "detail.0.windows=2", "--set", "canvas.basis=pixels"]);
    let first = bench.read("built.png");
    bench.done(&["mine/built.toml", "-o", "plain.png"]);
    assert_ne!(bench.read("plain.png"), first);

    // From the picture alone, with all its settings.
    let alone = Bench::new();
    alone.write("built.png", &first);
    alone.done(&["built.png"]).says("--set detail.0.windows=2 --set canvas.basis=pixels");
    assert_eq!(alone.read("built-again.png"), first);
    let ran = alone.done(&["recover", "built.png"]).says("builds on ../lib/base.toml, ../lib/blue.toml");
    assert_eq!(ran.stdout, text.as_bytes());
    assert!(alone.done(&["check", "built.png"]).out.contains("sound"));

    // As files again.
    let ran = alone.done(&["recover", "built.png", "--all", "out"]);
    assert_eq!(ran.out, "out/recipe/built.toml\nout/lib/base.toml\nout/lib/blue.toml\n");
    assert_eq!(alone.read("out/lib/base.toml"), SMALL.as_bytes());
    let set = ["--set", "detail.0.windows=2", "--set", "canvas.basis=pixels"];
    alone.done(&[&["out/recipe/built.toml", "-o", "third.png"][..], &set].concat());
    assert_eq!(alone.read("third.png"), first);
    alone.run(&["recover", "built.png", "--all", "out"]).ended(2).says("already exists");

    // And another recipe may build on the picture.
    alone.write("on.toml", "extends = 'built.png'\ntitle = 'On'\n");
    alone.done(&["on.toml"]);
    let again = Bench::new();
    again.write("on.png", alone.read("on.png"));
    again.done(&["on.png"]);
    assert_eq!(again.read("on-again.png"), alone.read("on.png"));
}
