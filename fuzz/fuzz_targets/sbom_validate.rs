//! What is said of an SPDX document is said in the same way each time; and a
//! document without errors is one that can be read.

#![no_main]

use cg_attest::code::Code;
use cg_attest::limits::Limits;
use cg_attest::sbom::check::Claimed;
use cg_attest::sbom::{Severity, validate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(found) = validate(bytes) else { return };
    assert_eq!(validate(bytes).ok().as_ref(), Some(&found));
    assert!(found.iter().all(|finding| !finding.detail.is_empty()), "{found:?}");
    if found.iter().any(|finding| finding.severity == Severity::Error) {
        return;
    }
    // The specification's own limits are none: ours is on the number of packages.
    match Claimed::parse(bytes, &Limits::default()) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.code(), Code::Limit, "it is valid, and cannot be read: {error}"),
    }
});
