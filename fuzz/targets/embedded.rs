//! `properties::embedded` over whatever the fuzzer makes up.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| properties::embedded(text));
