//! Constant folding that needs no runtime: operators that move, convert or scale constants.
//!
//! Models with 16-bit weights carry a `Cast` for each weight, those with 8-bit weights also a `Mul`, and exporters
//! leave a `Transpose` here and there. Folding these here spares large weights the way through a runtime.

use super::graph::{Graph, Node};
use super::shapes;
use super::tensor::{DataType, Tensor};

/// The most elements of a tensor that `NonZero` is computed for. Masks and sizes are smaller.
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

/// Returns the node's only result if its inputs are constants and the operator is known here.
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
        "Mul" => product(x, graph.constants.get(node.input(1)?)?),
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

/// Converts between float types, and bytes to floats. Integers of other sizes are rare and left to the runtime.
fn cast(x: &Tensor, to: DataType) -> Option<Tensor> {
    if x.data_type == to {
        return Some(x.clone());
    }
    if x.data_type == DataType::F16 && to == DataType::F32 {
        let halves = x.data.as_chunks::<2>().0;
        let data: Vec<u8> = halves.iter().flat_map(|b| half::f16::from_le_bytes(*b).to_f32().to_le_bytes()).collect();
        return Some(Tensor { data_type: to, dims: x.dims.clone(), data: data.into() });
    }
    let floats = |wide: fn(u8) -> f32| {
        let values: Vec<f32> = x.data.iter().map(|byte| wide(*byte)).collect();
        Some(Tensor::f32(&x.dims, &values))
    };
    match (x.data_type, to) {
        (DataType::I8, DataType::F32) => return floats(|byte| f32::from(byte as i8)),
        (DataType::U8, DataType::F32) => return floats(f32::from),
        _ => {}
    }
    Tensor::floats(to, &x.dims, &x.to_f64()?)
}

/// Multiplies two tensors of which one has the other's dimensions, or 1 in their place: rows of weights and their
/// scales.
fn product(a: &Tensor, b: &Tensor) -> Option<Tensor> {
    let dims = shapes::broadcast(&a.dims, &b.dims)?;
    let (large, small) = match (a.dims == dims, b.dims == dims) {
        (true, _) => (a, b),
        (false, true) => (b, a),
        _ => return None,
    };
    let (mut values, scales) = (large.to_f32()?, small.to_f32()?);
    // The smaller tensor's stride along each axis of the larger one.
    let missing = dims.len() - small.dims.len();
    let own = super::tensor::strides(&small.dims);
    let steps: Vec<usize> = (0..dims.len())
        .map(|axis| match axis.checked_sub(missing) {
            Some(axis) if small.dims[axis] > 1 => own[axis],
            _ => 0,
        })
        .collect();
    // A row: the last axes along which that stride is 0, so that one scale applies to all its elements.
    let row: usize = dims.iter().zip(&steps).rev().take_while(|(_, step)| **step == 0).map(|(dim, _)| dim).product();
    let strides = super::tensor::strides(&dims);
    for (number, row_values) in values.chunks_mut(row.max(1)).enumerate() {
        let axes = strides.iter().zip(&dims).zip(&steps);
        let at: usize = axes.map(|((stride, dim), step)| number * row / stride % dim * step).sum();
        row_values.iter_mut().for_each(|value| *value *= scales[at]);
    }
    Some(Tensor::f32(&dims, &values))
}

/// Whether onnxruntime's folding leaves this operator although its result is known.
pub(super) fn is_left(node: &Node) -> bool {
    node.is("NonZero") || node.is("Size")
}

/// Returns the indices of the nonzero elements, one row for each axis.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_floats() {
        let bytes = |data_type| Tensor { data_type, dims: vec![3], data: vec![1u8, 127, 255].into() };
        let floats = |data_type| cast(&bytes(data_type), DataType::F32).unwrap().to_f32().unwrap();
        assert_eq!(floats(DataType::I8), [1.0, 127.0, -1.0]);
        assert_eq!(floats(DataType::U8), [1.0, 127.0, 255.0]);
    }

    #[test]
    fn products_stretch_the_smaller_one() {
        let values: Vec<f32> = (0..12).map(|value| value as f32).collect();
        let large = Tensor::f32(&[2, 3, 2], &values);
        for (dims, at) in [
            (vec![2, 1, 1], (|index| index / 6) as fn(usize) -> usize),
            (vec![3, 1], |index| index / 2 % 3),
            (vec![1, 2], |index| index % 2),
            (vec![], |_| 0),
            (vec![2, 3, 2], |index| index),
        ] {
            let scales: Vec<f32> = (0..dims.iter().product()).map(|scale| 0.5 + scale as f32).collect();
            let small = Tensor::f32(&dims, &scales);
            let expected: Vec<f32> = values.iter().enumerate().map(|(i, value)| value * scales[at(i)]).collect();
            for got in [product(&large, &small).unwrap(), product(&small, &large).unwrap()] {
                assert_eq!((got.dims.as_slice(), got.to_f32().unwrap()), (&[2usize, 3, 2][..], expected.clone()));
            }
        }
        assert_eq!(product(&Tensor::f32(&[2, 1], &[1.0; 2]), &Tensor::f32(&[1, 2], &[1.0; 2])), None);
        assert_eq!(product(&large, &Tensor::i64(&[], &[2])), None);
    }
}
