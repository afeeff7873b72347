//! A. Outcome and exit code: nothing that fails may look like success.

use std::sync::Arc;

use cg_attest::check::CheckName;
use cg_attest::client::{Client, VerifyRequest};
use cg_attest::code::Code;
use cg_attest::digest::Digest;
use cg_attest::image::{Descriptor, ImageName, Repository, media};
use cg_attest::registry::{BlobStream, BoxFuture, Context, Fetched, Memory, Pull, Referrers, RegistryError};
use cg_attest::testing::{
    Answer, BundleVersion, Fault, ReferrersApi, RegistryFault, Statement, Upload, simple_signing,
};
use cg_attest::verify::State;
use serde_json::json;

use crate::support::bench::{
    Bench, another_digest, assert_accepted, assert_refused, assert_refused_by, assert_undecided, cell, edited, text,
    trusting,
};
use crate::support::form::Form;
use crate::support::scene::Scene;

/// No attestation is not success, however the registry says that there is none.
#[tokio::test]
async fn a_01_an_image_without_evidence_is_refused_however_its_absence_is_said() {
    let bench = Bench::served().await;
    let policy = bench.policy(&["signature", "spdx"]);
    let refused = async |case: &str| {
        let report = bench.verify(&policy).await;
        assert_refused(&report);
        assert_eq!(cell(&report, "index", "signature"), (State::Missing, Some(Code::NoSignature)), "{case}");
        assert_eq!(cell(&report, "linux/arm64", "spdx"), (State::Missing, Some(Code::NoAttestation)), "{case}");
    };
    refused("an empty list").await;
    bench.registry().referrers_api(ReferrersApi::Absent(404));
    refused("no referrers API and no fallback tag").await;
    bench.registry().referrers_api(ReferrersApi::Present);
    let null = json!({ "schemaVersion": 2, "mediaType": media::INDEX, "manifests": null }).to_string();
    bench.registry().fault(
        RegistryFault::on("/referrers/").answer(Answer::status(200).header("content-type", media::INDEX).body(null)),
    );
    refused("a list that is null").await;
    bench.registry().clear_faults();
    for subject in [bench.index(), bench.platform("linux/arm64"), bench.platform("linux/amd64")] {
        let none = std::collections::BTreeMap::new();
        bench.push(&Upload::referrer(subject, "application/vnd.example", "text/plain", b"hello", &none)).await;
    }
    refused("things of other types").await;

    bench.push(&bench.signature(bench.index())).await;
    for platform in ["linux/amd64", "linux/arm64"] {
        bench.push(&bench.spdx(bench.platform(platform))).await;
    }
    assert_accepted(&bench.verify(&policy).await);
}

/// The command says the same by its exit code.
#[tokio::test]
async fn a_01_the_exit_code_of_an_image_without_evidence_is_1() {
    let (bare, complete) = (Scene::bare().await, Scene::complete().await);
    assert_eq!(bare.verify(&["--require", "signature,spdx,slsa"]).code, 1);
    assert_eq!(complete.verify(&["--require", "signature,spdx,slsa"]).code, 0);
}

#[tokio::test]
async fn a_02_a_bundle_without_a_certificate_is_refused() {
    let bench = Bench::new().await;
    let policy = Form::BUNDLE.policy(&bench);
    let statement = Statement::about(&bench.index().digest).spdx();
    let report = async |version, pointer: &str, value: serde_json::Value| {
        let place = bench.fresh().await;
        let bundle = bench.sign().version(version).statement(&statement);
        place.push_bundle(&edited(&bundle, |json| *json.pointer_mut(pointer).expect("such a field") = value)).await;
        place.verify(&policy).await
    };
    let certificate = "/verificationMaterial/certificate";
    let raw = "/verificationMaterial/certificate/rawBytes";
    let chain = "/verificationMaterial/x509CertificateChain/certificates";
    let raw_in_chain = "/verificationMaterial/x509CertificateChain/certificates/0/rawBytes";
    let (structure, malformed) =
        ((CheckName::Structure, Code::BundleInvalid), (CheckName::Certificate, Code::CertProfile));
    for (version, pointer, value, (name, code)) in [
        (BundleVersion::V03, raw, json!(""), malformed),
        (BundleVersion::V03, raw, json!("MAA="), malformed),
        (BundleVersion::V03, certificate, json!({}), structure),
        (BundleVersion::V03, certificate, json!(null), structure),
        (BundleVersion::V02, chain, json!([]), structure),
        (BundleVersion::V02, raw_in_chain, json!(""), malformed),
    ] {
        assert_refused_by(&report(version, pointer, value).await, name, code);
    }
    assert_accepted(&report(BundleVersion::V03, "/mediaType", json!(media::BUNDLE)).await);
}

/// A registry whose client has a bug: it panics where evidence is listed.
struct Panics(Memory);

impl Pull for Panics {
    fn manifest<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        name: &'a ImageName,
    ) -> BoxFuture<'a, Result<Option<Fetched>, RegistryError>> {
        self.0.manifest(context, repository, name)
    }

    fn blob<'a>(
        &'a self,
        context: &'a Context,
        repository: &'a Repository,
        descriptor: &'a Descriptor,
    ) -> BoxFuture<'a, Result<Option<BlobStream>, RegistryError>> {
        self.0.blob(context, repository, descriptor)
    }

    fn referrers<'a>(
        &'a self,
        _: &'a Context,
        _: &'a Repository,
        _: &'a Digest,
    ) -> BoxFuture<'a, Result<Referrers, RegistryError>> {
        Box::pin(async { panic!("a bug, on purpose") })
    }
}

#[tokio::test]
async fn a_02_a_panic_inside_is_never_a_report() {
    let bench = Bench::new().await;
    let memory = Memory::new();
    let context = Context::new(bench.limits.clone());
    bench.image.upload.push(&memory, &context, &bench.repository).await.expect("memory takes everything");
    let layer = bench.sign().legacy_signature(&simple_signing("hello", &bench.index().digest));
    let signature = Upload::signatures(bench.index(), &[layer]);
    signature.push(&memory, &context, &bench.repository).await.expect("memory takes everything");
    bench.push(&signature).await;
    assert_accepted(&bench.verify(&bench.policy(&["signature"])).await);

    let client = Client::builder(Arc::new(Panics(memory)), bench.trust.clone()).build();
    let (policy, reference, now) = (bench.policy(&["signature"]), bench.reference(), bench.now());
    // What the command does with each image.
    let task = tokio::spawn(async move { client.verify(&VerifyRequest::new(reference, &policy, now)).await });
    assert!(task.await.expect_err("no report").is_panic());
}

#[tokio::test]
async fn a_03_a_genuine_attestation_of_another_artifact_is_refused() {
    let bench = Bench::served().await;
    let policy = bench.policy(&["spdx"]);
    let platforms = ["linux/amd64", "linux/arm64"].map(|platform| bench.platform(platform));
    bench.push(&bench.spdx(platforms[0])).await;
    let other = bench.sign().statement(&Statement::about(&another_digest()).spdx());
    bench.push(&Upload::bundle(platforms[1], &other)).await;
    let report = bench.verify(&policy).await;
    assert_refused(&report);
    assert_eq!(cell(&report, "linux/amd64", "spdx"), (State::Ok, None));
    assert_eq!(cell(&report, "linux/arm64", "spdx"), (State::Elsewhere, Some(Code::SubjectMismatch)));

    bench.push(&bench.spdx(platforms[1])).await;
    assert_accepted(&bench.verify(&policy).await);
}

#[tokio::test]
async fn a_04_a_checkpoint_whose_signature_is_not_over_it_is_refused() {
    let bench = Bench::new().await;
    let policy = Form::BUNDLE.policy(&bench);
    let statement = Statement::about(&bench.index().digest).spdx();
    let good = bench.sign().statement(&statement);
    let report = async |bundle: &str| {
        let place = bench.fresh().await;
        place.push_bundle(bundle).await;
        place.verify(&policy).await
    };
    assert_accepted(&report(&good).await);
    let flipped = edited(&good, |json| {
        let pointer = "/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope";
        let note = json.pointer_mut(pointer).expect("a checkpoint");
        // The last character before the padding: bits of the signature's last byte.
        let mut text = note.as_str().expect("text").trim_end().to_owned();
        let padding = text.len() - text.trim_end_matches('=').len();
        let at = text.len() - padding - 4;
        let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
        text.replace_range(at..=at, other);
        *note = json!(text + "\n");
    });
    assert_refused_by(&report(&flipped).await, CheckName::Log, Code::LogKey);
    let over_root = bench.sign().fault(Fault::CheckpointOverRootHash).statement(&statement);
    assert_refused_by(&report(&over_root).await, CheckName::Log, Code::LogKey);
}

#[tokio::test]
async fn a_09_the_worst_of_several_images_decides_in_any_order() {
    let (good, bad) = (Scene::complete().await, Scene::bare().await);
    for names in [[good.name(), bad.name()], [bad.name(), good.name()]] {
        let mut args = vec!["verify".to_owned(), "-o".to_owned(), "jsonl".to_owned()];
        args.extend(names.clone());
        args.extend(good.trusting());
        let ran = crate::support::command::cg_attest(&args);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        for (line, name) in ran.stdout.lines().zip(names) {
            let report: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let wanted = if name == good.name() { "accept" } else { "refuse" };
            assert_eq!(report["verdict"], wanted, "{name}");
        }
        assert_eq!(ran.stdout.lines().count(), 2);
    }
}

#[tokio::test]
async fn a_10_requirements_are_not_met_by_different_signers_or_different_bundles() {
    let bench = Bench::new().await;
    let stranger =
        cg_attest::testing::Identity::github_workflow("evil/repo", ".github/workflows/x.yaml", "refs/heads/main");
    let index = bench.index();
    // The SBOM is the signer's, the provenance a stranger's.
    let policy = bench.policy(&["signature", "slsa"]);
    let foreign = bench.sigstore.sign(&stranger).statement(&Statement::about(&index.digest).slsa());
    bench.push(&bench.signature(index)).await;
    bench.push_bundle(&foreign).await;
    let report = bench.verify(&policy).await;
    assert_refused(&report);
    assert_eq!(cell(&report, "index", "signature").0, State::Ok);
    assert_eq!(cell(&report, "linux/arm64", "slsa"), (State::WrongSigner, Some(Code::IdentityMismatch)));
    bench.push(&bench.slsa(index)).await;
    assert_accepted(&bench.verify(&policy).await);

    // The signer signed something else; a stranger signed this.
    let place = bench.fresh().await;
    let elsewhere = bench.sign().statement(&Statement::about(&another_digest()).signature());
    place.push_bundle(&elsewhere).await;
    place.push_bundle(&bench.sigstore.sign(&stranger).statement(&Statement::about(&index.digest).signature())).await;
    let report = place.verify(&bench.policy(&["signature"])).await;
    assert_refused(&report);
    let stranger_only = trusting(
        "https://github.com/evil/repo/.github/workflows/x.yaml@refs/heads/main",
        "https://token.actions.githubusercontent.com",
    );
    let policy = crate::support::bench::requiring(stranger_only, &["signature"]).build().expect("a policy");
    assert_accepted(&place.verify(&policy).await);
}

/// A listing that fails is not an absence: the fallback tag is not asked, and
/// without other evidence the outcome is undecided. One candidate that
/// satisfies the requirement alone does, and the failed listing is a warning.
#[tokio::test]
async fn a_11_a_failing_referrers_api_is_no_reason_to_look_elsewhere() {
    let bench = Bench::served().await;
    let policy = bench.policy(&["signature"]);
    let layer = bench.sign().legacy_signature(&simple_signing("hello", &bench.index().digest));
    for answer in [Answer::status(500), Answer::status(503), Answer::status(403), Answer::status(429)] {
        bench.registry().clear_faults();
        bench.registry().clear_log();
        bench.registry().fault(RegistryFault::on("/referrers/").answer(answer));
        let report = bench.verify(&policy).await;
        assert_undecided(&report);
        assert!(cell(&report, "index", "signature").1.is_some_and(|code| code.as_str().starts_with("registry-")));
        let fallback = bench.index().digest.tag("");
        let asked = bench.registry().lines().into_iter().filter(|line| line.ends_with(&fallback)).count();
        assert_eq!(asked, 0, "the fallback tag is for registries without the API");
    }
    bench.push(&Upload::signatures(bench.index(), &[layer])).await;
    let report = bench.verify(&policy).await;
    assert_accepted(&report);
    assert!(report.warnings().iter().any(|warning| warning.code == Code::ListingIncomplete), "{}", text(&report));
    // What only a referrer can be stays undecided.
    assert_undecided(&bench.verify(&bench.policy(&["signature", "slsa"])).await);
    bench.registry().clear_faults();
    let report = bench.verify(&policy).await;
    assert_accepted(&report);
    assert!(report.warnings().is_empty(), "{}", text(&report));
}

#[tokio::test]
async fn a_12_one_attestation_that_cannot_be_read_is_undecided_and_named() {
    let bench = Bench::served().await;
    let policy = bench.policy(&["spdx"]);
    let arm64 = bench.spdx(bench.platform("linux/arm64"));
    bench.push(&bench.spdx(bench.platform("linux/amd64"))).await;
    bench.push(&arm64).await;
    assert_accepted(&bench.verify(&policy).await);
    let blob = arm64.blobs().find(|blob| blob.size() > 100).expect("the bundle").digest().to_string();
    bench.registry().fault(RegistryFault::on(&format!("/blobs/{blob}")).answer(Answer::status(503)));
    let report = bench.verify(&policy).await;
    assert_undecided(&report);
    assert_eq!(cell(&report, "linux/amd64", "spdx"), (State::Ok, None));
    assert_eq!(cell(&report, "linux/arm64", "spdx"), (State::Undecided, Some(Code::RegistryUnavailable)));
    let unread = report.candidates().iter().find(|c| c.unread().is_some()).expect("it is listed");
    assert!(unread.digest().is_some_and(|digest| digest.to_string() == blob));
}
