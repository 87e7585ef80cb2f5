//! libFuzzer around `latchstring_fuzz::duration`, where the properties stand.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| latchstring_fuzz::duration::check(data));
