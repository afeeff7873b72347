//! The annotations of cosign's older layers: a map of texts, chosen by whoever
//! can write to the repository. None of them makes a signature of anything.

#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use cg_attest::digest::{Digest, VerifiedBlob};
use cg_attest::evidence::{Candidate, Origin, OriginKind};
use cg_attest::limits::Limits;
use cg_attest::policy::{Pattern, Policy, Requirement};
use cg_attest::time::Timestamp;
use cg_attest::trust::TrustRoot;
use cg_attest::verify::Assessor;
use libfuzzer_sys::fuzz_target;

// A virtual instance of which only this root and the seeds are left: its keys are gone.
static TRUST: LazyLock<TrustRoot> = LazyLock::new(|| {
    TrustRoot::parse(include_bytes!("../trusted_root.json"), "fuzz/trusted_root.json").expect("a root")
});

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let everybody = || Pattern::regexp(".+").expect("a pattern");
    let policy = Policy::builder().identity(everybody()).issuer(everybody());
    policy.require(Requirement::signature()).build().expect("a policy")
});

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
    let (limits, now) = (Limits::default(), Timestamp::from_unix(1_800_000_000).expect("a time"));
    let assessor = Assessor::new(&POLICY, &TRUST, now, &limits);
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
