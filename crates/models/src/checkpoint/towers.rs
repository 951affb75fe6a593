//! The common form of both layouts: two transformers as weights and settings, without names.

use std::str::FromStr;

use crate::onnx::Tensor;

/// The function between the two layers of a block's perceptron.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// x σ(1.702 x), used by OpenAI's models and most models trained from their weights.
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

    /// Parses `quick-gelu` or `gelu`, the two used to train CLIP models.
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

/// The settings common to all blocks of a tower.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Form {
    /// The width of a token.
    pub width: usize,
    /// Attention heads; they divide `width`.
    pub heads: usize,
    /// The width between the two layers of the perceptron.
    pub hidden: usize,
    /// The number that layer normalisation adds to the variance.
    pub epsilon: f32,
    pub activation: Activation,
}

/// The projection from the pooled token to the embedding.
#[derive(Debug, Clone)]
pub(super) enum Projection {
    None,
    /// y = x W, W `[from, to]`.
    Columns(Tensor),
    Linear(Linear),
}

/// How the image tower's tokens are pooled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ImagePool {
    /// The class token.
    Class,
    /// The mean of all tokens except the class token.
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
    /// Whether `after` is applied after pooling; this matters only for means.
    pub pool_first: bool,
    pub projection: Projection,
}

impl ImageTower {
    /// Returns the number of tokens, the class token included.
    pub fn tokens(&self) -> usize {
        (self.size / self.patch).pow(2) + 1
    }
}

/// Which of the text tower's tokens represents the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextPool {
    First,
    Last,
    /// The token with the highest id, which in CLIP's vocabulary is the end of the text.
    Highest,
    /// The first token with this id, or the very first token if there is none.
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
    /// Whether tokens see only themselves and those before them.
    pub causal: bool,
    pub pool: TextPool,
    pub projection: Projection,
}
