//! Any text as the page of a model folder and as advice.

#![no_main]

#[path = "../../tests/support/hostile.rs"]
#[allow(dead_code)]
mod hostile;

libfuzzer_sys::fuzz_target!(|text: &str| hostile::page(text));
