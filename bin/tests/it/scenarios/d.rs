//! D. Time is authenticated before it is used, and lies in every window.

use cg_attest::check::CheckName;
use cg_attest::code::Code;
use cg_attest::testing::Fault;
use cg_attest::trust::TrustRoot;
use serde_json::Value;

use crate::support::bench::{Bench, assert_accepted, assert_refused_by};
use crate::support::form::Form;

/// The trust root with other lists of authorities.
fn root(bench: &Bench, edit: impl FnOnce(&mut Value)) -> Result<TrustRoot, Code> {
    let mut json = serde_json::from_str(&bench.sigstore.trusted_root_json()).expect("a trust root");
    edit(&mut json);
    TrustRoot::parse(json.to_string().as_bytes(), "edited").map_err(|error| error.code())
}

fn only(json: &mut Value, list: &str, uri: &str) {
    json[list].as_array_mut().expect("authorities").retain(|authority| authority["uri"] == uri);
}

/// The whole chain is valid at the time of signing, authority included; the
/// trust root says nothing of an end (CVE-2026-24122).
#[tokio::test]
async fn d_01_the_authority_has_to_be_valid_when_it_certifies() {
    Form::BUNDLE.assert_refused(Fault::CertificateOfLapsedAuthority, CheckName::Certificate, Code::CertChain).await;
    Form::REKOR_V2.assert_refused(Fault::CertificateOfLapsedAuthority, CheckName::Certificate, Code::CertChain).await;

    // Where that authority is the only one, the time is the reason.
    let mut bench = Bench::new().await;
    let lapsed = "https://lapsed.fulcio.virtual.test";
    bench.trust = root(&bench, |json| only(json, "certificateAuthorities", lapsed)).expect("a trust root");
    bench.push(&Form::BUNDLE.upload(&bench, Some(Fault::CertificateOfLapsedAuthority))).await;
    let policy = Form::BUNDLE.policy(&bench);
    assert_refused_by(&bench.verify(&policy).await, CheckName::Certificate, Code::TimeWindow);
}

#[tokio::test]
async fn d_02_a_time_that_the_log_did_not_sign_is_no_time() {
    Form::BUNDLE.assert_refused(Fault::TimeMissing, CheckName::Time, Code::TimeMissing).await;
}

#[tokio::test]
async fn d_07_a_timestamp_has_its_own_authoritys_window() {
    let form = Form { timestamp: true, ..Form::BUNDLE };
    for form in [form, Form::REKOR_V2] {
        form.assert_refused(Fault::TimestampOutsideAuthority, CheckName::Time, Code::TimeWindow).await;
    }
    // An authority without a certificate could lend its window to anybody.
    let bench = Bench::new().await;
    let empty = |json: &mut Value| json["timestampAuthorities"][1]["certChain"]["certificates"] = serde_json::json!([]);
    assert_eq!(root(&bench, empty).map(|_| ()), Err(Code::TrustRoot));
    assert!(root(&bench, |_| {}).is_ok());
}

#[tokio::test]
async fn d_08_a_timestamp_by_another_certificate_of_the_authoritys_root_is_refused() {
    for form in [Form { timestamp: true, ..Form::BUNDLE }, Form::REKOR_V2] {
        form.assert_refused(Fault::TimestampByForeignCertificate, CheckName::Time, Code::TimeUntrusted).await;
    }
}

#[tokio::test]
async fn d_10_a_timestamp_of_another_signature_is_no_time() {
    for form in [Form { timestamp: true, ..Form::BUNDLE }, Form::REKOR_V2] {
        form.assert_refused(Fault::TimestampOfAnotherSignature, CheckName::Time, Code::TimeUntrusted).await;
    }
}

/// A root that names no authority trusts none.
#[tokio::test]
async fn d_12_without_authorities_a_timestamp_is_no_time() {
    let mut bench = Bench::new().await;
    let policy = Form::REKOR_V2.policy(&bench);
    bench.push(&Form::REKOR_V2.upload(&bench, None)).await;
    assert_accepted(&bench.verify(&policy).await);
    for edit in [
        |json: &mut Value| json["timestampAuthorities"] = serde_json::json!([]),
        |json: &mut Value| {
            json.as_object_mut().expect("an object").remove("timestampAuthorities");
        },
    ] {
        bench.trust = root(&bench, edit).expect("a trust root");
        assert_refused_by(&bench.verify(&policy).await, CheckName::Time, Code::TimeUntrusted);
    }
}

#[tokio::test]
async fn d_13_an_entry_of_rekor_v2_brings_no_time() {
    Form::REKOR_V2.assert_refused(Fault::TimeMissing, CheckName::Time, Code::TimeMissing).await;
}
