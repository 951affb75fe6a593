//! Computing what needs no runtime: operators that move or convert constants.
//!
//! Models with weights of 16 bits carry a `Cast` a weight, exporters leave a `Transpose` here and there. Done here, large
//! weights need not travel through a runtime to be folded.

use super::graph::{Graph, Node};
use super::shapes;
use super::tensor::{DataType, Tensor};

/// Masks and sizes are smaller.
const MOST_PLACES: usize = 1 << 20;

/// Replaces nodes that move or convert constants by their results.
pub(super) fn propagate(graph: &mut Graph) {
    let mut kept = Vec::with_capacity(graph.nodes.len());
    for node in std::mem::take(&mut graph.nodes) {
        let result = match node.outputs.as_slice() {
            [output] if !graph.outputs.contains(output) => evaluate(graph, &node).map(|t| (output.clone(), t)),
            _ => None,
        };
        match result {
            Some((output, tensor)) => {
                graph.types.remove(&output);
                graph.constants.insert(output, tensor);
            }
            None => kept.push(node),
        }
    }
    graph.nodes = kept;
}

/// The node's one result, if its inputs are constants and it is one of the operators known here.
fn evaluate(graph: &Graph, node: &Node) -> Option<Tensor> {
    if !node.domain.is_empty() {
        return None;
    }
    if node.is("Size") {
        let count: usize = graph.shape(node.input(0)?)?.iter().product();
        return Some(Tensor::i64(&[], &[i64::try_from(count).ok()?]));
    }
    let x = graph.constants.get(node.input(0)?)?;
    match node.operator.as_str() {
        "Identity" => Some(x.clone()),
        "Cast" => cast(x, DataType::from_onnx(i32::try_from(node.int("to")?).ok()?)?),
        "NonZero" => places(x),
        "Transpose" => x.transpose(&shapes::permutation(node, x.dims.len())?),
        "Reshape" | "Squeeze" | "Unsqueeze" | "Flatten" => {
            let dims = shapes::infer(graph, node).into_iter().next()??.shape()?;
            let fits = dims.iter().try_fold(1usize, |p, d| p.checked_mul(*d)) == Some(x.len());
            fits.then(|| x.with_dims(&dims))
        }
        _ => None,
    }
}

/// Conversions among floats, and from them nowhere else: integers are small and left to the runtime.
fn cast(x: &Tensor, to: DataType) -> Option<Tensor> {
    if x.data_type == to {
        return Some(x.clone());
    }
    if x.data_type == DataType::F16 && to == DataType::F32 {
        let halves = x.data.as_chunks::<2>().0;
        let data: Vec<u8> = halves.iter().flat_map(|b| half::f16::from_le_bytes(*b).to_f32().to_le_bytes()).collect();
        return Some(Tensor { data_type: to, dims: x.dims.clone(), data: data.into() });
    }
    Tensor::floats(to, &x.dims, &x.to_f64()?)
}

/// Whether the operator is one that onnxruntime's folding leaves although what it gives is known.
pub(super) fn is_left(node: &Node) -> bool {
    node.is("NonZero") || node.is("Size")
}

/// Where a tensor is not zero: one row for each axis.
fn places(x: &Tensor) -> Option<Tensor> {
    let size = x.data_type.size();
    if x.len() > MOST_PLACES || x.data_type.is_float() {
        return None;
    }
    let found: Vec<usize> = (0..x.len()).filter(|i| x.data[i * size..(i + 1) * size].iter().any(|b| *b != 0)).collect();
    let strides = super::tensor::strides(&x.dims);
    let rows = strides.iter().zip(&x.dims);
    let values: Vec<i64> =
        rows.flat_map(|(stride, dim)| found.iter().map(move |i| (i / stride % dim) as i64)).collect();
    Some(Tensor::i64(&[x.dims.len(), found.len()], &values))
}
