//! libFuzzer around `latchstring_fuzz::claims`, where the properties stand.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| latchstring_fuzz::claims::check(data));
