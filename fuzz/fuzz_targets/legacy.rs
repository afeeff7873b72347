//! The annotations of cosign's older layers: a map of texts, chosen by whoever
//! can write to the repository. None of them makes a signature of anything.

#![no_main]

use std::collections::BTreeMap;

use cg_attest::digest::{Digest, VerifiedBlob};
use cg_attest::evidence::{Candidate, Origin, OriginKind};
use libfuzzer_sys::fuzz_target;

/// The five annotations, each a line of the input; the rest is the envelope.
const KEYS: [&str; 5] = [
    "dev.cosignproject.cosign/signature",
    "dev.sigstore.cosign/certificate",
    "dev.sigstore.cosign/chain",
    "dev.sigstore.cosign/bundle",
    "dev.sigstore.cosign/rfc3161timestamp",
];

fuzz_target!(|text: &str| {
    let image = Digest::sha256(b"an image that nobody has signed");
    let payload = format!(
        r#"{{"critical":{{"identity":{{"docker-reference":"x"}},"image":{{"docker-manifest-digest":"{image}"}},"type":"cosign container image signature"}},"optional":null}}"#
    );
    let mut lines = text.splitn(KEYS.len() + 1, '\n');
    // `|` stands for a line end, which PEM needs.
    let mut annotations = BTreeMap::new();
    for (key, line) in KEYS.iter().zip(&mut lines) {
        annotations.insert((*key).to_owned(), line.replace('|', "\n"));
    }
    let envelope = lines.next().unwrap_or_default();
    let assessor = cg_attest_fuzz::assessor();
    let blob = |text: &str| VerifiedBlob::of(text.as_bytes().to_vec());
    let signature = Origin::new(OriginKind::LegacySignature, "fuzz");
    let attestation = Origin::new(OriginKind::LegacyAttestation, "fuzz");
    for candidate in [
        Candidate::simple_signing(blob(&payload), annotations.clone(), signature),
        Candidate::envelope(blob(envelope), annotations, attestation),
    ] {
        let assessed = assessor.assess(&candidate, &image);
        assert!(assessed.signature().is_none() && assessed.attestation().is_none());
    }
});
