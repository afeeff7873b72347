//! B. The bundle and its log entry say the same.

use cg_attest::check::CheckName;
use cg_attest::code::Code;
use cg_attest::testing::{BundleVersion, Fault, Log, Statement};
use serde_json::json;

use crate::support::bench::{Bench, assert_accepted, assert_refused_by, edited};
use crate::support::form::{Container, Form};

/// Good evidence of a form is accepted, and with each of these faults refused for this reason.
async fn refused(form: Form, faults: &[Fault], name: CheckName, code: Code) {
    let bench = Bench::new().await;
    let policy = form.policy(&bench);
    bench.push(&form.upload(&bench, None)).await;
    assert_accepted(&bench.verify(&policy).await);
    for &fault in faults {
        let place = bench.fresh().await;
        place.push(&form.upload(&bench, Some(fault))).await;
        assert_refused_by(&place.verify(&policy).await, name, code);
    }
}

/// Every kind of entry, with a certificate and with a key (CVE-2026-22703).
fn kinds() -> Vec<Form> {
    let mut forms = Vec::new();
    for keyed in [false, true] {
        let v2 = Form { log: Log::RekorV2, promise: false, timestamp: true, keyed, ..Form::BUNDLE };
        let layer = Form { version: BundleVersion::V01, keyed, ..Form::BUNDLE };
        forms.extend([
            Form { keyed, ..Form::BUNDLE },
            Form { log: Log::RekorV1Intoto, keyed, ..Form::BUNDLE },
            Form { container: Container::Message, keyed, ..Form::BUNDLE },
            v2,
            Form { container: Container::Message, ..v2 },
            Form { container: Container::SignatureTag, ..layer },
            Form { container: Container::AttestationTag, ..layer },
        ]);
    }
    forms
}

#[tokio::test]
async fn b_01_a_genuine_entry_of_another_artifact_is_refused_whatever_its_kind() {
    for form in kinds() {
        refused(form, &[Fault::EntryOfAnotherArtifact], CheckName::LogEntry, Code::LogMismatch).await;
    }
}

#[tokio::test]
async fn b_04_hash_signature_and_certificate_of_the_entry_are_each_compared() {
    let parts = [Fault::EntryWithAnotherHash, Fault::EntryWithAnotherSignature, Fault::EntryWithAnotherCertificate];
    for form in kinds() {
        refused(form, &parts, CheckName::LogEntry, Code::LogMismatch).await;
    }
}

/// Unknown kinds are not compared, so they vouch for nothing. They are
/// `unsupported-evidence`, because a later Rekor may have them.
#[tokio::test]
async fn b_06_entries_of_unknown_kinds_and_versions_are_refused() {
    let bench = Bench::new().await;
    let policy = Form::BUNDLE.policy(&bench);
    let good = bench.sign().statement(&Statement::about(&bench.index().digest).spdx());
    let report = async |kind: &str, version: &str| {
        let place = bench.fresh().await;
        let named = json!({ "kind": kind, "version": version });
        place.push_bundle(&edited(&good, |b| b["verificationMaterial"]["tlogEntries"][0]["kindVersion"] = named)).await;
        place.verify(&policy).await
    };
    assert_accepted(&report("dsse", "0.0.1").await);
    for (kind, version) in [
        ("rekord", "0.0.1"),
        ("cose", "0.0.1"),
        ("foo", "0.0.1"),
        ("dsse", "0.0.9"),
        ("hashedrekord", "0.0.9"),
        ("dsse", ""),
        ("", ""),
        ("DSSE", "0.0.1"),
    ] {
        assert_refused_by(&report(kind, version).await, CheckName::Structure, Code::UnsupportedEvidence);
    }
    // A kind that is known and is not the entry's own does not choose the comparison either (B-07).
    for (kind, version) in [("hashedrekord", "0.0.1"), ("hashedrekord", "0.0.2"), ("intoto", "0.0.2")] {
        assert_refused_by(&report(kind, version).await, CheckName::LogEntry, Code::LogMismatch);
    }
}

/// No policy counts entries, so none can be met by counting one twice. That an
/// entry cannot be there twice, as it is or under another index, is held here.
#[tokio::test]
async fn b_10_one_entry_is_one_witness() {
    let bench = Bench::new().await;
    let policy = Form::BUNDLE.policy(&bench);
    let good = bench.sign().statement(&Statement::about(&bench.index().digest).spdx());
    let report = async |edit: fn(&mut Vec<serde_json::Value>)| {
        let place = bench.fresh().await;
        let bundle = edited(&good, |b| {
            edit(b["verificationMaterial"]["tlogEntries"].as_array_mut().expect("entries"));
        });
        place.push_bundle(&bundle).await;
        place.verify(&policy).await
    };
    assert_accepted(&report(|_| {}).await);
    assert_refused_by(
        &report(|entries| entries.push(entries[0].clone())).await,
        CheckName::Structure,
        Code::BundleInvalid,
    );
    let renamed = report(|entries| {
        let mut other = entries[0].clone();
        other["logIndex"] = json!("1");
        entries.push(other);
    });
    assert_refused_by(&renamed.await, CheckName::Log, Code::LogKey);
}

#[tokio::test]
async fn b_15_a_message_digest_of_another_artifact_is_refused() {
    let form = Form { container: Container::Message, ..Form::BUNDLE };
    refused(form, &[Fault::MessageDigestOfAnotherArtifact], CheckName::Signature, Code::SigInvalid).await;
}

#[tokio::test]
async fn b_16_every_entry_is_compared_not_only_the_first() {
    refused(Form::BUNDLE, &[Fault::SecondEntryOfAnotherArtifact], CheckName::LogEntry, Code::LogMismatch).await;
}
