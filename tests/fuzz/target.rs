//! One target for libFuzzer: the one that the program is called after.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = lakegate_tests::fuzz::Target::named(env!("CARGO_BIN_NAME")).run(data);
});
