//! Classifiers as models: taken in with their labels, checked, scored, rendered, and asked for what they have no label of.

use recipe_render::chance::Draws;
use recipe_render::onnx::{Builder, DataType, Dim, Graph, Tensor, ValueType};
use serde_json::Value;

use crate::bench::{Bench, Ran, pixels};
use crate::models::{models, program};

/// Six classes; two of one name.
const LABELS: &str = "castle, fortress\nsea lion\ncrane\ncliff, drop-off\ncrane\nsunglasses, shades\n";

const CLASSES: usize = 6;
const SIDE: usize = 16;
const FEATURES: usize = 8;

/// What stands at the end of a network.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Logits,
    Softmax,
    /// `[N, C, 1, 1]`, by a convolution.
    Pooled,
}

/// A convolution, its mean over the picture, `classes` logits: random weights. Channels last where `last` says so.
fn network(classes: usize, end: End, last: bool) -> Vec<u8> {
    let random = |seed: u64, dims: &[usize], size: f64| {
        let draws = Draws::new(seed);
        let count = dims.iter().product::<usize>() as u64;
        Tensor::f32(dims, &(0..count).map(|index| draws.uniform(index, -size, size) as f32).collect::<Vec<_>>())
    };
    let mut graph = Graph::default();
    let mut b = Builder::new(&mut graph, "net");
    let dims = if last { [1, SIDE, SIDE, 3] } else { [1, 3, SIDE, SIDE] };
    let picture = b.input("picture", DataType::F32, &dims);
    let first = if last { b.transpose(&picture, &[0, 3, 1, 2]) } else { picture.clone() };
    let kernel = b.constant("kernel", random(1, &[FEATURES, 3, 4, 4], 0.4));
    let seen = b.op_with("Conv", &[&first, &kernel], &[("strides", vec![4i64, 4].into())]);
    let seen = b.op("Softplus", &[&seen]);
    let pooled = b.op("GlobalAveragePool", &[&seen]);
    let output = if end == End::Pooled {
        let matrix = b.constant("matrix", random(2, &[classes, FEATURES, 1, 1], 3.0));
        b.op("Conv", &[&pooled, &matrix])
    } else {
        let flat = b.op_with("Flatten", &[&pooled], &[("axis", 1i64.into())]);
        let matrix = b.constant("matrix", random(2, &[classes, FEATURES], 3.0));
        let logits = b.op_with("Gemm", &[&flat, &matrix], &[("transB", 1i64.into())]);
        if end == End::Softmax { b.op_with("Softmax", &[&logits], &[("axis", 1i64.into())]) } else { logits }
    };
    let dims = match end {
        End::Pooled => vec![Dim::Known(1), Dim::Known(classes), Dim::Known(1), Dim::Known(1)],
        _ => vec![Dim::Known(1), Dim::Known(classes)],
    };
    graph.types.insert(output.clone(), ValueType { data_type: DataType::F32, dims: Some(dims) });
    graph.outputs = vec![output];
    graph.write()
}

/// A folder with the network, its labels, and a picture.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("net.onnx", network(CLASSES, End::Logits, false));
    bench.write("labels.txt", LABELS);
    let picture = image::RgbImage::from_fn(40, 40, |x, y| image::Rgb([(x * 6) as u8, (y * 6) as u8, 90]));
    picture.save(bench.path("picture.png")).unwrap();
    bench
}

/// The same with the model `net` taken in.
fn imported() -> Bench {
    let bench = bench();
    models(&bench, &["import", "net.onnx", "--labels", "labels.txt"]).ended(0);
    bench
}

fn run(bench: &Bench, arguments: &[&str]) -> Ran {
    program(bench).args(arguments).output().unwrap().into()
}

fn json(ran: Ran) -> Value {
    serde_json::from_str(&ran.ended(0).out).unwrap()
}

/// The similarities of the picture to prompts.
fn score(bench: &Bench, model: &str, prompts: &[&str]) -> Vec<f64> {
    let arguments = [&["score", "picture.png", "--json", "--model", model], prompts].concat();
    let scores = json(run(bench, &arguments));
    scores["scores"].as_array().unwrap().iter().map(|score| score["similarity"].as_f64().unwrap()).collect()
}

#[test]
fn a_classifier_is_taken_in_checked_and_listed() {
    let bench = bench();
    models(&bench, &["import", "net.onnx", "--labels", "labels.txt"])
        .ended(0)
        .says("a classifier of 6 classes: prompts are its labels")
        .says("using ImageNet's: --mean 0.485,0.456,0.406 --deviation 0.229,0.224,0.225")
        .says("embeddings of 6 numbers from windows of 16 x 16")
        .says("imported as `net`");
    let place = "data/recipe-render/models/net";
    assert_eq!(bench.read(&format!("{place}/labels.txt")), LABELS.as_bytes());
    let description: toml::Table =
        String::from_utf8(bench.read(&format!("{place}/model.toml"))).unwrap().parse().unwrap();
    assert_eq!(description["labels"]["file"].as_str(), Some("labels.txt"));
    assert!(!description.contains_key("text") && !description.contains_key("tokenizer"), "{description}");
    let checked = models(&bench, &["check", "net"]).ended(0);
    for said in ["gradient  right", "labels    6, one for each output", "windows/s", "verdict   ready"] {
        assert!(checked.out.contains(said), "{said}: {}", checked.out);
    }
    assert!(!checked.out.contains("colours"), "{}", checked.out);
    let found = json(models(&bench, &["check", "net", "--json"]));
    assert_eq!((&found["labels"], &found["colours"]), (&6.into(), &Value::Null));
    let list = models(&bench, &["list"]).ended(0);
    assert!(list.out.contains("a classifier of 6 classes"), "{}", list.out);
    models(&bench, &["gradient", "net", "--windows", "2", "-o", "gradient.onnx"]).ended(0);
    // The model folder as it is, by somebody else: the same model.
    let folder = bench.path(place).display().to_string();
    models(&bench, &["import", &folder, "--name", "again"]).ended(0);
    assert_eq!(score(&bench, "net", &["castle"]), score(&bench, "again", &["castle"]));
    let graph = |name: &str| bench.read(&format!("data/recipe-render/models/{name}/image.onnx"));
    assert!(graph("again") == graph("net"));
}

#[test]
fn a_classifier_has_advice_and_tells_what_a_text_reads_as() {
    let bench = imported();
    let description = String::from_utf8(bench.read("data/recipe-render/models/net/model.toml")).unwrap();
    assert!(description.contains("[advice.detail]") && description.contains("tells photographs"), "{description}");
    bench.write("a.toml", "model = 'net'\nsize = [32, 32]\n[[detail]]\nprompts = ['castle', 'cliff']\n");
    let page = run(&bench, &["plan", "a.toml"]).ended(0).out;
    assert!(page.contains("detail 1: 4 windows* a step, places*, select best', calibration past'"), "{page}");
    // Without advice of its own the model has none when it is taken in again.
    let folder = bench.path("data/recipe-render/models/net");
    let bare = description.split("[advice").next().unwrap().to_owned();
    bench.write("data/recipe-render/models/net/model.toml", bare);
    models(&bench, &["import", &folder.display().to_string(), "--name", "bare"]).ended(0);
    let again = String::from_utf8(bench.read("data/recipe-render/models/bare/model.toml")).unwrap();
    assert!(!again.contains("[advice"), "{again}");

    let explain = |more: &[&str]| models(&bench, &[&["explain", "net"], more].concat());
    let page = explain(&["a fortress", "a castle by the cliff", "castel"]).ended(0).out;
    for said in [
        "\"a fortress\"\n  fortress  100.0%  ████████████████████  castle, fortress\n",
        "\"a castle by the cliff\"\n  the other words mean nothing to it\n  castle   50.0%",
        "\"castel\"\n  it names no label; similarly spelled labels:\n  castle",
    ] {
        assert!(page.contains(said), "{said}\n{page}");
    }
    let told = json(explain(&["crane", "castel", "--top", "2", "--json"]));
    assert_eq!((&told["by"], &told["texts"][0]["names"][0]["share"]), (&"share".into(), &1.0.into()));
    let spelt = told["texts"][1]["names"].as_array().unwrap();
    assert!(spelt.len() == 2 && spelt[0]["spelling"].as_f64().unwrap() > 0.6, "{told}");
    explain(&["crane", "--names", "labels.txt"]).ended(2).says("knows only its own labels");
}

#[test]
fn similarities_are_centred_logits_whatever_the_network_ends_in() {
    let bench = imported();
    let prompts = ["castle", "sea lion", "cliff", "sunglasses"];
    let plain = score(&bench, "net", &prompts);
    assert!(plain.iter().any(|similarity| similarity.abs() > 0.05), "{plain:?}");
    for (name, end, last) in
        [("softmax", End::Softmax, false), ("pooled", End::Pooled, false), ("last", End::Logits, true)]
    {
        bench.write(&format!("{name}.onnx"), network(CLASSES, end, last));
        let ran = models(&bench, &["import", &format!("{name}.onnx"), "--labels", "labels.txt"]).ended(0);
        assert_eq!(ran.err.contains("ends in Softmax, which is cut off"), end == End::Softmax, "{}", ran.err);
        for (a, b) in plain.iter().zip(score(&bench, name, &prompts)) {
            assert!((a - b).abs() < 1e-5, "{name}: {a} {b}");
        }
    }
    // Features of one-hot vectors less their mean: all six similarities add up to nothing.
    let both = score(&bench, "net", &["crane"])[0];
    let sum: f64 = plain.iter().sum::<f64>() * (5.0f64 / 6.0).sqrt() + both * 2.0 * (1.0f64 / 3.0).sqrt();
    assert!(sum.abs() < 1e-5, "{sum}");
}

#[test]
fn prompts_are_labels_in_any_form() {
    let bench = imported();
    let same = score(&bench, "net", &["castle", "Fortress", "a castle", " the  CASTLES ", "castle, fortress"]);
    assert!(same.iter().all(|similarity| *similarity == same[0]), "{same:?}");
    let same = score(&bench, "net", &["sea lion", "sea-lions", "Sea_Lion"]);
    assert!(same.iter().all(|similarity| *similarity == same[0]), "{same:?}");
    run(&bench, &["score", "picture.png", "a castle on a cliff", "--model", "net"]).ended(0).says(
        "warning: model `net` is a classifier: of \"a castle on a cliff\" it takes the labels \"castle\" and \"cliff\", alike; \
         the other words mean nothing to it",
    );
    run(&bench, &["score", "picture.png", "cliff", "castel", "--model", "net"])
        .ended(2)
        .says("error: PROMPT: model `net` is a classifier and has no label \"castel\"\n")
        .says("did you mean \"castle\"?");
    run(&bench, &["score", "picture.png", "sworrd", "castel", "--model", "net"])
        .ended(2)
        .says("no label \"sworrd\"")
        .says("no label \"castel\"; did you mean \"castle\"?");
}

#[test]
fn what_is_no_label_is_marked_in_the_recipe() {
    let bench = imported();
    let recipe = "model = 'net'\nsize = [32, 32]\n[[detail]]\nprompts = [\n  'castle', 'castel',\n  { texts = ['cliff', \"a lamp post\", 'Cran'] },\n]\n[[phase]]\nsteps = 2\n";
    bench.write("a.toml", recipe);
    let labels = bench.path("data/recipe-render/models/net/labels.txt").display().to_string();
    let said = format!(
        r#"error: model `net` is a classifier and has no label "castel"
 --> a.toml:5:13
  |
5 |   'castle', 'castel',
  |             ^^^^^^^^
  |
  = hint: did you mean "castle"?

error: model `net` is a classifier and has no label "a lamp post"
 --> a.toml:6:23
  |
6 |   {{ texts = ['cliff', "a lamp post", 'Cran'] }},
  |                       ^^^^^^^^^^^^^
  |
  = hint: a prompt is one of the model's 6 labels, which are listed in {labels}

error: model `net` is a classifier and has no label "Cran"
 --> a.toml:6:38
  |
6 |   {{ texts = ['cliff', "a lamp post", 'Cran'] }},
  |                                      ^^^^^^
  |
  = hint: did you mean "crane"?
"#
    );
    for arguments in [&["a.toml"][..], &["check", "a.toml"], &["plan", "a.toml"]] {
        let ran = run(&bench, arguments).ended(2);
        assert!(ran.err.contains(said.trim_end()), "{}\n\nnot\n\n{said}", ran.err);
    }
    let ran = run(&bench, &["check", "a.toml", "--format", "json"]).ended(2);
    let findings: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&findings[2]["line"], &findings[2]["column"]), (&6.into(), &38.into()));
}

#[test]
fn a_classifier_renders_and_its_directions_push() {
    let bench = imported();
    let recipe = "model = 'net'\nsize = [48, 48]\nseed = 2\n[[detail]]\nprompts = ['castle']\nwindows = 2\nplaces = 0\n[[phase]]\nsteps = 20\n";
    bench.write("castle.toml", recipe);
    bench.write("crane.toml", recipe.replace("castle", "cranes"));
    let ran = run(&bench, &["castle.toml", "crane.toml"]).ended(0);
    assert!(!ran.err.contains("warning"), "{}", ran.err);
    assert_ne!(pixels(&bench.path("castle.png")), pixels(&bench.path("crane.png")));
    let similar = |picture: &str| {
        let arguments = ["score", picture, "castle", "crane", "--model", "net", "--json"];
        let scores = json(run(&bench, &arguments));
        [0, 1].map(|index| scores["scores"][index]["similarity"].as_f64().unwrap())
    };
    let (castle, crane) = (similar("castle.png"), similar("crane.png"));
    assert!(castle[0] > crane[0] && crane[1] > castle[1], "{castle:?} {crane:?}");

    let fit = ["direction", "fit", "--model", "net", "-o", "d.safetensors", "--more", "fortresses", "--less"];
    run(&bench, &[&fit[..], &["cliff"]].concat()).ended(0);
    run(&bench, &[&fit[..], &["clif"]].concat())
        .ended(2)
        .says("--less: model `net` is a classifier and has no label \"clif\"")
        .says("did you mean \"cliff\"?");
    let pushed = recipe.replace("['castle']", "[{ direction = 'd.safetensors' }, { image = 'picture.png' }]");
    bench.write("pushed.toml", pushed);
    run(&bench, &["pushed.toml"]).ended(0);

    // Templates have labels too, or say nothing.
    let templates = recipe.replace("['castle']", "[{ text = 'castle', templates = ['{} by a cliff'] }]");
    bench.write("templates.toml", templates);
    run(&bench, &["check", "templates.toml"]).ended(0).says("of \"castle by a cliff\" it takes the labels");
}

#[test]
fn another_list_of_labels_is_another_model() {
    let bench = imported().keeping();
    let recipe =
        "model = 'net'\nsize = [32, 32]\n[[detail]]\nprompts = ['castle']\nwindows = 1\n[[phase]]\nsteps = 3\n";
    bench.write("a.toml", recipe);
    run(&bench, &["a.toml"]).ended(0);
    let first = pixels(&bench.path("a.png"));
    bench
        .write("data/recipe-render/models/net/labels.txt", LABELS.replace("castle", "keep").replace("cliff", "castle"));
    run(&bench, &["a.toml"]).ended(0);
    assert_ne!(pixels(&bench.path("a.png")), first);
    bench.write("data/recipe-render/models/net/labels.txt", LABELS.replace("castle, fortress\n", ""));
    models(&bench, &["check", "net"]).ended(2).says("the network has 6 outputs, but 5 labels are given");
}

#[test]
fn labels_come_in_several_forms() {
    let bench = bench();
    let names: Vec<&str> = LABELS.lines().collect();
    bench.write("list.json", serde_json::to_string(&names).unwrap());
    let numbered: serde_json::Map<String, Value> =
        names.iter().enumerate().map(|(class, name)| (class.to_string(), (*name).into())).collect();
    bench.write("numbered.json", serde_json::to_string(&numbered).unwrap());
    for file in ["list.json", "numbered.json"] {
        models(&bench, &["import", "net.onnx", "--labels", file, "--name", "n", "--force"]).ended(0);
        assert_eq!(bench.read("data/recipe-render/models/n/labels.txt"), LABELS.as_bytes(), "{file}");
    }
    // As the transformers library has it.
    bench.write("My-Vit/onnx/model.onnx", bench.read("net.onnx"));
    bench.write("My-Vit/preprocessor_config.json", r#"{"size": 16, "image_mean": 0.5, "image_std": 0.25}"#);
    let config =
        |labels: &Value| format!(r#"{{"architectures": ["ViTForImageClassification"], "id2label": {labels}}}"#);
    bench.write("My-Vit/config.json", config(&numbered.clone().into()));
    let ran = models(&bench, &["import", "My-Vit"]).ended(0).says("imported as `my-vit`");
    assert!(!ran.err.contains("ImageNet"), "{}", ran.err);
    assert_eq!(bench.read("data/recipe-render/models/my-vit/labels.txt"), LABELS.as_bytes());
    models(&bench, &["import", "My-Vit/onnx/model.onnx", "--name", "file"]).ended(0);
    let invented = (0..CLASSES).map(|class| (class.to_string(), format!("LABEL_{class}").into())).collect();
    bench.write("My-Vit/config.json", config(&Value::Object(invented)));
    models(&bench, &["import", "My-Vit", "--name", "x"]).ended(2).says("LABEL_0").says("--labels FILE");
}

#[test]
fn what_is_wrong_with_labels_is_told_at_its_line() {
    let bench = bench();
    for (file, text, said) in [
        ("gap.txt", "a\nb\n\nc\nd\ne\n", "gap.txt, line 3: is empty"),
        ("few.txt", "a\nb\nc\n", "few.txt: has 3 labels, and net.onnx gives 6 classes"),
        ("bytes.txt", "a\nb\0\n", "bytes.txt, line 2: has control characters"),
        ("slip.json", "[\"a\",\n \"b\" \"c\"]", "slip.json, line 2, column 6"),
        ("hole.json", "{\"0\": \"a\",\n\"2\": \"b\"}", "class 1 is missing"),
        (
            "kind.json",
            "{\"0\": \"a\",\n\"1\": 7}",
            "kind.json, line 2, column 6: invalid type: integer `7`, expected a label",
        ),
    ] {
        bench.write(file, text);
        models(&bench, &["import", "net.onnx", "--labels", file]).ended(2).says(said);
    }
    models(&bench, &["import", "net.onnx", "--labels", "none.txt"]).ended(2).says("none.txt: No such file");
    models(&bench, &["import", "net.onnx", "--labels", "labels.txt", "--size", "32"]).ended(2).says("--size 32");
    let text = ["--text", "net.onnx"];
    models(&bench, &[&["import", "net.onnx", "--labels", "labels.txt"][..], &text].concat()).ended(2).says("--text");
    bench.write("two.onnx", network(2, End::Logits, false));
    bench.write("two.txt", "a\nb\n");
    models(&bench, &["import", "two.onnx", "--labels", "two.txt"]).ended(2).says("2 classes cannot guide a picture");
    assert!(!bench.path("data/recipe-render/models/net").exists());
}

#[test]
fn what_has_no_labels_is_told_what_to_give() {
    let bench = bench();
    models(&bench, &["import", "net.onnx"])
        .ended(2)
        .says("net.onnx: this is only an image encoder")
        .says("or, if it is a classifier, give its labels with --labels FILE, one per line");
    bench.write("folder/model.onnx", network(1000, End::Logits, false));
    models(&bench, &["import", "folder"])
        .ended(2)
        .says("has no text encoder")
        .says("it has 1000 outputs: if they are ImageNet's classes, --labels imagenet-1k");
    models(&bench, &["import", "folder", "--labels", "labels.txt"])
        .ended(2)
        .says("--labels imagenet-1k has their names");
    models(&bench, &["import", "folder", "--labels", "imagenet-1k"]).ended(0);
    let scores = score(&bench, "folder", &["castle", "crane", "tigers", "toilet paper"]);
    assert!(scores.iter().all(|similarity| similarity.is_finite()));
    bench.write("more/model.onnx", network(1001, End::Softmax, false));
    models(&bench, &["import", "more", "--labels", "imagenet-1k"]).ended(0);
    assert!(bench.read("data/recipe-render/models/more/labels.txt").starts_with(b"background\ntench, Tinca tinca\n"));
}
