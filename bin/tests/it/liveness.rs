//! No check is dead: for each there is evidence in which it alone fails. The
//! row says so, the image is refused for that reason, and the same evidence
//! without the one fault is accepted.

use std::collections::BTreeSet;
use std::time::Duration;

use cg_attest::check::{CheckName, Outcome};
use cg_attest::code::Code;
use cg_attest::policy::{Level, LogEvidence, PolicyBuilder};
use cg_attest::report::Report;
use cg_attest::testing::{BundleVersion, Fault, Statement, Upload};
use cg_attest::verify::State;

use crate::support::bench::{
    Bench, another_digest, assert_accepted, assert_refused, cell, failed, only_candidate, requirement, text, trusting,
    trusting_signer,
};
use crate::support::form::{Container, Form};

/// A fault, the row that refuses it, and the reason.
type Row = (Fault, CheckName, Code);

/// Every fault that can be minted. Where `threats.md` has another reason, the line says why this one is given.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    (Fault::CertificateExpired, CheckName::Certificate, Code::TimeWindow),
    (Fault::CertificateOfAnotherAuthority, CheckName::Certificate, Code::CertChain),
    (Fault::CertificateOfRetiredAuthority, CheckName::Certificate, Code::CertChain),
    // As above: an authority whose window is over is none. Where it is the only one, the reason is `time-window` (D-01).
    (Fault::CertificateOfLapsedAuthority, CheckName::Certificate, Code::CertChain),
    (Fault::KeyUsageMissing, CheckName::Certificate, Code::CertProfile),
    (Fault::KeyUsageForeign, CheckName::Certificate, Code::CertProfile),
    (Fault::SctMissing, CheckName::Sct, Code::CertSct),
    (Fault::SctListEmpty, CheckName::Sct, Code::CertSct),
    (Fault::SctByUnknownKey, CheckName::Sct, Code::CertSct),
    (Fault::SctOfAnotherCertificate, CheckName::Sct, Code::CertSct),
    (Fault::SctByRetiredLog, CheckName::Sct, Code::CertSct),
    // Chain and usage are right; it is our own reading of the name that refuses
    // these four, with a reason of its own instead of `cert-profile` (F-11, F-12).
    (Fault::TwoNames, CheckName::Signer, Code::SignerInvalid),
    (Fault::NameMissing, CheckName::Signer, Code::SignerInvalid),
    (Fault::NameExtensionTwice, CheckName::Certificate, Code::CertProfile),
    (Fault::IssuersDiffer, CheckName::Signer, Code::SignerInvalid),
    (Fault::IssuerMalformed, CheckName::Certificate, Code::CertProfile),
    (Fault::IssuerExtensionTwice, CheckName::Signer, Code::SignerInvalid),

    (Fault::SignatureBad, CheckName::Signature, Code::SigInvalid),
    (Fault::SignatureOverPayload, CheckName::Signature, Code::SigInvalid),
    (Fault::PayloadTypeForeign, CheckName::Structure, Code::DsseType),
    (Fault::TwoSignatures, CheckName::Structure, Code::BundleInvalid),
    (Fault::NoSignatures, CheckName::Structure, Code::BundleInvalid),
    (Fault::StatementNotJson, CheckName::Structure, Code::StmtInvalid),
    (Fault::StatementTypeUnknown, CheckName::Structure, Code::StmtInvalid),
    (Fault::SubjectsEmpty, CheckName::Structure, Code::StmtInvalid),
    (Fault::PredicateTypeTwice, CheckName::Structure, Code::StmtInvalid),
    // Not `bundle-invalid` (B-15): a message signature is verified for the digest
    // that its bundle names, so that a genuine one of another image is `elsewhere`;
    // all that can be known of this one is that it is not over that digest.
    (Fault::MessageDigestOfAnotherArtifact, CheckName::Signature, Code::SigInvalid),

    (Fault::EntryOfAnotherArtifact, CheckName::LogEntry, Code::LogMismatch),
    (Fault::EntryWithAnotherSignature, CheckName::LogEntry, Code::LogMismatch),
    (Fault::EntryWithMirroredSignature, CheckName::LogEntry, Code::LogMismatch),
    (Fault::EntryWithAnotherCertificate, CheckName::LogEntry, Code::LogMismatch),
    (Fault::EntryWithAnotherHash, CheckName::LogEntry, Code::LogMismatch),
    (Fault::EntryByUnknownLog, CheckName::Log, Code::LogKey),
    (Fault::EntryByRetiredLog, CheckName::Log, Code::LogKey),
    (Fault::EntryTwice, CheckName::Structure, Code::BundleInvalid),
    (Fault::SecondEntryOfAnotherArtifact, CheckName::LogEntry, Code::LogMismatch),
    (Fault::KindVersionDisagrees, CheckName::LogEntry, Code::LogMismatch),
    // Not `bundle-invalid` (B-06): it may be a kind of a later Rekor, and the
    // publisher is then not told that the bundle is broken. It satisfies nothing.
    (Fault::KindVersionUnknown, CheckName::Structure, Code::UnsupportedEvidence),

    (Fault::PromiseByUnknownKey, CheckName::Log, Code::LogKey),
    (Fault::PromiseOfAnotherEntry, CheckName::Log, Code::LogKey),
    (Fault::PromiseForAnotherTime, CheckName::Log, Code::LogKey),

    (Fault::ProofMissing, CheckName::Log, Code::LogProof),
    (Fault::ProofOfAnotherEntry, CheckName::Log, Code::LogProof),
    (Fault::ProofHashCorrupted, CheckName::Log, Code::LogProof),
    (Fault::CheckpointMissing, CheckName::Log, Code::LogProof),
    (Fault::CheckpointByUnknownKey, CheckName::Log, Code::LogKey),
    (Fault::CheckpointByAnotherLog, CheckName::Log, Code::LogKey),
    (Fault::CheckpointOfAnotherTree, CheckName::Log, Code::LogProof),
    (Fault::CheckpointOverRootHash, CheckName::Log, Code::LogKey),
    (Fault::CheckpointKeyHintWrong, CheckName::Log, Code::LogKey),

    (Fault::TimeMissing, CheckName::Time, Code::TimeMissing),
    (Fault::IntegratedTimeOutsideCertificate, CheckName::Certificate, Code::TimeWindow),
    (Fault::IntegratedTimeInFuture, CheckName::Time, Code::TimeWindow),
    (Fault::TimestampOfAnotherSignature, CheckName::Time, Code::TimeUntrusted),
    (Fault::TimestampByUntrustedAuthority, CheckName::Time, Code::TimeUntrusted),
    // Not `sig-invalid` (D-09), which is about the image's signature: a
    // timestamp that does not verify is no time.
    (Fault::TimestampByAnotherKey, CheckName::Time, Code::TimeUntrusted),
    // Not `cert-chain` (D-08), which is about the signer's certificate.
    (Fault::TimestampByForeignCertificate, CheckName::Time, Code::TimeUntrusted),
    (Fault::TimestampOutsideAuthority, CheckName::Time, Code::TimeWindow),
    (Fault::TimestampOutsideCertificate, CheckName::Certificate, Code::TimeWindow),
    (Fault::TimestampInFuture, CheckName::Time, Code::TimeWindow),
];

/// The row that refuses a fault in a form, where it is not the one of the table.
fn expected(form: Form, row: Row) -> (CheckName, Code) {
    let (fault, name, code) = row;
    match fault {
        // Early v0.1 bundles had proofs without a checkpoint. They prove nothing
        // and are left aside; the promise remains, which is not enough in a registry.
        Fault::CheckpointMissing if form.version == BundleVersion::V01 => {
            (CheckName::LogEvidence, Code::LogPromiseOnly)
        }
        // A layer brings the chain, and the expired intermediate in it is what the path fails on.
        Fault::CertificateOfLapsedAuthority if form.is_layer() => (CheckName::Certificate, Code::TimeWindow),
        _ => (name, code),
    }
}

#[test]
fn the_table_names_every_fault() {
    let named: Vec<Fault> = TABLE.iter().map(|(fault, ..)| *fault).collect();
    assert_eq!(named, Fault::ALL);
}

#[tokio::test]
async fn every_fault_is_refused_by_its_row_in_every_form_and_by_no_other() {
    let bench = Bench::new().await;
    let mut seen = BTreeSet::new();
    for form in Form::all() {
        let policy = form.policy(&bench);
        let verified = async |fault| {
            let place = bench.fresh().await;
            place.push(&form.upload(&bench, fault)).await;
            place.verify(&policy).await
        };
        let good = verified(None).await;
        assert_accepted(&good);
        assert!(failed(only_candidate(&good)).is_empty(), "{form:?}");
        for &row in TABLE.iter().filter(|row| form.can_have(&bench, row.0)) {
            let report = verified(Some(row.0)).await;
            let (name, code) = expected(form, row);
            assert_eq!(failed(only_candidate(&report)), [(name, code)], "{row:?} of {form:?}: {}", text(&report));
            assert_eq!(cell(&report, "index", form.requirement()).1, Some(code), "{row:?} of {form:?}");
            assert_refused(&report);
            assert_verifier_stopped(&report, name);
            seen.insert(row.0);
        }
    }
    assert_eq!(seen.len(), Fault::ALL.len(), "each fault happens to some form");
}

/// After a row of the verifier failed, no other row says anything.
fn assert_verifier_stopped(report: &Report, name: CheckName) {
    if name.is_verifiers() {
        let rows = only_candidate(report).checks().iter().filter(|check| check.name != name);
        assert!(rows.clone().all(|check| check.outcome == Outcome::NotRun), "{name}: {}", text(report));
    }
}

/// A report on a signed SBOM of the index, under a policy that begins with `signers`.
async fn with_policy(bench: &Bench, signers: PolicyBuilder, max_age: Option<Duration>) -> Report {
    let place = bench.fresh().await;
    place.push(&Form::BUNDLE.upload(bench, None)).await;
    let wanted = requirement("spdx").at(Level::Index);
    let wanted = max_age.map_or(wanted.clone(), |age| wanted.within(age));
    place.verify(&signers.require(wanted).build().expect("a policy")).await
}

/// Exactly this row failed, and the image is refused for this reason.
fn assert_only(report: &Report, name: CheckName, code: Code, state: State) {
    assert_eq!(failed(only_candidate(report)), [(name, code)], "{}", text(report));
    assert_eq!(cell(report, "index", "spdx"), (state, Some(code)));
    assert_refused(report);
}

#[tokio::test]
async fn identity_issuer_and_claims_are_compared_with_the_policy() {
    const NAME: &str = "https://github.com/chainguard-images/images/.github/workflows/release.yaml@refs/heads/main";
    const ISSUER: &str = "https://token.actions.githubusercontent.com";
    let bench = Bench::new().await;
    let claim = |value| trusting(NAME, ISSUER).claim("buildTrigger".parse().expect("a claim"), value);

    assert_accepted(&with_policy(&bench, trusting(NAME, ISSUER), None).await);
    let report = with_policy(&bench, trusting("https://github.com/other/repository", ISSUER), None).await;
    assert_only(&report, CheckName::Identity, Code::IdentityMismatch, State::WrongSigner);
    let report = with_policy(&bench, trusting(NAME, "https://issuer.example.net"), None).await;
    assert_only(&report, CheckName::Issuer, Code::IssuerMismatch, State::WrongSigner);

    assert_accepted(&with_policy(&bench, claim("schedule"), None).await);
    let report = with_policy(&bench, claim("pull_request_target"), None).await;
    assert_only(&report, CheckName::Claims, Code::ClaimMismatch, State::WrongSigner);
}

#[tokio::test]
async fn a_promise_is_no_proof_where_a_proof_is_asked_for() {
    let bench = Bench::new().await;
    let form = Form { container: Container::AttestationTag, version: BundleVersion::V01, ..Form::BUNDLE };
    let report = async |evidence| {
        let place = bench.fresh().await;
        place.push(&form.upload(&bench, None)).await;
        let policy = trusting_signer().log_evidence(evidence).require(requirement("spdx").at(Level::Index));
        place.verify(&policy.build().expect("a policy")).await
    };
    assert_accepted(&report(LogEvidence::Format).await);
    assert_only(&report(LogEvidence::Proof).await, CheckName::LogEvidence, Code::LogPromiseOnly, State::Invalid);

    // A bundle in a registry has to carry the proof whatever the policy says; the same as a v0.1 bundle without it gains nothing.
    let place = bench.fresh().await;
    let mint = bench.sign().version(BundleVersion::V01).without_proof();
    place.push(&Upload::bundle(bench.index(), &mint.statement(&Statement::about(&bench.index().digest).spdx()))).await;
    let report = place.verify(&Form::BUNDLE.policy(&bench)).await;
    assert_only(&report, CheckName::LogEvidence, Code::LogPromiseOnly, State::Invalid);
}

#[tokio::test]
async fn evidence_about_another_digest_satisfies_nothing() {
    let bench = Bench::new().await;
    let policy = Form::BUNDLE.policy(&bench);
    let report = async |statement: Statement| {
        let place = bench.fresh().await;
        place.push(&Upload::bundle(bench.index(), &bench.sign().statement(&statement.spdx()))).await;
        place.verify(&policy).await
    };
    let about = Statement::about(&another_digest());
    assert_accepted(&report(about.clone().also_about(&bench.index().digest)).await);
    assert_only(&report(about).await, CheckName::Subject, Code::SubjectMismatch, State::Elsewhere);
}

#[tokio::test]
async fn evidence_of_another_type_satisfies_nothing() {
    let bench = Bench::new().await;
    let report = async |statement: Vec<u8>| {
        let place = bench.fresh().await;
        place.push(&Upload::bundle(bench.index(), &bench.sign().statement(&statement))).await;
        place.verify(&Form::BUNDLE.policy(&bench)).await
    };
    let about = || Statement::about(&bench.index().digest);
    assert_accepted(&report(about().spdx()).await);
    let report = report(about().slsa()).await;
    assert_eq!(failed(only_candidate(&report)), [(CheckName::Predicate, Code::PredicateMismatch)]);
    // The cell is about what is missing: nothing is wrong with the provenance.
    assert_eq!(cell(&report, "index", "spdx"), (State::Missing, Some(Code::NoAttestation)));
    assert_refused(&report);
}

#[tokio::test]
async fn evidence_that_is_too_old_satisfies_nothing() {
    // It is verified an hour after it was signed.
    let bench = Bench::new().await;
    let within = |seconds| Some(Duration::from_secs(seconds));
    assert_accepted(&with_policy(&bench, trusting_signer(), within(3600)).await);
    let report = with_policy(&bench, trusting_signer(), within(3599)).await;
    assert_only(&report, CheckName::Age, Code::Stale, State::Stale);
}

/// The table by its rows, and the tests above by theirs: a new check needs one of them.
#[test]
fn every_row_has_evidence_in_which_it_alone_fails() {
    let mut rows: BTreeSet<CheckName> = TABLE.iter().map(|(_, name, _)| *name).collect();
    rows.extend([CheckName::Identity, CheckName::Issuer, CheckName::Claims, CheckName::LogEvidence]);
    rows.extend([CheckName::Subject, CheckName::Predicate, CheckName::Age]);
    // In `provenance`.
    rows.extend(crate::provenance::ROWS);
    assert!(rows.iter().eq(CheckName::ALL), "{rows:?}");
}

#[tokio::test]
async fn a_key_and_a_certificate_do_not_stand_in_for_each_other() {
    let bench = Bench::new().await;
    let keyed = Form { keyed: true, ..Form::BUNDLE };
    let report = async |made: Form, asked: Form| {
        let place = bench.fresh().await;
        place.push(&made.upload(&bench, None)).await;
        place.verify(&asked.policy(&bench)).await
    };
    assert_accepted(&report(keyed, keyed).await);
    assert_accepted(&report(Form::BUNDLE, Form::BUNDLE).await);
    let by_key = report(keyed, Form::BUNDLE).await;
    assert_only(&by_key, CheckName::Certificate, Code::KeyMismatch, State::WrongSigner);
    let by_certificate = report(Form::BUNDLE, keyed).await;
    assert_only(&by_certificate, CheckName::Identity, Code::KeyMismatch, State::WrongSigner);

    // `fresh` has a key of its own: another key is another signer.
    let place = bench.fresh().await;
    place.push(&keyed.upload(&bench, None)).await;
    let by_another = place.verify(&keyed.policy(&place)).await;
    assert_only(&by_another, CheckName::Signature, Code::SigInvalid, State::Invalid);
}
