//! G. Envelopes, statements and what they are about.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cg_attest::check::CheckName;
use cg_attest::code::Code;
use cg_attest::digest::Digest;
use cg_attest::report::Report;
use cg_attest::testing::{Fault, Statement, Upload, simple_signing};
use cg_attest::verify::State;
use serde_json::json;

use crate::support::bench::{
    Bench, another_digest, assert_accepted, assert_refused, assert_refused_by, cell, edited, failed, only_candidate,
};
use crate::support::form::{Container, Form};

/// A report on what `make` attaches to the index, under a policy that requires the SBOM of the index.
async fn sbom_report(bench: &Bench, bundle: &str) -> Report {
    let place = bench.fresh().await;
    place.push_bundle(bundle).await;
    place.verify(&Form::BUNDLE.policy(bench)).await
}

#[tokio::test]
async fn g_01_an_attestation_of_another_type_satisfies_nothing() {
    let bench = Bench::new().await;
    let arm64 = bench.platform("linux/arm64");
    let vuln = Statement::about(&arm64.digest).predicate("https://cosign.sigstore.dev/attestation/vuln/v1", "{}");
    bench.push(&Upload::bundle(arm64, &bench.sign().statement(&vuln))).await;
    for wanted in ["spdx", "slsa"] {
        let policy = bench.policy(&[wanted]);
        let report = bench.verify_on(&policy, &["linux/arm64"]).await;
        assert_refused(&report);
        assert_eq!(cell(&report, "linux/arm64", wanted), (State::Missing, Some(Code::NoAttestation)));
        assert_eq!(failed(only_candidate(&report)), [(CheckName::Predicate, Code::PredicateMismatch)]);
    }
    assert_accepted(&bench.verify_on(&bench.policy(&["vuln"]), &["linux/arm64"]).await);
}

/// An annotation that claims another type than the statement has gains nothing.
#[tokio::test]
async fn g_01_an_annotation_does_not_make_a_type() {
    let bench = Bench::new().await;
    let arm64 = bench.platform("linux/arm64");
    let attached = async |statement: Vec<u8>| {
        let place = bench.fresh().await;
        let claims = std::collections::BTreeMap::from([(
            "dev.sigstore.bundle.predicateType",
            "https://spdx.dev/Document".to_owned(),
        )]);
        let kind = cg_attest::image::media::BUNDLE;
        let bundle = bench.sign().statement(&statement);
        place.push(&Upload::referrer(arm64, kind, kind, bundle.as_bytes(), &claims)).await;
        place.verify_on(&bench.policy(&["spdx"]), &["linux/arm64"]).await
    };
    let about = || Statement::about(&arm64.digest);
    assert_accepted(&attached(about().spdx()).await);
    let report = attached(about().slsa()).await;
    assert_refused(&report);
    assert_eq!(failed(only_candidate(&report)), [(CheckName::Predicate, Code::PredicateMismatch)]);
}

#[tokio::test]
async fn g_02_an_sbom_is_no_signature() {
    let bench = Bench::new().await;
    let policy = bench.policy(&["signature"]);
    bench.push(&bench.spdx(bench.index())).await;
    bench.push(&bench.slsa(bench.index())).await;
    let att = bench.sign().legacy_attestation(&Statement::about(&bench.index().digest).spdx());
    bench.push(&Upload::attestations(bench.index(), &[att])).await;
    let report = bench.verify(&policy).await;
    assert_refused(&report);
    assert_eq!(cell(&report, "index", "signature"), (State::Missing, Some(Code::NoSignature)));
    bench.push(&bench.signature(bench.index())).await;
    assert_accepted(&bench.verify(&policy).await);
}

#[tokio::test]
async fn g_03_an_envelope_of_another_payload_type_is_refused() {
    let bench = Bench::new().await;
    let statement = Statement::about(&bench.index().digest).spdx();
    assert_accepted(&sbom_report(&bench, &bench.sign().statement(&statement)).await);
    let foreign = bench.sign().fault(Fault::PayloadTypeForeign).statement(&statement);
    assert_refused_by(&sbom_report(&bench, &foreign).await, CheckName::Structure, Code::DsseType);
}

#[tokio::test]
async fn g_04_a_statement_about_nothing_is_about_nothing() {
    let bench = Bench::new().await;
    let good = String::from_utf8(Statement::about(&bench.index().digest).spdx()).expect("text");
    let signed = |statement: &str| bench.sign().statement(statement.as_bytes());
    assert_accepted(&sbom_report(&bench, &signed(&good)).await);
    let digest = json!({ "sha256": bench.index().digest.hex() });
    let subject = format!(r#""subject":[{{"digest":{digest}}}],"#);
    assert!(good.contains(&subject));
    for other in ["", r#""subject":[],"#, r#""subject":null,"#, r#""subject":[null],"#, r#""subject":[{"digest":{}}],"#]
    {
        let report = sbom_report(&bench, &signed(&good.replace(&subject, other))).await;
        assert_refused_by(&report, CheckName::Structure, Code::StmtInvalid);
    }
}

/// Algorithms and digits are compared as they stand.
#[tokio::test]
async fn g_06_a_digest_of_another_spelling_is_another_digest() {
    let bench = Bench::new().await;
    let hex = bench.index().digest.hex().to_owned();
    let good = String::from_utf8(Statement::about(&bench.index().digest).spdx()).expect("text");
    let digest = format!(r#""digest":{{"sha256":"{hex}"}}"#);
    // The predicate names the digest in other words; only the subject is changed.
    let with = |other: &str| bench.sign().statement(good.replacen(&digest, other, 1).as_bytes());
    assert_accepted(&sbom_report(&bench, &with(&digest)).await);
    for (algorithm, hex) in [
        ("sha1", hex[..40].to_owned()),
        ("gitCommit", hex[..40].to_owned()),
        ("SHA256", hex.clone()),
        ("sha512", hex.clone()),
        ("sha256", hex.to_uppercase()),
        ("sha256", format!("sha256:{hex}")),
        ("sha256", hex[1..].to_owned()),
        ("sha256", format!("{hex}0")),
    ] {
        let report = sbom_report(&bench, &with(&format!(r#""digest":{{"{algorithm}":"{hex}"}}"#))).await;
        assert_refused(&report);
        // Without any digest that can be compared there is nothing to verify it for.
        let [(name, code)] = failed(only_candidate(&report))[..] else { panic!("one row of {algorithm}:{hex}") };
        assert!(
            matches!((name, code), (CheckName::Structure, Code::UnsupportedEvidence)),
            "{algorithm}:{hex}: {name} {code}"
        );
    }
    // Beside one that can be compared, and is another's, it is evidence about something else.
    let other = another_digest();
    let beside = format!(r#""digest":{{"SHA256":"{hex}","sha256":"{}"}}"#, other.hex());
    let report = sbom_report(&bench, &with(&beside)).await;
    assert_refused_by(&report, CheckName::Subject, Code::SubjectMismatch);
}

#[tokio::test]
async fn g_07_what_is_told_is_the_subject_that_was_asked_for() {
    let bench = Bench::new().await;
    let good = String::from_utf8(Statement::about(&bench.index().digest).spdx()).expect("text");
    let (wanted, other) = (&bench.index().digest, another_digest());
    let one = |digest: &Digest| format!(r#"{{"digest":{{"sha256":"{}"}}}}"#, digest.hex());
    let about = |subjects: &[&Digest]| {
        let subjects: Vec<String> = subjects.iter().map(|digest| one(digest)).collect();
        let statement = good.replacen(&format!("[{}]", one(wanted)), &format!("[{}]", subjects.join(",")), 1);
        bench.sign().statement(statement.as_bytes())
    };
    for subjects in [&[wanted][..], &[&other, wanted], &[wanted, &other]] {
        let report = sbom_report(&bench, &about(subjects)).await;
        assert_accepted(&report);
        let document = serde_json::to_value(report.document()).expect("JSON");
        assert_eq!(document["candidates"][0]["subject"], wanted.to_string());
        assert_eq!(document["image"]["digest"], wanted.to_string());
    }
    let report = sbom_report(&bench, &about(&[&other])).await;
    assert_refused_by(&report, CheckName::Subject, Code::SubjectMismatch);
}

#[tokio::test]
async fn g_08_an_envelope_has_exactly_one_signature() {
    let bench = Bench::new().await;
    let statement = Statement::about(&bench.index().digest).spdx();
    let good = bench.sign().statement(&statement);
    assert_accepted(&sbom_report(&bench, &good).await);
    for fault in [Fault::NoSignatures, Fault::TwoSignatures] {
        let report = sbom_report(&bench, &bench.sign().fault(fault).statement(&statement)).await;
        assert_refused_by(&report, CheckName::Structure, Code::BundleInvalid);
    }
    let bad = json!({ "sig": "MAA=" });
    let edits: [fn(&mut Vec<serde_json::Value>, serde_json::Value); 3] = [
        |signatures, bad| signatures.push(bad),
        |signatures, bad| signatures.insert(0, bad),
        |signatures, _| signatures.extend([signatures[0].clone(), signatures[0].clone()]),
    ];
    for edit in edits {
        let bundle = edited(&good, |b| {
            edit(b["dsseEnvelope"]["signatures"].as_array_mut().expect("signatures"), bad.clone());
        });
        assert_refused_by(&sbom_report(&bench, &bundle).await, CheckName::Structure, Code::BundleInvalid);
    }
}

#[tokio::test]
async fn g_12_a_key_that_is_there_twice_is_refused() {
    let bench = Bench::new().await;
    let good = String::from_utf8(Statement::about(&bench.index().digest).spdx()).expect("text");
    let hex = bench.index().digest.hex();
    let signed = |statement: &str| bench.sign().statement(statement.as_bytes());
    assert_accepted(&sbom_report(&bench, &signed(&good)).await);
    let sha256 = format!(r#""sha256":"{hex}""#);
    for (once, twice) in [
        (r#""predicateType":"#, r#""predicateType":"https://x.example","predicateType":"#.to_owned()),
        (r#""subject":"#, r#""subject":[],"subject":"#.to_owned()),
        (sha256.as_str(), format!(r#""sha256":"{}",{sha256}"#, another_digest().hex())),
        // What is not read is passed on, and read by somebody else.
        (r#""subject":"#, r#""note":1,"note":2,"subject":"#.to_owned()),
        (r#""predicate":{"#, r#""predicate":{"a":{"b":[{"c":1,"c":2}]},"#.to_owned()),
    ] {
        let statement = good.replacen(once, &twice, 1);
        assert_ne!(statement, good);
        assert_refused_by(&sbom_report(&bench, &signed(&statement)).await, CheckName::Structure, Code::StmtInvalid);
    }
}

#[tokio::test]
async fn g_14_a_statement_is_of_version_0_1_or_1() {
    let bench = Bench::new().await;
    let about = || Statement::about(&bench.index().digest);
    assert_accepted(&sbom_report(&bench, &bench.sign().statement(&about().version_0_1().spdx())).await);
    let good = String::from_utf8(about().spdx()).expect("text");
    let kind = "https://in-toto.io/Statement/v1";
    for other in ["https://in-toto.io/Statement/v2", "https://in-toto.io/Statement/v1/", "", "v1"] {
        let statement = good.replace(kind, other);
        let report = sbom_report(&bench, &bench.sign().statement(statement.as_bytes())).await;
        assert_refused_by(&report, CheckName::Structure, Code::StmtInvalid);
    }
    let none = good.replace(&format!(r#""_type":"{kind}","#), "");
    let report = sbom_report(&bench, &bench.sign().statement(none.as_bytes())).await;
    assert_refused_by(&report, CheckName::Structure, Code::StmtInvalid);
}

#[tokio::test]
async fn g_18_a_message_signature_is_no_attestation_and_both_at_once_are_neither() {
    let bench = Bench::new().await;
    let message = Form { container: Container::Message, ..Form::BUNDLE };
    let place = bench.fresh().await;
    place.push(&message.upload(&bench, None)).await;
    assert_accepted(&place.verify(&message.policy(&bench)).await);
    let report = place.verify(&Form::BUNDLE.policy(&bench)).await;
    assert_refused(&report);
    assert_eq!(cell(&report, "index", "spdx"), (State::Missing, Some(Code::NoAttestation)));

    let good = bench.sign().statement(&Statement::about(&bench.index().digest).spdx());
    assert_accepted(&sbom_report(&bench, &good).await);
    let two_contents = edited(&good, |b| b["messageSignature"] = json!({ "signature": "MAA=" }));
    let two_signers = edited(&good, |b| b["verificationMaterial"]["publicKey"] = json!({ "hint": "" }));
    for both in [two_contents, two_signers] {
        assert_refused_by(&sbom_report(&bench, &both).await, CheckName::Structure, Code::BundleInvalid);
    }
    // What is null is not there, in Protobuf's JSON.
    let neither = edited(&good, |b| b["messageSignature"] = json!(null));
    assert_accepted(&sbom_report(&bench, &neither).await);
}

#[tokio::test]
async fn g_19_a_simple_signing_document_is_of_cosigns_type() {
    let bench = Bench::new().await;
    let policy = bench.policy(&["signature"]);
    let good = simple_signing("some.other.example/name", &bench.index().digest);
    let report = async |payload: &[u8]| {
        let place = bench.fresh().await;
        place.push(&Upload::signatures(bench.index(), &[bench.sign().legacy_signature(payload)])).await;
        place.verify(&policy).await
    };
    // The repository that the document names is shown and decides nothing: images move.
    assert_accepted(&report(&good).await);
    let text = String::from_utf8(good).expect("text");
    let other = text.replace("cosign container image signature", "atomic container signature");
    assert_refused_by(&report(other.as_bytes()).await, CheckName::Structure, Code::StmtInvalid);
    let elsewhere = simple_signing("some.other.example/name", &another_digest());
    assert_refused_by(&report(&elsewhere).await, CheckName::Subject, Code::SubjectMismatch);
}

/// Nothing is normalised before it is compared or given out.
#[tokio::test]
async fn g_20_the_bytes_that_were_signed_are_those_that_are_given() {
    let bench = Bench::new().await;
    let good = String::from_utf8(Statement::about(&bench.index().digest).spdx()).expect("text");
    let odd = format!("\n{}\r\n ", good.replacen(r#""predicate":{"#, "\"predicate\" :\t{ ", 1));
    let signed = bench.sign().statement(odd.as_bytes());
    let report = sbom_report(&bench, &signed).await;
    assert_accepted(&report);
    let attestation = only_candidate(&report).attestation().expect("an attestation");
    assert_eq!(attestation.statement().statement().payload(), odd);
    // The same document for whoever reads JSON, and other bytes.
    let trimmed = edited(&signed, |b| b["dsseEnvelope"]["payload"] = json!(BASE64_STANDARD.encode(odd.trim())));
    assert_refused_by(&sbom_report(&bench, &trimmed).await, CheckName::Signature, Code::SigInvalid);
}
