//! Infers the configuration of a checkpoint without one from its tensors.

use serde_json::{Value, json};

use super::file::Checkpoint;
use super::open_clip::visual_prefix;
use super::towers::Activation;
use crate::ModelsError;

/// Returns the `open_clip_config.json` for a checkpoint in OpenCLIP's or OpenAI's layout.
///
/// Sizes and numbers of layers come from the tensors. The rest is not stored in them. The activation must be given (OpenAI's
/// models and models trained from their weights use QuickGELU, models trained by OpenCLIP mostly GELU). Heads are assumed to be
/// 64 values wide or, for widths from 1280 on, 16 in number, as in every published model. Class token pooling, causal text, and
/// OpenAI's mean and deviation are assumed.
pub fn infer_open_clip(weights: &Checkpoint, activation: Option<Activation>) -> Result<Value, ModelsError> {
    let label = weights.label();
    let visual = visual_prefix(weights);
    let outer = visual.strip_suffix("visual.").unwrap_or_default();
    let unknown = |what: &str| {
        ModelsError::wrong(format!("{label}: {what}: not a CLIP vision transformer of OpenCLIP or OpenAI")).hinted(
            "give the configuration with it: config.json (Hugging Face) or open_clip_config.json (OpenCLIP) in the same folder",
        )
    };
    let dims = |name: String| {
        weights
            .dims(&name)
            .filter(|d| d.iter().all(|size| *size > 0))
            .ok_or_else(|| unknown(&format!("no tensor `{name}`")))
    };
    let first =
        |name: String| dims(name.clone())?.first().copied().ok_or_else(|| unknown(&format!("`{name}` is one number")));
    let layers = |prefix: &str| {
        let blocks = format!("{prefix}transformer.resblocks.");
        let numbers =
            weights.names().filter_map(|name| name.strip_prefix(&blocks)?.split('.').next()?.parse::<u64>().ok());
        numbers.max().map_or(0, |last| last.saturating_add(1))
    };
    let ratio = |prefix: &str, width: usize| -> Result<f64, ModelsError> {
        let name = format!("{prefix}transformer.resblocks.0.mlp.c_fc.weight");
        // Slightly more, so that truncation gives the number again.
        Ok((first(name)? as f64 + 0.25) / width as f64)
    };
    let &[width, 3, patch, _] = dims(format!("{visual}conv1.weight"))? else {
        return Err(unknown("`conv1.weight` does not embed patches of RGB pictures"));
    };
    let positions = first(format!("{visual}positional_embedding"))?;
    let side = (positions - 1).isqrt();
    if side == 0 || side * side + 1 != positions {
        return Err(unknown(&format!("{positions} positions are not a square of patches and a class token")));
    }
    let &[_, embedding] = dims(format!("{visual}proj"))? else { return Err(unknown("`proj` is not a matrix")) };
    let quick = match activation {
        Some(Activation::QuickGelu) => true,
        Some(Activation::Gelu) => false,
        Some(other) => {
            return Err(ModelsError::wrong(format!("{label}: OpenCLIP's models have no activation {other:?}")));
        }
        None => {
            return Err(ModelsError::wrong(format!(
                "{label}: the file does not say whether the model computes with QuickGELU or GELU"
            ))
            .hinted(
                "set it with --activation: quick-gelu for OpenAI's weights and models trained from them, gelu for most \
                 models trained by OpenCLIP; the model's page or its OpenCLIP name (ViT-B-32-quickgelu) says which",
            ));
        }
    };
    let mut model = json!({
        "embed_dim": embedding,
        "quick_gelu": quick,
        "vision_cfg": {
            "image_size": side.saturating_mul(patch),
            "layers": layers(&visual),
            "width": width,
            "head_width": head_width(width),
            "patch_size": patch,
            "mlp_ratio": ratio(&visual, width)?,
            "no_ln_pre": weights.dims(&format!("{visual}ln_pre.weight")).is_none(),
            "ls_init_value": layer_scale(weights, &visual),
        },
    });
    let text = ["text.", ""].map(|inner| format!("{outer}{inner}"));
    if let Some(text) = text.iter().find(|p| weights.dims(&format!("{p}token_embedding.weight")).is_some()) {
        let &[vocabulary, width] = dims(format!("{text}token_embedding.weight"))? else {
            return Err(unknown("`token_embedding.weight` is not a matrix"));
        };
        model["text_cfg"] = json!({
            "context_length": first(format!("{text}positional_embedding"))?,
            "vocab_size": vocabulary,
            "width": width,
            "heads": (width / 64).max(1),
            "layers": layers(text),
            "mlp_ratio": ratio(text, width)?,
            "ls_init_value": layer_scale(weights, text),
            "proj_bias": weights.dims(&format!("{text}text_projection.bias")).is_some(),
        });
    }
    let preprocess = json!({ "mean": super::OPENAI_MEAN, "std": super::OPENAI_DEVIATION });
    Ok(json!({ "model_cfg": model, "preprocess_cfg": preprocess }))
}

/// Returns the width of an image tower's heads; heads of text towers are 64 wide at every width.
fn head_width(width: usize) -> usize {
    if width >= 1280 && width.is_multiple_of(16) { width / 16 } else { 64 }
}

fn layer_scale(weights: &Checkpoint, prefix: &str) -> Value {
    match weights.dims(&format!("{prefix}transformer.resblocks.0.ls_1.gamma")) {
        Some(_) => json!(1e-5),
        None => Value::Null,
    }
}
