//! Any bytes as an ONNX graph: read, differentiated, written and read again.

#![no_main]

#[path = "../../tests/support/hostile.rs"]
#[allow(dead_code)]
mod hostile;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::graph(bytes));
