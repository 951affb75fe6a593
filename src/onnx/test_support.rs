//! Running graphs in tests.

use std::sync::OnceLock;

use super::{Graph, Tensor};
use crate::runtime::{Device, Input, Level, Runtime, SessionPlan, Weights};

/// The library, found as the developer's environment says.
pub(super) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let path = std::env::var("ORT_DYLIB_PATH").expect("set ORT_DYLIB_PATH to an onnxruntime library");
        Runtime::load(path.as_ref()).expect("onnxruntime loads")
    })
}

/// The graph's outputs for the given inputs, computed without rewriting the graph.
pub(super) fn run(graph: &Graph, inputs: &[(&str, &Tensor)]) -> Vec<Tensor> {
    run_at(graph, inputs, Level::Basic)
}

/// The graph's outputs for the given inputs.
pub(super) fn run_at(graph: &Graph, inputs: &[(&str, &Tensor)], level: Level) -> Vec<Tensor> {
    let plan = SessionPlan { device: Device::Cpu, threads: 1, level, dimensions: Vec::new() };
    let mut session = runtime().session(&graph.write(), &Weights::default(), &plan).expect("the graph is valid");
    let floats: Vec<Option<Vec<f32>>> = inputs.iter().map(|(_, t)| t.to_f32()).collect();
    let integers: Vec<Option<Vec<i64>>> = inputs.iter().map(|(_, t)| t.to_i64()).collect();
    let given: Vec<(&str, Input)> = inputs
        .iter()
        .enumerate()
        .map(|(i, (name, tensor))| {
            let input = match (&floats[i], &integers[i]) {
                (Some(values), _) => Input::F32(&tensor.dims, values),
                (_, Some(values)) => Input::I64(&tensor.dims, values),
                _ => panic!("inputs of {:?}", tensor.data_type),
            };
            (*name, input)
        })
        .collect();
    let outputs = session.run(&given).expect("the graph runs");
    graph.outputs.iter().map(|name| outputs.get(name).expect("every output").clone()).collect()
}

/// Folds with onnxruntime.
pub(super) fn fold(graph: Graph, batch: usize) -> Graph {
    super::fold(graph, batch, &mut |bytes| runtime().fold(bytes, &Weights::default(), &[])).expect("the graph folds")
}

/// Standard normal numbers, the same for the same seed.
pub(super) fn normal(seed: u64, dims: &[usize]) -> Tensor {
    let draws = crate::chance::Draws::new(seed);
    let count = dims.iter().product::<usize>();
    let values: Vec<f32> =
        (0..count as u64).flat_map(|i| draws.normal_pair(i)).take(count).map(|v| v as f32).collect();
    Tensor::f32(dims, &values)
}
