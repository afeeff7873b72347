//! Provenance that was read is one document of one version, with every text in
//! it, and is compared with a certificate without a panic.

#![no_main]

use cg_attest::limits::Limits;
use cg_attest::statement::{Field, Provenance};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let limits = Limits::default();
    for kind in
        ["https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance/v0.1"]
    {
        let Ok(provenance) = Provenance::parse(kind, text, &limits) else { continue };
        assert!(provenance.dependencies.len() <= limits.dependencies);
        let json: serde_json::Value = serde_json::from_str(text).expect("provenance is JSON");
        assert!(json.is_object());
        for field in Field::ALL {
            // An empty text says nothing.
            assert!(provenance.field(*field).value() != Some(""));
        }
    }
});
