//! Whatever stands in a bundle, every row is answered, and nothing but what a
//! trusted signer made is accepted: these are the bytes of a stranger.

#![no_main]

use std::sync::LazyLock;

use cg_attest::check::{CheckName, Outcome};
use cg_attest::digest::{Digest, VerifiedBlob};
use cg_attest::evidence::{Candidate, Origin, OriginKind};
use cg_attest::limits::Limits;
use cg_attest::policy::{Pattern, Policy, Requirement};
use cg_attest::report::{BlobReport, Verdict};
use cg_attest::time::Timestamp;
use cg_attest::trust::TrustRoot;
use cg_attest::verify::{Assessor, BlobInput, State};
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

fuzz_target!(|bytes: &[u8]| {
    let (limits, now) = (Limits::default(), Timestamp::from_unix(1_800_000_000).expect("a time"));
    let assessor = Assessor::new(&POLICY, &TRUST, now, &limits);
    // A file that nobody has signed, known by its digest and whole.
    let file = b"nobody has signed this file";
    let digest = Digest::sha256(file);
    for kind in [OriginKind::File, OriginKind::BundleReferrer] {
        let bundle = Candidate::bundle(VerifiedBlob::of(bytes.to_vec()), Origin::new(kind, "fuzz"));
        for blob in [BlobInput::Digest(&digest), BlobInput::Bytes(file)] {
            let report = BlobReport::verify(&assessor, "file", &bundle, &blob);
            assert_ne!(report.verdict(), Verdict::Accept);
            let candidate = report.candidate();
            assert!(candidate.signature().is_none() && candidate.attestation().is_none());
            assert_eq!(candidate.checks().len(), CheckName::ALL.len());
            assert!(candidate.checks().iter().any(|check| check.outcome == Outcome::Fail && check.code.is_some()));
            assert!(serde_json::to_string(&report.document()).is_ok());
        }
        assert_ne!(assessor.assess(&bundle, &digest).standing(), State::Ok);
    }
});
