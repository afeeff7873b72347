//! One bundle, beside the verifier that does the cryptography.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cg_attest::digest::{Digest, VerifiedBlob};
use cg_attest::evidence::{Candidate, Origin, OriginKind};
use cg_attest::limits::Limits;
use cg_attest::testing::{Log, Statement, VirtualSigstore};
use cg_attest::trust::TrustRoot;
use cg_attest::verify::{Assessor, State};
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{Bundle, Sha256Hash};
use sigstore_verify::{VerificationPolicy, Verifier};

use crate::number::{Number, median};
use crate::scene::{PACKAGES_OF_460_KB, after, policy, signer};

/// What every row, the policy and the report's values may cost on top.
const LIMIT: f64 = 1.15;
const BLOB: &[u8] = b"a message that stays outside of its bundle";

pub(crate) fn run() -> Vec<Number> {
    let sigstore = VirtualSigstore::new();
    let image = Digest::sha256(b"an image");
    let about = || Statement::about(&image).named("registry.example.com/app");
    let signer = signer();
    let sign = |log| sigstore.sign(&signer).log(log);
    let spdx = sign(Log::RekorV2).statement(&about().spdx_of(PACKAGES_OF_460_KB));
    assert!((450_000..470_000).contains(&spdx.len()), "{} bytes", spdx.len());
    [
        ("Rekor v1, hashedrekord", sign(Log::RekorV1).blob(BLOB), Digest::sha256(BLOB), 2000),
        ("Rekor v1, DSSE", sign(Log::RekorV1).statement(&about().slsa()), image.clone(), 2000),
        ("Rekor v2 and timestamp, DSSE", sign(Log::RekorV2).statement(&about().signature()), image.clone(), 2000),
        ("Rekor v2 and timestamp, SPDX of 460 kB", spdx, image.clone(), 500),
    ]
    .map(|(name, bundle, subject, rounds)| {
        let ratio = ratio(&sigstore, &bundle, &subject, rounds);
        Number::at_most(format!("bundle, {name}"), ratio, LIMIT, "×")
    })
    .into()
}

/// The time of [`Assessor::assess`] as a multiple of the bare verifier's,
/// each from the JSON to the answer. The two take turns, so that whatever else
/// the machine does meets both.
fn ratio(sigstore: &VirtualSigstore, bundle: &str, subject: &Digest, rounds: usize) -> f64 {
    let root = sigstore.trusted_root_json();
    let verifier = Verifier::new(&TrustedRoot::from_json(&root).expect("a trust root")).expect("a usable trust root");
    let (artifact, anybody) =
        (Sha256Hash::from_hex(subject.hex()).expect("a digest"), VerificationPolicy::any_identity());
    let bare = || {
        let bundle = Bundle::from_json(black_box(bundle)).expect("a bundle");
        drop(black_box(verifier.verify(artifact, &bundle, &anybody).expect("good evidence")));
    };

    let trust = TrustRoot::parse(root.as_bytes(), "virtual").expect("a trust root");
    let policy = policy(&["signature", "spdx", "slsa"]);
    let limits = Limits::default();
    let assessor = Assessor::new(&policy, &trust, after(sigstore), &limits);
    let blob = VerifiedBlob::of(bundle.as_bytes().to_vec());
    let candidate = Candidate::bundle(blob, Origin::new(OriginKind::BundleReferrer, "sha256:bench"));
    let ours = || {
        let assessed = assessor.assess(black_box(&candidate), subject);
        assert_eq!(assessed.standing(), State::Ok, "{:?}", assessed.checks());
        drop(black_box(assessed));
    };

    let timed = |work: &dyn Fn()| {
        let begin = Instant::now();
        work();
        begin.elapsed()
    };
    let mut times: [Vec<Duration>; 2] = Default::default();
    for round in 0..rounds {
        // Neither always finds the caches as the other left them.
        let order: [usize; 2] = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for which in order {
            times[which].push(timed(if which == 0 { &ours } else { &bare }));
        }
    }
    let [mut ours, mut bare] = times;
    median(&mut ours) / median(&mut bare)
}
