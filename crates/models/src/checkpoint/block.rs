//! Transformer blocks as operators, in the form that is fastest for our gradients and onnxruntime.
//!
//! - Tokens are rows of one matrix `[N · T, width]` throughout. A linear layer is one `Gemm`, which takes the weights as
//!   PyTorch stores them (`transB`), so they are used in place in the checkpoint's file. It adds the bias, and multiplies by a
//!   number at no cost (`alpha`). Its gradient is one `Gemm` with the same weights.
//! - That number is the softmax's scale in the queries, and the factor of activations. It costs no pass over the values,
//!   forward or backward, and no copy of the weights.
//! - Queries, keys and values are three products. So in the last block only the class token needs computing (`onnx::narrow`),
//!   and nothing is sliced out of a common result.

use super::towers::{Activation, Block, Form, Linear, Norm};
use crate::onnx::{Builder, Tensor};

/// The context that a block needs.
pub(super) struct Rows<'a> {
    pub form: Form,
    /// Tokens per picture or text, T.
    pub tokens: usize,
    /// A value `[T, T]` added to the scores, if there is one.
    pub mask: Option<&'a str>,
}

/// `[N · T, width]` -> `[N · T, width]`.
pub(super) fn block(b: &mut Builder, x: &str, block: &Block, rows: &Rows) -> String {
    let normed = norm(b, x, &block.norm1, &rows.form);
    let mixed = attention(b, &normed, block, rows);
    let mixed = scaled_linear(b, &mixed, &block.out, block.scale1.as_ref(), 1.0);
    let x = b.op("Add", &[x, &mixed]);
    let normed = norm(b, &x, &block.norm2, &rows.form);
    let bent = perceptron(b, &normed, block, rows.form.activation);
    b.op("Add", &[&x, &bent])
}

/// Layer normalisation over the last axis.
pub(super) fn norm(b: &mut Builder, x: &str, norm: &Norm, form: &Form) -> String {
    let (scale, bias) = (b.constant("scale", norm.scale.clone()), b.constant("bias", norm.bias.clone()));
    b.op_with("LayerNormalization", &[x, &scale, &bias], &[("epsilon", form.epsilon.into()), ("axis", (-1).into())])
}

/// Computes factor · x Wᵀ + b for rows x.
pub(super) fn linear(b: &mut Builder, x: &str, linear: &Linear, factor: f64) -> String {
    let weight = b.constant("weight", linear.weight.clone());
    let bias = linear.bias.as_ref().map(|bias| b.constant("bias", bias.clone()));
    let inputs: Vec<&str> = [x, &weight].into_iter().chain(bias.as_deref()).collect();
    let alpha = factor as f32;
    let mut attributes = vec![("transB", 1.into())];
    if alpha != 1.0 {
        attributes.push(("alpha", alpha.into()));
    }
    b.op_with("Gemm", &inputs, &attributes)
}

/// Computes factor · (x Wᵀ + b).
fn times(b: &mut Builder, x: &str, layer: &Linear, factor: f64) -> String {
    let bias = layer.bias.as_ref().map(|bias| scaled(bias, |_| factor));
    linear(b, x, &Linear { weight: layer.weight.clone(), bias }, factor)
}

/// Computes γ (factor · x Wᵀ + b) with γ of LayerScale, which is folded into the weights: it is rare, so worth a copy of them.
fn scaled_linear(b: &mut Builder, x: &str, layer: &Linear, scale: Option<&Tensor>, factor: f64) -> String {
    let Some(scale) = scale.and_then(Tensor::to_f64) else { return linear(b, x, layer, factor) };
    let of_row = |row: usize| scale.get(row).copied().unwrap_or(1.0);
    let weight = scaled(&layer.weight, of_row);
    let bias = layer.bias.as_ref().map(|bias| scaled(bias, of_row));
    linear(b, x, &Linear { weight, bias }, factor)
}

/// Returns an f32 tensor with every row (index of the first axis) multiplied by a number.
fn scaled(tensor: &Tensor, factor: impl Fn(usize) -> f64) -> Tensor {
    let row = tensor.dims.iter().skip(1).product::<usize>().max(1);
    let values = tensor.to_f64().unwrap_or_default();
    let values: Vec<f32> = values.iter().enumerate().map(|(i, v)| (v * factor(i / row)) as f32).collect();
    Tensor::f32(&tensor.dims, &values)
}

/// Computes softmax(q kᵀ / √(width / heads) + mask) v, head by head.
fn attention(b: &mut Builder, x: &str, block: &Block, rows: &Rows) -> String {
    let Form { width, heads, .. } = rows.form;
    let head = width / heads;
    let split = b.ints(&[-1, rows.tokens as i64, heads as i64, head as i64]);
    let part = |b: &mut Builder, layer: &Linear, factor: f64| {
        let value = if factor == 1.0 { linear(b, x, layer, 1.0) } else { times(b, x, layer, factor) };
        b.op("Reshape", &[&value, &split])
    };
    let query = part(b, &block.query, (head as f64).sqrt().recip());
    let key = part(b, &block.key, 1.0);
    let value = part(b, &block.value, 1.0);
    let query = b.transpose(&query, &[0, 2, 1, 3]);
    let key = b.transpose(&key, &[0, 2, 3, 1]);
    let value = b.transpose(&value, &[0, 2, 1, 3]);
    let mut scores = b.op("MatMul", &[&query, &key]);
    if let Some(mask) = rows.mask {
        scores = b.op("Add", &[&scores, mask]);
    }
    let shares = b.op_with("Softmax", &[&scores], &[("axis", (-1).into())]);
    let mixed = b.op("MatMul", &[&shares, &value]);
    let mixed = b.transpose(&mixed, &[0, 2, 1, 3]);
    let joined = b.ints(&[-1, width as i64]);
    b.op("Reshape", &[&mixed, &joined])
}

/// Computes down(activation(up x)).
fn perceptron(b: &mut Builder, x: &str, block: &Block, activation: Activation) -> String {
    let (bent, factor) = match activation {
        // x σ(a x) = (a x) σ(a x) / a: both factors are folded into the products.
        Activation::QuickGelu => {
            let x = times(b, x, &block.up, 1.702);
            let share = b.op("Sigmoid", &[&x]);
            (b.op("Mul", &[&x, &share]), 1.702_f64.recip())
        }
        Activation::Silu => {
            let x = linear(b, x, &block.up, 1.0);
            let share = b.op("Sigmoid", &[&x]);
            (b.op("Mul", &[&x, &share]), 1.0)
        }
        Activation::Gelu => {
            let x = linear(b, x, &block.up, 1.0);
            (b.op("Gelu", &[&x]), 1.0)
        }
        Activation::GeluTanh => {
            let x = linear(b, x, &block.up, 1.0);
            (b.op_with("Gelu", &[&x], &[("approximate", "tanh".into())]), 1.0)
        }
        Activation::Relu => {
            let x = linear(b, x, &block.up, 1.0);
            (b.op("Relu", &[&x]), 1.0)
        }
    };
    scaled_linear(b, &bent, &block.down, block.scale2.as_ref(), factor)
}
