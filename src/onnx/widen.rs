//! Half precision made full: the same graph in 32-bit floats.

use super::graph::{Attribute, Graph};
use super::tensor::{DataType, Tensor};

impl Graph {
    /// Turns 16-bit floats (both kinds) into 32-bit ones throughout: constants, values, conversions. Gives the number of
    /// constants turned; 0 leaves the graph as it is. Graphs with subgraphs are left as they are.
    ///
    /// Weights rounded to half precision keep their values; what was computed in half precision is computed exactly. On a
    /// CPU, which has no half-precision arithmetic, this is also several times as fast.
    pub fn widen(&mut self) -> usize {
        let half = |data_type: DataType| matches!(data_type, DataType::F16 | DataType::Bf16);
        if self.nodes.iter().any(|node| node.has_subgraph()) {
            return 0;
        }
        let mut count = 0;
        for tensor in self.constants.values_mut().filter(|tensor| half(tensor.data_type)) {
            *tensor = wide(tensor);
            count += 1;
        }
        for node in &mut self.nodes {
            for (name, attribute) in &mut node.attributes {
                match attribute {
                    Attribute::Tensor(tensor) if half(tensor.data_type) => *tensor = wide(tensor),
                    Attribute::Int(number)
                        if ["to", "dtype"].contains(&name.as_str())
                            && DataType::from_onnx(*number as i32).is_some_and(half) =>
                    {
                        *number = DataType::F32 as i64;
                    }
                    _ => {}
                }
            }
        }
        for known in self.types.values_mut().filter(|known| half(known.data_type)) {
            known.data_type = DataType::F32;
        }
        count
    }
}

fn wide(tensor: &Tensor) -> Tensor {
    let values = tensor.to_f64().unwrap_or_default();
    let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
    Tensor::f32(&tensor.dims, &values)
}

#[cfg(test)]
mod tests {
    use crate::onnx::{DataType, Graph, Node, Tensor, ValueType};

    #[test]
    fn everything_half_becomes_whole() {
        let mut graph = Graph {
            inputs: vec!["x".into()],
            outputs: vec!["z".into()],
            nodes: vec![
                Node::new("Cast", &["x"], &["y"]).with("to", DataType::F16 as i64),
                Node::new("Mul", &["y", "w"], &["z"]),
            ],
            ..Graph::default()
        };
        graph.constants.insert("w".into(), Tensor::floats(DataType::F16, &[2], &[0.5, -1.5]).unwrap());
        graph.constants.insert("n".into(), Tensor::i64(&[1], &[7]));
        for (name, data_type) in [("x", DataType::F32), ("y", DataType::F16), ("z", DataType::F16)] {
            graph.types.insert(name.into(), ValueType::fixed(data_type, &[2]));
        }
        assert_eq!(graph.widen(), 1);
        assert_eq!(graph.constants["w"], Tensor::f32(&[2], &[0.5, -1.5]));
        assert_eq!(graph.constants["n"].data_type, DataType::I64);
        assert_eq!(graph.nodes[0].int("to"), Some(1));
        assert!(graph.types.values().all(|known| known.data_type == DataType::F32));
        assert_eq!(graph.widen(), 0);
    }
}
