//! E. Certificates, their chain, and their own log.

use cg_attest::check::CheckName;
use cg_attest::code::Code;
use cg_attest::testing::{BundleVersion, Fault, Statement};
use serde_json::{Value, json};

use crate::support::bench::{Bench, assert_accepted, assert_refused_by, edited};
use crate::support::form::Form;

#[tokio::test]
async fn e_02_certificates_in_a_bundle_are_no_anchors() {
    let bench = Bench::new().await;
    let policy = Form::BUNDLE.policy(&bench);
    let statement = Statement::about(&bench.index().digest).spdx();
    let report = async |bundle: &str| {
        let place = bench.fresh().await;
        place.push_bundle(bundle).await;
        place.verify(&policy).await
    };
    let good = bench.sign().version(BundleVersion::V02).statement(&statement);
    assert_accepted(&report(&good).await);
    // The forger brings intermediate and root of the same names.
    let forged = bench.sign().version(BundleVersion::V02).fault(Fault::CertificateOfAnotherAuthority);
    let forged = forged.statement(&statement);
    let chain = |bundle: &str| -> Value {
        let json: Value = serde_json::from_str(bundle).expect("JSON");
        json["verificationMaterial"]["x509CertificateChain"].clone()
    };
    assert_eq!(chain(&forged)["certificates"].as_array().map(Vec::len), Some(3));
    assert_refused_by(&report(&forged).await, CheckName::Certificate, Code::CertChain);
    let empty = edited(&good, |b| b["verificationMaterial"]["x509CertificateChain"]["certificates"] = json!([]));
    assert_refused_by(&report(&empty).await, CheckName::Structure, Code::BundleInvalid);

    // Version 0.3 has one certificate and no chain.
    let single = bench.sign().statement(&statement);
    assert_accepted(&report(&single).await);
    let with_chain = edited(&single, |bundle| {
        let material = bundle["verificationMaterial"].as_object_mut().expect("an object");
        let leaf = material.remove("certificate").expect("a certificate");
        material.insert("x509CertificateChain".to_owned(), json!({ "certificates": [leaf] }));
    });
    assert_refused_by(&report(&with_chain).await, CheckName::Structure, Code::BundleInvalid);
}

#[tokio::test]
async fn e_04_a_certificate_that_no_log_saw_is_refused() {
    let bench = Bench::new().await;
    let policy = Form::BUNDLE.policy(&bench);
    let report = async |fault| {
        let place = bench.fresh().await;
        place.push(&Form::BUNDLE.upload(&bench, fault)).await;
        place.verify(&policy).await
    };
    assert_accepted(&report(None).await);
    for fault in [Fault::SctMissing, Fault::SctListEmpty, Fault::SctOfAnotherCertificate, Fault::SctByUnknownKey] {
        assert_refused_by(&report(Some(fault)).await, CheckName::Sct, Code::CertSct);
    }
}
