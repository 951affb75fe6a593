//! What is kept of renders: going on, being done at once, and never a wrong picture.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use crate::bench::{Bench, SMALL, until};

fn kept() -> Bench {
    Bench::small().keeping()
}

/// The small recipe's picture, rendered without a store.
fn expected(text: &str) -> Vec<u8> {
    let bench = Bench::new();
    bench.write("small.toml", text);
    bench.done(&["small.toml"]);
    bench.read("small.png")
}

#[test]
fn what_was_finished_is_done_at_once() {
    let bench = kept();
    let first = bench.done(&["small.toml"]);
    let picture = bench.read("small.png");
    assert_eq!(picture, expected(SMALL));
    fs::remove_file(bench.path("small.png")).unwrap();
    let second = bench.done(&["small.toml"]).says("rendered before").says("6 steps");
    assert_eq!((bench.read("small.png"), second.out), (picture.clone(), first.out));
    // A comment changes nothing but the text inside.
    bench.write("small.toml", format!("# a comment\n{SMALL}"));
    bench.done(&["small.toml"]).says("rendered before");
    assert_eq!(bench.recovered("small.png").unwrap(), format!("# a comment\n{SMALL}").as_bytes());
    // And --fresh does everything anew.
    bench.write("small.toml", SMALL);
    let ran = bench.done(&["small.toml", "--fresh"]);
    assert!(!ran.err.contains("rendered before") && !ran.err.contains("resuming"), "{}", ran.err);
    assert_eq!(bench.read("small.png"), picture);
}

#[test]
fn an_edit_of_a_later_phase_redoes_nothing_of_the_first() {
    let bench = kept();
    bench.done(&["small.toml"]);
    for (text, step) in [
        (format!("{SMALL}rate = 0.01\n"), 3),
        (
            SMALL.replace(
                "prompts = [\"sword\", \"castle\"]",
                "prompts = [\"sword\", \"castle\", { text = \"sea\", weight = 0 }]",
            ),
            6,
        ),
        (format!("{SMALL}\n[[phase]]\nsteps = 2\nrate = 0.01\nfinest = 9\n"), 0),
        (SMALL.replace("windows = 1", "windows = 2"), 0),
        (SMALL.replace("seed = 4", "seed = 5"), 0),
    ] {
        bench.write("small.toml", &text);
        let ran = bench.done(&["small.toml"]);
        match step {
            0 => assert!(!ran.err.contains("resuming") && !ran.err.contains("before"), "{text}\n{}", ran.err),
            3 => assert!(ran.err.contains("resuming at step 3 of 6"), "{text}\n{}", ran.err),
            _ => assert!(ran.err.contains("rendered before"), "{text}\n{}", ran.err),
        }
        assert_eq!(bench.read("small.png"), expected(&text), "{text}");
    }
}

/// With rates that do not hang on the run's length a longer last phase goes on.
#[test]
fn a_longer_last_phase_goes_on() {
    let bench = kept();
    let text = SMALL.replace("steps = 3", "steps = 3\nrate = 0.05\nfinest = 9");
    bench.write("small.toml", &text);
    bench.done(&["small.toml"]);
    let longer = format!("{}steps = 5\nrate = 0.05\nfinest = 9\n", text.rsplit_once("steps = 3").unwrap().0);
    bench.write("small.toml", &longer);
    bench.done(&["small.toml"]).says("resuming at step 6 of 8");
    assert_eq!(bench.read("small.png"), expected(&longer));
}

/// Killed at any moment, and run again: the same bytes in the end.
#[cfg(unix)]
#[test]
fn a_killed_render_goes_on() {
    let text = SMALL.replace("steps = 3", "steps = 40").replace("windows = 1", "windows = 4");
    let picture = expected(&text);
    let mut resumed = 0;
    for wait in [150, 300, 450, 600, 800] {
        let bench = Bench::new().keeping();
        bench.write("small.toml", &text);
        for _ in 0..2 {
            let mut program = bench.program();
            let mut child = program.arg("small.toml").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(wait));
            let _ = child.kill();
            child.wait().unwrap();
        }
        let ran = bench.done(&["small.toml"]);
        resumed += usize::from(ran.err.contains("resuming") || ran.err.contains("rendered before"));
        assert_eq!(bench.read("small.png"), picture, "killed after {wait} ms");
    }
    println!("{resumed} of 5 went on from a checkpoint");
}

/// Deterministic where the one above is not: stopped by a signal within the second phase.
#[cfg(unix)]
#[test]
fn an_interrupted_render_goes_on_at_its_step() {
    let bench = Bench::new().keeping();
    let text = SMALL.replace("steps = 3", "steps = 60");
    bench.write("small.toml", &text);
    let mut program = bench.program();
    let mut child = program.arg("small.toml").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    until("the first phase is over", || !bench.checkpoints().is_empty());
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let stopped = child.wait().unwrap().code();
    assert!(matches!(stopped, Some(130 | 0)), "{stopped:?}");
    let ran = bench.done(&["small.toml"]);
    let went_on = ["resuming at step", "rendered before"].iter().any(|words| ran.err.contains(words));
    assert!(went_on, "{}", ran.err);
    assert_eq!(bench.read("small.png"), expected(&text));
}

#[test]
fn damage_is_noticed_and_removed() {
    let bench = kept();
    bench.done(&["small.toml"]);
    let picture = bench.read("small.png");
    assert_eq!(bench.checkpoints().len(), 2, "one for each phase");
    for path in bench.checkpoints() {
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    let ran = bench.done(&["small.toml"]);
    assert!(!ran.err.contains("resuming") && !ran.err.contains("before"), "{}", ran.err);
    assert_eq!(bench.read("small.png"), picture);
    // Cut off, empty, and something else entirely.
    for content in [fs::read(&bench.checkpoints()[0]).unwrap()[..100].to_vec(), Vec::new(), vec![b'x'; 5000]] {
        for path in bench.checkpoints() {
            fs::write(&path, &content).unwrap();
        }
        bench.done(&["small.toml"]);
        assert_eq!(bench.read("small.png"), picture);
    }
    bench.done(&["small.toml"]).says("rendered before");
}

#[test]
fn recordings_are_of_all_steps() {
    let bench = kept();
    bench.done(&["small.toml"]);
    bench.done(&["small.toml", "--every", "2"]);
    assert!(bench.path("small-000002.png").exists() && bench.path("small-000006.png").exists());
    let ran = bench.done(&["small.toml", "--timings", "t.json"]);
    assert!(!ran.err.contains("rendered before"));
}

#[test]
fn the_cache_is_shown_and_cleared() {
    let bench = kept();
    bench.done(&["small.toml"]);
    let info = bench.done(&["cache"]);
    assert!(info.out.contains("checkpoints: 2, ") && info.out.contains("Small: 2, "), "{}", info.out);
    assert!(info.out.contains("onnxruntime: ") && info.out.contains("trials of libraries: "), "{}", info.out);
    let json: serde_json::Value = serde_json::from_slice(&bench.done(&["cache", "info", "--json"]).stdout).unwrap();
    assert_eq!(json["checkpoints"]["recipes"][0]["recipe"], "Small");
    bench.done(&["cache", "clear"]).says("2 checkpoints removed");
    assert!(bench.checkpoints().is_empty());
    let ran = bench.done(&["small.toml"]);
    assert!(!ran.err.contains("rendered before"), "{}", ran.err);
}

#[test]
fn a_full_store_gives_up_the_oldest() {
    let bench = kept();
    bench.done(&["small.toml"]);
    let one = fs::metadata(&bench.checkpoints()[0]).unwrap().len();
    let limit = (3 * one).to_string();
    for seed in 10..14 {
        let seed = seed.to_string();
        let mut program = bench.program();
        program.args(["small.toml", "--seed", &seed]).env("RECIPE_RENDER_STORE_LIMIT", &limit);
        assert!(program.output().unwrap().status.success());
        let total: u64 = bench.checkpoints().iter().map(|path| fs::metadata(path).unwrap().len()).sum();
        assert!(total <= 3 * one, "{total} of {}", 3 * one);
    }
    bench.done(&["small.toml", "--seed", "13"]).says("rendered before");
    let ran = bench.done(&["small.toml"]);
    assert!(!ran.err.contains("rendered before"), "{}", ran.err);
}

#[test]
fn two_at_once_do_no_harm() {
    let bench = kept();
    let start = |output: &str| {
        let mut program = bench.program();
        program.args(["small.toml", "-o", output]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    for child in [start("a.png"), start("b.png"), start("c.png")].iter_mut() {
        assert!(child.wait().unwrap().success());
    }
    let picture = expected(SMALL);
    bench.done(&["small.toml", "-o", "d.png"]).says("rendered before");
    for name in ["a.png", "b.png", "c.png", "d.png"] {
        assert_eq!(bench.read(name), picture, "{name}");
    }
}

/// What image files hold counts, and nothing else of them: to start from, as prompts, as masks.
#[test]
fn the_bytes_of_images_count_and_not_their_times() {
    let grey = |value: u8| image::RgbImage::from_fn(32, 24, |x, y| image::Rgb([value, (x * 8) as u8, (y * 10) as u8]));
    for (what, text) in [
        ("start", format!("{SMALL}\n[canvas]\ninit = {{ image = \"image.png\" }}\n")),
        ("prompt", SMALL.replace("\"castle\"", "{ image = \"image.png\" }")),
        ("mask", SMALL.replace("windows = 1", "windows = 1\nregion = { mask = \"image.png\" }")),
    ] {
        let bench = Bench::new().keeping();
        bench.write("small.toml", &text);
        let image = bench.path("image.png");
        grey(200).save(&image).unwrap();
        bench.done(&["small.toml"]);
        let first = bench.read("small.png");
        let kept = fs::read(&image).unwrap();
        // Only touched; and written anew with the same bytes.
        let later = std::time::SystemTime::now() + Duration::from_secs(60);
        fs::File::options().append(true).open(&image).unwrap().set_modified(later).unwrap();
        bench.done(&["small.toml"]).says("rendered before");
        bench.write("new", &kept);
        fs::rename(bench.path("new"), &image).unwrap();
        bench.done(&["small.toml"]).says("rendered before");
        // Another one.
        grey(90).save(&image).unwrap();
        let ran = bench.done(&["small.toml"]);
        assert!(!ran.err.contains("resuming") && !ran.err.contains("before"), "{what}: {}", ran.err);
        assert_ne!(bench.read("small.png"), first, "{what}");
        let second = bench.read("small.png");
        bench.done(&["small.toml", "--fresh", "-o", "fresh.png"]);
        assert_eq!(bench.read("fresh.png"), second, "{what}");
        // And the first again: it is known by its bytes.
        bench.write("image.png", &kept);
        bench.done(&["small.toml"]).says("rendered before");
        assert_eq!(bench.read("small.png"), first, "{what}");
    }
}

/// A folder named by a variable may hold anything: only what is ours goes, and what stays is told.
#[test]
fn clearing_leaves_alone_what_is_not_ours() {
    let bench = kept();
    let run = |line: &[&str]| -> crate::bench::Ran {
        let mut program = bench.program();
        program.env("RECIPE_RENDER_STORE", bench.path("s")).env("RECIPE_RENDER_CACHE", bench.path("c"));
        // onnxruntime is where it always is.
        let runtime = bench.done(&["runtime"]).out;
        let library = runtime.lines().find_map(|line| line.strip_prefix("library ")).unwrap().trim().to_owned();
        program.env("ORT_DYLIB_PATH", library);
        crate::bench::Ran::from(program.args(line).output().unwrap()).ended(0)
    };
    let theirs =
        ["s/photos/a", "s/1/a", "s/notes.txt", "c/features/photos/a", "c/features/a", "c/photos/a", "c/tried/a.json"];
    for path in theirs {
        bench.write(path, "x");
    }
    // Links lead nowhere from here.
    #[cfg(unix)]
    {
        bench.write("away/00000001-0123456789abcdef0123456789abcdef.safetensors", "x");
        std::os::unix::fs::symlink(bench.path("away"), bench.path("s/1/0123456789abcdef0123456789abcdef")).unwrap();
    }
    run(&["small.toml"]);
    run(&["cache", "clear"]).says("2 checkpoints removed").says("other files left in ");
    run(&["cache", "clear", "--all"])
        .says("2 encoded prompts removed")
        .says("2 other files left in ")
        .says("1 trials of libraries removed")
        .says("1 other file left in ");
    for path in theirs {
        assert_eq!(bench.read(path), b"x", "{path}");
    }
    #[cfg(unix)]
    {
        assert!(bench.path("away/00000001-0123456789abcdef0123456789abcdef.safetensors").is_file());
        assert!(bench.path("s/1/0123456789abcdef0123456789abcdef").exists());
    }
    let left: Vec<String> = fs::read_dir(bench.path("c/features"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left.len(), 2, "{left:?}");
    // Without others nothing is left.
    fs::remove_dir_all(bench.path("s")).unwrap();
    fs::remove_dir_all(bench.path("c")).unwrap();
    run(&["small.toml"]);
    assert!(bench.path("s/CACHEDIR.TAG").is_file());
    let ran = run(&["cache", "clear", "--all"]);
    assert!(!ran.err.contains("left in"), "{}", ran.err);
    assert!(!bench.path("s").exists() && !bench.path("c/features").exists());
}
