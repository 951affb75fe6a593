//! Hugging Face's `CLIPModel` and `CLIPVisionModelWithProjection`: `config.json` and the names of tensors.

use serde_json::Value;

use super::config::{LARGEST_VOCABULARY, LONGEST_TEXT, MOST_LAYERS, Table, WIDEST};
use super::file::Checkpoint;
use super::tensor_reader::{TensorReader, notes};
use super::towers::{Activation, Block, Form, ImagePool, ImageTower, Linear, Projection, TextPool, TextTower};
use super::{Converted, image, text};
use crate::ModelsError;

/// The tensor of the class token's embedding, after any prefix that a checkpoint's names have.
const CLASS: &str = "vision_model.embeddings.class_embedding";

/// Converts a checkpoint in the layout of Hugging Face's transformers; `config` is its `config.json`.
///
/// # Errors
/// Unsupported settings, by name; tensors that are missing, have other dimensions, or are left over, several at once.
pub fn hugging_face(config: &Value, weights: &Checkpoint) -> Result<Converted, ModelsError> {
    let config = Table::new(config, "config.json")?;
    let vision_only = match config.text("model_type")? {
        Some("clip") => false,
        Some("clip_vision_model") => true,
        None => config.get("vision_config").is_none() && config.get("patch_size").is_some(),
        Some("clip_text_model") => {
            return Err(ModelsError::wrong(
                "this checkpoint is only a text encoder (`model_type` = \"clip_text_model\")",
            )
            .hinted("the image encoder is needed; take the repository's CLIPModel"));
        }
        Some(_) => {
            let value = config.get("model_type").unwrap_or(&Value::Null);
            return Err(config.unsupported("model_type", value, "only `clip` and `clip_vision_model` are converted"));
        }
    };
    let prefix = weights.names().find_map(|name| name.strip_suffix(CLASS)).unwrap_or_default().to_owned();
    let mut wanted = TensorReader::new(weights);
    let vision = if vision_only { config.clone() } else { sub_config(&config, "vision_config")? };
    let width = if vision_only { &vision } else { &config }.count("projection_dim", 512, WIDEST)?;
    let image = image_tower(&vision, &mut wanted, &prefix, width)?;
    let has_text = !vision_only && wanted.has(&format!("{prefix}text_model.embeddings.token_embedding.weight"));
    let text = match has_text {
        true => Some(text_tower(&sub_config(&config, "text_config")?, &mut wanted, &prefix, width)?),
        false => None,
    };
    let towers = [format!("{prefix}vision_model."), format!("{prefix}text_model.")];
    let towers: Vec<&str> = towers.iter().map(String::as_str).take(if has_text { 2 } else { 1 }).collect();
    let weightless = |name: &str| ["position_ids", "logit_scale"].iter().any(|end| name.ends_with(end));
    let unused = wanted.finish(&towers, weightless)?;
    let mut notes = notes(weights, &unused);
    if !has_text {
        notes.push("the checkpoint has no text encoder: it needs one of the same model".into());
    }
    Ok(Converted {
        size: image.size as u32,
        width,
        context: text.as_ref().map_or(0, |t| t.positions.dims[0]),
        vocabulary: text.as_ref().map_or(0, |t| t.tokens.dims[0]),
        image: image::graph(&image, width),
        text: text.map(|tower| text::graph(&tower, width)),
        mean: None,
        deviation: None,
        padding: None,
        tokenizer: None,
        interpolation: None,
        resize: None,
        notes,
    })
}

/// Returns `vision_config` or `text_config`. Old files also have a `..._dict`, which takes precedence if present.
fn sub_config<'a>(config: &Table<'a>, key: &str) -> Result<Table<'a>, ModelsError> {
    let legacy = config.table(&format!("{key}_dict"))?;
    if legacy.is_there() { Ok(legacy) } else { config.table(key) }
}

/// Reads the settings common to both towers; the defaults are those of transformers' CLIPVisionConfig and CLIPTextConfig.
fn form(config: &Table, width: usize, hidden: usize, heads: usize) -> Result<Form, ModelsError> {
    let width = config.count("hidden_size", width, WIDEST)?;
    let heads = config.count("num_attention_heads", heads, WIDEST)?;
    if !width.is_multiple_of(heads) {
        return Err(ModelsError::wrong(format!(
            "configuration: {} heads (`{}`) do not divide {width} values (`{}`)",
            heads,
            config.full("num_attention_heads"),
            config.full("hidden_size")
        )));
    }
    let activation = match config.text("hidden_act")?.unwrap_or("quick_gelu") {
        "quick_gelu" => Activation::QuickGelu,
        "gelu" | "gelu_python" => Activation::Gelu,
        "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" | "gelu_accurate" | "gelu_python_tanh" => Activation::GeluTanh,
        "relu" => Activation::Relu,
        "silu" | "swish" => Activation::Silu,
        other => {
            let known = "expected quick_gelu, gelu, gelu_new, gelu_fast, gelu_pytorch_tanh, relu or silu";
            return Err(config.unsupported("hidden_act", &Value::from(other), known));
        }
    };
    Ok(Form {
        width,
        heads,
        hidden: config.count("intermediate_size", hidden, WIDEST)?,
        epsilon: config.positive("layer_norm_eps", 1e-5)? as f32,
        activation,
    })
}

fn image_tower(config: &Table, wanted: &mut TensorReader, prefix: &str, to: usize) -> Result<ImageTower, ModelsError> {
    let form = form(config, 768, 3072, 12)?;
    let layers = config.count("num_hidden_layers", 12, MOST_LAYERS)?;
    if config.count("num_channels", 3, WIDEST)? != 3 {
        let value = config.get("num_channels").unwrap_or(&Value::Null);
        return Err(config.unsupported("num_channels", value, "pictures have 3 channels"));
    }
    let (size, patch) = (config.side("image_size", 224)?, config.side("patch_size", 32)?);
    if patch > size {
        return Err(ModelsError::wrong(format!("configuration: patches of {patch} pixels exceed pictures of {size}")));
    }
    let at = |name: &str| format!("{prefix}vision_model.{name}");
    let tokens = (size / patch).pow(2) + 1;
    let width = form.width;
    let blocks = |wanted: &mut TensorReader| (0..layers).map(|i| block(wanted, &at("encoder"), i, &form)).collect();
    let conv = at("embeddings.patch_embedding");
    Ok(ImageTower {
        form,
        size,
        patch,
        patches: wanted.take(&format!("{conv}.weight"), &[width, 3, patch, patch]),
        patches_bias: wanted.optional(&format!("{conv}.bias"), &[width]),
        class: wanted.take(&at("embeddings.class_embedding"), &[width]),
        positions: wanted.take(&at("embeddings.position_embedding.weight"), &[tokens, width]),
        // The name is misspelt in every checkpoint.
        before: Some(wanted.norm(&at("pre_layrnorm"), width)),
        blocks: blocks(wanted),
        after: wanted.norm(&at("post_layernorm"), width),
        pool: ImagePool::Class,
        pool_first: true,
        projection: projection(wanted, &format!("{prefix}visual_projection"), width, to),
    })
}

fn text_tower(config: &Table, wanted: &mut TensorReader, prefix: &str, to: usize) -> Result<TextTower, ModelsError> {
    let form = form(config, 512, 2048, 8)?;
    let layers = config.count("num_hidden_layers", 12, MOST_LAYERS)?;
    let context = config.count("max_position_embeddings", 77, LONGEST_TEXT)?;
    let vocabulary = config.count("vocab_size", 49408, LARGEST_VOCABULARY)?;
    // As in transformers: files from before the end token was fixed say 2, and mean the highest id.
    let pool = match config.id("eos_token_id", 49407)? {
        2 => TextPool::Highest,
        id => TextPool::Id(id),
    };
    let at = |name: &str| format!("{prefix}text_model.{name}");
    let blocks = |wanted: &mut TensorReader| (0..layers).map(|i| block(wanted, &at("encoder"), i, &form)).collect();
    Ok(TextTower {
        form,
        tokens: wanted.take(&at("embeddings.token_embedding.weight"), &[vocabulary, form.width]),
        positions: wanted.take(&at("embeddings.position_embedding.weight"), &[context, form.width]),
        blocks: blocks(wanted),
        after: wanted.norm(&at("final_layer_norm"), form.width),
        causal: true,
        pool,
        projection: projection(wanted, &format!("{prefix}text_projection"), form.width, to),
    })
}

fn projection(wanted: &mut TensorReader, name: &str, from: usize, to: usize) -> Projection {
    Projection::Linear(Linear { weight: wanted.take(&format!("{name}.weight"), &[to, from]), bias: None })
}

fn block(wanted: &mut TensorReader, encoder: &str, index: usize, form: &Form) -> Block {
    let at = |name: &str| format!("{encoder}.layers.{index}.{name}");
    let (width, hidden) = (form.width, form.hidden);
    Block {
        norm1: wanted.norm(&at("layer_norm1"), width),
        query: wanted.linear(&at("self_attn.q_proj"), width, width),
        key: wanted.linear(&at("self_attn.k_proj"), width, width),
        value: wanted.linear(&at("self_attn.v_proj"), width, width),
        out: wanted.linear(&at("self_attn.out_proj"), width, width),
        scale1: None,
        norm2: wanted.norm(&at("layer_norm2"), width),
        up: wanted.linear(&at("mlp.fc1"), width, hidden),
        down: wanted.linear(&at("mlp.fc2"), hidden, width),
        scale2: None,
    }
}
