//! What both layouts come down to: two transformers by their weights and settings, names gone.

use std::str::FromStr;

use crate::onnx::Tensor;

/// The function between the two layers of a block's perceptron.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// x σ(1.702 x), with which OpenAI's models were trained, and most of those that began with OpenAI's weights.
    QuickGelu,
    /// x Φ(x), Φ the normal distribution function.
    Gelu,
    /// x Φ(x) with Φ approximated by a hyperbolic tangent.
    GeluTanh,
    /// max(x, 0).
    Relu,
    /// x σ(x).
    Silu,
}

impl FromStr for Activation {
    type Err = String;

    /// `quick-gelu` or `gelu`, the two that CLIP models are trained with.
    fn from_str(name: &str) -> Result<Self, String> {
        match name.replace('_', "-").as_str() {
            "quick-gelu" | "quickgelu" => Ok(Activation::QuickGelu),
            "gelu" => Ok(Activation::Gelu),
            _ => Err(format!("no activation `{name}`; expected quick-gelu or gelu")),
        }
    }
}

/// y = x Wᵀ + b, W as PyTorch stores it: `[to, from]`.
#[derive(Debug, Clone)]
pub(super) struct Linear {
    pub weight: Tensor,
    pub bias: Option<Tensor>,
}

/// A layer normalisation's γ and β.
#[derive(Debug, Clone)]
pub(super) struct Norm {
    pub scale: Tensor,
    pub bias: Tensor,
}

/// x += γ₁ out(attention(norm1 x)); x += γ₂ down(activation(up(norm2 x))).
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub norm1: Norm,
    pub query: Linear,
    pub key: Linear,
    pub value: Linear,
    pub out: Linear,
    /// γ₁ of LayerScale.
    pub scale1: Option<Tensor>,
    pub norm2: Norm,
    pub up: Linear,
    pub down: Linear,
    /// γ₂ of LayerScale.
    pub scale2: Option<Tensor>,
}

/// What the blocks of a tower have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Form {
    /// Values of a token.
    pub width: usize,
    /// Attention heads; they divide `width`.
    pub heads: usize,
    /// Values between the two layers of the perceptron.
    pub hidden: usize,
    /// What layer normalisation adds to the variance.
    pub epsilon: f32,
    pub activation: Activation,
}

/// From the pooled token to the embedding.
#[derive(Debug, Clone)]
pub(super) enum Projection {
    None,
    /// y = x W, W `[from, to]`.
    Columns(Tensor),
    Linear(Linear),
}

/// How the image tower's tokens become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ImagePool {
    /// The class token.
    Class,
    /// The mean of all tokens but the class token.
    Patches,
    /// The mean of all tokens.
    All,
}

/// A vision transformer.
#[derive(Debug, Clone)]
pub(super) struct ImageTower {
    pub form: Form,
    /// The picture's side in pixels.
    pub size: usize,
    /// A patch's side in pixels.
    pub patch: usize,
    /// `[width, 3, patch, patch]`.
    pub patches: Tensor,
    pub patches_bias: Option<Tensor>,
    /// `[width]`.
    pub class: Tensor,
    /// `[1 + (size / patch)², width]`, the class token first.
    pub positions: Tensor,
    pub before: Option<Norm>,
    pub blocks: Vec<Block>,
    pub after: Norm,
    pub pool: ImagePool,
    /// Whether `after` comes after pooling; it matters only to means.
    pub pool_first: bool,
    pub projection: Projection,
}

impl ImageTower {
    /// The number of tokens, the class token included.
    pub fn tokens(&self) -> usize {
        (self.size / self.patch).pow(2) + 1
    }
}

/// Which of the text tower's tokens stands for the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextPool {
    First,
    Last,
    /// The one of the highest id, which in CLIP's vocabulary is the end of the text.
    Highest,
    /// The first with this id; the first of all where there is none.
    Id(i64),
}

/// A text transformer.
#[derive(Debug, Clone)]
pub(super) struct TextTower {
    pub form: Form,
    /// `[vocabulary, width]`.
    pub tokens: Tensor,
    /// `[context, width]`.
    pub positions: Tensor,
    pub blocks: Vec<Block>,
    pub after: Norm,
    /// Whether tokens see only those before them.
    pub causal: bool,
    pub pool: TextPool,
    pub projection: Projection,
}
