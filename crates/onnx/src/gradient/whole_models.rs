//! Compares small image encoders, as written by both PyTorch exporters, with PyTorch's own results
//! (tests/models/generate.py).

use std::path::{Path, PathBuf};

use crate::test_support::{distance, fold, normal, run, run_at, runtime, uniform};
use crate::{Builder, DataType, Graph, OnnxError, Tensor, dequantise, differentiate, gradient_graph};
use recipe_render_clip::runtime::{Level, Weights};

const WINDOWS: usize = 2;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/models")
}

fn read(name: &str) -> Graph {
    Graph::open(&folder().join(format!("{name}.onnx"))).unwrap()
}

/// One line of `models.json`.
struct ModelCase {
    file: String,
    reference: String,
    side: usize,
    tolerance: f64,
}

impl ModelCase {
    fn family(&self) -> &str {
        let name = self.reference.trim_end_matches(".f32");
        name.strip_suffix("-f16").unwrap_or(name)
    }
}

fn entries(folder: &Path) -> Vec<ModelCase> {
    let text = std::fs::read_to_string(folder.join("models.json")).unwrap();
    let list: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let entry = |value: &serde_json::Value| ModelCase {
        file: value["file"].as_str().unwrap().into(),
        reference: value["reference"].as_str().unwrap().into(),
        side: value["side"].as_u64().unwrap() as usize,
        tolerance: value["tolerance"].as_f64().unwrap(),
    };
    list.iter().map(entry).collect()
}

/// Reads image, embedding, embedding_gradient, image_gradient.
fn reference(path: &Path, side: usize) -> [Tensor; 4] {
    let bytes = std::fs::read(path).unwrap();
    let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let image: &[usize] = &[WINDOWS, 3, side, side];
    let width = values.len() / 2 / WINDOWS - 3 * side * side;
    let embedding: &[usize] = &[WINDOWS, width];
    let mut rest = values.as_slice();
    let parts = [image, embedding, embedding, image].map(|dims| {
        let (part, after) = rest.split_at(dims.iter().product());
        rest = after;
        Tensor::f32(dims, part)
    });
    assert!(rest.is_empty());
    parts
}

fn family_of(name: &str) -> &str {
    name.rsplit_once('-').map_or(name, |(family, _)| family)
}

/// Reads an export as published, fixes its free sizes, and folds it.
fn prepared(path: &Path, side: usize) -> Result<Graph, OnnxError> {
    let mut graph = Graph::open(path)?;
    dequantise(&mut graph)?;
    let input = graph.inputs[0].clone();
    graph.set_input_shape(&input, &[WINDOWS, 3, side, side])?;
    crate::fold(graph, WINDOWS, |bytes| runtime().fold(bytes, &Weights::default(), &[]))
}

/// Returns the relative errors of embedding and gradient, each the greater over both optimisation levels.
fn errors(folder: &Path, entry: &ModelCase) -> Result<[f64; 2], OnnxError> {
    let [image, embedding, embedding_gradient, image_gradient] = reference(&folder.join(&entry.reference), entry.side);
    let graph = gradient_graph(prepared(&folder.join(&entry.file), entry.side)?)?;
    assert_eq!(graph.inputs, ["image", "embedding_gradient"]);
    assert_eq!(graph.outputs, ["embedding", "image_gradient"]);
    let mut worst = [0f64; 2];
    for level in [Level::Basic, Level::All] {
        let inputs = [("image", &image), ("embedding_gradient", &embedding_gradient)];
        let got = run_at(&graph, &inputs, level);
        for (worst, error) in worst.iter_mut().zip([distance(&got[0], &embedding), distance(&got[1], &image_gradient)])
        {
            // A NaN must not get lost in a maximum.
            *worst = if error.is_nan() { f64::INFINITY } else { worst.max(error) };
        }
    }
    Ok(worst)
}

/// Checks that every export of a family agrees with PyTorch.
fn agrees(family: &str) {
    let folder = folder();
    let of_family: Vec<ModelCase> = entries(&folder).into_iter().filter(|e| e.family() == family).collect();
    assert!(!of_family.is_empty());
    for entry in of_family {
        let errors = errors(&folder, &entry).unwrap_or_else(|error| panic!("{}: {error}", entry.file));
        assert!(errors.iter().all(|e| *e < entry.tolerance), "{}: {errors:?}", entry.file);
    }
}

/// Defines one test for each family, named as in `families.py`.
macro_rules! families {
    ($($test:ident $name:literal,)*) => {
        $(#[test] fn $test() { agrees($name); })*
        const FAMILIES: &[&str] = &[$($name),*];
    };
}

families! {
    vit_quickgelu "vit-quickgelu",
    vit_gelu "vit-gelu",
    vit_average "vit-average",
    resnet "resnet",
    transformers "transformers",
    transformers_sdpa "transformers-sdpa",
    siglip "siglip",
    siglip_sdpa "siglip-sdpa",
    siglip2_naflex "siglip2-naflex",
    siglip_timm "siglip-timm",
    eva02 "eva02",
    eva02_fused "eva02-fused",
    pe_core "pe-core",
    convnext "convnext",
    convnext_wide "convnext-wide",
    mobileclip "mobileclip",
    mobileclip_folded "mobileclip-folded",
    mobileclip2 "mobileclip2",
    mobileclip_b "mobileclip-b",
    coca "coca",
    vitamin "vitamin",
    swin "swin",
}

#[test]
fn every_model_belongs_to_a_test() {
    for entry in entries(&folder()) {
        assert!(FAMILIES.contains(&entry.family()), "{}", entry.file);
        assert!(folder().join(&entry.file).metadata().unwrap().len() < 300_000, "{}", entry.file);
    }
}

/// Checks exports that are not part of the tests: those in a folder filled by `tests/models/generate.py --all`.
#[test]
#[ignore = "needs a folder of models, named by RECIPE_RENDER_MODELS"]
fn models_of_a_folder() {
    let folder = PathBuf::from(std::env::var_os("RECIPE_RENDER_MODELS").unwrap());
    let only = std::env::var("RECIPE_RENDER_ONLY").unwrap_or_default();
    let mut wrong = 0;
    for entry in entries(&folder).iter().filter(|e| e.file.contains(&only)) {
        let result = std::panic::catch_unwind(|| errors(&folder, entry));
        let text = match &result {
            Ok(Ok([embedding, gradient])) => format!("{embedding:.1e} {gradient:.1e}"),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "panic".into(),
        };
        let good = matches!(result, Ok(Ok(errors)) if errors.iter().all(|e| *e < entry.tolerance));
        println!("{} {} {text}", if good { "    " } else { "FAIL" }, entry.file);
        wrong += usize::from(!good);
    }
    assert_eq!(wrong, 0);
}

#[test]
fn a_written_graph_reads_back_the_same() {
    for name in ["vit-gelu-ts17", "resnet-dy18", "transformers-ts14"] {
        let graph = gradient_graph(fold(read(name), WINDOWS)).unwrap();
        let again = Graph::read(graph.write().into(), None).unwrap();
        assert_eq!(graph.nodes, again.nodes, "{name}");
        assert_eq!(graph.constants, again.constants, "{name}");
        assert_eq!((&graph.inputs, &graph.outputs), (&again.inputs, &again.outputs), "{name}");
        assert_eq!(graph.types, again.types, "{name}");
    }
}

#[test]
fn weights_can_stay_outside() {
    let graph = fold(read("vit-quickgelu-ts17"), WINDOWS);
    let (bytes, weights) = graph.write_split(1024);
    let large: usize = weights.iter().map(|(_, t)| t.data.len()).sum();
    assert!(
        weights.iter().all(|(_, t)| t.data.len() >= 1024) && large > 2 * bytes.len() / 3,
        "{large} {}",
        bytes.len()
    );
    let error = Graph::read(bytes.into(), None).unwrap_err().to_string();
    assert!(error.contains("external weights"), "{error}");
}

#[test]
fn another_batch_size_gives_the_same_rows() {
    let [image, embedding, ..] = reference(&folder().join("vit-gelu.f32"), 16);
    let one = Tensor::f32(&[1, 3, 16, 16], &image.to_f32().unwrap()[..3 * 16 * 16]);
    let got = run(&fold(read("vit-gelu-ts17"), 1), &[("image", &one)]);
    assert!(distance(&got[0], &Tensor::f32(&[1, 8], &embedding.to_f32().unwrap()[..8])) < 1e-4);
}

/// An export for two pictures, used for other numbers of pictures.
#[test]
fn a_fixed_batch_is_repeated() {
    for windows in [1, 2, 3, 4] {
        let [image, seed] = [normal(1, &[windows, 3, 16, 16]), normal(2, &[windows, 8])];
        let both = |name: &str| {
            let graph = gradient_graph(fold(read(name), windows)).unwrap();
            run(&graph, &[("image", &image), ("embedding_gradient", &seed)])
        };
        let (got, expected) = (both("transformers-ts13-static"), both("transformers-ts14"));
        for (got, expected) in got.iter().zip(&expected) {
            assert_eq!(got.dims, expected.dims);
            assert!(distance(got, expected) < 1e-5, "{windows}: {}", distance(got, expected));
        }
    }
}

#[test]
fn a_fixed_batch_is_not_repeated_for_ever() {
    let graph = fold(read("vit-gelu-ts17"), 2);
    let error = crate::fold(graph, 1000, |bytes| runtime().fold(bytes, &Weights::default(), &[])).unwrap_err();
    assert!(error.to_string().contains("batches of 2"), "{error}");
}

/// Does what a caller does with an encoder: puts operators before its image and a head after its embedding, and takes
/// the gradient of the head's loss through all of it, in one graph.
#[test]
fn a_head_behind_and_operators_in_front() {
    let mut graph = fold(read("vit-gelu-ts17"), WINDOWS);
    graph.inputs.clear();
    let mut b = Builder::new(&mut graph, "head");
    let window = b.input("window", DataType::F32, &[WINDOWS, 3, 16, 16]);
    let mean = b.constant("mean", Tensor::f32(&[3, 1, 1], &[0.48, 0.46, 0.41]));
    let centred = b.op("Sub", &[&window, &mean]);
    let deviation = b.constant("deviation", Tensor::f32(&[3, 1, 1], &[0.27, 0.26, 0.28]));
    b.op_into("Div", &[&centred, &deviation], &[], "image");
    let features = b.input("features", DataType::F32, &[5, 8]);
    let length = b.reduce("ReduceL2", "embedding", &[1], true);
    let unit = b.op("Div", &["embedding", &length]);
    let similarity = b.op_with("Gemm", &[&unit, &features], &[("transB", 1.into())]);
    let loss = b.reduce("ReduceSum", &similarity, &[0, 1], false);
    assert_eq!(graph.shape(&loss).unwrap(), [] as [usize; 0]);
    graph.sort().unwrap();
    let mut b = Builder::new(&mut graph, "seed");
    let one = b.constant("one", Tensor::f32(&[], &[1.0]));
    let gradient = differentiate(&mut graph, &[(&loss, &one)], &["window"]).unwrap().remove(0);
    graph.outputs = vec![loss, gradient];
    graph.prune();
    let features = normal(3, &[5, 8]);
    let window = uniform(4, &[WINDOWS, 3, 16, 16], 0.2, 0.8);
    let along = normal(5, &window.dims).to_f64().unwrap();
    let at = |step: f64| {
        let moved: Vec<f64> = window.to_f64().unwrap().iter().zip(&along).map(|(x, d)| x + step * d).collect();
        let moved = Tensor::floats(DataType::F32, &window.dims, &moved).unwrap();
        run(&graph, &[("window", &moved), ("features", &features)])
    };
    let numeric = (at(2e-3)[0].to_f64().unwrap()[0] - at(-2e-3)[0].to_f64().unwrap()[0]) / 4e-3;
    let gradient = at(0.0)[1].to_f64().unwrap();
    let analytic: f64 = gradient.iter().zip(&along).map(|(g, d)| g * d).sum();
    let length = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    assert!((numeric - analytic).abs() < 2e-3 * length, "{numeric} {analytic} {length}");
}

/// Converts a model to half precision with f32 inputs and outputs, as converters do.
fn halved(mut graph: Graph) -> Graph {
    let half = |t: &Tensor| Tensor::floats(DataType::F16, &t.dims, &t.to_f64().unwrap()).unwrap();
    graph.constants.values_mut().filter(|t| t.data_type == DataType::F32).for_each(|t| *t = half(t));
    for node in &mut graph.nodes {
        if node.is("Cast") && node.int("to") == Some(DataType::F32 as i64) {
            node.attributes.insert("to".into(), (DataType::F16 as i64).into());
        }
    }
    graph.rename("image", "half image").unwrap();
    graph.rename("embedding", "half embedding").unwrap();
    let (image, embedding) = (graph.types["half image"].clone(), graph.types["half embedding"].clone());
    graph.types.values_mut().filter(|t| t.data_type == DataType::F32).for_each(|t| t.data_type = DataType::F16);
    graph.types.extend([("image".into(), image), ("embedding".into(), embedding)]);
    (graph.inputs, graph.outputs) = (vec!["image".into()], vec!["embedding".into()]);
    let mut b = Builder::new(&mut graph, "io");
    b.op_into("Cast", &["image"], &[("to", (DataType::F16 as i64).into())], "half image");
    b.op_into("Cast", &["half embedding"], &[("to", (DataType::F32 as i64).into())], "embedding");
    graph.sort().unwrap();
    graph
}

#[test]
fn encoders_in_half_precision() {
    for (name, side) in [("vit-gelu-ts17", 16), ("vit-quickgelu-ts17", 16), ("transformers-ts14", 16)] {
        let [image, embedding, embedding_gradient, image_gradient] =
            reference(&folder().join(format!("{}.f32", family_of(name))), side);
        // Folding widens halves, but a graph may contain halves that were inserted afterwards.
        let folded = halved(fold(read(name), WINDOWS));
        let differentiated = [fold(halved(read(name)), WINDOWS), folded].map(|graph| gradient_graph(graph).unwrap());
        assert!(differentiated[1].constants.values().any(|t| t.data_type == DataType::F16));
        for (graph, level) in differentiated.iter().flat_map(|g| [(g, Level::Basic), (g, Level::All)]) {
            let got = run_at(graph, &[("image", &image), ("embedding_gradient", &embedding_gradient)], level);
            let errors = [distance(&got[0], &embedding), distance(&got[1], &image_gradient)];
            assert!(errors.iter().all(|e| *e < 2e-2), "{name} at {level:?}: {errors:?}");
        }
    }
}

/// Tests rules of operators that those models lack: compares the gradient of `operator` on halves with that on f32.
#[test]
fn single_operators_in_half_precision() {
    let graph = |data_type: DataType, operator: &str, attributes: &[(&str, crate::Attribute)], more: usize| {
        let mut graph = Graph::default();
        let mut b = Builder::new(&mut graph, "t");
        b.input("x", DataType::F32, &[1, 3, 6, 6]);
        b.input("dy", DataType::F32, &[1, 3, 5, 5]);
        let to = [("to", (data_type as i64).into())];
        let x = b.op_with("Cast", &["x"], &to);
        let mut inputs = vec![x.clone()];
        for seed in 0..more as u64 {
            let values = uniform(seed, &[3], 0.5, 1.5).to_f64().unwrap();
            inputs.push(b.floats("parameter", &[3], &values, &x));
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let y = b.op_with(operator, &inputs, attributes);
        let seed = b.graph().shape(&y).unwrap();
        let dy = b.op_with("Cast", &["dy"], &to);
        let cells: usize = seed.iter().product();
        let flat = b.reshape(&dy, &[75]);
        let (starts, ends) = (b.ints(&[0]), b.sizes(&[cells]));
        let part = if cells <= 75 {
            b.op("Slice", &[&flat, &starts, &ends])
        } else {
            let twice = b.op_with("Concat", &[&flat, &flat], &[("axis", 0.into())]);
            b.op("Slice", &[&twice, &starts, &ends])
        };
        let dy = b.reshape(&part, &seed);
        let dx = differentiate(&mut graph, &[(&y, &dy)], &["x"]).unwrap().remove(0);
        graph.outputs.push(dx);
        graph.sort().unwrap();
        graph
    };
    type Case = (&'static str, Vec<(&'static str, crate::Attribute)>, usize);
    let pairs: [Case; 4] = [
        ("AveragePool", vec![("kernel_shape", vec![2, 2].into())], 0),
        ("AveragePool", vec![("kernel_shape", vec![3, 3].into()), ("pads", vec![1, 1, 1, 1].into())], 0),
        ("InstanceNormalization", vec![], 2),
        ("ReduceL2", vec![], 0),
    ];
    for (operator, attributes, more) in pairs {
        let mut x = normal(1, &[1, 3, 6, 6]);
        if operator == "ReduceL2" {
            // The length is 0, and the gradient must be 0, not 0 / 0.
            x = Tensor::f32(&x.dims, &vec![0.0; x.len()]);
        }
        let dy = normal(2, &[1, 3, 5, 5]);
        let [full, half] = [DataType::F32, DataType::F16].map(|data_type| {
            let graph = graph(data_type, operator, &attributes, more);
            run(&graph, &[("x", &x), ("dy", &dy)]).remove(0)
        });
        if operator == "ReduceL2" {
            assert!(half.to_f32().unwrap().iter().all(|g| *g == 0.0), "{half:?}");
        } else {
            assert!(distance(&half, &full) < 2e-2, "{operator}: {}", distance(&half, &full));
        }
    }
}
