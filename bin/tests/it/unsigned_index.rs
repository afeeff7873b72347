//! What an index that nobody vouches for may not pass off as verified.

use cg_attest::digest::VerifiedBlob;
use cg_attest::image::media;
use cg_attest::testing::{ReferrersApi, RegistryFault as Fault, Statement, Upload, simple_signing};
use serde_json::{Value, json};

use crate::support::command::cg_attest;
use crate::support::scene::Scene;

/// A complete image but for the signature of its index, and the same index with one entry more, at the tag `more`.
async fn with_another_entry(platform: Value) -> Scene {
    let scene = Scene::bare().await;
    for (_, descriptor) in &scene.image.platforms {
        scene.attach(descriptor, Statement::spdx).await;
    }
    let (_, _, index) = scene.image.upload.manifests().last().expect("an index");
    let mut document: Value = serde_json::from_slice(index.bytes()).expect("JSON");
    let evil = VerifiedBlob::of(b"evil".to_vec());
    let mut entry = json!({ "mediaType": media::MANIFEST, "digest": evil.digest(), "size": evil.size() });
    if !platform.is_null() {
        entry["platform"] = platform;
    }
    document["manifests"].as_array_mut().expect("entries").push(entry);
    scene.registry.put_manifest(scene.path, Some("more"), media::INDEX, document.to_string().as_bytes());
    scene
}

fn refs(scene: &Scene, tag: &str, more: &[&str]) -> (i32, String) {
    let mut args = vec!["verify".to_owned(), format!("{}:{tag}", scene.name()), "-o".to_owned(), "ref".to_owned()];
    args.extend(scene.trusting());
    args.extend(more.iter().map(|&arg| arg.to_owned()));
    let ran = cg_attest(&args);
    (ran.code, ran.stdout)
}

#[tokio::test]
async fn only_digests_that_evidence_covers_are_named_as_runnable() {
    let scene = Scene::bare().await;
    for (_, descriptor) in &scene.image.platforms {
        scene.attach(descriptor, Statement::spdx).await;
    }
    let (code, named) = refs(&scene, "latest", &["--require", "spdx"]);
    let mut platforms: Vec<String> =
        scene.image.platforms.iter().map(|(_, d)| format!("{}@{}", scene.name(), d.digest)).collect();
    platforms.sort();
    let mut lines: Vec<&str> = named.lines().collect();
    lines.sort_unstable();
    assert_eq!((code, lines), (0, platforms.iter().map(String::as_str).collect()));

    scene.attach(&scene.image.index, Statement::signature).await;
    let index = format!("{}@{}\n", scene.name(), scene.image.index.digest);
    assert_eq!(refs(&scene, "latest", &["--require", "signature,spdx"]), (0, index));
}

#[tokio::test]
async fn an_entry_that_a_runtime_may_pick_and_nobody_looked_at_is_refused() {
    let readable = json!({ "os": "unknown", "architecture": "unknown" });
    let scene = with_another_entry(readable).await;
    assert_eq!(refs(&scene, "more", &["--require", "spdx"]).0, 0);
    for platform in [Value::Null, json!({ "os": "linux", "architecture": "amd64", "os.version": "x y" })] {
        let scene = with_another_entry(platform.clone()).await;
        assert_eq!(refs(&scene, "more", &["--require", "spdx"]), (1, String::new()), "{platform}");
        // Whoever picks a platform runs what was verified.
        assert_eq!(refs(&scene, "more", &["--require", "spdx", "--platform", "linux/arm64"]).0, 0, "{platform}");
    }
}

#[tokio::test]
async fn two_signers_of_the_same_document_are_both_read() {
    let scene = Scene::bare().await;
    let index = &scene.image.index;
    let payload = simple_signing("org/app", &index.digest);
    let stranger = cg_attest::testing::Identity::uri("https://stranger.example/x", crate::support::scene::ISSUER);
    let theirs = scene.sigstore.sign(&stranger).legacy_signature(&payload);
    let ours = scene.sigstore.sign(&Scene::signer()).legacy_signature(&payload);
    scene.push(&Upload::signatures(index, std::slice::from_ref(&theirs))).await;
    assert_eq!(scene.verify(&[]).code, 1);
    for layers in [[theirs.clone(), ours.clone()], [ours, theirs]] {
        scene.push(&Upload::signatures(index, &layers)).await;
        let ran = scene.verify(&[]);
        assert_eq!(ran.code, 0, "{}", ran.stdout);
    }
}

#[tokio::test]
async fn an_error_with_the_status_of_a_success_is_no_absence() {
    let scene = Scene::bare().await;
    let answer = |body: &str| {
        cg_attest::testing::Answer::status(200).header("content-type", "application/json").body(body.to_owned())
    };
    for body in [r#"{"errors":[{"code":"TOOMANYREQUESTS"}]}"#, r#"{"schemaVersion":2,"mani"#] {
        scene.registry.clear_faults();
        scene.registry.fault(Fault::on("/referrers/").answer(answer(body)));
        let ran = scene.verify(&[]);
        assert_eq!((ran.code, ran.state("index", "signature").as_str()), (3, "undecided"), "{body}");
    }
    scene.registry.clear_faults();
    scene.registry.referrers_api(ReferrersApi::Html);
    assert_eq!(scene.verify(&[]).state("index", "signature"), "missing");
}

#[test]
fn a_key_has_no_age() {
    let folder = tempfile::tempdir().expect("a folder");
    let pem = folder.path().join("key.pub");
    std::fs::write(&pem, cg_attest::testing::ManagedKey::new().public_key_pem()).expect("a file");
    let pem = pem.display().to_string();
    let ran = cg_attest(["verify", "registry.example/app", "--key", &pem, "--max-age", "36h"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("maximum age"), "{}", ran.stderr);
}
