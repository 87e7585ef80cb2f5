//! libFuzzer around `latchstring_fuzz::password_hash`, where the properties stand.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| latchstring_fuzz::password_hash::check(data));
