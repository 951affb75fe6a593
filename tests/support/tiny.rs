//! A small model in the embedded one's place, for tests to which it does not matter what a picture shows: it knows the same words, and
//! looks through random filters some hundred times as fast.

use std::fs;
use std::path::{Path, PathBuf};

use recipe_render::chance::Draws;
use recipe_render::onnx::{Builder, DataType, Dim, Graph, Tensor, ValueType};

/// The side of its windows, in pixels.
pub const SIDE: usize = 32;
/// The length of its embeddings.
pub const WIDTH: usize = 24;
/// Filters of five pixels across: four that see colours, the others edges and stripes.
const FILTERS: usize = 20;
const COLOURS: usize = 4;
const ACROSS: usize = 5;

/// Its files, by their names.
pub fn files() -> Vec<(&'static str, Vec<u8>)> {
    let pocket = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/pocket");
    let tokenizer = fs::read(pocket.join("tokenizer.json")).unwrap();
    let known: serde_json::Value = serde_json::from_slice(&tokenizer).unwrap();
    let words = known["model"]["vocab"].as_object().unwrap().len();
    let description = format!(
        "name = \"pocket\"\nabout = \"a model for tests\"\n[image]\nfile = \"image.onnx\"\nsize = {SIDE}\n\
         [text]\nfile = \"text.onnx\"\n[tokenizer]\nfile = \"tokenizer.json\"\n"
    );
    vec![
        ("image.onnx", image()),
        ("text.onnx", text(words)),
        ("tokenizer.json", tokenizer),
        ("model.toml", description.into_bytes()),
    ]
}

/// Writes the model into a folder. Other tests may be reading it: each file appears whole.
pub fn write(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    for (name, bytes) in files() {
        let mut file = tempfile::NamedTempFile::new_in(folder).unwrap();
        std::io::Write::write_all(&mut file, &bytes).unwrap();
        file.persist(folder.join(name)).unwrap();
    }
}

/// The model in a folder that is made once for a test program.
pub fn folder() -> PathBuf {
    static MADE: std::sync::Once = std::sync::Once::new();
    let folder = data().join("recipe-render/models/pocket");
    MADE.call_once(|| write(&folder));
    folder
}

/// A user's folder for data in which it stands under the embedded one's name; it is there after [`folder`] was called.
pub fn data() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("stand-in")
}

fn random(seed: u64, dims: &[usize], size: f64) -> Tensor {
    Tensor::f32(dims, &values(seed, dims.iter().product(), size))
}

fn values(seed: u64, count: usize, size: f64) -> Vec<f32> {
    let draws = Draws::new(seed);
    (0..count as u64).map(|index| draws.uniform(index, -size, size) as f32).collect()
}

/// Those that see edges are blind to plain surfaces.
fn filters() -> Tensor {
    let area = ACROSS * ACROSS;
    let mut weights = values(1, FILTERS * 3 * area, 2.0);
    for channel in weights.chunks_exact_mut(area).skip(3 * COLOURS) {
        let mean = channel.iter().sum::<f32>() / area as f32;
        channel.iter_mut().for_each(|weight| *weight -= mean);
    }
    for channel in weights.chunks_exact_mut(area).take(3 * COLOURS) {
        let first = channel[0];
        channel.fill(first / area as f32);
    }
    Tensor::f32(&[FILTERS, 3, ACROSS, ACROSS], &weights)
}

/// Random filters, the mean over the picture of what they find, a matrix.
fn image() -> Vec<u8> {
    let mut graph = Graph::default();
    let mut b = Builder::new(&mut graph, "tiny");
    b.input("image", DataType::F32, &[1, 3, SIDE, SIDE]);
    let filters = b.constant("filters", filters());
    let matrix = b.constant("matrix", random(2, &[WIDTH, FILTERS], 1.0));
    let seen = b.op_with("Conv", &["image", &filters], &[("strides", vec![2i64, 2].into())]);
    let seen = b.op("Softplus", &[&seen]);
    let pooled = b.op("GlobalAveragePool", &[&seen]);
    let flat = b.op_with("Flatten", &[&pooled], &[("axis", 1i64.into())]);
    let embedding = b.op_with("Gemm", &[&flat, &matrix], &[("transB", 1i64.into())]);
    finished(graph, "image", &embedding, DataType::F32, vec![3, SIDE, SIDE])
}

/// The mean of the words' rows of a table.
fn text(words: usize) -> Vec<u8> {
    let mut graph = Graph::default();
    let mut b = Builder::new(&mut graph, "tiny");
    b.input("ids", DataType::I64, &[1, 1]);
    let table = b.constant("table", random(3, &[words, WIDTH], 1.0));
    let rows = b.op("Gather", &[&table, "ids"]);
    let embedding = b.reduce("ReduceMean", &rows, &[1], false);
    finished(graph, "ids", &embedding, DataType::I64, Vec::new())
}

/// The graph for any number of pictures, or of texts of any length.
fn finished(mut graph: Graph, input: &str, output: &str, data_type: DataType, sizes: Vec<usize>) -> Vec<u8> {
    let any = |name: &str| Dim::Named(name.to_owned());
    let mut dims = vec![any("batch")];
    dims.extend(sizes.iter().map(|size| Dim::Known(*size)));
    if sizes.is_empty() {
        dims.push(any("tokens"));
    }
    graph.types.insert(input.to_owned(), ValueType { data_type, dims: Some(dims) });
    let dims = vec![any("batch"), Dim::Known(WIDTH)];
    graph.types.insert(output.to_owned(), ValueType { data_type: DataType::F32, dims: Some(dims) });
    graph.outputs = vec![output.to_owned()];
    graph.write()
}
