//! Any bytes as a file of directions.

#![no_main]

#[path = "../../tests/support/hostile.rs"]
#[allow(dead_code)]
mod hostile;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hostile::directions(bytes));
