//! The arguments of a gradient rule, and the steps that many rules share.

use std::collections::HashMap;

use crate::builder::Builder;
use crate::error::{OnnxError, malformed};
use crate::graph::{Attribute, Node};
use crate::tensor::Tensor;

/// One gradient for each input of the node; `None` for inputs not wanted or without influence.
pub(crate) type Gradients = Result<Vec<Option<String>>, OnnxError>;

/// Appends the gradient of one node.
pub(super) type Derivative = fn(&mut Rule) -> Gradients;

/// A node to be differentiated: x are its inputs, y its outputs, dy the gradients of its outputs.
pub(crate) struct Rule<'a, 'g> {
    pub b: &'a mut Builder<'g>,
    pub node: &'a Node,
    givers: &'a HashMap<String, usize>,
    index: usize,
    dy: Vec<Option<String>>,
    wanted: Vec<bool>,
}

impl<'a, 'g> Rule<'a, 'g> {
    pub fn new(
        b: &'a mut Builder<'g>,
        givers: &'a HashMap<String, usize>,
        index: usize,
        node: &'a Node,
        dy: Vec<Option<String>>,
        wanted: Vec<bool>,
    ) -> Self {
        Rule { b, node, givers, index, dy, wanted }
    }

    /// Returns an input's name.
    pub fn x(&self, position: usize) -> Result<&'a str, OnnxError> {
        self.node.input(position).ok_or_else(|| {
            malformed(format!("{} `{}` lacks its input {position}", self.node.operator, self.node.label()))
        })
    }

    /// Returns an output's name. An output that the model leaves out is added to the node.
    pub fn y(&mut self, position: usize) -> String {
        if let Some(name) = self.node.output(position) {
            return name.into();
        }
        let name = self.b.fresh(&self.node.operator);
        let mut node = self.b.graph().nodes[self.index].clone();
        if node.outputs.len() <= position {
            node.outputs.resize(position + 1, String::new());
        }
        node.outputs[position] = name.clone();
        let known = crate::shapes::infer(self.b.graph(), &node);
        if let Some(Some(known)) = known.into_iter().nth(position) {
            self.b.graph().types.insert(name.clone(), known);
        }
        self.b.graph().nodes[self.index] = node;
        name
    }

    /// Returns the gradient of the first output.
    pub fn dy(&self) -> Result<String, OnnxError> {
        self.dy_of(0).ok_or_else(|| self.not_covered("gradients of its further outputs"))
    }

    /// Returns the gradient of an output, if the result depends on that output.
    pub fn dy_of(&self, position: usize) -> Option<String> {
        self.dy.get(position).cloned().flatten()
    }

    /// Whether an input's gradient is wanted.
    pub fn wanted(&self, position: usize) -> bool {
        self.wanted.get(position).copied().unwrap_or(false)
    }

    /// Returns the static sizes of a value.
    pub fn shape(&mut self, value: &str) -> Result<Vec<usize>, OnnxError> {
        self.b.graph().static_shape(value)
    }

    /// Returns the value's tensor, if it is a constant.
    pub fn constant(&mut self, value: &str) -> Option<Tensor> {
        self.b.graph().constants.get(value).cloned()
    }

    /// Returns a constant of one element as a number.
    pub fn number(&mut self, value: &str) -> Option<f64> {
        let tensor = self.b.graph().constants.get(value)?;
        if tensor.len() == 1 { tensor.to_f64()?.first().copied() } else { None }
    }

    /// Returns the constant integers of an optional input.
    pub fn integers(&mut self, position: usize) -> Option<Vec<i64>> {
        let name = self.node.input(position)?;
        self.b.graph().constants.get(name)?.to_i64()
    }

    /// Returns the forward node that computes a value.
    pub fn giver(&mut self, value: &str) -> Option<Node> {
        let index = *self.givers.get(value)?;
        self.b.graph().nodes.get(index).cloned()
    }

    /// Returns the axis attribute, counted from the front.
    pub fn axis(&self, default: i64, rank: usize) -> Result<usize, OnnxError> {
        let axis = self.node.int("axis").unwrap_or(default);
        crate::shapes::axis(axis, rank).ok_or_else(|| {
            malformed(format!("{} `{}` has axis {axis} of {rank}", self.node.operator, self.node.label()))
        })
    }

    /// Returns the error for a use of the operator that the rule does not cover.
    pub fn not_covered(&self, what: &str) -> OnnxError {
        OnnxError::NotCovered { operator: self.node.operator.clone(), node: self.node.label(), what: what.into() }
    }

    /// Appends an operator.
    pub fn op(&mut self, operator: &str, inputs: &[&str]) -> String {
        self.b.op(operator, inputs)
    }

    /// Appends an operator with attributes.
    pub fn op_with(&mut self, operator: &str, inputs: &[&str], attributes: &[(&str, Attribute)]) -> String {
        self.b.op_with(operator, inputs, attributes)
    }

    /// Appends an operator of another domain.
    pub fn own(&mut self, domain: &str, operator: &str, inputs: &[&str], attributes: &[(&str, Attribute)]) -> String {
        self.b.own(domain, operator, inputs, attributes)
    }

    /// Appends a binary operator with a constant number as its second operand.
    pub fn with_number(&mut self, operator: &str, value: &str, number: f64) -> String {
        let number = self.b.scalar(number, value);
        self.b.op(operator, &[value, &number])
    }

    /// Returns the gradients of an operator whose first input alone is differentiable.
    pub fn only(&self, gradient: String) -> Gradients {
        let mut gradients = vec![None; self.node.inputs.len()];
        gradients[0] = Some(gradient);
        if self.wanted.iter().skip(1).any(|w| *w) {
            return Err(self.not_covered("gradients of any input but its first"));
        }
        Ok(gradients)
    }

    /// Computes the value where the mask holds, else 0. Uses a product, because onnxruntime's `Where` takes four times
    /// as long.
    pub fn masked(&mut self, value: &str, mask: &str) -> Result<String, OnnxError> {
        let data_type = self.b.graph().data_type(value).ok_or_else(|| self.not_covered("a value of unknown type"))?;
        let factor = self.op_with("Cast", &[mask], &[("to", (data_type as i64).into())]);
        Ok(self.op("Mul", &[value, &factor]))
    }

    /// Converts the value to the element type of `like`; returns `value` itself where it has that type already.
    pub fn of_type(&mut self, value: &str, like: &str) -> String {
        let graph = self.b.graph();
        match (graph.data_type(value), graph.data_type(like)) {
            (Some(from), Some(to)) if from != to => self.op_with("Cast", &[value], &[("to", (to as i64).into())]),
            _ => value.into(),
        }
    }

    /// Sums a gradient over the axes along which `value` was broadcast to the gradient's sizes.
    pub fn unbroadcast(&mut self, gradient: &str, value: &str) -> Result<String, OnnxError> {
        let to = self.shape(value)?;
        self.reduce_to(gradient, &to)
    }

    /// Sums a gradient to sizes that broadcast to its own.
    pub fn reduce_to(&mut self, gradient: &str, to: &[usize]) -> Result<String, OnnxError> {
        let from = self.shape(gradient)?;
        if from == to {
            return Ok(gradient.into());
        }
        let extra = from.len().saturating_sub(to.len());
        let stretched = |axis: &usize| *axis < extra || (to[*axis - extra] == 1 && from[*axis] != 1);
        let axes: Vec<usize> = (0..from.len()).filter(stretched).collect();
        let summed = self.b.reduce("ReduceSum", gradient, &axes, true);
        Ok(self.b.reshape(&summed, to))
    }

    /// Contracts an axis with a constant matrix of `from` rows and `to` columns: result[.., t, ..] = Σ_f value[.., f, ..]
    /// matrix[f][t].
    pub fn contract(&mut self, value: &str, axis: usize, matrix: &[f64], to: usize) -> Result<String, OnnxError> {
        let shape = self.shape(value)?;
        let from = shape[axis];
        let last = shape.len() - 1;
        if axis == last {
            let matrix = self.b.floats("matrix", &[from, to], matrix, value);
            return Ok(self.op("MatMul", &[value, &matrix]));
        }
        // Reshaped to [outer, from, inner] and multiplied from the left.
        let turned: Vec<f64> = (0..to).flat_map(|t| (0..from).map(move |f| matrix[f * to + t])).collect();
        let matrix = self.b.floats("matrix", &[to, from], &turned, value);
        let outer = shape[..axis].iter().product();
        let inner = shape[axis + 1..].iter().product();
        let flat = self.b.reshape(value, &[outer, from, inner]);
        let product = self.op("MatMul", &[&matrix, &flat]);
        let mut result = shape;
        result[axis] = to;
        Ok(self.b.reshape(&product, &result))
    }
}
