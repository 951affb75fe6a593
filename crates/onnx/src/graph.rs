//! The graph: nodes in topological order, typed attributes, constants, and the known types of values.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bytes::Bytes;

use super::error::{OnnxError, invalid, malformed};
use super::proto::GraphProto;
use super::tensor::{DataType, Tensor};

/// The operator set of every [`Graph`]: reading converts older and newer forms to it, writing declares it.
pub const OPSET: i64 = 20;

/// A computation on tensors, in the normal form of operator set [`OPSET`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graph {
    pub name: String,
    /// Names of the values that the caller passes, in order; their types are in `types`.
    pub inputs: Vec<String>,
    /// Names of the values that the caller receives, in order.
    pub outputs: Vec<String>,
    /// The nodes, each after those whose values it uses.
    pub nodes: Vec<Node>,
    /// Constants ("initialisers") by name.
    pub constants: BTreeMap<String, Tensor>,
    /// The known types of values by name; constants need no entry.
    pub types: BTreeMap<String, ValueType>,
}

/// One application of an operator.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Node {
    pub name: String,
    /// The operator's name, such as `MatMul`.
    pub operator: String,
    /// Empty for ONNX's own operators.
    pub domain: String,
    /// Value names; an empty name is an omitted optional input.
    pub inputs: Vec<String>,
    /// Value names; an empty name is an omitted optional output.
    pub outputs: Vec<String>,
    pub attributes: BTreeMap<String, Attribute>,
}

/// A constant parameter of a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    Int(i64),
    Float(f32),
    Text(Bytes),
    Tensor(Tensor),
    /// A subgraph (of `If`, `Loop`, `Scan`), kept in ONNX's wire format.
    Graph(Box<GraphProto>),
    Ints(Vec<i64>),
    Floats(Vec<f32>),
    Texts(Vec<Bytes>),
}

/// The known type of a value.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueType {
    pub data_type: DataType,
    /// `None` where not even the number of dimensions is known.
    pub dims: Option<Vec<Dim>>,
}

/// One dimension of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dim {
    Known(usize),
    /// A named free dimension (`batch`); equal names mean equal sizes.
    Named(String),
    Unknown,
}

impl ValueType {
    /// Returns a type with every size known.
    pub fn fixed(data_type: DataType, dims: &[usize]) -> Self {
        ValueType { data_type, dims: Some(dims.iter().map(|d| Dim::Known(*d)).collect()) }
    }

    /// Returns the sizes, if all are known. Sizes whose product does not fit into memory are nonsense and count as
    /// unknown.
    pub fn shape(&self) -> Option<Vec<usize>> {
        let known = |dim: &Dim| match dim {
            Dim::Known(size) => Some(*size),
            _ => None,
        };
        let sizes: Vec<usize> = self.dims.as_ref()?.iter().map(known).collect::<Option<_>>()?;
        addressable(&sizes).then_some(sizes)
    }
}

/// Whether a tensor of these sizes, zeros counted as 1, has fewer bytes than memory has addresses. If so, the product
/// of any of the sizes does not overflow.
pub(super) fn addressable(sizes: &[usize]) -> bool {
    let count = sizes.iter().try_fold(1usize, |product, size| product.checked_mul((*size).max(1)));
    count.is_some_and(|count| count <= isize::MAX as usize / 8)
}

impl Node {
    /// Returns a node of one of ONNX's own operators, with empty name and attributes.
    pub fn new(operator: &str, inputs: &[&str], outputs: &[&str]) -> Self {
        Node {
            operator: operator.into(),
            inputs: inputs.iter().map(|s| s.to_string()).collect(),
            outputs: outputs.iter().map(|s| s.to_string()).collect(),
            ..Node::default()
        }
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Attribute>) -> Self {
        self.attributes.insert(name.into(), value.into());
        self
    }

    /// Whether this is ONNX's own operator of that name.
    pub fn is(&self, operator: &str) -> bool {
        self.operator == operator && self.domain.is_empty()
    }

    /// Returns the input at a position, if present.
    pub fn input(&self, position: usize) -> Option<&str> {
        self.inputs.get(position).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// Returns the output at a position, if present.
    pub fn output(&self, position: usize) -> Option<&str> {
        self.outputs.get(position).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// Returns an integer attribute, if present.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.attributes.get(name) {
            Some(Attribute::Int(value)) => Some(*value),
            _ => None,
        }
    }

    /// Returns a float attribute, if present.
    pub fn float(&self, name: &str) -> Option<f32> {
        match self.attributes.get(name) {
            Some(Attribute::Float(value)) => Some(*value),
            _ => None,
        }
    }

    /// Returns an attribute that is a list of integers, if present.
    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        match self.attributes.get(name) {
            Some(Attribute::Ints(values)) => Some(values),
            _ => None,
        }
    }

    /// Returns a text attribute, if present and UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.attributes.get(name) {
            Some(Attribute::Text(bytes)) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// Returns the names of all values that the node needs, including those that subgraphs capture.
    pub fn uses(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.inputs.iter().map(String::as_str).filter(|n| !n.is_empty()).collect();
        let mut subgraphs: Vec<&GraphProto> = self.attributes.values().filter_map(Attribute::subgraph).collect();
        while let Some(subgraph) = subgraphs.pop() {
            for node in &subgraph.node {
                names.extend(node.input.iter().map(String::as_str).filter(|n| !n.is_empty()));
                subgraphs.extend(node.attribute.iter().filter_map(|a| a.g.as_ref()));
            }
            names.extend(subgraph.output.iter().map(|o| o.name.as_str()));
        }
        names
    }

    /// Whether an attribute is a subgraph.
    pub fn has_subgraph(&self) -> bool {
        self.attributes.values().any(|a| a.subgraph().is_some())
    }

    /// Returns the node's name for messages, or else its first output.
    pub fn label(&self) -> String {
        if self.name.is_empty() { self.outputs.first().cloned().unwrap_or_default() } else { self.name.clone() }
    }
}

impl Attribute {
    fn subgraph(&self) -> Option<&GraphProto> {
        match self {
            Attribute::Graph(graph) => Some(graph),
            _ => None,
        }
    }
}

impl From<i64> for Attribute {
    fn from(value: i64) -> Self {
        Attribute::Int(value)
    }
}

impl From<f32> for Attribute {
    fn from(value: f32) -> Self {
        Attribute::Float(value)
    }
}

impl From<&str> for Attribute {
    fn from(value: &str) -> Self {
        Attribute::Text(Bytes::copy_from_slice(value.as_bytes()))
    }
}

impl From<Vec<i64>> for Attribute {
    fn from(values: Vec<i64>) -> Self {
        Attribute::Ints(values)
    }
}

impl From<&[usize]> for Attribute {
    fn from(values: &[usize]) -> Self {
        Attribute::Ints(values.iter().map(|v| *v as i64).collect())
    }
}

impl Graph {
    /// Returns the element type of a value, if known.
    pub fn data_type(&self, value: &str) -> Option<DataType> {
        match self.constants.get(value) {
            Some(tensor) => Some(tensor.data_type),
            None => self.types.get(value).map(|t| t.data_type),
        }
    }

    /// Returns the sizes of a value, if all are known.
    pub fn shape(&self, value: &str) -> Option<Vec<usize>> {
        match self.constants.get(value) {
            Some(tensor) => Some(tensor.dims.clone()),
            None => self.types.get(value)?.shape(),
        }
    }

    /// Returns the sizes of a value, or an error that names it and the node that computes it.
    pub fn static_shape(&self, value: &str) -> Result<Vec<usize>, OnnxError> {
        self.shape(value).ok_or_else(|| {
            let node = self.nodes.iter().find(|n| n.outputs.iter().any(|o| o == value));
            OnnxError::NoShape { value: value.into(), node: node.map(|n| format!("{} `{}`", n.operator, n.label())) }
        })
    }

    /// Returns the constants used only as the second input of matrix products and convolutions. Runtimes keep such
    /// weights in a form of their own.
    pub fn second_factors(&self) -> BTreeSet<String> {
        let mut factors = BTreeSet::new();
        let mut others = HashSet::new();
        for node in &self.nodes {
            let product = ["MatMul", "Gemm", "Conv"].iter().any(|operator| node.is(operator));
            for name in node.uses() {
                if product && node.input(1) == Some(name) && node.input(0) != Some(name) {
                    factors.insert(name.to_owned());
                } else {
                    others.insert(name);
                }
            }
        }
        factors.retain(|name| self.constants.contains_key(name) && !others.contains(name.as_str()));
        factors
    }

    /// Sets the sizes of an input.
    pub fn set_input_shape(&mut self, input: &str, shape: &[usize]) -> Result<(), OnnxError> {
        if !self.inputs.iter().any(|i| i == input) {
            return Err(OnnxError::NoValue(input.into()));
        }
        let known = self.types.get_mut(input).ok_or_else(|| OnnxError::NoValue(input.into()))?;
        known.dims = Some(shape.iter().map(|d| Dim::Known(*d)).collect());
        Ok(())
    }

    /// Returns how many nodes and outputs use each value.
    pub fn use_counts(&self) -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for name in self.nodes.iter().flat_map(Node::uses).chain(self.outputs.iter().map(String::as_str)) {
            *counts.entry(name.to_string()).or_insert(0) += 1;
        }
        counts
    }

    /// Removes nodes, constants and types that no output needs.
    pub fn prune(&mut self) {
        let mut needed: HashSet<String> = self.outputs.iter().cloned().collect();
        let mut kept = Vec::with_capacity(self.nodes.len());
        for node in std::mem::take(&mut self.nodes).into_iter().rev() {
            if node.outputs.iter().any(|o| needed.contains(o)) {
                needed.extend(node.uses().into_iter().map(String::from));
                kept.push(node);
            }
        }
        kept.reverse();
        self.nodes = kept;
        self.constants.retain(|name, _| needed.contains(name));
        let produced: HashSet<&String> = self.nodes.iter().flat_map(|n| &n.outputs).chain(&self.inputs).collect();
        self.types.retain(|name, _| produced.contains(name));
    }

    /// Sorts the nodes topologically and keeps their order where possible. Returns an error where a node uses a value
    /// that nothing computes, two nodes compute the same value, or nodes wait for each other.
    pub fn sort(&mut self) -> Result<(), OnnxError> {
        let mut giver: HashMap<&str, usize> = HashMap::new();
        let mut given: HashSet<&str> = self.inputs.iter().chain(self.constants.keys()).map(String::as_str).collect();
        for (index, node) in self.nodes.iter().enumerate() {
            for output in node.outputs.iter().filter(|o| !o.is_empty()) {
                if giver.insert(output, index).is_some() || given.contains(output.as_str()) {
                    return Err(invalid(format!("two nodes give value `{output}`, or it is also an input")));
                }
            }
        }
        // Names that a subgraph uses may be defined inside it, so they need not exist outside.
        let wanted = |node: &Node| -> Vec<String> {
            if node.has_subgraph() {
                node.uses().into_iter().map(String::from).collect()
            } else {
                node.inputs.iter().filter(|n| !n.is_empty()).cloned().collect()
            }
        };
        let mut waiting: Vec<usize> = vec![0; self.nodes.len()];
        let mut followers: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            for name in wanted(node) {
                match giver.get(name.as_str()) {
                    Some(&before) => {
                        waiting[index] += 1;
                        followers[before].push(index);
                    }
                    None if given.contains(name.as_str()) => {}
                    None if node.has_subgraph() && !node.inputs.contains(&name) => {}
                    None => {
                        return Err(invalid(format!(
                            "{} `{}` takes value `{name}`, which nothing gives",
                            node.operator,
                            node.label()
                        )));
                    }
                }
            }
        }
        for output in &self.outputs {
            if !giver.contains_key(output.as_str()) && !given.contains(output.as_str()) {
                return Err(invalid(format!("nothing gives output `{output}`")));
            }
        }
        let mut ready: std::collections::BinaryHeap<std::cmp::Reverse<usize>> =
            (0..self.nodes.len()).filter(|i| waiting[*i] == 0).map(std::cmp::Reverse).collect();
        let mut order = Vec::with_capacity(self.nodes.len());
        while let Some(std::cmp::Reverse(index)) = ready.pop() {
            order.push(index);
            for &follower in &followers[index] {
                waiting[follower] -= 1;
                if waiting[follower] == 0 {
                    ready.push(std::cmp::Reverse(follower));
                }
            }
        }
        given.clear();
        if order.len() < self.nodes.len() {
            let stuck = self.nodes.iter().zip(&waiting).find(|(_, w)| **w > 0).map(|(n, _)| n.label());
            return Err(invalid(format!("nodes form a cycle, among them `{}`", stuck.unwrap_or_default())));
        }
        let mut nodes: Vec<Option<Node>> = std::mem::take(&mut self.nodes).into_iter().map(Some).collect();
        self.nodes = order.into_iter().filter_map(|index| nodes[index].take()).collect();
        Ok(())
    }

    /// Renames a value everywhere. Returns an error where the value does not exist or the new name is taken.
    pub fn rename(&mut self, old: &str, new: &str) -> Result<(), OnnxError> {
        if old == new {
            return Ok(());
        }
        let nodes = self.nodes.iter().flat_map(|n| n.inputs.iter().chain(&n.outputs));
        let mut names = nodes.chain(&self.inputs).chain(self.constants.keys());
        if names.clone().any(|n| n == new) {
            return Err(malformed(format!("a value named `{new}` already exists")));
        }
        if !names.any(|n| n == old) {
            return Err(OnnxError::NoValue(old.into()));
        }
        let in_nodes = self.nodes.iter_mut().flat_map(|n| n.inputs.iter_mut().chain(&mut n.outputs));
        for name in in_nodes.chain(&mut self.inputs).chain(&mut self.outputs).filter(|n| *n == old) {
            *name = new.into();
        }
        if let Some(known) = self.types.remove(old) {
            self.types.insert(new.into(), known);
        }
        if let Some(tensor) = self.constants.remove(old) {
            self.constants.insert(new.into(), tensor);
        }
        Ok(())
    }
}
