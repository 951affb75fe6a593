//! Any bytes as a request to the live page.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| recipe_render::preview::read_request(bytes));
