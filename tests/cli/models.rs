//! `models import`, `check`, `list` and `remove`, with small models of every form.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench::{Bench, Ran};
use crate::tiny;

/// A file of tests/models, or of models.
fn given(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub fn program(bench: &Bench) -> Command {
    let mut program = bench.program();
    program.env("XDG_DATA_HOME", bench.path("data"));
    program
}

pub fn models(bench: &Bench, arguments: &[&str]) -> Ran {
    program(bench).arg("models").args(arguments).output().unwrap().into()
}

/// A tokenizer of words, `size` tokens, the last two of which begin and end every text.
fn tokenizer(size: usize) -> String {
    let words = ["a", "picture", "plain", "red", "green", "blue", "yellow", "black", "white", "hello", "world"];
    let mut vocabulary: Vec<String> = words.iter().map(|word| word.to_string()).collect();
    vocabulary.extend((words.len()..size - 2).map(|number| format!("w{number}")));
    vocabulary.extend(["<start>".to_owned(), "<end>".to_owned()]);
    let entries: Vec<String> = vocabulary.iter().enumerate().map(|(id, word)| format!("\"{word}\": {id}")).collect();
    let (start, end) = (size - 2, size - 1);
    format!(
        r#"{{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": {{"type": "Lowercase"}},
        "pre_tokenizer": {{"type": "Whitespace"}}, "decoder": null,
        "post_processor": {{"type": "TemplateProcessing", "pair": [],
          "single": [{{"SpecialToken": {{"id": "<start>", "type_id": 0}}}}, {{"Sequence": {{"id": "A", "type_id": 0}}}},
                     {{"SpecialToken": {{"id": "<end>", "type_id": 0}}}}],
          "special_tokens": {{"<start>": {{"id": "<start>", "ids": [{start}], "tokens": ["<start>"]}},
                              "<end>": {{"id": "<end>", "ids": [{end}], "tokens": ["<end>"]}}}}}},
        "model": {{"type": "WordLevel", "unk_token": "w20", "vocab": {{{}}}}}}}"#,
        entries.join(", ")
    )
}

/// A folder with the small joint model as model hubs have it.
pub fn hub(bench: &Bench) {
    bench.write("My-Clip/onnx/model.onnx", std::fs::read(given("tests/models/joint.onnx")).unwrap());
    bench.write("My-Clip/tokenizer.json", tokenizer(64));
    bench.write("My-Clip/README.md", "---\nlicense: mit\n---\n# A model\n");
    bench.write(
        "My-Clip/config.json",
        r#"{"model_type": "clip", "vision_config": {"image_size": 16}, "text_config": {"max_position_embeddings": 8}}"#,
    );
    bench.write(
        "My-Clip/preprocessor_config.json",
        r#"{"crop_size": {"height": 16, "width": 16}, "image_mean": [0.5, 0.4, 0.3], "image_std": [0.25, 0.25, 0.25]}"#,
    );
    bench.write("My-Clip/tokenizer_config.json", r#"{"model_max_length": 8, "pad_token": "<end>"}"#);
}

fn description(bench: &Bench, name: &str) -> toml::Table {
    let text = bench.read(&format!("data/recipe-render/models/{name}/model.toml"));
    String::from_utf8(text).unwrap().parse().unwrap()
}

#[test]
fn a_folder_of_a_hub_needs_nothing_but_its_path() {
    let bench = Bench::small();
    hub(&bench);
    models(&bench, &["import", "My-Clip"]).ended(0).says("imported as `my-clip`").says("split into");
    let model = description(&bench, "my-clip");
    assert_eq!(model["licence"].as_str(), Some("mit"));
    assert_eq!(model["image"]["size"].as_integer(), Some(16));
    assert_eq!(model["image"]["mean"][0].as_float(), Some(0.5));
    assert_eq!(model["text"]["mask"].as_str(), Some("attention_mask"));
    assert_eq!(model["tokenizer"]["context"].as_integer(), Some(8));
    assert_eq!(model["tokenizer"]["padding"].as_integer(), Some(63));
    let files = model["source"]["files"].as_table().unwrap();
    assert_eq!(files["onnx/model.onnx"].as_str().unwrap().len(), 64);
    // What fits models like it is advised, and is said to be untried.
    assert_eq!(model["advice"]["detail"]["places"].as_integer(), Some(0));
    let text = String::from_utf8(bench.read("data/recipe-render/models/my-clip/model.toml")).unwrap();
    assert!(
        text.contains("# What recipes mean where they are silent") && text.contains("Untried on real weights"),
        "{text}"
    );

    // It is listed, checked, rendered with, and removed.
    let listed = models(&bench, &["list"]).ended(0);
    assert!(listed.out.contains("my-clip") && listed.out.contains("pocket"), "{}", listed.out);
    let json: serde_json::Value = serde_json::from_str(&models(&bench, &["list", "--json"]).ended(0).out).unwrap();
    assert!(json.as_array().unwrap().iter().any(|row| row["name"] == "my-clip" && row["size"] == 16));
    let checked = models(&bench, &["check", "my-clip"]).ended(0);
    for said in ["windows of 16 x 16", "embeddings of 8 numbers", "gradient  right", "windows/s", "ready", "random"] {
        assert!(checked.out.contains(said), "{said}: {}", checked.out);
    }
    bench.write(
        "own.toml",
        "model = 'my-clip'\nsize = [32, 32]\n[[detail]]\nprompts = ['a red picture']\n[[phase]]\nsteps = 2\n",
    );
    let ran: Ran = program(&bench).arg("own.toml").output().unwrap().into();
    ran.ended(0);
    assert!(bench.path("own.png").is_file());
    models(&bench, &["remove", "my-clip"]).ended(0);
    models(&bench, &["check", "my-clip"]).ended(2);
    assert_eq!(std::fs::read_dir(bench.path("data/recipe-render/models")).unwrap().count(), 0);
}

#[test]
fn checkpoints_of_both_layouts_are_taken() {
    for (folder, vocabulary, more) in [
        ("hf-quick-gelu", 50, ["--mean", "0.5", "--deviation", "0.5"].as_slice()),
        ("hf-sharded-f16", 50, &["--mean", "0.5", "--deviation", "0.5"]),
        ("oc-gelu", 50, &[]),
        ("oc-bare-f16", 50, &["--activation", "gelu"]),
    ] {
        let bench = Bench::small();
        bench.write("words.json", tokenizer(vocabulary));
        let source = given("tests/models/checkpoints").join(folder);
        let mut arguments = vec!["import", source.to_str().unwrap(), "--tokenizer", "words.json", "--padding", "0"];
        arguments.extend(["--name", "made"]);
        arguments.extend(more);
        models(&bench, &arguments).ended(0).says("made into two ONNX graphs");
        let checked = models(&bench, &["check", "made", "--json"]).ended(0);
        let found: serde_json::Value = serde_json::from_str(&checked.out).unwrap();
        assert!(found["gradient"]["worst"].as_f64().unwrap() < 0.02, "{folder}: {found}");
    }
}

#[test]
fn a_bare_checkpoint_asks_for_its_activation() {
    let bench = Bench::small();
    bench.write("words.json", tokenizer(50));
    let source = given("tests/models/checkpoints/oc-bare-f16/open_clip_model.safetensors");
    let ran =
        models(&bench, &["import", source.to_str().unwrap(), "--tokenizer", "words.json", "--name", "x"]).ended(2);
    assert!(ran.err.contains("QuickGELU or GELU") && ran.err.contains("--activation"), "{}", ran.err);
}

#[test]
fn encoders_may_be_named_one_by_one() {
    let bench = Bench::small();
    let pocket = |file: &str| given("models/pocket").join(file).display().to_string();
    let (image, text, tokenizer) = (pocket("image.onnx"), pocket("text.onnx"), pocket("tokenizer.json"));
    let said = ["--mean", "0", "--deviation", "1", "--context", "0", "--name", "small"];
    let mut arguments = vec!["import", "--image", &image, "--text", &text, "--tokenizer", &tokenizer];
    arguments.extend(said);
    models(&bench, &arguments).ended(0);
    let checked = models(&bench, &["check", "small"]).ended(0);
    assert!(checked.out.contains("6 of 6 plain pictures named"), "{}", checked.out);
    let pocket = models(&bench, &["check", "pocket"]).ended(0);
    assert!(pocket.out.contains("known values are right"), "{}", pocket.out);
    models(&bench, &arguments).ended(2).says("already").says("--force");
    arguments.push("--force");
    models(&bench, &arguments).ended(0);
    // Swapped, they are told apart.
    models(&bench, &["import", "--image", &text, "--text", &image, "--tokenizer", &tokenizer, "--name", "y"])
        .ended(2)
        .says("not the image encoder");
    // A model folder of ours needs nothing.
    let folder = tiny::folder();
    models(&bench, &["import", &folder.display().to_string(), "--name", "again"]).ended(0);
    let image = std::fs::read(folder.join("image.onnx")).unwrap();
    assert_eq!(bench.read("data/recipe-render/models/again/image.onnx"), image);
}

#[test]
fn what_no_file_says_is_asked_for_by_name() {
    let bench = Bench::small();
    hub(&bench);
    std::fs::remove_file(bench.path("My-Clip/preprocessor_config.json")).unwrap();
    let ran = models(&bench, &["import", "My-Clip"]).ended(2).says("--mean R,G,B --deviation R,G,B");
    assert!(!ran.err.contains("--size") && !ran.err.contains("--context"), "{}", ran.err);
    std::fs::remove_file(bench.path("My-Clip/tokenizer.json")).unwrap();
    models(&bench, &["import", "My-Clip"]).ended(2).says("no tokenizer").says("--tokenizer");
    std::fs::write(bench.path("My-Clip/onnx/model.onnx"), "version https://git-lfs.github.com/spec/v1\n").unwrap();
    models(&bench, &["import", "My-Clip"]).ended(2).says("My-Clip/onnx/model.onnx").says("LFS");
    models(&bench, &["import"]).ended(2).says("SOURCE");
    models(&bench, &["import", "nowhere"]).ended(2).says("nowhere");
    models(&bench, &["import", "My-Clip", "--name", "../x"]).ended(2).says("--name ../x");
    // Nothing is left behind.
    assert!(!bench.path("data/recipe-render/models").exists());
}

#[test]
fn a_quantised_export_is_made_float_again() {
    let bench = Bench::small();
    hub(&bench);
    std::fs::copy(given("tests/models/joint-quantised.onnx"), bench.path("My-Clip/onnx/model.onnx")).unwrap();
    models(&bench, &["import", "My-Clip"]).ended(0).says("quantised");
    models(&bench, &["check", "my-clip"]).ended(0);
}

#[test]
fn only_imported_models_are_removed() {
    let bench = Bench::small();
    models(&bench, &["remove", "pocket"]).ended(2).says("part of the program");
    models(&bench, &["remove", "nobody"]).ended(2).says("nobody");
    bench.write("data/recipe-render/models/notes/readme.txt", "mine");
    models(&bench, &["remove", "notes"]).ended(2);
    models(&bench, &["remove", "../models/notes"]).ended(2);
    assert!(bench.path("data/recipe-render/models/notes/readme.txt").is_file());
}

#[test]
fn a_model_that_can_be_had_is_told_how() {
    let bench = Bench::small();
    bench.write("a.toml", "model = 'clip-vit-b32'\n[[detail]]\nprompts = ['x']\n");
    for arguments in [vec!["a.toml"], vec!["check", "a.toml"], vec!["models", "check", "clip-vit-b32"]] {
        let ran: Ran = program(&bench).args(&arguments).output().unwrap().into();
        ran.ended(2).says("models fetch clip-vit-b32");
    }
}

#[test]
fn what_cannot_be_heeded_is_said() {
    let bench = Bench::small();
    hub(&bench);
    models(&bench, &["import", "My-Clip", "--size", "32"]).ended(2).says("windows of 32 x 32").says("--size");
    models(&bench, &["import", "My-Clip", "--name", "pocket"]).ended(2).says("part of the program");
    let odd = r#"{"crop_size": 16, "size": {"shortest_edge": 20}, "resample": 1, "image_mean": 0.5, "image_std": 0.5}"#;
    bench.write("My-Clip/preprocessor_config.json", odd);
    models(&bench, &["import", "My-Clip"]).ended(0).says("scales pictures to 20").says("rule 1");

    let checkpoint = given("tests/models/checkpoints/oc-gelu").display().to_string();
    for (option, value) in [("--size", "32"), ("--context", "20"), ("--text-ids", "foo"), ("--activation", "gelu")] {
        models(&bench, &["import", &checkpoint, "--name", "x", option, value]).ended(2).says(option);
    }
}

#[test]
fn what_is_no_clip_is_refused_for_what_it_is() {
    let bench = Bench::small();
    bench.write("weights/pytorch_model.bin", "PK");
    models(&bench, &["import", "weights/pytorch_model.bin"]).ended(2).says("pickles");
    models(&bench, &["import", "weights"]).ended(2).says("pickles");
    let weights = std::fs::read(given("tests/models/checkpoints/oc-gelu/reference.safetensors")).unwrap();
    bench.write("siglip/model.safetensors", weights);
    bench.write("siglip/config.json", r#"{"model_type": "siglip", "vision_config": {}, "text_config": {}}"#);
    models(&bench, &["import", "siglip"]).ended(2).says("siglip");
    hub(&bench);
    std::fs::remove_file(bench.path("My-Clip/tokenizer.json")).unwrap();
    bench.write("My-Clip/vocab.json", "{}");
    models(&bench, &["import", "My-Clip"]).ended(2).says("no merges.txt");
}

#[test]
fn a_download_cache_is_followed_to_its_revision() {
    let bench = Bench::small();
    hub(&bench);
    let cache = bench.path("models--us--Nice-Clip");
    std::fs::create_dir_all(cache.join("snapshots")).unwrap();
    std::fs::create_dir_all(cache.join("refs")).unwrap();
    std::fs::rename(bench.path("My-Clip"), cache.join("snapshots/abc123")).unwrap();
    std::fs::write(cache.join("refs/main"), "abc123").unwrap();
    models(&bench, &["import", "models--us--Nice-Clip"]).ended(0).says("imported as `nice-clip`");
}

#[test]
fn a_folder_as_transformers_5_writes_it_is_read() {
    let bench = Bench::new();
    hub(&bench);
    let pictures = bench.read("My-Clip/preprocessor_config.json");
    std::fs::remove_file(bench.path("My-Clip/preprocessor_config.json")).unwrap();
    let pictures = String::from_utf8(pictures).unwrap();
    bench.write(
        "My-Clip/processor_config.json",
        format!(r#"{{"image_processor": {pictures}, "processor_class": "CLIPProcessor"}}"#),
    );
    models(&bench, &["import", "My-Clip"]).ended(0);
    let image = &description(&bench, "my-clip")["image"];
    assert_eq!(image["size"].as_integer(), Some(16));
    assert_eq!(image["deviation"].as_array().unwrap()[0].as_float(), Some(0.25));
}

/// An exporter's mistake that no runtime forgives.
#[test]
fn an_output_that_is_named_twice_is_kept_once() {
    let bench = Bench::new();
    hub(&bench);
    for output in ["text_embeds", "image_embeds"] {
        // Messages that follow each other are one (Protocol Buffers, encoding): one more output of the graph.
        let framed = |tag: u8, bytes: &[u8]| [&[tag, bytes.len() as u8], bytes].concat();
        let more = framed(0x3a, &framed(0x62, &framed(0x0a, output.as_bytes())));
        let whole = bench.read("My-Clip/onnx/model.onnx");
        bench.write("My-Clip/onnx/model.onnx", [whole, more].concat());
    }
    let ran = models(&bench, &["import", "My-Clip"]).ended(0);
    assert!(
        ran.err.contains("names image_embeds, text_embeds twice")
            || ran.out.contains("image_embeds, text_embeds twice")
    );
    models(&bench, &["check", "my-clip"]).ended(0);
    // The text encoder by itself, which would be taken as it is.
    let text = bench.read("data/recipe-render/models/my-clip/text.onnx");
    let framed = |tag: u8, bytes: &[u8]| [&[tag, bytes.len() as u8], bytes].concat();
    bench.write("text.onnx", [text, framed(0x3a, &framed(0x62, &framed(0x0a, b"text_embeds")))].concat());
    let image = bench.path("data/recipe-render/models/my-clip/image.onnx").display().to_string();
    let parts = ["import", "--image", &image, "--text", "text.onnx", "--tokenizer", "My-Clip", "--name", "parts"];
    let settings = ["--mean", "0,0,0", "--deviation", "1,1,1", "--context", "8", "--size", "16"];
    models(&bench, &[&parts[..], &settings].concat()).ended(0).says("text_embeds twice");
    models(&bench, &["check", "parts"]).ended(0);
}

/// As some exports have it: nothing would be told of where a text begins and ends.
#[test]
fn a_tokenizer_that_forgets_the_ends_of_texts_is_mended() {
    let bench = Bench::new();
    hub(&bench);
    let whole = r#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"}, "decoder": null, "post_processor": null,
        "model": {"type": "BPE", "unk_token": "<|endoftext|>", "end_of_word_suffix": "</w>", "merges": [],
                  "vocab": {"a</w>": 0, "b</w>": 1, "<|startoftext|>": 62, "<|endoftext|>": 63}}}"#;
    bench.write("My-Clip/tokenizer.json", whole);
    models(&bench, &["import", "My-Clip"]).ended(0).says("adds <|startoftext|> and <|endoftext|> now");
    let kept = bench.read("data/recipe-render/models/my-clip/tokenizer.json");
    let kept: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    assert_eq!(kept["post_processor"]["type"], "TemplateProcessing");
    bench.write("My-Clip/tokenizer.json", whole.replace("\"<|startoftext|>\": 62, ", ""));
    models(&bench, &["import", "My-Clip", "--name", "no-start"]).ended(2).says("no tokens <|startoftext|>");
}

#[test]
fn siglip_looks_at_padding() {
    let bench = Bench::new();
    hub(&bench);
    models(&bench, &["import", "My-Clip"]).ended(0);
    assert!(description(&bench, "my-clip")["text"].get("mask").is_some());
    bench.write(
        "My-Clip/config.json",
        r#"{"model_type": "siglip", "vision_config": {"image_size": 16}, "text_config": {"max_position_embeddings": 8}}"#,
    );
    models(&bench, &["import", "My-Clip", "--name", "siglip"]).ended(0).says("`attention_mask` is 1 everywhere");
    assert!(description(&bench, "siglip")["text"].get("mask").is_none());
    // So does one that was imported before, when it is imported anew.
    let mut old = description(&bench, "my-clip");
    for key in ["mean", "deviation"] {
        old["image"][key] = vec![0.5; 3].into();
    }
    let tokenizer = old["tokenizer"].as_table_mut().unwrap();
    tokenizer.insert("clean".into(), "canonicalize".into());
    bench.write("data/recipe-render/models/my-clip/model.toml", old.to_string());
    let folder = bench.path("data/recipe-render/models/my-clip").display().to_string();
    models(&bench, &["import", &folder, "--name", "again"]).ended(0).says("1 everywhere");
    assert!(description(&bench, "again")["text"].get("mask").is_none());
}

#[test]
fn image_prompts_are_checked_where_they_stand() {
    let bench = Bench::small();
    let whole = std::fs::read(given("docs/pictures/volcano.jpg")).unwrap();
    bench.write("broken.jpg", &whole[..3000]);
    bench.write("whole.jpg", &whole);
    let recipe = |image: &str| {
        format!("size = [32, 32]\n[[detail]]\nprompts = [{{ image = '{image}' }}, 'sword']\n[[phase]]\nsteps = 2\n")
    };
    bench.write("a.toml", recipe("broken.jpg"));
    let ran: Ran = bench.run(&["check", "a.toml"]);
    ran.ended(2).says("a.toml:3:");
    bench.write("b.toml", recipe("whole.jpg"));
    let ran = bench.done(&["b.toml"]);
    assert!(ran.out.contains("whole.jpg"), "{}", ran.out);
    bench.write("c.toml", "[[detail]]\nprompts = ['whole.jpg', 'sword']\n");
    bench.run(&["check", "c.toml"]).says("image = \"whole.jpg\"");
}

/// Whoever keeps something beside a model keeps it: notes, other folders, a model made by hand, a link.
#[test]
fn what_is_not_ours_outlives_removal_and_replacement() {
    let bench = Bench::small();
    let folder = tiny::folder().display().to_string();
    let import = ["import", &folder, "--name", "a", "--force"];
    models(&bench, &import).ended(0);
    let place = "data/recipe-render/models/a";
    bench.write(&format!("{place}/notes.txt"), "mine");
    bench.write(&format!("{place}/photos/a"), "mine");
    models(&bench, &import).ended(0);
    assert_eq!(
        (bench.read(&format!("{place}/notes.txt")), bench.read(&format!("{place}/photos/a"))),
        (b"mine".to_vec(), b"mine".to_vec())
    );
    models(&bench, &["check", "a"]).ended(0);
    models(&bench, &["remove", "a"]).ended(0).says("2 other files left in ");
    models(&bench, &["check", "a"]).ended(2);
    assert_eq!(bench.read(&format!("{place}/notes.txt")), b"mine");
    // Something of that name that is no model of ours.
    models(&bench, &["import", &folder, "--name", "a"]).ended(2).says("--force");
    let ran = models(&bench, &import).ended(0).says("are kept in ");
    let kept = ran.err.lines().find_map(|line| line.split_once("are kept in ")).unwrap().1;
    assert_eq!(std::fs::read(std::path::Path::new(kept).join("photos/a")).unwrap(), b"mine");
    // A model made by hand.
    let text = String::from_utf8(bench.read(&format!("{place}/model.toml"))).unwrap();
    bench.write(&format!("{place}/model.toml"), text.split("[source]").next().unwrap());
    models(&bench, &["remove", "a"]).ended(2).says("left alone");
    #[cfg(unix)]
    {
        std::fs::rename(bench.path(place), bench.path("away")).unwrap();
        bench.write("away/model.toml", &text);
        std::os::unix::fs::symlink(bench.path("away"), bench.path(place)).unwrap();
        models(&bench, &["remove", "a"]).ended(2).says("left alone");
        models(&bench, &import).ended(2).says("left alone");
        assert!(bench.path("away/image.onnx").is_file());
        assert!(std::fs::symlink_metadata(bench.path(place)).unwrap().is_symlink());
    }
}
