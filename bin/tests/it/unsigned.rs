//! `--allow-unsigned`: what BuildKit says is shown as nobody's word, and satisfies nothing.

use cg_attest::digest::VerifiedBlob;
use cg_attest::image::{ImageName, media};
use cg_attest::limits::Limits;
use cg_attest::registry::{Context, Push as _};
use cg_attest::testing::{Answer, BuildKit, Image, ImageBuilder, RegistryFault as Fault};
use serde_json::Value;

use crate::support::command::{Ran, cg_attest};
use crate::support::folder::Folder;
use crate::support::scene::Scene;

const PLATFORM: [&str; 2] = ["--platform", "linux/arm64"];

fn sbom(image: &str, more: &[&str]) -> Ran {
    cg_attest([&["sbom", image, "--source", "attached", "--allow-unsigned"], more].concat())
}

fn provenance(image: &str, more: &[&str]) -> Ran {
    cg_attest([&["provenance", image, "--allow-unsigned"], more].concat())
}

#[tokio::test]
async fn both_forms_of_buildkit_are_read_and_marked() {
    for form in [BuildKit::Image, BuildKit::Artifact] {
        let image = ImageBuilder::new().buildkit(form).build();
        let folder = Folder::with(&[&image.upload]).await;
        let arm64 = image.platforms[1].1.digest.clone();
        let document = sbom(&folder.name(), &PLATFORM);
        assert_eq!(document.code, 0, "{form:?}: {}", document.stderr);
        assert!(document.stderr.contains("UNVERIFIED: nobody signed this"), "{}", document.stderr);
        let purl = &document.json()["packages"][0]["externalRefs"][0]["referenceLocator"];
        assert_eq!(purl, &format!("pkg:oci/image@{arm64}"), "the one of this platform");

        // Who does not ask for it is told that it is there, and gets what is in the layers.
        let ours = cg_attest([&["sbom", &folder.name()], &PLATFORM[..]].concat());
        assert_eq!(ours.code, 0, "{}", ours.stderr);
        assert!(ours.stderr.contains("nobody signed; `--source attached --allow-unsigned`"), "{}", ours.stderr);
        assert_ne!(ours.stdout, document.stdout);

        let shown = provenance(&folder.name(), &PLATFORM);
        assert_eq!(shown.code, 0, "{form:?}: {}", shown.stderr);
        assert!(shown.stderr.contains("UNVERIFIED"), "{}", shown.stderr);
        for line in [
            "signed by     nobody: UNVERIFIED",
            "SLSA          no level",
            "builder       https://github.com/chainguard-dev",
        ] {
            assert!(shown.stdout.contains(line), "{line}: {}", shown.stdout);
        }
        let json = provenance(&folder.name(), &["-o", "json", "--platform", "linux/arm64"]).json();
        assert_eq!(
            (&json["verified"], &json["signer"], &json["slsaLevel"]),
            (&false.into(), &Value::Null, &Value::Null)
        );
        assert_eq!(json["digest"], arm64.to_string());
        let all = provenance(&folder.name(), &["-o", "json"]);
        assert_eq!((all.code, all.stdout.lines().count()), (0, 2));
    }
}

#[tokio::test]
async fn where_buildkit_attached_nothing_there_is_nothing() {
    let bare = Folder::with(&[&ImageBuilder::new().build().upload]).await;
    for ran in [sbom(&bare.name(), &PLATFORM), provenance(&bare.name(), &PLATFORM)] {
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
        assert!(ran.stderr.contains("(no-attestation)"), "{}", ran.stderr);
    }
    let absent = provenance(&bare.name(), &["--platform", "linux/s390x"]);
    assert_eq!(absent.code, 1);
    assert!(absent.stderr.contains("error[platform-absent]"), "{}", absent.stderr);
}

/// The image in the scene's registry, its index with another text.
async fn indexed(scene: &Scene, image: &Image, change: impl FnOnce(&str) -> String) -> String {
    scene.push(&image.upload).await;
    let (_, _, index) = image.upload.manifests().last().expect("an index");
    let text = change(std::str::from_utf8(index.bytes()).expect("UTF-8"));
    let (context, repository) = (Context::new(Limits::default()), scene.registry.repository(scene.path));
    let (tag, blob) = (ImageName::Tag("changed".to_owned()), VerifiedBlob::of(text.into_bytes()));
    scene.registry.content().push_manifest(&context, &repository, &tag, media::INDEX, &blob).await.expect("stored");
    format!("{}:changed", scene.name())
}

#[tokio::test]
async fn a_statement_about_another_platform_is_not_shown_as_this_ones() {
    let scene = Scene::bare().await;
    let image = ImageBuilder::new().buildkit(BuildKit::Image).tag("kit").build();
    let said = |n: usize| format!("\"vnd.docker.reference.digest\":\"{}\"", image.platforms[n].1.digest);
    let as_it_is = indexed(&scene, &image, str::to_owned).await;
    assert_eq!(sbom(&as_it_is, &PLATFORM).code, 0);
    let exchanged = |text: &str| {
        let text = text.replace(&said(0), "FIRST").replace(&said(1), &said(0)).replace("FIRST", &said(1));
        assert!(text.contains(&said(0)) && text.contains(&said(1)));
        text
    };
    let changed = indexed(&scene, &image, exchanged).await;
    let ran = sbom(&changed, &PLATFORM);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("error[subject-mismatch]"), "{}", ran.stderr);
}

#[tokio::test]
async fn what_cannot_be_read_is_not_absent() {
    let scene = Scene::bare().await;
    let image = ImageBuilder::new().buildkit(BuildKit::Artifact).tag("kit").build();
    scene.push(&image.upload).await;
    let name = format!("{}:kit", scene.name());
    assert_eq!(provenance(&name, &PLATFORM).code, 0);
    scene.registry.fault(Fault::on("/blobs/").answer(Answer::status(403)));
    let ran = provenance(&name, &PLATFORM);
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{}", ran.stderr);
}

#[tokio::test]
async fn a_policy_and_nobodys_word_do_not_go_together() {
    let scene = Scene::bare().await;
    let image = ImageBuilder::new().buildkit(BuildKit::Image).tag("kit").build();
    scene.push(&image.upload).await;
    let name = format!("{}:kit", scene.name());
    for command in ["sbom", "provenance"] {
        let signer = ["--identity", "me", "--issuer", "https://issuer.example"];
        let ran = cg_attest([&[command, &name, "--allow-unsigned"], &signer[..]].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
    }
    assert_eq!(cg_attest(["sbom", &name, "--allow-unsigned", "--source", "content"]).code, 2);
    // Under a policy it satisfies nothing, however it is asked for.
    let trusting = scene.trusting();
    let args = ["verify", &name, "-o", "json", "--require", "spdx,slsa"].into_iter();
    let ran = cg_attest(args.chain(trusting.iter().map(String::as_str)));
    assert_eq!((ran.code, ran.state("linux/amd64", "spdx").as_str()), (1, "missing"), "{}", ran.stdout);
}
