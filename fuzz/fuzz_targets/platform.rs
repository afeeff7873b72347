//! A platform that was read equals itself when it is written and read again.

#![no_main]

use cg_attest::image::Platform;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(platform) = text.parse::<Platform>() else { return };
    let again: Platform = platform.to_string().parse().expect("what we write, we read");
    assert_eq!(again, platform);
    assert!(again.matches(&platform) && platform.matches(&again));
});
