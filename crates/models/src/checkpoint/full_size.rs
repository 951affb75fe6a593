//! A test of a full-size checkpoint, run by hand: `CHECKPOINT` names a folder written by tests/models/checkpoints/generate.py.
//! If `SPEED` is set, speed is measured too.
//!
//! ```text
//! CHECKPOINT=b32 cargo test --release --lib models::checkpoint::full_size -- --ignored --nocapture
//! ```

use std::path::PathBuf;
use std::time::Instant;

use super::tests::{errors, reference, with_gradient};
use super::{Checkpoint, hugging_face, open_clip};
use crate::onnx::Graph;
use crate::runtime::{Device, Input, Level, Runtime, Session, SessionPlan, Weights};

/// The number of windows in a batch, as in the renderer.
const COUNT: usize = 8;

/// The number of runs, of which the fastest counts.
const RUNS: usize = 10;

fn session(graph: Graph) -> Session {
    let plan = SessionPlan { device: Device::Cpu, threads: 1, level: Level::All, dimensions: Vec::new() };
    let packable = graph.second_factors();
    let (bytes, tensors) = graph.write_split(1024);
    Runtime::for_tests().session(&bytes, &Weights { tensors, packable, ..Weights::default() }, &plan).unwrap()
}

/// Returns the number of operators in a graph, and how many million values they write, apart from products and views.
fn work(graph: &Graph) -> (usize, f64) {
    let free = ["MatMul", "Gemm", "Conv", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity"];
    let written = graph.nodes.iter().filter(|node| !free.contains(&node.operator.as_str()));
    let values =
        written.filter_map(|node| graph.shape(node.outputs.first()?)).map(|dims| dims.iter().product::<usize>());
    (graph.nodes.len(), values.sum::<usize>() as f64 / 1e6)
}

/// Tests agreement with PyTorch, and measures speed beside PyTorch's own export, if there is one.
#[test]
#[ignore = "needs a folder named in CHECKPOINT"]
fn agrees_with_pytorch() {
    let folder = PathBuf::from(std::env::var_os("CHECKPOINT").unwrap());
    let json = |name: &str| serde_json::from_slice(&std::fs::read(folder.join(name)).ok()?).ok();
    let open = |name: &str| Checkpoint::open(&folder.join(name)).unwrap();
    let start = Instant::now();
    let converted = match (json("config.json"), json("open_clip_config.json")) {
        (Some(config), _) => hugging_face(&config, &open("model.safetensors")),
        (_, Some(config)) => open_clip(&config, &open("open_clip_model.safetensors")),
        _ => panic!("no configuration"),
    }
    .unwrap();
    println!("converted in {:.2} s", start.elapsed().as_secs_f64());
    let image = converted.image.clone();
    let [embedding, gradient, text] = errors(converted, reference(&folder.join("reference.safetensors")));
    println!("embedding {embedding:.1e}, image gradient {gradient:.1e}, text embedding {text:.1e}");
    assert!(embedding < 1e-5 && gradient < 1e-4 && text < 1e-5);
    if std::env::var_os("SPEED").is_none() {
        return;
    }
    let exported = folder.join("exported.onnx");
    let mut graphs = vec![("ours", with_gradient(image, COUNT))];
    if exported.exists() {
        graphs.push(("PyTorch's export", with_gradient(Graph::open(&exported).unwrap(), COUNT)));
    }
    for (name, graph) in &graphs {
        let (operators, values) = work(graph);
        println!("{name}: {operators} operators, {values:.1} million values written besides products");
    }
    let mut sessions: Vec<_> = graphs.into_iter().map(|(name, graph)| (name, session(graph))).collect();
    let wanted = reference(&folder.join("reference.safetensors"));
    let (side, width) = (wanted("image").unwrap().dims[2], wanted("embedding").unwrap().dims[1]);
    let image = vec![0.3; COUNT * 3 * side * side];
    let seed = vec![1.0; COUNT * width];
    let mut fastest = vec![f64::INFINITY; sessions.len()];
    for _ in 0..=RUNS {
        for ((_, session), fastest) in sessions.iter_mut().zip(&mut fastest) {
            let start = Instant::now();
            let inputs = [
                ("image", Input::F32(&[COUNT, 3, side, side], &image)),
                ("embedding_gradient", Input::F32(&[COUNT, width], &seed)),
            ];
            session.run(&inputs).unwrap();
            *fastest = fastest.min(start.elapsed().as_secs_f64());
        }
    }
    for ((name, _), time) in sessions.iter().zip(&fastest) {
        println!("{name}: {:.1} ms for {COUNT} windows, forward and backward, one thread", time * 1e3);
    }
}
