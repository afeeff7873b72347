//! One bundle, beside the verifier that does the cryptography.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use cg_attest::digest::{Digest, VerifiedBlob};
use cg_attest::evidence::{Candidate, Origin, OriginKind};
use cg_attest::limits::Limits;
use cg_attest::testing::{Log, Statement, VirtualSigstore};
use cg_attest::time::Timestamp;
use cg_attest::trust::TrustRoot;
use cg_attest::verify::{Assessor, State};
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{Bundle, Sha256Hash};
use sigstore_verify::{VerificationPolicy, Verifier};

use crate::number::{Number, median};
use crate::scene::{PACKAGES_OF_460_KB, after, policy, signer, trusting};

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
        let (ours, ratio) = beside_the_verifier(&sigstore, &bundle, &subject, rounds);
        Number::at_most(format!("bundle, {name} ({ours:.2} ms)"), ratio, LIMIT, "×")
    })
    .into()
}

/// Our time in milliseconds, and as a multiple of the bare verifier's, each
/// from the JSON to the answer. The two take turns, so that whatever else the
/// machine does meets both.
fn beside_the_verifier(sigstore: &VirtualSigstore, bundle: &str, subject: &Digest, rounds: usize) -> (f64, f64) {
    let root = sigstore.trusted_root_json();
    let verifier = Verifier::new(&TrustedRoot::from_json(&root).expect("a trust root")).expect("a usable trust root");
    let artifact = Sha256Hash::from_hex(subject.hex()).expect("a digest");
    let anybody = VerificationPolicy::any_identity();
    let bare = || {
        let bundle = Bundle::from_json(black_box(bundle)).expect("a bundle");
        drop(black_box(verifier.verify(artifact, &bundle, &anybody).expect("good evidence")));
    };

    let trust = TrustRoot::parse(root.as_bytes(), "virtual").expect("a trust root");
    let policy = policy(&["signature", "spdx", "slsa"]);
    let limits = Limits::default();
    let assessor = Assessor::new(&policy, &trust, after(sigstore), &limits);
    let candidate = candidate(bundle.as_bytes().to_vec());
    let ours = || assess(&assessor, &candidate, subject);

    let mut times: [Vec<Duration>; 2] = Default::default();
    for round in 0..rounds {
        // Neither always finds the caches as the other left them.
        let order: [usize; 2] = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for which in order {
            times[which].push(if which == 0 { timed(ours) } else { timed(bare) });
        }
    }
    let [mut ours, mut bare] = times;
    let (ours, bare) = (median(&mut ours), median(&mut bare));
    (ours, ours / bare)
}

fn candidate(bundle: Vec<u8>) -> Candidate {
    Candidate::bundle(VerifiedBlob::of(bundle), Origin::new(OriginKind::BundleReferrer, "sha256:bench"))
}

fn assess(assessor: &Assessor<'_>, candidate: &Candidate, subject: &Digest) {
    let assessed = assessor.assess(black_box(candidate), subject);
    assert_eq!(assessed.standing(), State::Ok, "{:?}", assessed.checks());
    drop(black_box(assessed));
}

fn timed(work: impl Fn()) -> Duration {
    let begin = Instant::now();
    work();
    begin.elapsed()
}

/// The first argument of a process that `benches/peers` measures.
pub(crate) const FILE: &str = "bundle-file";

/// Verifies one bundle from a file again and again, as `benches/peers` asks
/// for, and prints the median as sigstore-go's side does.
pub(crate) fn file(arguments: &[String]) -> ExitCode {
    let [root, bundle, subject, identity, issuer] = arguments else {
        eprintln!("wanted: {FILE} TRUSTED_ROOT BUNDLE DIGEST IDENTITY ISSUER");
        return ExitCode::from(2);
    };
    let read = |path: &String| std::fs::read(path).expect("a file");
    let trust = TrustRoot::parse(&read(root), root).expect("a trust root");
    let policy = trusting(identity, issuer, &["signature", "spdx", "slsa"]);
    let subject: Digest = subject.parse().expect("a digest");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").as_secs();
    let (now, limits) = (Timestamp::from_unix(now.cast_signed()).expect("a time"), Limits::default());
    let assessor = Assessor::new(&policy, &trust, now, &limits);
    let candidate = candidate(read(bundle));
    let mut times: Vec<Duration> = (0..200).map(|_| timed(|| assess(&assessor, &candidate, &subject))).collect();
    println!("median={:.3}", median(&mut times));
    ExitCode::SUCCESS
}
