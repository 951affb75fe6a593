//! What is published stays as small as registries and users expect.

use std::{io::Write, path::Path, process::Command};

/// Registries take crates of up to 10 MB.
const MOST_OF_A_CRATE: usize = 10_000_000;
/// What the embedded model may add to the program.
const MOST_OF_THE_MODEL: u64 = 20_000_000;

/// The crates of the workspace, each with its folder.
const CRATES: [(&str, &str); 3] = [
    ("recipe-render", "."),
    ("recipe-render-pocket-lite0", "models/pocket/lite0"),
    ("recipe-render-pocket-lite2", "models/pocket/lite2"),
];

/// The files that a crate is published with, relative to its folder.
fn published(name: &str) -> Vec<String> {
    let list = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--offline", "--package", name])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs, as it runs this test");
    assert!(list.status.success(), "{}", String::from_utf8_lossy(&list.stderr));
    String::from_utf8(list.stdout).expect("file names are UTF-8").lines().map(str::to_owned).collect()
}

#[test]
fn every_crate_packs_below_ten_megabytes() {
    for (name, folder) in CRATES {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        let mut whole = 0;
        for file in published(name) {
            // Those that cargo makes itself are not there, and small.
            if let Ok(content) = std::fs::read(folder.join(&file)) {
                whole += content.len();
                packed.write_all(&content).expect("memory takes it");
            }
        }
        let size = packed.finish().expect("memory takes it").len();
        println!("{name}: {size} bytes packed, {whole} unpacked");
        assert!(size < MOST_OF_A_CRATE, "{name} packs to {size} bytes");
        assert!(whole > 1_000_000, "{name} has {whole} bytes: where is its part of the model?");
    }
}

#[test]
fn a_crate_of_weights_has_its_weights_and_licence() {
    for (name, _) in &CRATES[1..] {
        let files = published(name);
        for wanted in ["LICENSE", "README.md", "src/lib.rs"] {
            assert!(files.iter().any(|file| file == wanted), "{name} lacks {wanted}: {files:?}");
        }
        assert!(files.iter().any(|file| file.ends_with(".weights")), "{name}: {files:?}");
    }
}

#[test]
fn the_embedded_model_adds_at_most_twenty_megabytes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/pocket");
    let files =
        ["image.onnx", "lite0/lite0.weights", "lite2/lite2.weights", "text.onnx", "names.txt", "tokenizer.json"];
    let size: u64 =
        files.iter().map(|file| std::fs::metadata(folder.join(file)).expect("a part of the model").len()).sum();
    assert!(size <= MOST_OF_THE_MODEL, "{size} bytes");
}
