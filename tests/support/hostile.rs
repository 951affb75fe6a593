//! What is done with files that come from strangers, as far as bytes alone decide: everything may be refused, nothing may panic,
//! hang or take memory without bounds. For `tests/hostile.rs` and the targets of `fuzz/`.

use std::path::Path;

use recipe_render::clip::{Description, ModelFolder, TextTokenizer};
use recipe_render::direction::Directions;
use recipe_render::onnx::{self, Graph};
use recipe_render::output;
use recipe_render::picture_file::{self, Behind};
use recipe_render::recipe;

/// An ONNX graph: read, brought into order, made float, differentiated, written and read again.
pub fn graph(bytes: &[u8]) {
    let bytes = bytes::Bytes::copy_from_slice(bytes);
    let _ = onnx::external_files(&bytes);
    let Ok(read) = Graph::read(bytes, None) else { return };
    if let Err(error) = Graph::read(read.write().into(), None) {
        panic!("what was read and written cannot be read: {error}");
    }
    let mut graph = read.clone();
    let _ = onnx::dequantise(&mut graph);
    onnx::prepare(&mut graph);
    let _ = onnx::gradient_graph(graph);
    let _ = onnx::gradient_graph(read);
}

/// The two pages of a model folder: `model.toml` and what it advises.
pub fn page(text: &str) {
    let _ = Description::parse(text);
    let found = recipe::check_advice(Path::new("model.toml"), text);
    let _ = recipe::render_diagnostics(&found);
}

/// A `tokenizer.json`, then, behind a line of its own, a text for it. A folder of a model, with a page, is lent for it.
pub fn tokenizer(bytes: &[u8], folder: &Path) {
    let split = bytes.windows(SPLIT.len()).rposition(|window| window == SPLIT);
    let (file, text) = split.map_or((bytes, &b"a castle"[..]), |at| (&bytes[..at], &bytes[at + SPLIT.len()..]));
    // A folder that cannot be written is no finding.
    if std::fs::write(folder.join("tokenizer.json"), file).is_err() {
        return;
    }
    let Ok(model) = ModelFolder::open(folder.to_path_buf()) else { return };
    let Ok(tokenizer) = TextTokenizer::open(&model) else { return };
    let _ = tokenizer.encode(&String::from_utf8_lossy(text));
}

/// What stands between a `tokenizer.json` and a text.
pub const SPLIT: &[u8] = b"\n=== text\n";

/// The page that [`tokenizer`] needs in its folder.
pub const PAGE: &str = "name = \"a\"\n[image]\nfile = \"i\"\nsize = 8\nmean = [0, 0, 0]\ndeviation = [1, 1, 1]\ninput = \"x\"\noutput = \"y\"\n\
                        [text]\nfile = \"t\"\nids = \"ids\"\noutput = \"y\"\n[tokenizer]\nfile = \"tokenizer.json\"\ncontext = 77\n";

/// A file of directions (safetensors).
pub fn directions(bytes: &[u8]) {
    if let Ok(directions) = Directions::from_bytes(bytes) {
        assert!(Directions::from_bytes(&directions.to_bytes()).is_ok());
    }
}

/// A picture of any format, and the recipe in it. Pictures are small here: large ones are refused by their heads, which a test of
/// the limits sees to.
pub fn picture(bytes: &[u8]) {
    let _ = picture_file::decode(bytes, Behind::White);
    let _ = output::recover_from(std::io::Cursor::new(bytes));
}
