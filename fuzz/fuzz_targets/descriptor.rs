//! A descriptor that was read is the same after writing and reading it, apart
//! from the embedded copy, which is never written.

#![no_main]

use cg_attest::digest::Digest;
use cg_attest::image::Descriptor;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(descriptor) = serde_json::from_slice::<Descriptor>(bytes) else { return };
    if let Some(embedded) = descriptor.embedded() {
        assert_eq!(Digest::compute(descriptor.digest.algorithm(), embedded.bytes()), descriptor.digest);
        assert_eq!(embedded.size(), descriptor.size);
    }
    let written = serde_json::to_vec(&descriptor).expect("a descriptor is JSON");
    let again: Descriptor = serde_json::from_slice(&written).expect("what we write, we read");
    assert_eq!(serde_json::to_vec(&again).expect("a descriptor is JSON"), written);
    assert_eq!((again.platform, again.annotations), (descriptor.platform, descriptor.annotations));
});
