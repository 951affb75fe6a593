//! The model that is part of recipe-render, as the files of a model folder.

/// `model.toml`.
pub const DESCRIPTION: &str = include_str!("../model.toml");
/// The other files, each with its path in the folder.
pub const FILES: [(&str, &[u8]); 6] = [
    ("image.onnx", include_bytes!("../image.onnx")),
    ("text.onnx", include_bytes!("../text.onnx")),
    ("tokenizer.json", include_bytes!("../tokenizer.json")),
    ("names.txt", include_bytes!("../names.txt")),
    ("lite0/lite0.weights", recipe_render_pocket_lite0::WEIGHTS),
    ("lite2/lite2.weights", recipe_render_pocket_lite2::WEIGHTS),
];
