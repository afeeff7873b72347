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

use cg_attest::testing::Registry;

use crate::support::command::{Ran, cg_attest};
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

/// A loopback registry that serves the recorded bytes as `cgr.dev` did.
async fn served() -> Option<Registry> {
    let folder = corpus::folder()?;
    let registry = Registry::start();
    let repository = registry.repository("chainguard/postgres");
    corpus::push_postgres(&folder, registry.content(), &repository).await;
    Some(registry)
}

fn verify_at(registry: &Registry, more: &[&str]) -> Ran {
    let image = format!("cgr.dev/chainguard/postgres@{}", corpus::POSTGRES);
    let mirror = format!("cgr.dev={}", registry.address());
    cg_attest(["verify", &image, "--mirror", &mirror, "--trusted-root", "embedded", "-o", "json"].iter().chain(more))
}

#[tokio::test]
async fn through_a_mirror_the_image_keeps_its_name_and_its_policy() {
    let Some(registry) = served().await else { return };
    let ran = verify_at(&registry, &["--platform", "linux/arm64", "--require", "signature,slsa"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.state("linux/arm64", "slsa"), "ok");
    let report = ran.json();
    assert_eq!(report["policy"]["name"], "chainguard-public");
    assert_eq!(report["image"]["reference"], format!("cgr.dev/chainguard/postgres@{}", corpus::POSTGRES));
    assert!(report["image"]["source"].as_str().expect("a source").starts_with(registry.address()));
    let signer = &report["candidates"][0]["signer"];
    assert!(signer["identity"].as_str().expect("a signer").ends_with("release.yaml@refs/heads/main"));
    // 1 + 3·T + L, T = index and arm64, L = the two layers that a requirement asks for; no layer of the image.
    assert_eq!(registry.requests().len(), 1 + 3 * 2 + 2, "{:#?}", registry.lines());

    let named_as_the_mirror = format!("{}/chainguard/postgres@{}", registry.address(), corpus::POSTGRES);
    let mirror = format!("cgr.dev={}", registry.address());
    let args = ["verify", &named_as_the_mirror, "--mirror", &mirror, "--platform", "linux/arm64", "--require", "slsa"];
    let ran = cg_attest(args);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = cg_attest(["verify", &named_as_the_mirror]);
    assert_eq!(ran.code, 2, "without the mirror's rule nothing says who is trusted: {}", ran.stderr);
}

#[tokio::test]
async fn through_a_mirror_the_preset_is_undecided_for_arm64_and_refuses_amd64() {
    let Some(registry) = served().await else { return };
    let ran = verify_at(&registry, &["--platform", "linux/arm64"]);
    assert_eq!((ran.code, ran.state("linux/arm64", "spdx").as_str()), (3, "undecided"));
    let ran = verify_at(&registry, &[]);
    assert_eq!((ran.code, ran.state("linux/amd64", "spdx").as_str()), (1, "missing"));
    assert_eq!(ran.state("index", "signature"), "ok");
}

#[tokio::test]
async fn pipelines_that_read_cosigns_json_find_what_they_read() {
    let Some(registry) = served().await else { return };
    let image = format!("cgr.dev/chainguard/postgres@{}", corpus::POSTGRES);
    let mirror = format!("cgr.dev={}", registry.address());
    let run = |more: &[&str]| cg_attest(["verify", &image, "--mirror", &mirror, "-o", "cosign"].iter().chain(more));
    let ran = run(&["--require", "signature"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let entry = &ran.json()[0];
    assert_eq!(entry["critical"]["image"]["docker-manifest-digest"], corpus::POSTGRES);
    assert_eq!(entry["critical"]["identity"]["docker-reference"], "cgr.dev/chainguard/postgres");
    assert_eq!(entry["critical"]["type"], "cosign container image signature");
    let subject = entry["optional"]["Subject"].as_str().expect("a subject");
    assert!(subject.ends_with("release.yaml@refs/heads/main"), "{subject}");
    assert_eq!(entry["optional"]["Issuer"], "https://token.actions.githubusercontent.com");
    assert_eq!(entry["optional"]["githubWorkflowTrigger"], "push");
    // A refusal prints nothing that a pipeline could take for a signature.
    let refused = run(&[]);
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
    assert!(refused.stderr.contains("REFUSED"), "{}", refused.stderr);
}

#[tokio::test]
async fn colours_repeat_what_the_words_say_and_no_line_of_the_matrix_is_wider_than_80() {
    let Some(registry) = served().await else { return };
    let image = format!("cgr.dev/chainguard/postgres@{}", corpus::POSTGRES);
    let mirror = format!("cgr.dev={}", registry.address());
    let run = |color: &str| cg_attest(["verify", &image, "--mirror", &mirror, "--color", color]).stdout;
    let (plain, colored) = (run("never"), run("always"));
    assert!(!plain.contains('\u{1b}') && colored.contains('\u{1b}'));
    let mut words = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        words.push_str(before);
        rest = after.split_once('m').expect("the end of a colour").1;
    }
    words.push_str(rest);
    assert_eq!(words, plain);
    let matrix = plain.lines().skip_while(|line| !line.contains("signature   ")).take(4);
    assert!(matrix.clone().count() == 4 && matrix.clone().all(|line| line.chars().count() <= 80), "{plain}");
}
