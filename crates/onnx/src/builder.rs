//! Appending operators to a graph.

use std::collections::{HashMap, HashSet};

use super::graph::{Attribute, Graph, Node, ValueType};
use super::shapes;
use super::tensor::{DataType, Tensor};

/// Appends nodes to a graph, invents names for their values, and works out types and sizes as far as it can.
///
/// Values are named by strings. Nodes are appended at the end. A caller that uses values from further down, or puts
/// nodes in front of others, calls [`Graph::sort`] when done.
pub struct Builder<'g> {
    graph: &'g mut Graph,
    /// The prefix of invented names.
    scope: String,
    names: HashSet<String>,
    /// Small constants already there, so that equal ones are stored once.
    constants: HashMap<(DataType, Vec<usize>, Vec<u8>), String>,
    /// The next number to try for a hint.
    numbers: HashMap<String, usize>,
}

/// Constants of at most this many bytes are looked up among those already made.
const SMALL: usize = 256;

impl<'g> Builder<'g> {
    /// Returns a builder whose invented names begin with `scope`.
    pub fn new(graph: &'g mut Graph, scope: &str) -> Self {
        let names = graph
            .nodes
            .iter()
            .flat_map(|n| n.outputs.iter().chain(&n.inputs).chain([&n.name]))
            .chain(&graph.inputs)
            .chain(graph.constants.keys())
            .cloned()
            .collect();
        Builder { graph, scope: scope.into(), names, constants: HashMap::new(), numbers: HashMap::new() }
    }

    /// Returns the graph in its present state.
    pub fn graph(&mut self) -> &mut Graph {
        self.graph
    }

    /// Returns a name that no value has yet.
    pub fn fresh(&mut self, hint: &str) -> String {
        let number = self.numbers.entry(hint.into()).or_insert(0);
        loop {
            let name =
                if *number == 0 { format!("{}/{hint}", self.scope) } else { format!("{}/{hint}.{number}", self.scope) };
            *number += 1;
            if self.names.insert(name.clone()) {
                return name;
            }
        }
    }

    /// Adds an input to the graph and returns its name.
    pub fn input(&mut self, name: &str, data_type: DataType, dims: &[usize]) -> String {
        self.names.insert(name.into());
        self.graph.inputs.push(name.into());
        self.graph.types.insert(name.into(), ValueType::fixed(data_type, dims));
        name.into()
    }

    /// Adds a constant, or finds an equal small one, and returns its name.
    pub fn constant(&mut self, hint: &str, tensor: Tensor) -> String {
        let key = (tensor.data.len() <= SMALL).then(|| (tensor.data_type, tensor.dims.clone(), tensor.data.to_vec()));
        if let Some(name) = key.as_ref().and_then(|key| self.constants.get(key)) {
            return name.clone();
        }
        let name = self.fresh(hint);
        self.graph.constants.insert(name.clone(), tensor);
        if let Some(key) = key {
            self.constants.insert(key, name.clone());
        }
        name
    }

    /// Adds a constant list of integers, such as `Reshape`'s shape or `Slice`'s starts.
    pub fn ints(&mut self, values: &[i64]) -> String {
        self.constant("ints", Tensor::i64(&[values.len()], values))
    }

    /// Adds a constant list of sizes.
    pub fn sizes(&mut self, values: &[usize]) -> String {
        self.ints(&values.iter().map(|v| *v as i64).collect::<Vec<_>>())
    }

    /// Adds a constant scalar (no dimensions) of the element type of `like` (f32 where that is unknown).
    pub fn scalar(&mut self, value: f64, like: &str) -> String {
        self.filled(value, &[], like)
    }

    /// Adds a constant tensor with the same value everywhere, of the element type of `like` (f32 where that is
    /// unknown).
    pub fn filled(&mut self, value: f64, dims: &[usize], like: &str) -> String {
        let values = vec![value; dims.iter().product()];
        self.floats("number", dims, &values, like)
    }

    /// Adds a constant tensor of floats, of the element type of `like` (f32 where that is unknown or not a float type).
    pub fn floats(&mut self, hint: &str, dims: &[usize], values: &[f64], like: &str) -> String {
        let data_type = self.graph.data_type(like).unwrap_or(DataType::F32);
        let tensor = Tensor::floats(data_type, dims, values)
            .unwrap_or_else(|| Tensor::f32(dims, &values.iter().map(|v| *v as f32).collect::<Vec<_>>()));
        self.constant(hint, tensor)
    }

    /// Appends a node with one output and no attributes and returns the output's name.
    pub fn op(&mut self, operator: &str, inputs: &[&str]) -> String {
        self.op_with(operator, inputs, &[])
    }

    /// Appends a node with one output and returns the output's name.
    pub fn op_with(&mut self, operator: &str, inputs: &[&str], attributes: &[(&str, Attribute)]) -> String {
        let output = self.fresh(operator);
        self.op_into(operator, inputs, attributes, &output);
        output
    }

    /// Appends a node of another domain than ONNX's, with one output, and returns the output's name.
    pub fn own(&mut self, domain: &str, operator: &str, inputs: &[&str], attributes: &[(&str, Attribute)]) -> String {
        let output = self.fresh(operator);
        let mut node = Node::new(operator, inputs, &[&output]);
        node.domain = domain.into();
        node.attributes = attributes.iter().map(|(n, v)| (n.to_string(), v.clone())).collect();
        self.node(node);
        output
    }

    /// Appends a node with several outputs and returns their names.
    pub fn op_many(
        &mut self,
        operator: &str,
        inputs: &[&str],
        attributes: &[(&str, Attribute)],
        count: usize,
    ) -> Vec<String> {
        let outputs: Vec<String> = (0..count).map(|_| self.fresh(operator)).collect();
        let mut node = Node::new(operator, inputs, &outputs.iter().map(String::as_str).collect::<Vec<_>>());
        node.attributes = attributes.iter().map(|(n, v)| (n.to_string(), v.clone())).collect();
        self.node(node);
        outputs
    }

    /// Appends a node whose only output gets the name `output`.
    pub fn op_into(&mut self, operator: &str, inputs: &[&str], attributes: &[(&str, Attribute)], output: &str) {
        let mut node = Node::new(operator, inputs, &[output]);
        node.attributes = attributes.iter().map(|(n, v)| (n.to_string(), v.clone())).collect();
        self.node(node);
    }

    /// Appends a given node.
    pub fn node(&mut self, mut node: Node) {
        if node.name.is_empty() {
            node.name = node.outputs.first().cloned().unwrap_or_default();
        }
        for (output, known) in node.outputs.iter().zip(shapes::infer(self.graph, &node)) {
            let Some(known) = known else { continue };
            match self.graph.types.get_mut(output) {
                // Dimensions that follow from fixed sizes replace those that the file notes.
                Some(noted) if noted.shape().is_none() => noted.dims = known.dims,
                Some(_) => {}
                None => {
                    self.graph.types.insert(output.clone(), known);
                }
            }
        }
        self.names.extend(node.outputs.iter().cloned());
        self.graph.nodes.push(node);
    }

    // Shorthands for the most common operators.

    /// `Reshape` to fixed sizes; `value` itself where it has them already.
    pub fn reshape(&mut self, value: &str, dims: &[usize]) -> String {
        if self.graph.shape(value).as_deref() == Some(dims) {
            return value.into();
        }
        let sizes = self.sizes(dims);
        self.op("Reshape", &[value, &sizes])
    }

    /// `Transpose`; `value` itself where nothing moves.
    pub fn transpose(&mut self, value: &str, permutation: &[usize]) -> String {
        if permutation.iter().enumerate().all(|(i, p)| i == *p) {
            return value.into();
        }
        self.op_with("Transpose", &[value], &[("perm", permutation.into())])
    }

    /// A reduction (`ReduceSum`, `ReduceMean`, ...) over axes.
    pub fn reduce(&mut self, operator: &str, value: &str, axes: &[usize], keep: bool) -> String {
        if axes.is_empty() {
            return value.into();
        }
        let axes = self.sizes(axes);
        self.op_with(operator, &[value, &axes], &[("keepdims", i64::from(keep).into())])
    }

    /// Multiplies by a constant; `value` itself where that is 1.
    pub fn scale(&mut self, value: &str, factor: f64) -> String {
        if factor == 1.0 {
            return value.into();
        }
        let factor = self.scalar(factor, value);
        self.op("Mul", &[value, &factor])
    }
}
