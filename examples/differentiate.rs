//! Differentiates an image network in ONNX, as an ONNX graph that any runtime can run:
//! `cargo run --release --example differentiate -- models/pocket/image.onnx gradient.onnx`

use std::{env, error::Error, fs, path::Path};

use recipe_render::onnx::{Graph, gradient_graph};
use recipe_render::runtime::{self, Device, Input, Level, Options, SessionPlan, Weights};

/// Writes the graph of one input and one output with its gradient, for one window, and gives the length of the gradient of the
/// output's sum at a grey window.
pub fn run(network: &Path, gradient: &Path) -> Result<f32, Box<dyn Error>> {
    let runtime = runtime::open(&Options::default(), &mut |line| eprintln!("{line}"))?;
    // onnxruntime folds shape arithmetic, so that all sizes are known; weights beside the file come into it.
    let whole = Graph::read(fs::read(network)?.into(), network.parent())?.write();
    let batch = [("batch".to_owned(), 1)];
    let folded = runtime.fold(&whole, &Weights::default(), &batch)?;
    let graph = gradient_graph(Graph::read(folded.into(), None)?)?;
    let (image, embedding) = (graph.static_shape("image")?, graph.static_shape("embedding")?);
    fs::write(gradient, graph.write())?;

    // d(sum of the embedding) / d(image)
    let plan = SessionPlan { device: Device::Cpu, threads: 1, level: Level::All, dimensions: Vec::new() };
    let mut session = runtime.session(&graph.write(), &Weights::default(), &plan)?;
    let grey = vec![0.5; image.iter().product()];
    let ones = vec![1.0; embedding.iter().product()];
    let outputs =
        session.run(&[("image", Input::F32(&image, &grey)), ("embedding_gradient", Input::F32(&embedding, &ones))])?;
    let (_, slope) = outputs.f32("image_gradient")?;
    Ok(slope.iter().map(|value| value * value).sum::<f32>().sqrt())
}

fn main() -> Result<(), Box<dyn Error>> {
    let [network, gradient] =
        env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "differentiate NET.onnx GRADIENT.onnx")?;
    println!("the gradient's length at grey: {}", run(Path::new(&network), Path::new(&gradient))?);
    Ok(())
}
