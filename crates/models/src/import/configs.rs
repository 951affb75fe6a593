//! Reads the configuration files of exports and checkpoints.

use std::path::Path;

use serde_json::Value;

use super::Settings;
use crate::ModelsError;
use crate::clip::{Clean, Interpolation, Resize};

/// The contents of a folder's configuration files.
#[derive(Debug, Clone, Default)]
pub(super) struct Configs {
    pub settings: Settings,
    /// `config.json` of the transformers library.
    pub transformers: Option<Value>,
    /// `open_clip_config.json`, or a `config.json` in that form.
    pub open_clip: Option<Value>,
    /// The licence named by a model card.
    pub licence: Option<String>,
    /// Settings in the files that cannot be followed, one sentence each.
    pub notes: Vec<String>,
}

impl Configs {
    /// Returns whether it is a SigLIP according to its configuration.
    pub fn is_siglip(&self) -> bool {
        let kind = self.transformers.as_ref().and_then(|config| config.get("model_type")).and_then(Value::as_str);
        kind.is_some_and(|kind| kind.starts_with("siglip"))
    }

    /// Returns these settings, with missing ones taken from another folder's.
    pub fn or(self, other: Configs) -> Configs {
        Configs {
            settings: self.settings.or(other.settings),
            transformers: self.transformers.or(other.transformers),
            open_clip: self.open_clip.or(other.open_clip),
            licence: self.licence.or(other.licence),
            notes: self.notes.into_iter().chain(other.notes).collect(),
        }
    }
}

/// A function that reads the settings of a file.
type Reading = fn(&Value) -> Settings;

/// The replacement for `preprocessor_config.json` in transformers 5 and later, with the picture settings in one of its tables.
const PROCESSOR: &str = "processor_config.json";

/// The known configuration files, with their readers.
const FILES: [(&str, Reading); 8] = [
    ("preprocessor_config.json", preprocessor),
    (PROCESSOR, preprocessor),
    ("visual/preprocess_cfg.json", open_clip_pictures),
    ("preprocess_cfg.json", open_clip_pictures),
    ("open_clip_config.json", open_clip),
    ("config.json", any_config),
    ("tokenizer_config.json", tokenizer),
    ("textual/tokenizer_config.json", tokenizer),
];

/// Reads all files that exist. If two files give the same setting, the more specific one (for pictures or tokens) takes
/// precedence.
pub(super) fn read(folder: &Path) -> Result<Configs, ModelsError> {
    let mut configs = Configs::default();
    for (name, settings) in FILES {
        let Some(mut value) = json(&folder.join(name))? else { continue };
        if name == PROCESSOR {
            // Older files with this name contain nothing about pictures.
            let Some(pictures) = value.get_mut("image_processor").map(Value::take) else { continue };
            value = pictures;
        }
        configs.settings = std::mem::take(&mut configs.settings).or(settings(&value));
        configs.notes.extend(not_followed(&value).into_iter().map(|what| {
            format!("{}: {what}; this matters to `score` and image prompts only", folder.join(name).display())
        }));
        match name {
            "open_clip_config.json" => configs.open_clip = Some(value),
            "config.json" if is_open_clip(&value) => configs.open_clip = Some(value),
            "config.json" => configs.transformers = Some(value),
            _ => {}
        }
    }
    configs.licence = std::fs::read_to_string(folder.join("README.md")).ok().and_then(|card| licence(&card));
    Ok(configs)
}

/// Reads a JSON file, if it exists.
fn json(path: &Path) -> Result<Option<Value>, ModelsError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => return Ok(None),
        Err(error) => return Err(ModelsError::file(path, error)),
    };
    let wrong = |error: serde_json::Error| {
        ModelsError::wrong(format!("{}: {error}", path.display())).hinted("is the file complete?")
    };
    serde_json::from_str(&text).map(Some).map_err(wrong)
}

/// Returns the licence in the header of a model card.
fn licence(card: &str) -> Option<String> {
    let header = card.strip_prefix("---")?.split("\n---").next()?;
    let line = header.lines().find_map(|line| line.strip_prefix("license:"))?;
    let name = line.trim().trim_matches(['"', '\'']);
    (!name.is_empty()).then(|| name.to_owned())
}

fn is_open_clip(config: &Value) -> bool {
    config.get("vision_cfg").is_some() || config.get("model_cfg").is_some()
}

fn any_config(config: &Value) -> Settings {
    if is_open_clip(config) { open_clip(config) } else { transformers(config) }
}

/// Reads `preprocessor_config.json`, or the `image_processor` in a `processor_config.json`.
fn preprocessor(config: &Value) -> Settings {
    let switched_off = |key: &str| config.get(key).and_then(Value::as_bool) == Some(false);
    let crop = (!switched_off("do_center_crop")).then(|| config.get("crop_size").and_then(side)).flatten();
    let (mut mean, mut deviation) = (triple(config.get("image_mean")), triple(config.get("image_std")));
    if switched_off("do_normalize") {
        (mean, deviation) = (Some([0.0; 3]), Some([1.0; 3]));
    }
    // If pixels are not scaled to 0..1 first, the encoder's mean and deviation are for 0..255.
    if switched_off("do_rescale") {
        let scaled = |values: [f32; 3]| values.map(|value| value / 255.0);
        (mean, deviation) = (mean.map(scaled), deviation.map(scaled));
    } else if let Some(factor) = config.get("rescale_factor").and_then(Value::as_f64).filter(|factor| *factor > 0.0) {
        let scaled = |values: [f32; 3]| values.map(|value| (f64::from(value) / (factor * 255.0)) as f32);
        (mean, deviation) = (mean.map(scaled), deviation.map(scaled));
    }
    Settings {
        size: crop.or_else(|| config.get("size").and_then(side)),
        mean,
        deviation,
        resize: resize(config),
        interpolation: config.get("resample").and_then(Value::as_u64).and_then(interpolation),
        ..Settings::default()
    }
}

/// Height and width together mean that the shape is not kept; one edge means that it is.
fn resize(config: &Value) -> Option<Resize> {
    let size = config.get("size")?;
    if size.get("shortest_edge").is_some() || size.is_number() {
        return Some(Resize::Shortest);
    }
    // Cropping a picture that was squashed to its final size changes nothing.
    size.get("height").map(|_| Resize::Squash)
}

/// Returns, in words, the settings for preparing pictures that are not supported here.
fn not_followed(config: &Value) -> Vec<String> {
    let mut notes = Vec::new();
    let pictures = config.get("preprocess_cfg").unwrap_or(config);
    let crop = config.get("crop_size").and_then(side);
    let cropped = config.get("do_center_crop").and_then(Value::as_bool) != Some(false);
    let before = config.get("size").and_then(side);
    if let (Some(before), Some(crop), true) = (before, crop, cropped)
        && before != crop
    {
        notes.push(format!("scales pictures to {before} and crops them to {crop}, here they are scaled to {crop}"));
    }
    if config.get("do_resize").and_then(Value::as_bool) == Some(false) {
        notes.push("leaves pictures at their size, here they are scaled".to_owned());
    }
    if let Some(number) = config.get("resample").and_then(Value::as_u64).filter(|n| interpolation(*n).is_none()) {
        notes.push(format!("scales pictures by Pillow's rule {number}, here they are scaled bicubically"));
    }
    for (key, known) in
        [("interpolation", ["bicubic", "bilinear", ""]), ("resize_mode", ["shortest", "squash", "longest"])]
    {
        let word = pictures.get(key).and_then(Value::as_str);
        if let Some(word) = word.filter(|word| !known.contains(word)) {
            notes.push(format!("{key} is \"{word}\", which is unknown: the usual one is used"));
        }
    }
    let longest = pictures.get("resize_mode").and_then(Value::as_str) == Some("longest");
    if longest && pictures.get("fill_color").is_some_and(|fill| fill.as_f64() != Some(0.0)) {
        notes.push("fills borders with a colour, here they are black".to_owned());
    }
    notes
}

/// Converts Pillow's numbers for interpolations.
fn interpolation(number: u64) -> Option<Interpolation> {
    match number {
        2 => Some(Interpolation::Bilinear),
        3 => Some(Interpolation::Bicubic),
        _ => None,
    }
}

/// Reads OpenCLIP's picture settings.
fn open_clip_pictures(config: &Value) -> Settings {
    let word = |key: &str| config.get(key).and_then(Value::as_str);
    Settings {
        size: config.get("size").and_then(side),
        mean: triple(config.get("mean")),
        deviation: triple(config.get("std")),
        resize: word("resize_mode").and_then(|word| match word {
            "shortest" => Some(Resize::Shortest),
            "squash" => Some(Resize::Squash),
            "longest" => Some(Resize::Longest),
            _ => None,
        }),
        interpolation: word("interpolation").and_then(|word| match word {
            "bicubic" => Some(Interpolation::Bicubic),
            "bilinear" => Some(Interpolation::Bilinear),
            _ => None,
        }),
        ..Settings::default()
    }
}

/// Reads `open_clip_config.json`, or only the architecture.
fn open_clip(config: &Value) -> Settings {
    let model = config.get("model_cfg").unwrap_or(config);
    let text = model.get("text_cfg");
    let clean = text.and_then(|text| text.pointer("/tokenizer_kwargs/clean")).and_then(Value::as_str);
    let pictures = config.get("preprocess_cfg").map(open_clip_pictures).unwrap_or_default();
    pictures.or(Settings {
        size: model.pointer("/vision_cfg/image_size").and_then(side),
        context: text.map(|text| count(text.get("context_length")).unwrap_or(77)),
        clean: clean.and_then(|name| match name {
            "canonicalize" => Some(Clean::Canonicalize),
            "lower" => Some(Clean::Lower),
            _ => None,
        }),
        ..Settings::default()
    })
}

/// Reads `config.json` of the transformers library, with that library's defaults.
fn transformers(config: &Value) -> Settings {
    let kind = config.get("model_type").and_then(Value::as_str).unwrap_or_default();
    let text = config.get("text_config").or_else(|| kind.ends_with("text_model").then_some(config));
    let vision = config.get("vision_config").or_else(|| kind.ends_with("vision_model").then_some(config));
    let siglip = kind.starts_with("siglip");
    let (size, context) = match kind {
        _ if siglip => (224, 64),
        _ if kind.starts_with("clip") => (224, 77),
        // For other kinds, only explicit settings count.
        _ => (0, 0),
    };
    let default = |value: usize| (value > 0).then_some(value);
    Settings {
        size: vision.and_then(|vision| match vision.get("image_size") {
            Some(written) => side(written),
            None => default(size).and_then(|size| u32::try_from(size).ok()),
        }),
        context: text.and_then(|text| count(text.get("max_position_embeddings")).or(default(context))),
        clean: siglip.then_some(match kind.starts_with("siglip2") {
            true => Clean::Lower,
            false => Clean::Canonicalize,
        }),
        ..Settings::default()
    }
}

/// Returns whether a `config.json` belongs to a picture classifier with labels.
pub(super) fn is_classifier(config: &Value) -> bool {
    let architectures = config.get("architectures").and_then(Value::as_array);
    let named = architectures.is_some_and(|names| {
        names.iter().filter_map(Value::as_str).any(|name| name.ends_with("ForImageClassification"))
    });
    named && config.get("id2label").is_some_and(Value::is_object)
}

/// Returns whether the labels of a `config.json` are the placeholders of the transformers library.
pub(super) fn has_placeholders(config: &Value) -> bool {
    let labels = config.get("id2label").and_then(Value::as_object);
    labels.is_some_and(|labels| {
        labels.values().all(|label| label.as_str().is_some_and(|label| label.starts_with("LABEL_")))
    })
}

/// Reads the other settings in the `config.json` of a classifier: transformers' picture size, or everything that timm writes.
pub(super) fn classifier(config: &Value) -> Settings {
    let timm = config.get("pretrained_cfg").cloned().unwrap_or_default();
    let pictures = open_clip_pictures(&timm);
    Settings {
        size: config.get("image_size").or_else(|| timm.get("input_size")).and_then(side),
        mean: pictures.mean,
        deviation: pictures.deviation,
        interpolation: pictures.interpolation,
        ..Settings::default()
    }
}

/// Reads `tokenizer_config.json`.
fn tokenizer(config: &Value) -> Settings {
    // "No limit" is written as a thirty-digit number.
    Settings {
        context: count(config.get("model_max_length")).filter(|length| *length <= 1 << 16),
        ..Settings::default()
    }
}

/// Returns the name of the padding token in `tokenizer_config.json` or `special_tokens_map.json` beside a tokenizer.
pub(super) fn padding_token(folder: &Path) -> Option<String> {
    ["tokenizer_config.json", "special_tokens_map.json"].iter().find_map(|name| {
        let config = json(&folder.join(name)).ok()??;
        let token = config.get("pad_token")?;
        Some(token.as_str().or_else(|| token.get("content")?.as_str())?.to_owned())
    })
}

/// Returns a side length from a number, `[S, S]`, `{ height, width }` or `{ shortest_edge }`. Only squares count.
fn side(value: &Value) -> Option<u32> {
    let number = |value: &Value| u32::try_from(value.as_u64()?).ok();
    let square = |a: u32, b: u32| (a == b).then_some(a);
    match value {
        Value::Array(sides) => match sides.as_slice() {
            [one] => number(one),
            [height, width] => square(number(height)?, number(width)?),
            // Channels first, as timm writes it.
            [_, height, width] => square(number(height)?, number(width)?),
            _ => None,
        },
        Value::Object(named) => match named.get("shortest_edge") {
            Some(edge) => number(edge),
            None => square(number(named.get("height")?)?, number(named.get("width")?)?),
        },
        other => number(other),
    }
}

fn count(value: Option<&Value>) -> Option<usize> {
    // Some programs write 1e30 as a float.
    usize::try_from(value?.as_u64()?).ok()
}

/// Returns three numbers, or one number for all three.
fn triple(value: Option<&Value>) -> Option<[f32; 3]> {
    let number = |value: &Value| value.as_f64().map(|value| value as f32);
    match value? {
        Value::Array(values) => match values.as_slice() {
            [r, g, b] => Some([number(r)?, number(g)?, number(b)?]),
            [one] => number(one).map(|value| [value; 3]),
            _ => None,
        },
        other => number(other).map(|value| [value; 3]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_forms_of_a_preprocessor() {
        let clip = preprocessor(&json!({
            "crop_size": {"height": 224, "width": 224}, "size": {"shortest_edge": 256}, "do_center_crop": true,
            "image_mean": [0.5, 0.4, 0.3], "image_std": [0.25, 0.25, 0.25], "rescale_factor": 0.00392156862745098,
        }));
        assert_eq!(clip.size, Some(224));
        assert!((clip.mean.unwrap()[1] - 0.4).abs() < 1e-6);
        let old = preprocessor(&json!({"crop_size": 224, "size": 224, "image_mean": [0.5, 0.5, 0.5]}));
        assert_eq!((old.size, old.deviation), (Some(224), None));
        let siglip = preprocessor(&json!({"size": {"height": 256, "width": 256}, "image_mean": 0.5, "image_std": 0.5}));
        assert_eq!((siglip.size, siglip.mean), (Some(256), Some([0.5; 3])));
        let mobile = preprocessor(&json!({"do_normalize": false, "crop_size": {"height": 256, "width": 256}}));
        assert_eq!((mobile.mean, mobile.deviation), (Some([0.0; 3]), Some([1.0; 3])));
        let wide = preprocessor(&json!({"size": {"height": 256, "width": 128}}));
        assert_eq!(wide.size, None);
        assert_eq!(
            [&clip, &old, &siglip, &mobile].map(|settings| settings.resize),
            [Some(Resize::Shortest), Some(Resize::Shortest), Some(Resize::Squash), None,]
        );
        let resample = |number: u64| preprocessor(&json!({"resample": number})).interpolation;
        assert_eq!(
            [resample(3), resample(2), resample(1)],
            [Some(Interpolation::Bicubic), Some(Interpolation::Bilinear), None]
        );
    }

    #[test]
    fn a_processor_s_configuration_holds_that_of_pictures() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, value: Value| std::fs::write(folder.path().join(name), value.to_string()).unwrap();
        write("processor_config.json", json!({"processor_class": "CLIPProcessor"}));
        assert_eq!(read(folder.path()).unwrap().settings, Settings::default());
        let pictures = json!({
            "crop_size": {"height": 224, "width": 224}, "size": {"shortest_edge": 256}, "image_mean": [0.5, 0.4, 0.3],
            "image_std": [0.25, 0.25, 0.25], "image_processor_type": "CLIPImageProcessor", "resample": 2,
        });
        write("processor_config.json", json!({"image_processor": pictures, "processor_class": "CLIPProcessor"}));
        let configs = read(folder.path()).unwrap();
        assert_eq!(configs.settings, preprocessor(&pictures));
        assert_eq!(configs.settings.size, Some(224));
        assert!(configs.notes[0].contains("scales pictures to 256"), "{:?}", configs.notes);
        // The more specific file for pictures takes precedence.
        write("preprocessor_config.json", json!({"image_mean": 0.5}));
        assert_eq!(read(folder.path()).unwrap().settings.mean, Some([0.5; 3]));
    }

    #[test]
    fn what_cannot_be_followed_is_told() {
        let notes = |value: Value| not_followed(&value).join("; ");
        let square = json!({"height": 64, "width": 64});
        assert!(notes(json!({"size": {"shortest_edge": 80}, "crop_size": square})).contains("scales pictures to 80"));
        assert!(notes(json!({"resample": 0})).contains("rule 0"));
        assert!(notes(json!({"do_resize": false})).contains("at their size"));
        assert!(notes(json!({"preprocess_cfg": {"interpolation": "random"}})).contains("\"random\""));
        assert!(notes(json!({"resize_mode": "longest", "fill_color": 255})).contains("black"));
        assert_eq!(notes(json!({"size": {"shortest_edge": 64}, "crop_size": square, "resample": 3})), "");
        assert_eq!(resize(&json!({"size": square, "do_center_crop": true})), Some(Resize::Squash));
    }

    #[test]
    fn classifiers_are_told_by_their_architecture_and_labels() {
        let vit = json!({
            "architectures": ["ViTForImageClassification"], "image_size": 224, "id2label": {"0": "cat", "1": "dog"},
        });
        assert!(is_classifier(&vit) && !has_placeholders(&vit));
        assert_eq!(classifier(&vit).size, Some(224));
        let mut other = vit.clone();
        other["id2label"] = json!({"0": "LABEL_0", "1": "LABEL_1"});
        assert!(is_classifier(&other) && has_placeholders(&other));
        other["architectures"] = json!(["CLIPModel"]);
        assert!(!is_classifier(&other) && !is_classifier(&json!({"architectures": ["ViTForImageClassification"]})));
        let timm = json!({"architecture": "resnet18", "pretrained_cfg": {
            "input_size": [3, 160, 160], "mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2], "interpolation": "bilinear",
        }});
        let timm = classifier(&timm);
        assert_eq!((timm.size, timm.mean, timm.deviation), (Some(160), Some([0.5; 3]), Some([0.2; 3])));
        assert_eq!(timm.interpolation, Some(Interpolation::Bilinear));
    }

    #[test]
    fn pixels_that_are_not_brought_to_one() {
        let bytes = preprocessor(&json!({"do_rescale": false, "image_mean": 127.5, "image_std": 127.5}));
        assert_eq!((bytes.mean, bytes.deviation), (Some([0.5; 3]), Some([0.5; 3])));
        let factor = preprocessor(&json!({"rescale_factor": 1.0, "image_mean": 127.5, "image_std": 127.5}));
        assert_eq!((factor.mean, factor.deviation), (Some([0.5; 3]), Some([0.5; 3])));
    }

    #[test]
    fn open_clip_says_it_in_one_file() {
        let settings = open_clip(&json!({
            "model_cfg": {"vision_cfg": {"image_size": 240}, "text_cfg": {"tokenizer_kwargs": {"clean": "canonicalize"}}},
            "preprocess_cfg": {"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "resize_mode": "squash", "interpolation": "bilinear"},
        }));
        assert_eq!((settings.resize, settings.interpolation), (Some(Resize::Squash), Some(Interpolation::Bilinear)));
        assert_eq!((settings.size, settings.context), (Some(240), Some(77)));
        assert_eq!(settings.clean, Some(Clean::Canonicalize));
        assert_eq!(settings.mean, Some([0.5; 3]));
    }

    #[test]
    fn transformers_leaves_out_its_defaults() {
        let clip = transformers(&json!({"model_type": "clip", "vision_config": {}, "text_config": {}}));
        assert_eq!((clip.size, clip.context, clip.clean), (Some(224), Some(77), None));
        let siglip =
            transformers(&json!({"model_type": "siglip", "vision_config": {"image_size": 384}, "text_config": {}}));
        assert_eq!((siglip.size, siglip.context), (Some(384), Some(64)));
        assert_eq!(siglip.clean, Some(Clean::Canonicalize));
        let vision = transformers(&json!({"model_type": "clip_vision_model", "image_size": 336}));
        assert_eq!((vision.size, vision.context), (Some(336), None));
    }

    #[test]
    fn a_model_card_names_its_licence() {
        assert_eq!(licence("---\nlanguage: en\nlicense: mit\n---\n# x").as_deref(), Some("mit"));
        assert_eq!(licence("# x\nlicense: mit"), None);
    }
}
