//! Whatever stands in a bundle, every row is answered, and nothing but what a
//! trusted signer made is accepted: these are the bytes of a stranger.

#![no_main]

use cg_attest::check::{CheckName, Outcome};
use cg_attest::digest::{Digest, VerifiedBlob};
use cg_attest::evidence::{Candidate, Origin, OriginKind};
use cg_attest::report::{BlobReport, Verdict};
use cg_attest::verify::{BlobInput, State};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let assessor = cg_attest_fuzz::assessor();
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
