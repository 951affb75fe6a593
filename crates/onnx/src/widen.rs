//! Converts models in half precision to f32.
//!
//! onnxruntime's CPU kernels support few operators on 16-bit floats. It puts conversions around the others, so the
//! values between them are only rounded to 16 bits. Gradients fare worse than values: they are often below 6e-8, the
//! smallest half above zero.

use super::graph::{Attribute, Graph, ValueType};
use super::proto::{AttributeProto, GraphProto, TensorProto, TypeProto, ValueInfoProto};
use super::tensor::{DataType, Tensor};

/// Attributes that name an element type.
const TYPE_NAMES: &[&str] = &["to", "dtype", "output_dtype", "stash_type", "softmax_precision"];

fn is_half(data_type: DataType) -> bool {
    matches!(data_type, DataType::F16 | DataType::Bf16)
}

fn is_half_number(number: i64) -> bool {
    i32::try_from(number).ok().and_then(DataType::from_onnx).is_some_and(is_half)
}

impl Graph {
    /// Turns every value of 16-bit floats into one of f32, including inputs and outputs. Weights keep their values.
    /// Returns the number of weights converted.
    pub fn widen(&mut self) -> usize {
        let mut count = 0;
        for tensor in self.constants.values_mut().filter(|t| is_half(t.data_type)) {
            *tensor = widened(tensor);
            count += 1;
        }
        let halves = |t: &&mut ValueType| is_half(t.data_type);
        self.types.values_mut().filter(halves).for_each(|known| known.data_type = DataType::F32);
        for node in &mut self.nodes {
            for (name, value) in &mut node.attributes {
                match value {
                    Attribute::Tensor(tensor) if is_half(tensor.data_type) => *tensor = widened(tensor),
                    Attribute::Int(number) if TYPE_NAMES.contains(&name.as_str()) && is_half_number(*number) => {
                        *number = DataType::F32 as i64;
                    }
                    Attribute::Graph(graph) => widen_subgraph(graph),
                    _ => {}
                }
            }
        }
        count
    }
}

/// Converts a tensor of halves to f32.
fn widened(tensor: &Tensor) -> Tensor {
    let halves = tensor.data.as_chunks::<2>().0;
    let data: Vec<u8> = match tensor.data_type {
        DataType::Bf16 => halves.iter().flat_map(|b| [0, 0, b[0], b[1]]).collect(),
        _ => halves.iter().flat_map(|b| half::f16::from_le_bytes(*b).to_f32().to_le_bytes()).collect(),
    };
    Tensor { data_type: DataType::F32, dims: tensor.dims.clone(), data: data.into() }
}

fn widen_subgraph(graph: &mut GraphProto) {
    graph.initializer.iter_mut().for_each(widen_proto);
    for info in graph.input.iter_mut().chain(&mut graph.output).chain(&mut graph.value_info) {
        widen_info(info);
    }
    for attribute in graph.node.iter_mut().flat_map(|node| &mut node.attribute) {
        widen_attribute(attribute);
    }
}

fn widen_info(info: &mut ValueInfoProto) {
    if let Some(TypeProto { tensor_type: Some(tensor) }) = &mut info.r#type
        && is_half_number(tensor.elem_type.into())
    {
        tensor.elem_type = DataType::F32 as i32;
    }
}

fn widen_attribute(attribute: &mut AttributeProto) {
    if TYPE_NAMES.contains(&attribute.name.as_str()) && attribute.i.is_some_and(is_half_number) {
        attribute.i = Some(DataType::F32 as i64);
    }
    attribute.t.iter_mut().for_each(widen_proto);
    attribute.g.iter_mut().for_each(widen_subgraph);
}

fn widen_proto(proto: &mut TensorProto) {
    if !is_half_number(proto.data_type.into()) {
        return;
    }
    if let Ok(tensor) = super::read::tensor_from(proto.clone(), &mut super::external::ExternalFiles::new(None)) {
        let name = std::mem::take(&mut proto.name);
        *proto = super::write::tensor_proto(&name, &widened(&tensor));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Builder;
    use crate::test_support::{distance, normal, run};

    #[test]
    fn a_model_of_halves_computes_in_f32() {
        for data_type in [DataType::F16, DataType::Bf16] {
            let mut graph = Graph::default();
            let mut b = Builder::new(&mut graph, "t");
            let x = b.input("x", data_type, &[2, 3]);
            let weights = normal(1, &[3, 4]);
            let halves = Tensor::floats(data_type, &weights.dims, &weights.to_f64().unwrap()).unwrap();
            let weight = b.constant("w", halves.clone());
            let product = b.op("MatMul", &[&x, &weight]);
            let shape = b.ints(&[4]);
            let one = Tensor::floats(data_type, &[1], &[1.0]).unwrap();
            let ones = b.op_with("ConstantOfShape", &[&shape], &[("value", Attribute::Tensor(one))]);
            let back = b.op_with("Cast", &[&ones], &[("to", (data_type as i64).into())]);
            let y = b.op("Add", &[&product, &back]);
            graph.outputs.push(y);
            graph.widen();
            let x = normal(2, &[2, 3]);
            let got = run(&graph, &[("x", &x)]).remove(0);
            let (x, w) = (x.to_f64().unwrap(), halves.to_f64().unwrap());
            let expected = (0..8).map(|i| 1.0 + (0..3).map(|k| x[i / 4 * 3 + k] * w[k * 4 + i % 4]).sum::<f64>());
            let expected = Tensor::floats(DataType::F32, &[2, 4], &expected.collect::<Vec<_>>()).unwrap();
            assert_eq!(got.data_type, DataType::F32);
            assert!(distance(&got, &expected) < 1e-6);
        }
    }

    #[test]
    fn subgraphs_are_widened_too() {
        let half = Tensor::floats(DataType::F16, &[1], &[1.5]).unwrap();
        let mut branch = GraphProto::default();
        branch.initializer.push(super::super::write::tensor_proto("c", &half));
        widen_subgraph(&mut branch);
        assert_eq!(branch.initializer[0].data_type, DataType::F32 as i32);
        assert_eq!(branch.initializer[0].raw_data.as_deref(), Some(&1.5f32.to_le_bytes()[..]));
    }
}
