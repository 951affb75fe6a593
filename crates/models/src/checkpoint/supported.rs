//! The supported OpenCLIP settings: those that change the computation in unsupported ways are refused by name, and so are all
//! unknown ones.

use super::config::Table;
use crate::ModelsError;

/// Settings of attention blocks that change the computation.
const BLOCK_KEYS: [&str; 6] =
    ["qk_norm", "scaled_cosine_attn", "scale_heads", "scale_attn_inner", "scale_attn", "scale_fc"];

/// Checks the model's own settings, apart from its towers.
pub(super) fn model(model: &Table) -> Result<(), ModelsError> {
    model.refuse("multimodal_cfg", "a captioning model (CoCa) pools by attention")?;
    model.only(&[
        "embed_dim",
        "quick_gelu",
        "vision_cfg",
        "text_cfg",
        "custom_text",
        "init_logit_scale",
        "init_logit_bias",
        "nonscalar_logit_scale",
        "output_dict",
        "cast_dtype",
        "model_cfg",
        "preprocess_cfg",
    ])
}

/// Checks the settings of the image tower.
pub(super) fn vision(config: &Table) -> Result<(), ModelsError> {
    config.refuse(
        "timm_model_name",
        "image towers of timm are built by timm; only OpenCLIP's own vision transformers are supported",
    )?;
    if let Some(layers) = config.get("layers").filter(|v| v.is_array()) {
        return Err(config.unsupported(
            "layers",
            layers,
            "a list of layers is a ResNet; only vision transformers are supported",
        ));
    }
    config.refuse("attentional_pool", "only `pool_type` tok and avg are supported")?;
    config.refuse("input_patchnorm", "patches are not normalised before they are embedded")?;
    for key in BLOCK_KEYS {
        config.refuse(key, "only plain attention blocks are supported, with or without LayerScale")?;
    }
    config.only(&[
        "layers",
        "width",
        "head_width",
        "mlp_ratio",
        "patch_size",
        "image_size",
        "ls_init_value",
        "patch_dropout",
        "attn_pooler_queries",
        "n_queries",
        "attn_pooler_heads",
        "no_ln_pre",
        "pos_embed_type",
        "final_ln_after_pool",
        "pool_type",
        "global_average_pool",
        "output_tokens",
        "act_kwargs",
        "norm_kwargs",
        "block_type",
        "timm_model_pretrained",
        "timm_pool",
        "timm_proj",
        "timm_proj_bias",
        "timm_drop",
        "timm_drop_path",
    ])
}

/// Checks the settings of the text tower.
pub(super) fn text(config: &Table) -> Result<(), ModelsError> {
    config.refuse("hf_model_name", "text towers of Hugging Face's transformers; only OpenCLIP's own is supported")?;
    config.refuse(
        "embed_cls",
        "a class token behind the text; only `pool_type` argmax, eos, first and last are supported",
    )?;
    for key in BLOCK_KEYS {
        config.refuse(key, "only plain attention blocks are supported, with or without LayerScale")?;
    }
    config.only(&[
        "context_length",
        "vocab_size",
        "hf_tokenizer_name",
        "tokenizer_mode",
        "tokenizer_kwargs",
        "width",
        "heads",
        "layers",
        "mlp_ratio",
        "ls_init_value",
        "pad_id",
        "eos_id",
        "no_causal_mask",
        "final_ln_after_pool",
        "pool_type",
        "proj_type",
        "proj_bias",
        "output_tokens",
        "act_kwargs",
        "norm_kwargs",
        "block_type",
        "text_mask",
        "hf_model_pretrained",
        "hf_proj_type",
        "hf_pooler_type",
        "proj",
        "pooler_type",
    ])
}
