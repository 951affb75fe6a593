//! Products of integers: `DynamicQuantizeLinear`, `MatMulInteger` or `ConvInteger`, a `Cast`, and the scales multiplied in.
//!
//! The product of quantised x and w is x w / (scale of x * scale of w). It stays open until the scale of x is
//! multiplied in; there it becomes a product of floats. Constants multiplied in before that go into the weights.

use std::collections::HashMap;

use super::{Walk, output, required, unknown, weights};
use crate::error::OnnxError;
use crate::graph::Node;
use crate::tensor::{DataType, Tensor};

/// The open products: values that differ from floats only by factors still to be multiplied in.
#[derive(Default)]
pub(super) struct Sums {
    /// The scale of each zero point that `DynamicQuantizeLinear` gives.
    scales: HashMap<String, String>,
    open: HashMap<String, Open>,
}

/// A product of any of these: a product of integers, computed scales, constants.
#[derive(Clone, Default)]
struct Open {
    product: Option<Product>,
    scales: Vec<String>,
    constants: Vec<String>,
}

#[derive(Clone)]
struct Product {
    /// `MatMul` or `Conv` with its attributes, still without inputs.
    node: Node,
    operands: [Factor; 2],
}

#[derive(Clone)]
enum Factor {
    /// A float that was quantised with a computed scale, as the names of float and scale.
    Computed(String, String),
    /// A constant without its scale.
    Constant(Tensor),
}

impl Sums {
    /// Records the scale and the zero point that a `DynamicQuantizeLinear` gives besides its values.
    pub fn quantised(&mut self, scale: &str, zero_point: Option<&str>) {
        self.open.insert(scale.into(), Open { scales: vec![scale.into()], ..Open::default() });
        if let Some(zero_point) = zero_point {
            self.scales.insert(zero_point.into(), scale.into());
        }
    }

    /// Whether the value is open, so that no node computes it yet.
    pub fn is_open(&self, value: &str) -> bool {
        self.open.contains_key(value) || self.scales.contains_key(value)
    }
}

/// Opens the product of a `MatMulInteger` or `ConvInteger`: x, w, and their zero points.
pub(super) fn product(walk: &mut Walk, node: &Node) -> Result<(), OnnxError> {
    let conv = node.is("ConvInteger");
    let mut factor = |position: usize| -> Result<Factor, OnnxError> {
        let (value, zero) = (required(node, position)?, node.input(position + 2));
        let graph = walk.b.graph();
        let Some(tensor) = graph.constants.get(value) else {
            let scale = zero.and_then(|zero| walk.sums.scales.get(zero));
            let scale = scale.ok_or_else(|| unknown(node, "of values quantised elsewhere"))?;
            return Ok(Factor::Computed(value.into(), scale.clone()));
        };
        let zero = match zero {
            Some(name) => {
                let zero = graph.constants.get(name);
                Some(zero.ok_or_else(|| unknown(node, "with a zero point that is not constant"))?)
            }
            None => None,
        };
        // A matrix has a zero point for each column, kernels have one along their first axis.
        let axis = if conv { 0 } else { tensor.dims.len() as i64 - 1 };
        let one = Tensor::f32(&[], &[1.0]);
        let shifted = weights::linear(tensor, &one, zero, axis, 0);
        Ok(Factor::Constant(shifted.ok_or_else(|| unknown(node, "with a zero point that does not fit its weights"))?))
    };
    let operands = [factor(0)?, factor(1)?];
    let mut float = Node::new(if conv { "Conv" } else { "MatMul" }, &[], &[]);
    float.attributes.clone_from(&node.attributes);
    let product = Some(Product { node: float, operands });
    walk.sums.open.insert(output(node)?.into(), Open { product, ..Open::default() });
    Ok(())
}

/// Handles a node that works on open values. Returns whether it was one.
pub(super) fn passes(walk: &mut Walk, node: &Node) -> Result<bool, OnnxError> {
    let open = |walk: &Walk, position: usize| node.input(position).and_then(|name| walk.sums.open.get(name)).cloned();
    if !node.uses().iter().any(|name| walk.sums.is_open(name)) {
        return Ok(false);
    }
    let moving = ["Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten"].iter().any(|name| node.is(name));
    if let Some(value) = open(walk, 0).filter(|value| moving && (node.is("Cast") || value.product.is_none())) {
        walk.done.operators += 1;
        walk.sums.open.insert(output(node)?.into(), value);
        return Ok(true);
    }
    if !node.is("Mul") {
        return Err(unknown(node, "of a product of integers"));
    }
    let mut merged = Open::default();
    for position in 0..2 {
        let name = required(node, position)?;
        match open(walk, position) {
            Some(part) => {
                if merged.product.is_some() && part.product.is_some() {
                    return Err(unknown(node, "of two products of integers"));
                }
                merged.product = merged.product.or(part.product);
                merged.scales.extend(part.scales);
                merged.constants.extend(part.constants);
            }
            None if walk.b.graph().constants.contains_key(name) => merged.constants.push(name.into()),
            None => return Err(unknown(node, "of a product of integers and a computed value")),
        }
    }
    walk.done.operators += 1;
    close(walk, merged, output(node)?)?;
    Ok(true)
}

/// Inserts the float product once all its scales are multiplied in; keeps it open otherwise.
fn close(walk: &mut Walk, open: Open, y: &str) -> Result<(), OnnxError> {
    let complete = open.product.as_ref().is_some_and(|product| {
        let wanted = product.operands.iter().filter_map(|factor| match factor {
            Factor::Computed(_, scale) => Some(scale),
            Factor::Constant(_) => None,
        });
        let mut there = open.scales.clone();
        wanted.into_iter().all(|scale| match there.iter().position(|s| s == scale) {
            Some(at) => {
                there.swap_remove(at);
                true
            }
            None => false,
        }) && there.is_empty()
    });
    let Some(Product { mut node, operands }) = open.product.clone().filter(|_| complete) else {
        walk.sums.open.insert(y.into(), open);
        return Ok(());
    };
    let mut rest = Vec::new();
    let mut operands = operands;
    for name in open.constants {
        let factor = walk.b.graph().constants.get(&name).cloned();
        let absorbed = factor.and_then(|factor| {
            // From the back, because the first operand is rarely constant.
            let position = operands.iter().rposition(|f| matches!(f, Factor::Constant(_)))?;
            let Factor::Constant(weight) = &operands[position] else { return None };
            let scaled = scaled(weight, &factor, node.is("Conv"), position)?;
            Some((position, scaled))
        });
        match absorbed {
            Some((position, weight)) => operands[position] = Factor::Constant(weight),
            None => rest.push(name),
        }
    }
    for operand in operands {
        let name = match operand {
            Factor::Computed(float, _) => float,
            Factor::Constant(weight) => walk.weight(weight),
        };
        node.inputs.push(name);
    }
    let inside = walk.b.fresh(&node.operator);
    let mut value = if rest.is_empty() { y.to_owned() } else { inside };
    node.outputs.push(value.clone());
    walk.b.node(node);
    let count = rest.len();
    for (i, factor) in rest.into_iter().enumerate() {
        let product = if i + 1 == count { y.to_owned() } else { walk.b.fresh("Mul") };
        walk.b.op_into("Mul", &[&value, &factor], &[], &product);
        value = product;
    }
    Ok(())
}

/// Returns the weight with a factor of its product multiplied in: one number, or one for each column or kernel.
fn scaled(weight: &Tensor, factor: &Tensor, conv: bool, position: usize) -> Option<Tensor> {
    let factors = factor.to_f64()?;
    let values = weight.to_f64()?;
    let rank = weight.dims.len();
    let floats: Vec<f64> = if factors.len() == 1 {
        values.iter().map(|v| v * factors[0]).collect()
    } else if position == 1
        && !conv
        && rank == 2
        && factor.dims.last() == Some(&weight.dims[1])
        && factors.len() == weight.dims[1]
    {
        values.iter().enumerate().map(|(i, v)| v * factors[i % factors.len()]).collect()
    } else if position == 1 && conv && factors.len() == weight.dims[0] && factor.dims.len() + 1 >= rank {
        // Channels are the second axis of a convolution's output: [.., C, 1, ..].
        let of_channels = factor.dims.get(factor.dims.len() - (rank - 1))?;
        (*of_channels == factors.len()).then_some(())?;
        let each = values.len().checked_div(factors.len())?;
        values.iter().enumerate().map(|(i, v)| v * factors[i / each]).collect()
    } else {
        return None;
    };
    Tensor::floats(DataType::F32, &weight.dims, &floats)
}
