//! Tests small checkpoints of every form against PyTorch's results (tests/models/checkpoints/generate.py).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{
    Activation, Checkpoint, Converted, EMBEDDING, IMAGE, INPUT_IDS, Layout, hugging_face, infer_open_clip, open_clip,
};
use crate::ModelsError;
use crate::onnx::{Graph, Tensor, fold, gradient_graph};
use crate::runtime::{Device, Input, Level, Runtime, SessionPlan, Weights};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/models/checkpoints").join(name)
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn weights(name: &str) -> Checkpoint {
    let files = ["model.safetensors", "model.safetensors.index.json", "open_clip_model.safetensors"];
    let file = files.iter().map(|file| folder(name).join(file)).find(|path| path.exists()).unwrap();
    Checkpoint::open(&file).unwrap()
}

fn config(name: &str) -> Value {
    let files = ["config.json", "open_clip_config.json"];
    read_json(&files.iter().map(|file| folder(name).join(file)).find(|path| path.exists()).unwrap())
}

fn convert(name: &str, config: &Value) -> Result<Converted, ModelsError> {
    if name.starts_with("hf") { hugging_face(config, &weights(name)) } else { open_clip(config, &weights(name)) }
}

pub(super) fn reference(path: &Path) -> impl Fn(&str) -> Option<Tensor> + use<> {
    let checkpoint = Checkpoint::open(path).unwrap();
    move |name: &str| checkpoint.tensor(name).unwrap()
}

/// Returns |a - b| / |b|.
pub(super) fn distance(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.dims, b.dims);
    let (a, b) = (a.to_f64().unwrap(), b.to_f64().unwrap());
    let square: f64 = a.iter().zip(&b).map(|(x, y)| (x - y) * (x - y)).sum();
    (square / b.iter().map(|y| y * y).sum::<f64>()).sqrt()
}

/// Runs a graph with its large weights outside its bytes, as in the renderer.
pub(super) fn run(graph: &Graph, inputs: &[(&str, Input<'_>)]) -> Vec<Tensor> {
    let plan = SessionPlan { device: Device::Cpu, threads: 1, level: Level::All, dimensions: Vec::new() };
    let (bytes, tensors) = graph.write_split(1024);
    let weights = Weights { tensors, ..Weights::default() };
    let mut session = Runtime::for_tests().session(&bytes, &weights, &plan).unwrap();
    let outputs = session.run(inputs).unwrap();
    graph.outputs.iter().map(|name| outputs.get(name).unwrap().clone()).collect()
}

pub(super) fn with_gradient(image: Graph, count: usize) -> Graph {
    let run = |bytes: &[u8]| Runtime::for_tests().fold(bytes, &Weights::default(), &[]);
    gradient_graph(fold(image, count, run).unwrap()).unwrap()
}

/// Returns the distances from the reference: embedding, image gradient, text embedding.
pub(super) fn errors(converted: Converted, wanted: impl Fn(&str) -> Option<Tensor>) -> [f64; 3] {
    let given = |name: &str| wanted(name).unwrap();
    let (image, seed) = (given("image"), given("embedding_gradient"));
    let graph = with_gradient(converted.image, image.dims[0]);
    let values = [image.to_f32().unwrap(), seed.to_f32().unwrap()];
    let inputs =
        [(IMAGE, Input::F32(&image.dims, &values[0])), ("embedding_gradient", Input::F32(&seed.dims, &values[1]))];
    let got = run(&graph, &inputs);
    let text = converted.text.map_or(0.0, |graph| {
        assert_eq!((graph.inputs[0].as_str(), graph.outputs[0].as_str()), (INPUT_IDS, EMBEDDING));
        let ids = given("ids");
        let values: Vec<i64> = match ids.to_f64() {
            Some(ids) => ids.iter().map(|id| *id as i64).collect(),
            None => ids.to_i64().unwrap(),
        };
        let got = run(&graph, &[(INPUT_IDS, Input::I64(&ids.dims, &values))]);
        distance(&got[0], &given("text_embedding"))
    });
    [distance(&got[0], &given("embedding")), distance(&got[1], &given("image_gradient")), text]
}

fn agrees(name: &str, config: &Value) -> Converted {
    let converted = convert(name, config).unwrap_or_else(|error| panic!("{name}: {error}"));
    let wanted = reference(&folder(name).join("reference.safetensors"));
    assert_eq!(converted.text.is_some(), wanted("ids").is_some(), "{name}");
    let [image, gradient, text] = errors(converted.clone(), wanted);
    assert!(image < 1e-5 && gradient < 1e-4 && text < 1e-5, "{name}: {image:.1e}, {gradient:.1e}, {text:.1e}");
    assert_eq!((converted.size, converted.width), (12, 8), "{name}");
    converted
}

#[test]
fn hugging_face_with_quick_gelu_and_the_highest_id() {
    let converted = agrees("hf-quick-gelu", &config("hf-quick-gelu"));
    assert_eq!((converted.context, converted.vocabulary), (7, 50));
    assert!(converted.notes.is_empty(), "{:?}", converted.notes);
}

#[test]
fn hugging_face_with_gelu_and_an_end_id() {
    agrees("hf-gelu-end-id", &config("hf-gelu-end-id"));
}

#[test]
fn hugging_face_in_shards_of_f16_with_settings_of_old() {
    let converted = agrees("hf-sharded-f16", &config("hf-sharded-f16"));
    assert!(converted.notes[0].contains("F16"), "{:?}", converted.notes);
}

#[test]
fn hugging_face_without_text() {
    let converted = agrees("hf-vision-bf16", &config("hf-vision-bf16"));
    assert!(converted.notes.iter().any(|note| note.contains("no text encoder")), "{:?}", converted.notes);
}

#[test]
fn open_clip_in_every_form() {
    for name in ["oc-gelu", "oc-quick-gelu-bf16", "oc-custom-text", "oc-average", "oc-average-normed", "oc-tanh-f64"] {
        let converted = agrees(name, &config(name));
        assert_eq!(converted.mean, Some([0.5, 0.4, 0.3]));
        assert_eq!(converted.deviation, Some([0.25, 0.5, 0.2]));
        assert_eq!(converted.interpolation.as_deref(), Some("bicubic"));
        assert_eq!(converted.resize.as_deref(), Some("shortest"));
    }
}

/// If a setting were misread, the references would show it: every one of these changes exceeds the tolerance.
#[test]
fn every_setting_counts() {
    for (name, pointer, value) in [
        ("oc-gelu", "/model_cfg/quick_gelu", json!(true)),
        ("oc-gelu", "/model_cfg/vision_cfg/head_width", json!(4)),
        ("oc-gelu", "/model_cfg/text_cfg/heads", json!(2)),
        ("oc-gelu", "/model_cfg/text_cfg/no_causal_mask", json!(true)),
        ("oc-average", "/model_cfg/vision_cfg/pool_type", json!("tok")),
        ("oc-average", "/model_cfg/text_cfg/pool_type", json!("argmax")),
        ("oc-average-normed", "/model_cfg/vision_cfg/final_ln_after_pool", json!(true)),
        ("oc-average-normed", "/model_cfg/text_cfg/pool_type", json!("last")),
        ("oc-custom-text", "/model_cfg/text_cfg/eos_id", json!(49)),
        ("oc-tanh-f64", "/model_cfg/vision_cfg/act_kwargs", json!({})),
        ("oc-tanh-f64", "/model_cfg/text_cfg/norm_kwargs", json!({ "eps": 1e-5 })),
        ("oc-global-average", "/model_cfg/vision_cfg/global_average_pool", json!(false)),
        ("hf-gelu-end-id", "/text_config/eos_token_id", json!(2)),
        ("hf-gelu-end-id", "/vision_config/hidden_act", json!("quick_gelu")),
        ("hf-gelu-end-id", "/vision_config/layer_norm_eps", json!(1e-5)),
        ("hf-quick-gelu", "/vision_config/num_attention_heads", json!(4)),
    ] {
        let mut config = config(name);
        let (table, key) = pointer.rsplit_once('/').unwrap();
        config.pointer_mut(table).unwrap()[key] = value;
        let reference = reference(&folder(name).join("reference.safetensors"));
        let worst = errors(convert(name, &config).unwrap(), reference).into_iter().fold(0.0, f64::max);
        assert!(worst > 1e-4, "{name} {pointer}: {worst:.1e}");
    }
}

#[test]
fn open_clip_with_the_mean_of_all_tokens_and_a_bias_of_patches() {
    agrees("oc-global-average", &config("oc-global-average"));
}

#[test]
fn open_clip_without_a_configuration() {
    let weights = weights("oc-bare-f16");
    let error = infer_open_clip(&weights, None).unwrap_err();
    assert!(error.to_string().contains("QuickGELU") && error.hint().unwrap().contains("quick-gelu"), "{error}");
    let config = infer_open_clip(&weights, Some(Activation::QuickGelu)).unwrap();
    let converted = agrees("oc-bare-f16", &config);
    assert_eq!(converted.mean, Some(super::OPENAI_MEAN));
}

/// The inferred configuration matches the written one if heads are 64 wide; here the heads are set by hand.
#[test]
fn inferred_configurations_are_those_that_were_written() {
    for name in ["oc-gelu", "oc-custom-text", "oc-quick-gelu-bf16"] {
        let quick = if name.contains("quick") { Activation::QuickGelu } else { Activation::Gelu };
        let mut inferred = infer_open_clip(&weights(name), Some(quick)).unwrap();
        inferred["model_cfg"]["vision_cfg"]["head_width"] = json!(8);
        for (key, value) in [("heads", json!(3)), ("pool_type", json!("eos")), ("eos_id", json!(40))] {
            if key == "heads" || name == "oc-custom-text" {
                inferred["model_cfg"]["text_cfg"][key] = value;
            }
        }
        agrees(name, &inferred);
    }
}

/// The weights are the file's own bytes, not copies.
#[test]
fn weights_stay_in_the_file() {
    let file = bytes::Bytes::from(std::fs::read(folder("oc-gelu").join("open_clip_model.safetensors")).unwrap());
    let checkpoint = Checkpoint::read(file.clone(), "file").unwrap();
    let converted = open_clip(&config("oc-gelu"), &checkpoint).unwrap();
    let inside = |tensor: &Tensor| file.as_ptr_range().contains(&tensor.data.as_ptr());
    let copied = |graph: &Graph| -> Vec<String> {
        let copied = graph.constants.iter().filter(|(_, t)| t.dims.len() >= 2 && !inside(t));
        copied.map(|(name, _)| name.clone()).collect()
    };
    // The class token is added to the first position; the mask is not in the file.
    assert_eq!(copied(&converted.image), ["image/positions"]);
    assert_eq!(copied(converted.text.as_ref().unwrap()), ["text/mask"]);
}

#[test]
fn only_the_class_token_goes_through_the_last_block() {
    let converted = convert("oc-gelu", &config("oc-gelu")).unwrap();
    let run = |bytes: &[u8]| Runtime::for_tests().fold(bytes, &Weights::default(), &[]);
    let graph = fold(converted.image, 2, run).unwrap();
    let rows = |node: &crate::onnx::Node| graph.shape(&node.outputs[0]).unwrap()[0];
    let products: Vec<usize> = graph.nodes.iter().filter(|n| n.is("Gemm")).map(rows).collect();
    // In the second block, of six products only keys and values cover all tokens.
    let mut last = products[6..].to_vec();
    last.sort_unstable();
    assert_eq!(products[..6], [20; 6]);
    assert_eq!(last, [2, 2, 2, 2, 20, 20]);
}

/// Checks for an error that contains all of `parts`, and has a hint.
fn refused(name: &str, config: &Value, parts: &[&str]) {
    let error = convert(name, config).unwrap_err();
    let text = error.to_string();
    assert!(parts.iter().all(|part| text.contains(part)), "{text}, not {parts:?}");
    assert!(error.hint().is_some() || text.contains("expected") || text.contains("divide"), "{text}");
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    let cases: [(&str, &str, Value, &[&str]); 22] = [
        ("oc-gelu", "/model_cfg/vision_cfg/timm_model_name", json!("vit_base"), &["timm_model_name", "vit_base"]),
        ("oc-gelu", "/model_cfg/vision_cfg/attentional_pool", json!(true), &["attentional_pool", "tok and avg"]),
        ("oc-gelu", "/model_cfg/vision_cfg/layers", json!([3, 4, 6, 3]), &["vision_cfg.layers", "ResNet"]),
        ("oc-gelu", "/model_cfg/vision_cfg/qk_norm", json!(true), &["vision_cfg.qk_norm"]),
        ("oc-gelu", "/model_cfg/vision_cfg/pool_type", json!("none"), &["pool_type", "tok or avg"]),
        ("oc-gelu", "/model_cfg/vision_cfg/rotary", json!(1), &["vision_cfg.rotary", "not known"]),
        ("oc-gelu", "/model_cfg/vision_cfg/image_size", json!([12, 16]), &["image_size", "[12,16]", "square"]),
        ("oc-gelu", "/model_cfg/vision_cfg/head_width", json!(5), &["head_width", "16"]),
        ("oc-gelu", "/model_cfg/vision_cfg/mlp_ratio", json!(-1), &["mlp_ratio"]),
        ("oc-gelu", "/model_cfg/text_cfg/hf_model_name", json!("xlm-roberta-base"), &["hf_model_name", "xlm"]),
        ("oc-gelu", "/model_cfg/text_cfg/embed_cls", json!(true), &["embed_cls"]),
        ("oc-gelu", "/model_cfg/text_cfg/pool_type", json!("mean"), &["pool_type", "argmax, eos, first"]),
        ("oc-gelu", "/model_cfg/text_cfg/heads", json!(5), &["heads", "12"]),
        ("oc-gelu", "/model_cfg/text_cfg/act_kwargs", json!({"approximate": "sine"}), &["approximate", "sine"]),
        ("oc-gelu", "/model_cfg/multimodal_cfg", json!({"width": 12}), &["multimodal_cfg"]),
        ("oc-gelu", "/model_cfg/embed_dim", json!("8"), &["embed_dim", "whole number"]),
        ("hf-quick-gelu", "/model_type", json!("siglip"), &["siglip", "clip"]),
        (
            "hf-quick-gelu",
            "/vision_config/hidden_act",
            json!("mish"),
            &["vision_config.hidden_act", "mish", "quick_gelu"],
        ),
        ("hf-quick-gelu", "/vision_config/num_channels", json!(4), &["num_channels"]),
        ("hf-quick-gelu", "/vision_config/num_attention_heads", json!(3), &["num_attention_heads", "16"]),
        (
            "hf-quick-gelu",
            "/vision_config/num_hidden_layers",
            json!(1_000_000_000),
            &["num_hidden_layers", "1000000000"],
        ),
        ("hf-quick-gelu", "/text_config/eos_token_id", json!([1, 2]), &["eos_token_id", "[1,2]"]),
    ];
    for (name, pointer, value, parts) in cases {
        let mut config = config(name);
        let (table, key) = pointer.rsplit_once('/').unwrap();
        config.pointer_mut(table).unwrap()[key] = value;
        refused(name, &config, parts);
    }
    refused("oc-gelu", &json!({}), &["embed_dim"]);
    refused("oc-gelu", &json!([]), &["JSON object"]);
    refused("oc-gelu", &json!({ "embed_dim": 8 }), &["vision_cfg"]);
    refused("hf-quick-gelu", &json!({ "model_type": "clip_text_model" }), &["only a text encoder"]);
}

#[test]
fn tensors_missing_misshapen_or_left_over_are_listed() {
    let changed = |pointer: &str, value: Value| {
        let mut config = config("oc-gelu");
        *config.pointer_mut(pointer).unwrap() = value;
        config
    };
    refused(
        "oc-gelu",
        &changed("/model_cfg/embed_dim", json!(9)),
        &["`visual.proj` is [16, 8], expected [16, 9]", "`text_projection`"],
    );
    let three = changed("/model_cfg/vision_cfg/layers", json!(3));
    refused(
        "oc-gelu",
        &three,
        &["`visual.transformer.resblocks.2.ln_1.weight` is missing, expected [16]", "and 4 more"],
    );
    let one = changed("/model_cfg/vision_cfg/layers", json!(1));
    refused("oc-gelu", &one, &["does not account for", "`visual.transformer.resblocks.1.", "and 4 more"]);
    // A different layout altogether.
    let error = hugging_face(&config("hf-quick-gelu"), &weights("oc-gelu")).unwrap_err();
    assert!(error.to_string().contains("class_embedding") && error.hint().unwrap().contains("CLIPModel"), "{error}");
    let error = open_clip(&config("oc-gelu"), &weights("hf-quick-gelu")).unwrap_err();
    assert!(error.to_string().contains("`visual.conv1.weight` is missing"), "{error}");
    let error = infer_open_clip(&weights("hf-quick-gelu"), Some(Activation::Gelu)).unwrap_err();
    assert!(
        error.to_string().contains("visual.conv1.weight") && error.hint().unwrap().contains("config.json"),
        "{error}"
    );
}

/// Returns a file of one tensor with the given header, followed by `data` bytes.
fn file(header: &str, data: usize) -> bytes::Bytes {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes.into()
}

#[test]
fn damaged_files_give_errors() {
    let whole = std::fs::read(folder("oc-gelu").join("open_clip_model.safetensors")).unwrap();
    for length in [0, 1, 7, 8, 9, 100, whole.len() / 2, whole.len() - 1] {
        let error = Checkpoint::read(whole[..length].to_vec().into(), "cut.safetensors").unwrap_err();
        assert!(error.to_string().starts_with("cut.safetensors: not a safetensors file"), "{error}");
        assert!(error.hint().unwrap().contains("complete"));
    }
    for (begin, said) in [
        (&b"PK\x03\x04aaaaaaaaaaaaaaaa"[..], "PyTorch"),
        (b"\x80\x02aaaaaaaaaaaaaaaaaaaa", "PyTorch"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS"),
        (b"<!DOCTYPE html><html></html>", "web page"),
    ] {
        let error = Checkpoint::read(begin.to_vec().into(), "x").unwrap_err();
        assert!(error.hint().unwrap().contains(said), "{error}");
    }
    for header in [
        "{}x",
        "[]",
        r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
        r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}"#,
        r#"{"a":{"dtype":"F32","shape":[18446744073709551615,2],"data_offsets":[0,8]}}"#,
        r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}}"#,
        r#"{"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}"#,
        r#"{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,8]}}"#,
    ] {
        Checkpoint::read(file(header, 8), "x").unwrap_err();
    }
    // A header longer than the file.
    let mut long = file("{}", 0).to_vec();
    long[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    Checkpoint::read(long.into(), "x").unwrap_err();
}

/// Whatever byte of a header is wrong, the result is an error, or a checkpoint that converts or gives an error.
#[test]
fn no_byte_of_a_header_does_harm() {
    let whole = std::fs::read(folder("oc-gelu").join("open_clip_model.safetensors")).unwrap();
    let header = 8 + u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let config = config("oc-gelu");
    let mut read = 0;
    for (at, new) in (0..header).step_by(13).flat_map(|at| [b'0', b'9', b'"', 0].map(|new| (at, new))) {
        let mut bytes = whole.clone();
        bytes[at] = new;
        if let Ok(checkpoint) = Checkpoint::read(bytes.into(), "x") {
            read += 1;
            let _ = (open_clip(&config, &checkpoint), infer_open_clip(&checkpoint, Some(Activation::Gelu)));
        }
    }
    assert!(read > 10, "{read}");
}

#[test]
fn layouts_are_told_by_their_names() {
    assert_eq!(weights("hf-vision-bf16").layout(), Some(Layout::HuggingFace));
    assert_eq!(weights("oc-bare-f16").layout(), Some(Layout::OpenClip));
    let other = file(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 8);
    assert_eq!(Checkpoint::read(other, "x").unwrap().layout(), None);
}

/// Tensors without rows or columns, and elements that are not floats.
#[test]
fn odd_tensors_give_errors() {
    let header = r#"{"visual.class_embedding":{"dtype":"F32","shape":[],"data_offsets":[0,4]},
        "visual.conv1.weight":{"dtype":"I64","shape":[16,3,4,4],"data_offsets":[4,6148]},
        "visual.positional_embedding":{"dtype":"F32","shape":[],"data_offsets":[6148,6152]}}"#;
    let odd = Checkpoint::read(file(header, 6152), "odd").unwrap();
    let error = open_clip(&config("oc-gelu"), &odd).unwrap_err().to_string();
    assert!(
        error.contains("`visual.conv1.weight` holds I64") && error.contains("`visual.class_embedding` is []"),
        "{error}"
    );
    infer_open_clip(&odd, Some(Activation::Gelu)).unwrap_err();
}

#[test]
fn indices_of_shards_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors.index.json");
    let header = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    std::fs::write(folder.path().join("one.safetensors"), file(header, 8)).unwrap();
    for (index, said) in [
        ("{", "not an index"),
        (r#"{"weight_map": 3}"#, "not an index"),
        (r#"{"weight_map": {"a": "../one.safetensors"}}"#, "not a file beside"),
        (r#"{"weight_map": {"a": "/etc/passwd"}}"#, "not a file beside"),
        (r#"{"weight_map": {"b": "one.safetensors"}}"#, "tensor `b` is not in"),
        (r#"{"weight_map": {"a": "two.safetensors"}}"#, "two.safetensors"),
        (r#"{"weight_map": {"a": "model.safetensors.index.json"}}"#, "not an index"),
    ] {
        std::fs::write(&path, index).unwrap();
        // An index that names itself must not be followed forever.
        let error = Checkpoint::open(&path).unwrap_err().to_string();
        assert!(error.contains(said) || error.contains("not a safetensors"), "{index}: {error}");
    }
    std::fs::write(&path, r#"{"weight_map": {"a": "one.safetensors"}}"#).unwrap();
    assert_eq!(Checkpoint::open(&path).unwrap().dims("a"), Some(&[2][..]));
    assert!(Checkpoint::open(folder.path()).is_err());
    assert!(Checkpoint::open(&folder.path().join("none.safetensors")).is_err());
}
