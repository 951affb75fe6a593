//! What a target keeps to: its steps, its part of the canvas, its model; and prompts of several texts.

use crate::bench::{Bench, Ran, pixels};
use crate::{models, tiny};

/// One detail on a grey canvas of pixels, with further keys.
fn recipe(keys: &str) -> String {
    format!(
        "size = [48, 32]\ncanvas = {{ basis = 'pixels', init = {{ mean = 0.5, noise = 0 }} }}\n\
         [[detail]]\nprompts = ['sword']\nwindows = 2\nstages = [{{ cover = 0.4 }}]\n{keys}\n\
         [[phase]]\nsteps = 6\nrate = 0.1\nfinest = 'off'\n"
    )
}

/// Whether a pixel differs from the grey that the picture began with.
fn changed(bench: &Bench, name: &str) -> impl Fn(u32, u32) -> bool {
    let picture = pixels(&bench.path(name));
    move |x, y| picture.get_pixel(x, y).0.iter().any(|value| value.abs_diff(128) > 1)
}

#[test]
fn a_region_alone_changes() {
    let bench = Bench::new();
    bench.write("left.toml", recipe("region = [0, 0, 0.5, 1]"));
    bench.done(&["left.toml"]);
    let left = changed(&bench, "left.png");
    let count = |columns: std::ops::Range<u32>| {
        columns.flat_map(|x| (0..32).map(move |y| (x, y))).filter(|(x, y)| left(*x, *y)).count()
    };
    assert!(count(0..24) > 200 && count(24..48) == 0, "{} {}", count(0..24), count(24..48));
    // The same by a mask; a file that is needed is not overwritten.
    image::GrayImage::from_fn(2, 1, |x, _| image::Luma([255 * (1 - x as u8)])).save(bench.path("mask.png")).unwrap();
    bench.write("mask.toml", recipe("region = { mask = 'mask.png' }"));
    bench.run(&["mask.toml", "-o", "mask.png"]).ended(2).says("mask.png");
    bench.done(&["mask.toml", "-o", "masked.png"]);
    let masked = changed(&bench, "masked.png");
    assert!((0..32).any(|y| masked(4, y)) && !(0..32).any(|y| masked(44, y)));
}

#[test]
fn a_target_acts_in_its_steps() {
    let bench = Bench::new();
    bench.write("some.toml", recipe("active = [1, 3]"));
    assert_eq!(bench.done(&["some.toml"]).out, "sword : 4 (100.00%)\n");
    // Twice as long, it acts twice as long.
    assert_eq!(bench.done(&["some.toml", "--steps", "12"]).out, "sword : 8 (100.00%)\n");
    assert!(bench.done(&["plan", "some.toml"]).out.contains("active from step 1 to 3"));
    bench.write("late.toml", recipe("active = [9, 'end']"));
    bench.done(&["late.toml"]).says("never active: the run has 6 steps");
    let grey = changed(&bench, "late.png");
    assert!(!(0..48).any(|x| (0..32).any(|y| grey(x, y))));
}

#[test]
fn prompts_take_turns_and_keep_their_places() {
    let bench = Bench::new();
    let turns = |keys: &str| recipe(&format!("select = 'turns'\n{keys}"));
    let three =
        |text: String| text.replace("['sword']", "['sword', 'sea', { text = 'castle', weight = 'floor(2*T)' }]");
    bench.write("two.toml", turns("places = 2").replace("['sword']", "['sword', 'sea']"));
    assert_eq!(bench.done(&["two.toml"]).out, "sword : 6 (50.00%)\nsea   : 6 (50.00%)\n");
    // Without places the windows of a step take turns.
    bench.write("none.toml", turns("places = 0").replace("['sword']", "['sword', 'sea']"));
    assert_eq!(bench.done(&["none.toml"]).out, "sword : 6 (50.00%)\nsea   : 6 (50.00%)\n");
    // What is switched off, here in the first half, leaves its place alone, and the others have theirs.
    bench.write("three.toml", three(turns("places = 3")));
    let out = bench.done(&["three.toml"]).out;
    assert!(["sword  : 4 ", "sea    : 4 ", "castle : 2 "].iter().all(|line| out.contains(line)), "{out}");
    // One place, one prompt.
    bench.write("one.toml", three(turns("places = 1")));
    assert_eq!(bench.done(&["one.toml"]).out.lines().next(), Some("sword  : 12 (100.00%)"));
    assert!(bench.done(&["plan", "two.toml"]).out.contains("2 places that stay"));
}

#[test]
fn several_texts_are_one_prompt() {
    let bench = Bench::new();
    let text = recipe("templates = ['a painting of {}', '{} in the dark']")
        .replace("['sword']", "[{ texts = ['a sword', 'a knife'] }, 'castle', { text = 'sea', templates = [] }]");
    bench.write("several.toml", &text);
    let out = bench.done(&["several.toml"]).out;
    let lines: Vec<&str> = out.lines().map(|line| line.split(" : ").next().unwrap().trim_end()).collect();
    assert_eq!(lines, ["a sword + 1 more", "castle", "sea"]);
    // Another text beside it makes another picture.
    bench.write("other.toml", text.replace("'a knife'", "'a spoon'"));
    bench.done(&["other.toml"]);
    assert_ne!(pixels(&bench.path("several.png")), pixels(&bench.path("other.png")));
    // Each text has to say something, whatever the template says.
    bench.write("silent.toml", text.replace("'castle'", "'\u{6f22}\u{5b57}'"));
    bench.run(&["check", "silent.toml"]).ended(2).says("knows no word of");
    bench.write("template.toml", text.replace("in the dark", "\u{6f22}\u{5b57}"));
    bench.run(&["check", "template.toml"]).ended(0).says("does not know");
}

#[test]
fn losses_render_and_are_different_ones() {
    let bench = Bench::new();
    let pictures = ["cosine", "spherical", "l1", "l2", "dot"].map(|loss| {
        bench.write("loss.toml", recipe(&format!("loss = '{loss}'")));
        bench.done(&["loss.toml", "--steps", "40"]);
        let picture = pixels(&bench.path("loss.png"));
        assert!(picture.pixels().any(|pixel| pixel.0[0].abs_diff(128) > 1), "{loss} changes nothing");
        picture
    });
    for (index, picture) in pictures.iter().enumerate() {
        assert!(!pictures[..index].contains(picture), "loss {index} is another one's");
    }
}

#[test]
fn several_models_work_on_one_picture() {
    let bench = Bench::new();
    models::hub(&bench);
    models::models(&bench, &["import", "My-Clip"]).ended(0);
    tiny::write(&bench.path("data/recipe-render/models/pocket"));
    let text = "size = [64, 48]\n[[composition]]\nprompts = ['castle']\n\
                [[detail]]\nmodel = 'my-clip'\nprompts = ['red picture', { text = 'blue', stages = [{ cover = 0.5 }] }]\n\
                windows = 3\n[[phase]]\nsteps = 4\n";
    bench.write("two.toml", text);
    let run = |arguments: &[&str]| -> Ran { models::program(&bench).args(arguments).output().unwrap().into() };
    run(&["check", "two.toml"]).ended(0);
    let plan = run(&["plan", "two.toml"]).ended(0).out;
    assert!(plan.contains("pocket, windows of 32x32") && plan.contains("my-clip, windows of 16x16"), "{plan}");
    let tally = run(&["two.toml", "-o", "one.png", "--threads", "1", "--timings", "t.json"]).ended(0).out;
    assert!(tally.contains("red picture : "), "{tally}");
    run(&["two.toml", "-o", "two.png", "--threads", "2"]).ended(0);
    assert_eq!(bench.read("one.png"), bench.read("two.png"));
    let timings: serde_json::Value = serde_json::from_slice(&bench.read("t.json")).unwrap();
    assert_eq!((&timings["models"][0]["name"], &timings["models"][1]["name"]), (&"pocket".into(), &"my-clip".into()));
    let told = run(&["recover", "one.png", "--verbose"]).ended(0).err;
    let hash = timings["models"][1]["hash"].as_str().unwrap();
    assert!(told.contains(&format!("my-clip ({hash})")), "{told}");
    // Rendered again from the picture, with both.
    run(&["one.png", "-o", "three.png"]).ended(0);
    assert_eq!(pixels(&bench.path("one.png")), pixels(&bench.path("three.png")));
    // Words are looked up in the model that is to know them.
    bench.write(
        "words.toml",
        text.replace("red picture", "castle").replace("'castle']\n[[detail]]", "'red']\n[[detail]]"),
    );
    let told = run(&["check", "words.toml"]).err;
    assert!(told.contains("model `my-clip`") && !told.contains("model `pocket`"), "{told}");
    // The command line replaces the recipe's own model alone; one that is missing is told at its place.
    run(&["two.toml", "--model", "my-clip", "-o", "four.png"])
        .ended(2)
        .says("model `my-clip` knows no word of \"castle\"");
    bench.write("none.toml", text.replace("'my-clip'", "'your-clip'"));
    run(&["check", "none.toml"]).ended(2).says("none.toml:5:9").says("no model `your-clip`");
}
