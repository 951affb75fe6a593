//! OpenCLIP's `CLIP` and `CustomTextCLIP` with vision transformers, and OpenAI's own models, whose tensors have the same names:
//! `open_clip_config.json` and the names of tensors.

use serde_json::Value;

use super::config::{LARGEST_VOCABULARY, LONGEST_TEXT, MOST_LAYERS, Table, WIDEST};
use super::file::Checkpoint;
use super::tensor_reader::{TensorReader, notes};
use super::towers::{Activation, Block, Form, ImagePool, ImageTower, Linear, Projection, TextPool, TextTower};
use super::{Converted, image, supported, text};
use crate::ModelsError;
use crate::onnx::Tensor;

/// The tensor of the class token's embedding, after any prefix that a checkpoint's names have.
const CLASS: &str = "class_embedding";

/// The beginnings of a text tower's names if it has no prefix of its own.
const TEXT_PARTS: [&str; 5] =
    ["transformer.", "token_embedding.", "positional_embedding", "ln_final.", "text_projection"];

/// Converts a checkpoint in OpenCLIP's layout; `config` is its `open_clip_config.json`, or only the model's part of it
/// (`embed_dim`, `vision_cfg`, `text_cfg`, `quick_gelu`).
///
/// # Errors
/// Unsupported settings, by name; tensors that are missing, have other dimensions, or are left over, several at once.
pub fn open_clip(config: &Value, weights: &Checkpoint) -> Result<Converted, ModelsError> {
    let whole = Table::new(config, "open_clip_config.json")?;
    let model = if whole.get("model_cfg").is_some() { whole.table("model_cfg")? } else { whole.clone() };
    let preprocess = whole.table("preprocess_cfg")?;
    supported::model(&model)?;
    let quick = model.flag("quick_gelu", false)?;
    let width = model.needed("embed_dim", WIDEST)?;
    let (vision, words) = (model.table("vision_cfg")?, model.table("text_cfg")?);
    if !vision.is_there() {
        return Err(ModelsError::wrong("configuration: `vision_cfg` is missing").hinted(
            "expected OpenCLIP's open_clip_config.json, with `model_cfg` and in it `vision_cfg` and `text_cfg`",
        ));
    }
    let visual = visual_prefix(weights);
    let outer = visual.strip_suffix("visual.").unwrap_or_default().to_owned();
    let mut wanted = TensorReader::new(weights);
    let image = image_tower(&vision, &mut wanted, &visual, width, quick)?;
    // Either a tower of its own, `text.`, or its parts beside `visual.`.
    let text_prefix = ["text.", ""].map(|inner| format!("{outer}{inner}"));
    let text_prefix = text_prefix.into_iter().find(|p| wanted.has(&format!("{p}token_embedding.weight")));
    let text = match &text_prefix {
        Some(prefix) => Some(text_tower(&words, &mut wanted, prefix, width, quick)?),
        None => None,
    };
    let mut towers = vec![visual.clone()];
    match &text_prefix {
        Some(prefix) if prefix.ends_with("text.") => towers.push(prefix.clone()),
        Some(prefix) => towers.extend(TEXT_PARTS.map(|part| format!("{prefix}{part}"))),
        None => {}
    }
    let towers: Vec<&str> = towers.iter().map(String::as_str).collect();
    let unused = wanted.finish(&towers, weightless)?;
    let mut notes = notes(weights, &unused);
    if text.is_none() {
        notes.push("the checkpoint has no text encoder: it needs one of the same model".into());
    }
    if let Some(size) = preprocess.get("size").map(|_| preprocess.side("size", image.size)).transpose()?
        && size != image.size
    {
        notes.push(format!("`preprocess_cfg.size` is {size}, but the encoder takes {} pixels", image.size));
    }
    Ok(Converted {
        size: image.size as u32,
        width,
        context: text.as_ref().map_or(0, |t| t.positions.dims[0]),
        vocabulary: text.as_ref().map_or(0, |t| t.tokens.dims[0]),
        image: image::graph(&image, width),
        text: text.map(|tower| text::graph(&tower, width)),
        mean: preprocess.channels("mean")?,
        deviation: preprocess.channels("std")?,
        padding: Some(words.id("pad_id", 0)?),
        tokenizer: words.text("hf_tokenizer_name")?.filter(|name| !name.is_empty()).map(str::to_owned),
        interpolation: preprocess.text("interpolation")?.map(str::to_owned),
        resize: preprocess.text("resize_mode")?.map(str::to_owned),
        notes,
    })
}

/// Returns the prefix of the image tower's names: `visual.`, the same after a wrapper's name, or nothing if the file holds only
/// the image tower.
pub(super) fn visual_prefix(weights: &Checkpoint) -> String {
    let prefixes: Vec<&str> = weights.names().filter_map(|name| name.strip_suffix(CLASS)).collect();
    let chosen = prefixes.iter().find(|p| p.ends_with("visual.")).or(prefixes.first().filter(|p| p.is_empty()));
    chosen.copied().unwrap_or("visual.").to_owned()
}

/// Returns whether a name holds no weights of the encoders.
fn weightless(name: &str) -> bool {
    let ends =
        ["logit_scale", "logit_bias", "attn_mask", "position_ids", "input_resolution", "context_length", "vocab_size"];
    ends.iter().any(|end| name.ends_with(end))
}

fn activation(config: &Table, quick: bool) -> Result<Activation, ModelsError> {
    let settings = config.table("act_kwargs")?;
    settings.only(&["approximate"])?;
    let tanh = match settings.text("approximate")? {
        None | Some("none") => false,
        Some("tanh") => true,
        Some(other) => return Err(settings.unsupported("approximate", &Value::from(other), "expected none or tanh")),
    };
    match (quick, tanh) {
        (true, true) => {
            let value = Value::from("tanh");
            Err(settings.unsupported("approximate", &value, "with `quick_gelu`, which has no such form"))
        }
        (true, false) => Ok(Activation::QuickGelu),
        (false, true) => Ok(Activation::GeluTanh),
        (false, false) => Ok(Activation::Gelu),
    }
}

/// Reads the settings common to both towers. PyTorch's layer normalisation adds 1e-5 by default.
fn form(config: &Table, width: usize, heads: usize, heads_key: &str, quick: bool) -> Result<Form, ModelsError> {
    if heads == 0 || !width.is_multiple_of(heads) {
        return Err(ModelsError::wrong(format!(
            "configuration: `{}` does not divide the {width} values of `{}`",
            config.full(heads_key),
            config.full("width")
        )));
    }
    let norms = config.table("norm_kwargs")?;
    norms.only(&["eps"])?;
    let ratio = config.positive("mlp_ratio", 4.0)?;
    // Truncates like Python's int().
    let hidden = (width as f64 * ratio) as usize;
    if !(1..=WIDEST).contains(&hidden) {
        let value = Value::from(ratio);
        return Err(config.expected("mlp_ratio", &value, &format!("a ratio that gives 1 to {WIDEST} values")));
    }
    Ok(Form {
        width,
        heads,
        hidden,
        epsilon: norms.positive("eps", 1e-5)? as f32,
        activation: activation(config, quick)?,
    })
}

fn image_tower(
    config: &Table,
    wanted: &mut TensorReader,
    prefix: &str,
    to: usize,
    quick: bool,
) -> Result<ImageTower, ModelsError> {
    supported::vision(config)?;
    let width = config.count("width", 768, WIDEST)?;
    let head = config.count("head_width", 64, WIDEST)?;
    // The number of heads counts, not their width: 100 values with `head_width` 64 make one head of 100.
    let form = form(config, width, width / head, "head_width", quick)?;
    let layers = config.count("layers", 12, MOST_LAYERS)?;
    let (size, patch) = (config.side("image_size", 224)?, config.side("patch_size", 16)?);
    if patch > size {
        return Err(ModelsError::wrong(format!("configuration: patches of {patch} pixels exceed pictures of {size}")));
    }
    // Before `pool_type` there was `global_average_pool`, which included the class token and pooled before normalising.
    let everything = config.flag("global_average_pool", false)?;
    let pool = match config.text("pool_type")? {
        _ if everything => ImagePool::All,
        None | Some("tok") => ImagePool::Class,
        Some("avg") => ImagePool::Patches,
        Some(other) => return Err(config.unsupported("pool_type", &Value::from(other), "expected tok or avg")),
    };
    let pool_first = everything || config.flag("final_ln_after_pool", false)?;
    let at = |name: &str| format!("{prefix}{name}");
    let scaled = config.get("ls_init_value").is_some();
    let blocks = |wanted: &mut TensorReader| (0..layers).map(|i| block(wanted, prefix, i, &form, scaled)).collect();
    let before = match config.flag("no_ln_pre", false)? {
        true => None,
        false => Some(wanted.norm(&at("ln_pre"), width)),
    };
    Ok(ImageTower {
        form,
        size,
        patch,
        patches: wanted.take(&at("conv1.weight"), &[width, 3, patch, patch]),
        patches_bias: wanted.optional(&at("conv1.bias"), &[width]),
        class: wanted.take(&at("class_embedding"), &[width]),
        positions: wanted.take(&at("positional_embedding"), &[(size / patch).pow(2) + 1, width]),
        before,
        blocks: blocks(wanted),
        after: wanted.norm(&at("ln_post"), width),
        pool,
        pool_first,
        projection: Projection::Columns(wanted.take(&at("proj"), &[width, to])),
    })
}

fn text_tower(
    config: &Table,
    wanted: &mut TensorReader,
    prefix: &str,
    to: usize,
    quick: bool,
) -> Result<TextTower, ModelsError> {
    supported::text(config)?;
    let width = config.count("width", 512, WIDEST)?;
    let form = form(config, width, config.count("heads", 8, WIDEST)?, "heads", quick)?;
    let layers = config.count("layers", 12, MOST_LAYERS)?;
    let context = config.count("context_length", 77, LONGEST_TEXT)?;
    let vocabulary = config.count("vocab_size", 49408, LARGEST_VOCABULARY)?;
    let pool = match config.text("pool_type")?.unwrap_or("argmax") {
        "argmax" => TextPool::Highest,
        "eos" => TextPool::Id(config.id("eos_id", 2)?),
        "first" => TextPool::First,
        "last" => TextPool::Last,
        other => {
            return Err(config.unsupported("pool_type", &Value::from(other), "expected argmax, eos, first or last"));
        }
    };
    let at = |name: &str| format!("{prefix}{name}");
    let projection = match config.text("proj_type")? {
        Some("none") if width != to => {
            let what = format!("without a projection texts have {width} values and pictures {to}");
            return Err(config.unsupported("proj_type", &Value::from("none"), &what));
        }
        Some("none") => Projection::None,
        None | Some("linear") if config.flag("proj_bias", false)? => {
            Projection::Linear(wanted.linear(&at("text_projection"), width, to))
        }
        None | Some("linear") => Projection::Columns(wanted.take(&at("text_projection"), &[width, to])),
        Some(other) => return Err(config.unsupported("proj_type", &Value::from(other), "expected linear or none")),
    };
    let scaled = config.get("ls_init_value").is_some();
    let blocks = |wanted: &mut TensorReader| (0..layers).map(|i| block(wanted, prefix, i, &form, scaled)).collect();
    Ok(TextTower {
        form,
        tokens: wanted.take(&at("token_embedding.weight"), &[vocabulary, width]),
        positions: wanted.take(&at("positional_embedding"), &[context, width]),
        blocks: blocks(wanted),
        after: wanted.norm(&at("ln_final"), width),
        causal: !config.flag("no_causal_mask", false)?,
        pool,
        projection,
    })
}

fn block(wanted: &mut TensorReader, prefix: &str, index: usize, form: &Form, scaled: bool) -> Block {
    let at = |name: &str| format!("{prefix}transformer.resblocks.{index}.{name}");
    let (width, hidden) = (form.width, form.hidden);
    // Queries, keys and values are stacked in one matrix.
    let weight = wanted.take(&at("attn.in_proj_weight"), &[3 * width, width]);
    let bias = wanted.take(&at("attn.in_proj_bias"), &[3 * width]);
    let part = |i: usize| Linear { weight: third(&weight, i), bias: Some(third(&bias, i)) };
    let [query, key, value] = [0, 1, 2].map(part);
    let scale = |wanted: &mut TensorReader, name: &str| scaled.then(|| wanted.take(&at(name), &[width]));
    Block {
        norm1: wanted.norm(&at("ln_1"), width),
        query,
        key,
        value,
        out: wanted.linear(&at("attn.out_proj"), width, width),
        scale1: scale(wanted, "ls_1.gamma"),
        norm2: wanted.norm(&at("ln_2"), width),
        up: wanted.linear(&at("mlp.c_fc"), width, hidden),
        down: wanted.linear(&at("mlp.c_proj"), hidden, width),
        scale2: scale(wanted, "ls_2.gamma"),
    }
}

/// Returns one of the three parts of a tensor along its first axis, without copying.
fn third(tensor: &Tensor, index: usize) -> Tensor {
    let length = tensor.data.len() / 3;
    let mut dims = tensor.dims.clone();
    dims[0] /= 3;
    Tensor { data_type: tensor.data_type, dims, data: tensor.data.slice(index * length..(index + 1) * length) }
}
