//! A reference that was read says the same when it is written and read again.

#![no_main]

use cg_attest::image::Reference;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(reference) = text.parse::<Reference>() else { return };
    let shown = reference.to_string();
    let again: Reference = shown.parse().expect("what we write, we read");
    assert_eq!(again.to_string(), shown);
    assert_eq!((again.repository(), again.name()), (reference.repository(), reference.name()));
    // Scenario H-15: nothing that could lead a URL or a path elsewhere. Two
    // dots inside a tag are a name, two dots alone are a way up.
    assert!(shown.split(['/', ':', '@']).all(|part| part != ".." && part != "."), "{shown}");
    assert!(!shown.contains(['%', '?', '#', '\\', ' ', '\n']), "{shown}");
});
