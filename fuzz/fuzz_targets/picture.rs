//! Any bytes as a picture, and as a picture of ours whose recipe is wanted.

#![no_main]

#[path = "../../tests/support/hostile.rs"]
#[allow(dead_code)]
mod hostile;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::picture(bytes));
