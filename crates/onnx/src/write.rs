//! Writes a [`Graph`] to bytes.

use std::collections::HashSet;

use prost::Message;

use super::graph::{Attribute, Dim, Graph, Node, OPSET, ValueType};
use super::proto::{
    AttributeProto, DimensionProto, DimensionValue, EXTERNAL, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto, attribute_type,
};
use super::tensor::Tensor;

/// The format version that came with operator set 20.
const IR_VERSION: i64 = 9;

/// Constants of fewer bytes stay inside the model when larger ones go to a file beside it.
pub const BESIDE: usize = 1024;

/// The alignment of tensors in a file beside the model, with which they can be used in place once the file is mapped
/// into memory.
pub const ALIGNED: usize = 64;

/// The placeholder for a file name when the data is passed in memory.
const IN_MEMORY: &str = "in-memory";

impl Graph {
    /// Serialises the whole model, with constants inside.
    pub fn write(&self) -> Vec<u8> {
        self.to_proto(usize::MAX, IN_MEMORY).encode_to_vec()
    }

    /// Serialises the model with all constants of [`BESIDE`] bytes or more in a file `location` beside it. Returns the
    /// model's bytes, and the tensors whose data make up that file, each starting at the next multiple of [`ALIGNED`].
    pub fn write_beside(&self, location: &str) -> (Vec<u8>, Vec<Tensor>) {
        let tensors = self.constants.values().filter(|tensor| tensor.data.len() >= BESIDE);
        (self.to_proto(BESIDE, location).encode_to_vec(), tensors.cloned().collect())
    }

    /// Serialises the model with all constants of `threshold` bytes or more left out, as external data without a file.
    /// Also returns these constants, which the runtime gets by name.
    pub fn write_split(&self, threshold: usize) -> (Vec<u8>, Vec<(String, Tensor)>) {
        let outside = self.constants.iter().filter(|(_, t)| t.data.len() >= threshold);
        (self.to_proto(threshold, IN_MEMORY).encode_to_vec(), outside.map(|(n, t)| (n.clone(), t.clone())).collect())
    }

    /// Serialises the whole model, with every value named in `value_info`, including those of unknown type: onnxruntime
    /// completes existing entries but adds none.
    pub(super) fn write_to_complete(&self) -> Vec<u8> {
        let mut model = self.to_proto(usize::MAX, IN_MEMORY);
        let names = self.nodes.iter().flat_map(|n| &n.outputs);
        let unnoted = names.filter(|o| !o.is_empty() && !self.types.contains_key(*o) && !self.outputs.contains(o));
        let info = |name: &String| ValueInfoProto { name: name.clone(), r#type: None };
        if let Some(graph) = &mut model.graph {
            graph.value_info.extend(unnoted.map(info));
        }
        model.encode_to_vec()
    }

    pub(super) fn to_proto(&self, threshold: usize, location: &str) -> ModelProto {
        let mut offset = 0;
        let info = |name: &String| ValueInfoProto { name: name.clone(), r#type: self.types.get(name).map(type_proto) };
        let inside = |name: &&String| !self.inputs.contains(name) && !self.outputs.contains(name);
        let constants = self.constants.iter().map(|(name, tensor)| {
            if tensor.data.len() < threshold {
                return tensor_proto(name, tensor);
            }
            let proto = outside_proto(name, tensor, location, offset);
            // In memory each tensor counts as a separate file.
            if location != IN_MEMORY {
                offset += tensor.data.len().next_multiple_of(ALIGNED);
            }
            proto
        });
        let constants = constants.collect();
        let graph = GraphProto {
            name: if self.name.is_empty() { "graph".into() } else { self.name.clone() },
            node: nodes_proto(&self.nodes),
            initializer: constants,
            input: self.inputs.iter().map(info).collect(),
            output: self.outputs.iter().map(info).collect(),
            value_info: self.types.keys().filter(inside).map(info).collect(),
        };
        let mut domains: Vec<&str> = self.nodes.iter().map(|n| n.domain.as_str()).filter(|d| !d.is_empty()).collect();
        domains.sort_unstable();
        domains.dedup();
        let mut opset_import = vec![OperatorSetIdProto { domain: String::new(), version: Some(OPSET) }];
        opset_import.extend(domains.into_iter().map(|d| OperatorSetIdProto { domain: d.into(), version: Some(1) }));
        ModelProto {
            ir_version: Some(IR_VERSION),
            producer_name: "recipe-render".into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            graph: Some(graph),
            opset_import,
            ..ModelProto::default()
        }
    }
}

fn type_proto(known: &ValueType) -> TypeProto {
    let dim = |dim: &Dim| DimensionProto {
        value: match dim {
            Dim::Known(size) => Some(DimensionValue::Value(*size as i64)),
            Dim::Named(name) => Some(DimensionValue::Param(name.clone())),
            Dim::Unknown => None,
        },
    };
    let shape = known.dims.as_ref().map(|dims| TensorShapeProto { dim: dims.iter().map(dim).collect() });
    TypeProto { tensor_type: Some(TensorTypeProto { elem_type: known.data_type as i32, shape }) }
}

pub(super) fn tensor_proto(name: &str, tensor: &Tensor) -> TensorProto {
    TensorProto { raw_data: Some(tensor.data.clone()), ..header_proto(name, tensor) }
}

/// Returns the proto of a tensor whose data are in the file `location` from `offset` on.
fn outside_proto(name: &str, tensor: &Tensor, location: &str, offset: usize) -> TensorProto {
    let entry = |key: &str, value: String| StringStringEntryProto { key: key.into(), value };
    TensorProto {
        data_location: Some(EXTERNAL),
        external_data: vec![
            entry("location", location.into()),
            entry("offset", offset.to_string()),
            entry("length", tensor.data.len().to_string()),
        ],
        ..header_proto(name, tensor)
    }
}

fn header_proto(name: &str, tensor: &Tensor) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: tensor.dims.iter().map(|d| *d as i64).collect(),
        data_type: tensor.data_type as i32,
        ..TensorProto::default()
    }
}

/// Converts the nodes. onnxruntime refuses two nodes of the same name, which exporters and rewriting may leave, so
/// later ones get a number.
fn nodes_proto(nodes: &[Node]) -> Vec<NodeProto> {
    let mut taken: HashSet<String> = nodes.iter().map(|node| node.name.clone()).collect();
    let mut met = HashSet::new();
    let unique = |node: &Node| {
        let mut proto = node_proto(node);
        let mut number = 2;
        while !proto.name.is_empty() && !met.insert(proto.name.clone()) {
            let name = format!("{}/{number}", node.name);
            number += 1;
            if taken.insert(name.clone()) {
                proto.name = name;
            }
        }
        proto
    };
    nodes.iter().map(unique).collect()
}

fn node_proto(node: &Node) -> NodeProto {
    NodeProto {
        name: node.name.clone(),
        op_type: node.operator.clone(),
        domain: node.domain.clone(),
        input: node.inputs.clone(),
        output: node.outputs.clone(),
        attribute: node.attributes.iter().map(|(name, value)| attribute_proto(name, value)).collect(),
        overload: String::new(),
    }
}

fn attribute_proto(name: &str, value: &Attribute) -> AttributeProto {
    use attribute_type::*;
    let mut proto = AttributeProto { name: name.into(), ..AttributeProto::default() };
    proto.r#type = match value {
        Attribute::Int(_) => INT,
        Attribute::Float(_) => FLOAT,
        Attribute::Text(_) => STRING,
        Attribute::Tensor(_) => TENSOR,
        Attribute::Graph(_) => GRAPH,
        Attribute::Ints(_) => INTS,
        Attribute::Floats(_) => FLOATS,
        Attribute::Texts(_) => STRINGS,
    };
    match value.clone() {
        Attribute::Int(value) => proto.i = Some(value),
        Attribute::Float(value) => proto.f = Some(value),
        Attribute::Text(text) => proto.s = Some(text),
        Attribute::Tensor(tensor) => proto.t = Some(tensor_proto("", &tensor)),
        Attribute::Graph(graph) => proto.g = Some(*graph),
        Attribute::Ints(values) => proto.ints = values,
        Attribute::Floats(values) => proto.floats = values,
        Attribute::Texts(texts) => proto.strings = texts,
    }
    proto
}
