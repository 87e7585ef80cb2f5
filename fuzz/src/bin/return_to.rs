//! libFuzzer around `latchstring_fuzz::return_to`, where the properties stand.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| latchstring_fuzz::return_to::check(data));
