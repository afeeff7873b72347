//! An SPDX document of any version that was read is JSON, is compared with a
//! manifest in the same way each time, and never differs from itself.

#![no_main]

use std::sync::LazyLock;

use cg_attest::digest::VerifiedBlob;
use cg_attest::image::{ImageDocument, Manifest};
use cg_attest::limits::Limits;
use cg_attest::sbom::check::{Claimed, Evidence, compare};
use cg_attest::sbom::diff::{Side, diff};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    let blob = VerifiedBlob::of(include_bytes!("../seeds/manifest/manifest").to_vec());
    match ImageDocument::parse(blob, None).expect("a manifest") {
        ImageDocument::Manifest(manifest) => manifest,
        _ => panic!("another document"),
    }
});

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let Ok(claimed) = Claimed::parse(bytes, &limits) else { return };
    let mut evidence = Evidence::new(&MANIFEST);
    evidence.sbom = Some(&claimed);
    let outcome = compare(&evidence, &[]);
    // Whatever it says, of packages nothing is known but what it says.
    assert!(outcome.findings.iter().all(|finding| finding.wanted.is_some() || finding.found.is_some()), "{outcome:?}");
    assert_eq!(outcome, compare(&evidence, &[]));
    if let (Ok(one), Ok(same)) = (Side::of_spdx(bytes, &limits), Side::of_spdx(bytes, &limits)) {
        assert!(diff(&one, &same).is_empty(), "a document differs from itself");
    }
    serde_json::from_slice::<&RawValue>(bytes).expect("what was read is JSON");
});
