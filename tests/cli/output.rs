//! Where pictures go, and what never happens to what is there already.

use crate::bench::{Bench, SMALL, pixels};
use crate::tiny;

#[test]
fn the_picture_is_named_after_the_recipe_in_the_current_folder() {
    let bench = Bench::new();
    bench.write("recipes/small.v2.toml", SMALL);
    bench.done(&["recipes/small.v2.toml"]);
    assert_eq!(bench.names(), ["recipes", "small.v2.png"]);
    assert_eq!(pixels(&bench.path("small.v2.png")).dimensions(), (64, 48));
}

#[test]
fn output_is_a_file_or_a_folder() {
    let bench = Bench::small();
    bench.write("other.toml", SMALL);
    bench.write("out/keep", "");
    bench.done(&["small.toml", "-o", "picture.png"]);
    bench.done(&["small.toml", "other.toml", "--output", "out"]);
    assert_eq!(bench.read("picture.png"), bench.read("out/small.png"));
    assert!(bench.path("out/other.png").exists() && !bench.path("small.png").exists());
}

#[test]
fn what_cannot_be_written_is_said_before_rendering() {
    let bench = Bench::small();
    bench.write("other.toml", SMALL);
    for (line, code, words) in [
        (&["small.toml", "-o", "no/x.png"][..], 1, "does not exist"),
        (&["small.toml", "-o", "small.toml/x.png"], 1, "small.toml is not a folder"),
        (&["small.toml", "-o", "x.jpg"], 2, "PNG"),
        (&["small.toml", "-o", "./small.toml"], 2, "PNG"),
        (&["small.toml", "other.toml", "-o", "x.png"], 2, "folder"),
        (&["small.toml", "./small.toml"], 2, "small.png"),
        (&["small.toml", "--timings", "no/t.json"], 1, "no/t.json"),
        (&["small.toml", "--timings", "small.toml"], 2, "the recipe small.toml"),
        (&["small.toml", "--timings", "small.png"], 2, "name another timings file"),
        (&["small.toml", "--timings", "-"], 2, "standard output"),
    ] {
        let ran = bench.run(line).ended(code).says(words);
        assert!(ran.out.is_empty() && !ran.err.contains("steps"), "{}", ran.err);
    }
    #[cfg(target_os = "linux")]
    bench.run(&["small.toml", "-o", "/proc/x.png"]).ended(1).says("cannot write in the folder /proc");
    assert_eq!(bench.names(), ["other.toml", "small.toml"]);
    assert_eq!(bench.read("small.toml"), SMALL.as_bytes());
}

#[test]
fn neither_the_recipe_nor_what_it_needs_is_overwritten() {
    let bench = Bench::new();
    bench.write("recipe", SMALL);
    bench.run(&["recipe", "-o", "recipe"]).ended(2).says("the recipe recipe");
    assert_eq!(bench.read("recipe"), SMALL.as_bytes());
    bench.done(&["recipe", "-o", "start.png"]);
    let start = bench.read("start.png");
    bench.write("start.toml", format!("{SMALL}\n[canvas]\ninit = {{ image = \"start.png\" }}\n"));
    bench.run(&["start.toml"]).ended(2).says("start.png");
    bench.run(&["start.toml", "-o", "a.png", "--timings", "start.png"]).ended(2).says("--timings would overwrite");
    assert_eq!(bench.read("start.png"), start);
}

#[test]
fn a_model_is_not_overwritten() {
    let bench = Bench::small();
    tiny::write(&bench.path("model"));
    bench.write("model/names.txt", "sword\n");
    let description = String::from_utf8(bench.read("model/model.toml")).unwrap();
    bench.write("model/model.toml", format!("{description}[names]\nfile = \"names.txt\"\n"));
    for name in ["model.toml", "image.onnx", "text.onnx", "tokenizer.json", "names.txt"] {
        let (path, before) = (format!("model/{name}"), bench.read(&format!("model/{name}")));
        for option in ["--timings", "--output"] {
            bench.run(&["small.toml", "--model", "./model", option, &path]).ended(2);
        }
        assert_eq!(bench.read(&path), before, "{name}");
    }
}

#[test]
fn the_same_command_gives_the_same_bytes_whatever_the_threads() {
    let bench = Bench::small();
    for (name, threads) in [("a.png", "1"), ("b.png", "1"), ("c.png", "2"), ("d.png", "4")] {
        bench.done(&["small.toml", "-o", name, "--threads", threads]);
        assert_eq!(bench.read(name), bench.read("a.png"), "{name}");
    }
}

#[test]
fn size_steps_and_seed_are_overridden() {
    let bench = Bench::small();
    bench.done(&["small.toml", "--size", "80x32", "-o", "a.png"]);
    assert_eq!(pixels(&bench.path("a.png")).dimensions(), (80, 32));
    bench.done(&["small.toml", "--steps", "4"]).says("4 steps");
    bench.done(&["small.toml", "--seed", "5", "-o", "b.png"]);
    bench.done(&["small.toml", "-o", "c.png"]);
    assert_ne!(pixels(&bench.path("b.png")), pixels(&bench.path("c.png")));
}

#[test]
fn snapshots_are_pictures_of_their_own() {
    let bench = Bench::small();
    bench.done(&["small.toml", "--every", "2", "--phases"]);
    let pictures = [
        "small-000002.png",
        "small-000004.png",
        "small-000006.png",
        "small-phase-1-compose.png",
        "small-phase-2.png",
        "small.png",
    ];
    assert_eq!(bench.names()[..6], pictures);
    assert_eq!(bench.names().len(), 7, "{:?}", bench.names());
    for name in pictures {
        assert_eq!(pixels(&bench.path(name)).dimensions(), (64, 48));
        assert_eq!(bench.recovered(name).unwrap(), SMALL.as_bytes());
    }
    let of = |name: &str| pixels(&bench.path(name));
    assert_eq!(of("small-000006.png"), of("small.png"));
    assert_eq!(of("small-phase-2.png"), of("small.png"));
    assert_ne!(of("small-000002.png"), of("small-000004.png"));
    bench.run(&["recover", "small-000004.png"]).ended(0).says("step 4 of 6");
}

#[test]
fn timings_are_json() {
    let bench = Bench::small();
    bench.done(&["small.toml", "--timings", "t.json", "--threads", "2", "--device", "cpu"]);
    let timings: serde_json::Value = serde_json::from_slice(&bench.read("t.json")).unwrap();
    assert_eq!(timings["steps"], 6);
    assert!(timings["windows"].as_u64().unwrap() >= 6);
    assert!(timings["windows_per_second"].as_f64().unwrap() > 0.0);
    assert_eq!(
        (&timings["device"], &timings["threads"], &timings["model"]),
        (&"cpu".into(), &2.into(), &"pocket".into())
    );
    assert!(timings["peak_rss_bytes"].is_u64() || !cfg!(target_os = "linux"));
    let seconds = |key: &str| timings["seconds"][key].as_f64().unwrap_or_else(|| panic!("{key}: {timings}"));
    for key in ["startup", "look", "encode", "push", "optimize", "output"] {
        assert!(seconds(key) >= 0.0 && seconds(key) <= seconds("total") * 2.0, "{key}: {timings}");
    }
    assert!(seconds("startup") + seconds("output") <= seconds("total"));
}

/// The file size limit, 50 kB, stands for a full disk: enough for what the program writes on the way, too little for the
/// picture. (`trap` makes the write fail instead of killing the process.)
#[cfg(unix)]
#[test]
fn the_old_picture_stays_when_the_new_one_cannot_be_written() {
    let bench = Bench::small();
    // What the program keeps for later runs is to be there already.
    bench.done(&["small.toml", "--steps", "1"]);
    let old = bench.read("small.png");
    let ran = bench.shell("trap '' XFSZ; ulimit -f 100; exec \"$PROGRAM\" small.toml --size 600x600 --steps 1");
    ran.ended(1).says("small.png: not written");
    assert_eq!(bench.read("small.png"), old);
    assert_eq!(bench.names(), ["small.png", "small.toml"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_device_is_written_into() {
    let bench = Bench::small();
    bench.done(&["small.toml", "-o", "/dev/null"]);
    bench.run(&["small.toml", "-o", "/dev/full"]).ended(1).says("/dev/full: not written");
}

/// What stdout is redirected to keeps what is there, and its own place in the folder.
#[cfg(target_os = "linux")]
#[test]
fn timings_can_go_where_stdout_goes() {
    let bench = Bench::small();
    bench.write("all.txt", "before\n");
    bench.shell("\"$PROGRAM\" small.toml --timings /dev/stdout >> all.txt; echo after >> all.txt").ended(0);
    let all = String::from_utf8(bench.read("all.txt")).unwrap();
    let json = all.strip_prefix("before\n").unwrap_or_else(|| panic!("{all}"));
    let end = json.find("\n}\n").unwrap() + 3;
    let timings: serde_json::Value = serde_json::from_str(&json[..end]).unwrap();
    assert_eq!(timings["steps"], 6);
    assert!(json[end..].starts_with("sword  : ") && json.ends_with("after\n"), "{all}");
    bench.shell("\"$PROGRAM\" small.toml --timings /dev/fd/3 3> third.txt").ended(0);
    assert!(serde_json::from_slice::<serde_json::Value>(&bench.read("third.txt")).is_ok());
    assert_eq!(bench.names(), ["all.txt", "small.png", "small.toml", "third.txt"]);
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_yet_stays_a_link() {
    let bench = Bench::small();
    bench.write("out/keep", "");
    std::os::unix::fs::symlink("out/picture.png", bench.path("link.png")).unwrap();
    bench.done(&["small.toml", "-o", "link.png"]);
    assert!(std::fs::symlink_metadata(bench.path("link.png")).unwrap().is_symlink());
    assert_eq!(pixels(&bench.path("out/picture.png")).dimensions(), (64, 48));
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let bench = Bench::small();
    let ran = bench.shell("\"$PROGRAM\" small.toml | true; \"$PROGRAM\" recover small.png | true");
    assert!(!ran.err.contains("panicked") && !ran.err.contains("error"), "{}", ran.err);
}

/// Under a name that nobody gave there may be somebody's photograph: it is not written over. Who names a file means it.
#[test]
fn pictures_of_others_are_not_overwritten_unasked() {
    let photo = |bench: &Bench, name: &str| {
        std::fs::create_dir_all(bench.path(name).parent().unwrap()).unwrap();
        image::RgbImage::new(8, 8).save(bench.path(name)).unwrap();
        bench.read(name)
    };
    for (name, line) in [
        ("small.png", &["small.toml"][..]),
        ("small-draft.png", &["small.toml", "--draft"]),
        ("out/small.png", &["small.toml", "-o", "out"]),
        ("small-sheet.png", &["small.toml", "--sheet"]),
        ("small-000002.png", &["small.toml", "--every", "2"]),
        ("small-phase-1-compose.png", &["small.toml", "--phases"]),
        ("s/sheet.png", &["sweep", "small.toml", "--set", "seed=1,2", "-o", "s"]),
    ] {
        let bench = Bench::small();
        let before = photo(&bench, name);
        bench.run(line).ended(1).says(name).says("did not write it");
        assert_eq!(bench.read(name), before, "{name}");
    }
    let bench = Bench::small();
    bench.write("s/index.json", "{\"photos\": []}");
    bench.run(&["sweep", "small.toml", "--set", "seed=1,2", "-o", "s"]).ended(1).says("did not write it");
    assert_eq!(bench.read("s/index.json"), b"{\"photos\": []}");
    photo(&bench, "named.png");
    bench.done(&["small.toml", "-o", "named.png"]);
    assert!(bench.recovered("named.png").is_some());
    // What is ours is replaced, as ever.
    for line in [
        &["small.toml", "--sheet", "--phases", "--every", "2"][..],
        &["sweep", "small.toml", "--set", "seed=1,2", "-o", "t"],
    ] {
        bench.done(line);
        bench.done(line);
    }
}
