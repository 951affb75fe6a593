//! `models explain`: what a model makes of a text.

use recipe_render::onnx::{DataType, Graph, Node, Tensor, ValueType};
use serde_json::{Value, json};

use crate::advice::mine;
use crate::bench::{Bench, Ran};

fn explain(bench: &Bench, arguments: &[&str]) -> Ran {
    bench.run(&[&["models", "explain"], arguments].concat())
}

fn told(bench: &Bench, arguments: &[&str]) -> Value {
    serde_json::from_str(&explain(bench, &[arguments, &["--json"]].concat()).ended(0).out).unwrap()
}

fn names(text: &Value) -> Vec<&str> {
    text["names"].as_array().unwrap().iter().map(|near| near["name"].as_str().unwrap()).collect()
}

/// A model that has learnt three names: its text encoder gives the shares of them that the first token's row of a table has.
fn knowing(bench: &Bench, names_file: &str) {
    mine(bench, "\n[names]\nfile = 'names.txt'\nshares = 'shares'\n");
    bench.write("mine/names.txt", names_file);
    // "sea", "mal" and the rest of "malazan" in a vocabulary of word pieces.
    bench.write(
        "mine/tokenizer.json",
        r###"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 40,
                  "vocab": {"sea": 0, "mal": 1, "##azan": 2, "[UNK]": 3, "##s": 4}}}"###,
    );
    // The embedding is as wide as the pictures' are.
    use crate::tiny::WIDTH;
    let rows: Vec<f32> = (0..5 * WIDTH).map(|at| (at % 7) as f32 + 1.0).collect();
    let shares = [[0.995f32, 0.005, 0.0], [0.0, 0.25, 0.75], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]];
    let mut graph =
        Graph { inputs: vec!["ids".into()], outputs: vec!["embedding".into(), "shares".into()], ..Graph::default() };
    graph.constants.insert("zero".into(), Tensor::i64(&[], &[0]));
    graph.constants.insert("rows".into(), Tensor::f32(&[5, WIDTH], &rows));
    graph.constants.insert("table".into(), Tensor::f32(&[5, 3], &shares.concat()));
    for (node, output) in [
        (Node::new("Gather", &["ids", "zero"], &["first"]).with("axis", 1i64), "first"),
        (Node::new("Gather", &["rows", "first"], &["embedding"]), "embedding"),
        (Node::new("Gather", &["table", "first"], &["shares"]), "shares"),
    ] {
        let name = output.to_owned();
        graph.nodes.push(Node { name, ..node });
    }
    graph.types.insert("ids".into(), ValueType { data_type: DataType::I64, dims: None });
    graph.types.insert("embedding".into(), ValueType { data_type: DataType::F32, dims: None });
    graph.types.insert("shares".into(), ValueType { data_type: DataType::F32, dims: None });
    bench.write("mine/text.onnx", graph.write());
}

#[test]
fn the_embedded_model_names_what_a_text_is_like() {
    let bench = Bench::new().embedded();
    let told = told(&bench, &["pocket", "sword", "red apple", "--top", "3"]);
    assert_eq!(told["model"], "pocket");
    let texts = told["texts"].as_array().unwrap();
    assert_eq!((texts.len(), names(&texts[0]).len()), (2, 3));
    assert_eq!((names(&texts[0])[0], names(&texts[1])[0]), ("sword", "red apple"));
    assert_eq!((&texts[0]["known"], &texts[0]["unknown"]), (&json!(true), &json!([])));
    let page = explain(&bench, &["pocket", "sword"]).ended(0).out;
    assert!(page.starts_with("\"sword\"\n  sword ") && page.lines().count() <= 11, "{page}");
    // Names of one's own.
    bench.write("list.txt", "castle\nred sword\twhat cuts\n");
    let told = self::told(&bench, &["pocket", "sword", "--names", "list.txt"]);
    assert_eq!((&told["by"], names(&told["texts"][0])), (&json!("similarity"), vec!["red sword", "castle"]));
    assert_eq!(told["texts"][0]["names"][0]["remark"], "what cuts");
    bench.write("list.txt", "castle\n\nsword\n");
    explain(&bench, &["pocket", "sword", "--names", "list.txt"]).ended(2).says("line 2");
    explain(&bench, &["nowhere", "sword"]).ended(2).says("no model `nowhere`");
    // Signs of other programs are told here, too.
    let signs = explain(&bench, &["pocket", "castle:0.5", "sword"]).ended(0);
    assert!(signs.err.contains("\"castle:0.5\", column 7: `:0.5` is read as words"), "{}", signs.err);
    let silent = explain(&bench, &["pocket", "\u{6f22}\u{5b57}"]).ended(0).out;
    assert!(silent.contains("not known: `") && silent.contains("knows no word of it"), "{silent}");
}

#[test]
fn a_model_that_has_learnt_names_tells_their_shares() {
    let bench = Bench::new();
    knowing(&bench, "sea\ta wave\nland\nheap\n");
    let told = told(&bench, &["./mine", "sea", "malazan"]);
    assert_eq!(told["by"], "share");
    let texts = told["texts"].as_array().unwrap();
    // Shares below 1 % are left out, others come by falling share.
    assert_eq!((names(&texts[0]), names(&texts[1])), (vec!["sea"], vec!["heap", "land"]));
    assert_eq!((&texts[0]["names"][0]["remark"], &texts[1]["names"][1]["share"]), (&json!("a wave"), &json!(0.25)));
    assert_eq!(texts[1]["unknown"], json!([{ "word": "malazan", "pieces": ["mal", "##azan"] }]));
    let page = explain(&bench, &["./mine", "sea", "malazan"]).ended(0).out;
    assert!(page.contains("  sea   99.5%  ████████████████████  a wave\n"), "{page}");
    assert!(page.contains("not known: `malazan` (read as mal + ##azan)\n  heap   75.0%"), "{page}");
    // Its list and its encoder have to agree.
    knowing(&bench, "sea\nland\n");
    explain(&bench, &["./mine", "sea"]).ended(2).says("3 shares").says("2 names");
    // Without shares its own names are ranked by their embeddings.
    knowing(&bench, "sea\nmal\n");
    let description = String::from_utf8(bench.read("mine/model.toml")).unwrap().replace("shares = 'shares'\n", "");
    bench.write("mine/model.toml", description);
    let told = self::told(&bench, &["./mine", "sea"]);
    assert_eq!((&told["by"], names(&told["texts"][0])), (&json!("similarity"), vec!["sea", "mal"]));
}

#[test]
fn unknown_words_are_warned_of_once() {
    let bench = Bench::new();
    knowing(&bench, "sea\nland\nheap\n");
    let recipe = "model = './mine'\nsize = [32, 32]\n[[detail]]\nprompts = ['seas', 'a sea malazan', 'malazan sea']\n[[phase]]\nsteps = 1\n";
    bench.write("a.toml", recipe);
    for arguments in [["check", "a.toml"].as_slice(), &["a.toml"]] {
        let ran = bench.run(arguments).ended(0).says("does not know `a`, `malazan` (read as mal + ##azan); the rest");
        assert_eq!(ran.err.matches("does not know").count(), 1, "{}", ran.err);
        assert!(
            ran.err.contains("recipe-render models explain ./mine") && ran.err.contains("a.toml:4:21"),
            "{}",
            ran.err
        );
    }
    let scored = bench.run(&["score", "a.png", "sea malazan", "malazan sea", "--model", "./mine"]).ended(0);
    assert_eq!(scored.err.matches("does not know").count(), 1, "{}", scored.err);
    assert!(scored.err.contains("recipe-render models explain ./mine"), "{}", scored.err);
    // What is known, endings included, is nothing to warn of.
    bench.write("b.toml", recipe.replace("'a sea malazan', 'malazan sea'", "'sea'"));
    assert!(!bench.run(&["b.toml"]).ended(0).err.contains("does not know"));
}
