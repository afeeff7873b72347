//! The flagship path: the recorded Chainguard postgres image.

use std::sync::Arc;

use cg_attest::client::{Client, VerifyRequest};
use cg_attest::code::Code;
use cg_attest::image::Reference;
use cg_attest::policy::{Policy, Preset, Requirement};
use cg_attest::registry::Memory;
use cg_attest::report::{Report, Verdict};
use cg_attest::time::Timestamp;
use cg_attest::trust::{Instance, TrustRoot};
use cg_attest::verify::State;

use crate::support::corpus;

async fn verify(policy: &Policy, platforms: &[&str]) -> Option<Report> {
    let folder = corpus::folder()?;
    let reference: Reference =
        format!("cgr.dev/chainguard/postgres@{}", corpus::POSTGRES).parse().expect("a reference");
    let memory = Memory::new();
    corpus::push_postgres(&folder, &memory, reference.repository()).await;
    let trust = TrustRoot::embedded(Instance::PublicGood).expect("the embedded root");
    let client = Client::builder(Arc::new(memory), trust).build();
    let now: Timestamp = "2026-11-20T00:00:00Z".parse().expect("a time");
    let mut request = VerifyRequest::new(reference, policy, now);
    request.image = request.image.platforms(platforms.iter().map(|p| p.parse().expect("a platform")).collect());
    Some(client.verify(&request).await)
}

fn signers_and(requirements: &[&str]) -> Policy {
    let builder = Preset::ChainguardPublic.signers(Policy::builder()).expect("signers");
    let parsed = requirements.iter().map(|r| r.parse::<Requirement>().expect("a requirement"));
    parsed.fold(builder, |builder, r| builder.require(r)).build().expect("a policy")
}

fn state(report: &Report, target: &str, requirement: &str) -> (State, Option<Code>) {
    let cell = report.cells().iter().find(|c| c.target == target && c.requirement == requirement);
    let cell = cell.unwrap_or_else(|| panic!("no cell {target} × {requirement}"));
    (cell.state, cell.code)
}

#[tokio::test]
async fn arm64_with_signature_and_slsa_is_accepted() {
    let Some(report) = verify(&signers_and(&["signature", "slsa"]), &["linux/arm64"]).await else { return };
    assert_eq!(
        report.verdict(),
        Verdict::Accept,
        "{}",
        serde_json::to_string_pretty(&report.document()).expect("json")
    );
    assert_eq!(state(&report, "linux/arm64", "signature"), (State::ViaIndex, None));
    assert_eq!(state(&report, "linux/arm64", "slsa"), (State::Ok, None));
    let image = report.into_verified().expect("accepted");
    let runnable: Vec<String> = image.runnable().iter().map(ToString::to_string).collect();
    assert_eq!(runnable, ["sha256:c455ec159d05d99ee031d471b8692668562fed8e8c9c37be5e0dbdbee8e5f7b8"]);
}

#[tokio::test]
async fn an_sbom_that_is_listed_and_not_recorded_is_undecided() {
    let policy = Preset::ChainguardPublic.policy().expect("a policy");
    let Some(report) = verify(&policy, &["linux/arm64"]).await else { return };
    assert_eq!(state(&report, "linux/arm64", "spdx"), (State::Undecided, Some(Code::EvidenceAbsent)));
    assert_eq!(state(&report, "linux/arm64", "slsa"), (State::Ok, None));
    assert_eq!(report.verdict(), Verdict::Undecided);
}

#[tokio::test]
async fn amd64_without_any_tag_is_missing() {
    let policy = Preset::ChainguardPublic.policy().expect("a policy");
    let Some(report) = verify(&policy, &[]).await else { return };
    assert_eq!(state(&report, "index", "signature"), (State::Ok, None));
    assert_eq!(state(&report, "linux/amd64", "spdx"), (State::Missing, Some(Code::NoAttestation)));
    assert_eq!(state(&report, "linux/amd64", "slsa"), (State::Missing, Some(Code::NoAttestation)));
    assert_eq!(report.verdict(), Verdict::Refuse);
}
