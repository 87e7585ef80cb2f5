//! libFuzzer around `latchstring_fuzz::jwk`, where the properties stand.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| latchstring_fuzz::jwk::check(data));
