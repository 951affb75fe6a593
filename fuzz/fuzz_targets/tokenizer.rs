//! Any bytes as a tokenizer.json and a text for it.

#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

#[path = "../../tests/support/hostile.rs"]
#[allow(dead_code)]
mod hostile;

/// In memory, where there is a place for files in memory.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let base = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = base.join(format!("recipe-render-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("model.toml"), hostile::PAGE).expect("a page");
    folder
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::tokenizer(bytes, &FOLDER));
