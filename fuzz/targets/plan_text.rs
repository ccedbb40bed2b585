//! `properties::plan_text` over whatever the fuzzer makes up.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| properties::plan_text(text));
