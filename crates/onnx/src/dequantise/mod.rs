//! Turns quantised models back into float models: weights of 8 bits and fewer become floats, products of integers
//! become products of floats.
//!
//! A quantised model is a float model plus rounding, and rounding has no gradient. Without the rounding the model is a
//! little more exact than its file, except that the weights keep the errors they were stored with.
//!
//! Every quantised value stands for a float: q for (q - zero point) * scale. The walk keeps a float's name for each
//! quantised value, and replaces each operator on quantised values by the one that computes the floats.
//!
//! Three forms of quantised models are supported: `QuantizeLinear` and `DequantizeLinear` around float operators;
//! operators on quantised values (`QLinear...`, onnxruntime's included); `DynamicQuantizeLinear` with products of
//! integers (`integer.rs`). onnxruntime's `MatMulNBits` and `MatMulBnb4` quantise the weights alone.

mod integer;
mod linear;
mod weights;

use std::collections::HashMap;
use std::fmt;

use super::builder::Builder;
use super::error::OnnxError;
use super::graph::{Graph, Node};
use super::lower::DOMAIN;
use super::tensor::{DataType, Tensor};
use integer::Sums;

/// The counts of what [`dequantise`] replaced.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dequantised {
    /// Quantised constants that became floats.
    pub weights: usize,
    /// Nodes that quantised, or computed with quantised values.
    pub operators: usize,
}

impl fmt::Display for Dequantised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} quantised weights turned into floats, {} quantising operators replaced",
            self.weights, self.operators
        )
    }
}

/// The operators that are turned back into floats: ONNX's own, and onnxruntime's.
pub(super) const OPERATORS: [&[&str]; 2] = [
    &[
        "ConvInteger",
        "DequantizeLinear",
        "DynamicQuantizeLinear",
        "MatMulInteger",
        "QLinearConv",
        "QLinearMatMul",
        "QuantizeLinear",
    ],
    &[
        "DynamicQuantizeMatMul",
        "MatMulBnb4",
        "MatMulIntegerToFloat",
        "MatMulNBits",
        "QAttention",
        "QGemm",
        "QLinearAdd",
        "QLinearAveragePool",
        "QLinearConcat",
        "QLinearGlobalAveragePool",
        "QLinearLeakyRelu",
        "QLinearMul",
        "QLinearSigmoid",
        "QLinearSoftmax",
        "QLinearWhere",
    ],
];

/// Whether an operator quantises, or computes with quantised values. Also holds for operators that are not supported
/// here.
fn quantises(node: &Node) -> bool {
    let operator = node.operator.as_str();
    match node.domain.as_str() {
        "" => OPERATORS[0].contains(&operator) || operator.starts_with("QLinear"),
        DOMAIN => {
            let named = operator.contains("Quantize") || operator.contains("NBits") || operator.contains("Q4");
            OPERATORS[1].contains(&operator) || named || operator.starts_with('Q') && operator != "QuickGelu"
        }
        _ => false,
    }
}

/// Turns a quantised graph into a float one that computes the same except for rounding. Returns `None`, and leaves the
/// graph untouched, where nothing is quantised.
///
/// # Errors
/// A quantised operator, or a use of one, that is not supported here; the message names operator and node. The graph is
/// then half converted and must be thrown away; the remedy is a float export of the model.
pub fn dequantise(graph: &mut Graph) -> Result<Option<Dequantised>, OnnxError> {
    if !graph.nodes.iter().any(quantises) {
        return Ok(None);
    }
    let outputs = graph.outputs.clone();
    let mut builder = Builder::new(graph, "float");
    let nodes = std::mem::take(&mut builder.graph().nodes);
    let mut walk = Walk {
        b: builder,
        alias: HashMap::new(),
        moved: HashMap::new(),
        sums: Sums::default(),
        done: Dequantised::default(),
    };
    for mut node in nodes {
        for input in &mut node.inputs {
            if let Some(float) = walk.alias.get(input.as_str()) {
                input.clone_from(float);
            }
        }
        walk.node(node)?;
    }
    let Walk { mut b, alias, sums, moved, done, .. } = walk;
    for output in &outputs {
        if sums.is_open(output) || moved.contains_key(output) {
            return Err(OnnxError::Unsupported(format!("output `{output}` is a quantised value")));
        }
        if let Some(float) = alias.get(output) {
            b.op_into("Identity", &[float], &[], output);
        }
    }
    graph.prune();
    graph.sort()?;
    Ok(Some(done))
}

/// Operators that move the elements of their first input without changing them, and so work on quantised values.
const MOVING: &[&str] = &[
    "Concat",
    "DepthToSpace",
    "Expand",
    "Flatten",
    "Gather",
    "GatherElements",
    "GatherND",
    "Identity",
    "MaxPool",
    "Pad",
    "Relu",
    "Reshape",
    "Slice",
    "SpaceToDepth",
    "Split",
    "Squeeze",
    "Tile",
    "Transpose",
    "Unsqueeze",
];

struct Walk<'g> {
    b: Builder<'g>,
    /// The float's name for every quantised value that is not a constant, and for every value replaced by another.
    alias: HashMap<String, String>,
    /// Parts of quantised constants, and the nodes that compute them.
    moved: HashMap<String, Node>,
    sums: Sums,
    done: Dequantised,
}

/// A quantised operand: the positions of value, scale, and zero point among a node's inputs.
type Operand = (usize, usize, usize);

impl Walk<'_> {
    fn node(&mut self, node: Node) -> Result<(), OnnxError> {
        if quantises(&node) {
            self.done.operators += 1;
            return match (node.domain.as_str(), node.operator.as_str()) {
                ("" | DOMAIN, "QuantizeLinear") => self.quantise(&node),
                ("" | DOMAIN, "DequantizeLinear") => self.dequantise(&node),
                ("", "DynamicQuantizeLinear") => {
                    let (x, y) = (required(&node, 0)?, output(&node)?);
                    if let Some(scale) = node.output(1) {
                        self.sums.quantised(scale, node.output(2));
                    }
                    self.alias.insert(y.into(), x.into());
                    Ok(())
                }
                ("", "MatMulInteger" | "ConvInteger") => integer::product(self, &node),
                (DOMAIN, "MatMulNBits" | "MatMulBnb4") => self.packed_product(&node),
                _ => linear::operator(self, &node),
            };
        }
        if integer::passes(self, &node)? {
            return Ok(());
        }
        // A part of a quantised constant, such as an embedding table.
        let first = node.input(0).filter(|_| node.domain.is_empty() && MOVING.contains(&node.operator.as_str()));
        if let Some(first) = first {
            let quantised = self.b.graph().constants.get(first).is_some_and(|t| is_quantised(t.data_type));
            if (quantised || self.moved.contains_key(first)) && node.outputs.len() == 1 {
                self.moved.insert(output(&node)?.into(), node);
                return Ok(());
            }
        }
        if let Some(name) = node.inputs.iter().find(|name| self.moved.contains_key(*name)) {
            // These integers are not dequantised after all.
            let name = name.clone();
            self.as_it_was(&name);
        }
        self.b.node(node);
        Ok(())
    }

    /// Puts back the nodes that computed `value`, a part of an integer constant.
    fn as_it_was(&mut self, value: &str) {
        if let Some(node) = self.moved.remove(value) {
            if let Some(first) = node.input(0).map(str::to_owned) {
                self.as_it_was(&first);
            }
            self.b.node(node);
        }
    }

    /// Lets x stand for the quantised value. Where the zero point is the least or greatest quantised value, quantising
    /// also clipped at 0, and converters leave out the `Relu` that it replaces; the bound is then put back.
    fn quantise(&mut self, node: &Node) -> Result<(), OnnxError> {
        let (x, y) = (required(node, 0)?, output(node)?);
        let named = node.int("output_dtype").and_then(|n| DataType::from_onnx(i32::try_from(n).ok()?));
        let x = self.bounded(x, node.input(2), named.unwrap_or(DataType::U8));
        self.alias.insert(y.into(), x);
        Ok(())
    }

    /// Returns the value with the bound at 0 that its zero point implies, if any.
    fn bounded(&mut self, x: &str, zero_point: Option<&str>, default: DataType) -> String {
        let graph = self.b.graph();
        let (data_type, zeros) = match zero_point.and_then(|name| graph.constants.get(name)) {
            Some(tensor) => (tensor.data_type, weights::whole(tensor).unwrap_or_default()),
            None => (default, vec![0.0]),
        };
        let Some((least, greatest)) = weights::range(data_type) else { return x.into() };
        let positive = |n: &Node| {
            ["Relu", "Sigmoid", "Softmax", "HardSigmoid"].iter().any(|operator| n.is(operator))
                && n.output(0) == Some(x)
        };
        if zeros.iter().all(|z| *z == least) && !graph.nodes.iter().any(positive) {
            return self.b.op("Relu", &[x]);
        }
        if zeros.iter().all(|z| *z == greatest) {
            let turned = self.b.op("Neg", &[x]);
            let turned = self.b.op("Relu", &[&turned]);
            return self.b.op("Neg", &[&turned]);
        }
        x.into()
    }

    fn dequantise(&mut self, node: &Node) -> Result<(), OnnxError> {
        let y = output(node)?;
        if let Some(first) = node.input(0).filter(|name| self.moved.contains_key(*name)) {
            let first = first.to_owned();
            let float = self.moved_float(&first, node)?;
            self.alias.insert(y.into(), float);
            return Ok(());
        }
        let float = self.float(node, (0, 1, 2))?;
        self.alias.insert(y.into(), float);
        Ok(())
    }

    /// Returns the float of a part that moving operators took from a quantised constant.
    fn moved_float(&mut self, value: &str, node: &Node) -> Result<String, OnnxError> {
        let Some(mut moving) = self.moved.get(value).cloned() else {
            // The constant itself. With a single scale, the position of its elements does not matter.
            let mut whole = node.clone();
            whole.inputs[0] = value.into();
            let single = node.input(1).and_then(|s| self.b.graph().constants.get(s)).is_some_and(|s| s.len() == 1);
            return if single {
                self.float(&whole, (0, 1, 2))
            } else {
                Err(unknown(node, "of a part of a constant with several scales"))
            };
        };
        let first = required(&moving, 0)?.to_owned();
        moving.inputs[0] = self.moved_float(&first, node)?;
        let name = self.b.fresh(&moving.operator);
        moving.outputs[0].clone_from(&name);
        moving.name.clone_from(&name);
        self.b.node(moving);
        Ok(name)
    }

    /// Returns the name of the float that a quantised operand stands for. A constant becomes a float constant.
    fn float(&mut self, node: &Node, (value, scale, zero): Operand) -> Result<String, OnnxError> {
        let value = required(node, value)?;
        let graph = self.b.graph();
        let Some(tensor) = graph.constants.get(value).cloned() else {
            if graph.inputs.iter().any(|input| input == value) && graph.data_type(value).is_some_and(is_quantised) {
                return Err(unknown(node, "of an input of the model"));
            }
            // The node already uses the float's name.
            return Ok(value.into());
        };
        if tensor.data_type.is_float() {
            return Ok(value.into());
        }
        let constant = |b: &mut Builder, position: usize| {
            node.input(position).and_then(|name| b.graph().constants.get(name).cloned())
        };
        let scale = constant(&mut self.b, scale).ok_or_else(|| unknown(node, "with a scale that is not constant"))?;
        let zero = constant(&mut self.b, zero);
        let axis = node.int("axis").unwrap_or(1);
        let block = node.int("block_size").unwrap_or(0);
        let float = weights::linear(&tensor, &scale, zero.as_ref(), axis, block)
            .ok_or_else(|| unknown(node, "with a scale or zero point that does not fit its weights"))?;
        Ok(self.weight(float))
    }

    /// Adds a weight as a constant.
    fn weight(&mut self, tensor: Tensor) -> String {
        self.done.weights += 1;
        self.b.constant("weight", tensor)
    }

    /// Replaces a product with weights of a few bits each.
    fn packed_product(&mut self, node: &Node) -> Result<(), OnnxError> {
        let constants = |b: &mut Builder| -> Vec<Option<Tensor>> {
            (0..node.inputs.len()).map(|i| b.graph().constants.get(node.input(i)?).cloned()).collect()
        };
        let constants = constants(&mut self.b);
        let weight = if node.operator == "MatMulNBits" {
            weights::n_bits(node, &constants)
        } else {
            weights::bnb4(node, &constants)
        };
        let weight = weight.ok_or_else(|| unknown(node, "with weights of this form"))?;
        let weight = self.weight(weight);
        let (x, y) = (required(node, 0)?, output(node)?);
        match node.input(5).filter(|_| node.operator == "MatMulNBits") {
            Some(bias) => {
                let product = self.b.op("MatMul", &[x, &weight]);
                self.b.op_into("Add", &[&product, bias], &[], y);
            }
            None => self.b.op_into("MatMul", &[x, &weight], &[], y),
        }
        Ok(())
    }
}

fn is_quantised(data_type: DataType) -> bool {
    matches!(data_type, DataType::U8 | DataType::I8 | DataType::U16 | DataType::I16)
}

fn required(node: &Node, position: usize) -> Result<&str, OnnxError> {
    node.input(position).ok_or_else(|| unknown(node, &format!("without its input {position}")))
}

fn output(node: &Node) -> Result<&str, OnnxError> {
    node.output(0).ok_or_else(|| unknown(node, "without an output"))
}

/// Returns the error for a node that cannot be dequantised.
fn unknown(node: &Node, what: &str) -> OnnxError {
    let domain = if node.domain.is_empty() { String::new() } else { format!("{}.", node.domain) };
    OnnxError::Unsupported(format!(
        "the quantised operator {domain}{} (node `{}`) {what} cannot be turned back into floats",
        node.operator,
        node.label()
    ))
}

#[cfg(test)]
mod tests;
