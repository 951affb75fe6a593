//! Files from strangers: real ones, damaged at random, are refused or read; nothing panics or hangs. `fuzz/` does the same with
//! coverage and millions of runs; `RECIPE_RENDER_HOSTILE=1000000` makes more of them here.

use std::fs;
use std::path::Path;
use std::time::Instant;

#[path = "support/hostile.rs"]
mod hostile;

/// Pseudorandom numbers (splitmix64): the same damage in every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.next() % end as u64) as usize }
    }
}

/// Bytes that readers take for lengths, counts and ends.
const TELLING: [&[u8]; 9] = [
    b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\xff\xff\xff\xff\x0f",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    b"\0\0\0\0\0\0\0\x80",
    b"-1",
    b"9223372036854775807",
    b"1e308",
    b"{[\"",
    b"\0",
];

/// One to eight slips in a file.
fn damage(bytes: &mut Vec<u8>, other: &[u8], chance: &mut Chance) {
    for _ in 0..1 + chance.below(8) {
        let at = chance.below(bytes.len());
        let upto = (at + 1 + chance.below(16)).min(bytes.len());
        match chance.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            1 if at < bytes.len() => bytes[at] = chance.next() as u8,
            2 => drop(bytes.drain(at..upto)),
            3 => {
                let part = bytes[at..upto].to_vec();
                let to = chance.below(bytes.len());
                bytes.splice(to..to, part);
            }
            4 => drop(bytes.splice(at..upto, TELLING[chance.below(TELLING.len())].iter().copied())),
            5 => drop(bytes.splice(at..at, TELLING[chance.below(TELLING.len())].iter().copied())),
            6 => {
                let from = chance.below(other.len());
                let to = (from + chance.below(64)).min(other.len());
                bytes.splice(at..upto, other[from..to].iter().copied());
            }
            _ if chance.below(4) == 0 => bytes.truncate(at),
            _ => {}
        }
    }
}

/// Reads each file, then `runs` damaged ones, within bounded time each. What fails is kept, and its path told.
fn torture(files: &[Vec<u8>], runs: usize, read: impl Fn(&[u8])) {
    assert!(!files.is_empty() && files.iter().all(|file| !file.is_empty()), "there is nothing to damage");
    let more = std::env::var("RECIPE_RENDER_HOSTILE").ok().and_then(|runs| runs.parse().ok());
    files.iter().for_each(|file| read(file));
    let mut chance = Chance(1);
    for _ in 0..more.unwrap_or(runs) {
        let mut bytes = files[chance.below(files.len())].clone();
        let seed = chance.0;
        damage(&mut bytes, &files[chance.below(files.len())], &mut chance);
        let start = Instant::now();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| read(&bytes)));
        if outcome.is_err() || start.elapsed().as_secs() >= 20 {
            let kept = std::env::temp_dir().join(format!("recipe-render-hostile-{seed:016x}"));
            fs::write(&kept, &bytes).unwrap();
            panic!("after {:?}: {}", start.elapsed(), kept.display());
        }
    }
}

fn files(folder: &str, fit: impl Fn(&Path) -> bool) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| fit(path)).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn graphs() {
    let graphs = files("tests/models", |path| {
        path.extension().is_some_and(|end| end == "onnx") && path.metadata().unwrap().len() < 150_000
    });
    torture(&graphs, 1500, hostile::graph);
}

#[test]
fn pages_of_model_folders() {
    let pages = vec![fs::read("models/pocket/model.toml").unwrap(), hostile::PAGE.into()];
    torture(&pages, 3000, |bytes| hostile::page(&String::from_utf8_lossy(bytes)));
}

#[test]
fn tokenizers() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model.toml"), hostile::PAGE).unwrap();
    let seeds = files("tests/hostile", |_| true);
    torture(&seeds, 3000, |bytes| hostile::tokenizer(bytes, folder.path()));
}

#[test]
fn directions() {
    torture(
        &files("recipes", |path| path.extension().is_some_and(|end| end == "safetensors")),
        300,
        hostile::directions,
    );
}

#[test]
fn pictures() {
    let mut seeds = files("tests/preprocess", |path| {
        path.metadata().unwrap().len() < 20_000 && path.extension().is_some_and(|end| end != "py")
    });
    seeds.extend(files("tests/golden", |path| path.metadata().unwrap().len() < 60_000));
    torture(&seeds, 1500, hostile::picture);
}

/// A graph of `count` nodes, one behind the other.
fn chain(count: usize, operator: &str) -> Vec<u8> {
    use recipe_render::onnx::{DataType, Graph, Node, ValueType};
    let mut graph = Graph::default();
    graph.inputs.push("v0".to_owned());
    graph.types.insert("v0".to_owned(), ValueType::fixed(DataType::F32, &[1, 3, 4, 4]));
    let name = |index: usize| format!("v{index}");
    graph.nodes = (0..count).map(|index| Node::new(operator, &[&name(index)], &[&name(index + 1)])).collect();
    graph.outputs.push(name(count));
    graph.write()
}

/// Stacks must not grow with a graph: this one has a hundred times as many nodes as an encoder.
#[test]
fn long_graphs() {
    for operator in ["Relu", "Identity", "Exp"] {
        hostile::graph(&chain(100_000, operator));
    }
}

#[test]
fn pictures_too_large_for_memory_are_refused_by_their_heads() {
    let side = 100_000u32;
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, side, side);
    encoder.set_color(png::ColorType::Rgb);
    drop(encoder.write_header().unwrap());
    let mut bmp = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bmp.extend(side.to_le_bytes().into_iter().chain(side.to_le_bytes()));
    bmp.extend(b"\x01\0\x18\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let gif = b"GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02\x02D\x01\0;".to_vec();
    for file in [png, bmp, gif] {
        let error = recipe_render::picture_file::decode(&file, recipe_render::picture_file::Behind::White).unwrap_err();
        assert!(matches!(error, image::ImageError::Limits(_) | image::ImageError::Decoding(_)), "{error}");
    }
}
