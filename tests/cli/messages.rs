//! What is said where a command fails, whole: a changed word, place or hint shows in `messages.snap`.
//! `INSTA_UPDATE=always cargo test --test cli messages` writes it anew: read what has changed.

use super::bench::Bench;

/// Command lines that fail. In their messages `{ }` stands for the bench's folder, `{ target }` for that of the test's files.
const FAILING: [&[&str]; 36] = [
    &[],
    &["missing.toml"],
    &["."],
    &["wrong.toml"],
    &["broken.toml"],
    &["latin.toml"],
    &["small.toml", "--model", "no-such-model"],
    &["small.toml", "--device", "gpu"],
    &["small.toml", "--steps", "many"],
    &["small.toml", "--size", "64"],
    &["small.toml", "--set", "detail.0.windws=3"],
    &["small.toml", "--set", "detail.7.windows=3"],
    &["small.toml", "--phases", "nothing"],
    &["small.toml", "-o", "no/such/folder/x.png"],
    &["small.toml", "--video", "v.avi"],
    &["small.toml", "--frobnicate"],
    &["small.toml", "small.toml"],
    &["plan"],
    &["plan", "wrong.toml"],
    &["check", "wrong.toml", "broken.toml"],
    &["sweep", "small.toml"],
    &["sweep", "small.toml", "--set", "seed=1..x"],
    &["new", "small.toml"],
    &["new", "no-such-recipe.toml", "--from", "castel"],
    &["recover", "small.toml"],
    &["recover", "missing.png"],
    &["score", "missing.png", "castle"],
    &["direction", "show", "small.toml"],
    &["direction", "show", "missing.safetensors"],
    &["direction", "fit", "-o", "x.safetensors"],
    &["models", "explain", "no-such-model", "castle"],
    &["models", "import", "small.toml"],
    &["models", "remove", "no-such-model"],
    &["models", "fetch", "no-such-model"],
    &["completions", "dos"],
    &["cache", "clear", "--frobnicate"],
];

#[test]
fn failing_commands_say_what_they_have_said() {
    let bench = Bench::small();
    bench.write("wrong.toml", "seed = 4\nsice = [64, 64]\n\n[[detial]]\nprompts = [\"sea\"]\nwindows = -3\n");
    bench.write("broken.toml", "seed = 4\nsize = [64,\n");
    bench.write("latin.toml", b"# caf\xe9\n");
    let mut said = String::new();
    for arguments in FAILING {
        let ran = bench.run(arguments);
        let code = ran.code.unwrap();
        assert!(code == 1 || code == 2, "{arguments:?} ends with {code}");
        let folder = bench.path("").canonicalize().unwrap();
        let err = ran.err.replace(env!("CARGO_TARGET_TMPDIR"), "{ target }");
        let err = err.replace(folder.to_str().unwrap(), "{ }").replace(bench.path("").to_str().unwrap(), "{ }/");
        said += &format!("$ recipe-render {}\n{}exit code {code}\n\n", arguments.join(" "), err);
    }
    assert_eq!(bench.names(), ["broken.toml", "latin.toml", "small.toml", "wrong.toml"]);
    insta::with_settings!({ snapshot_path => ".", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("messages", said);
    });
}
