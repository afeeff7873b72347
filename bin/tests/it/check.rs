//! `check`: what is signed about an image against what is in it.

use cg_attest::testing::{ImageBuilder, LayerBuilder, Registry};
use serde_json::Value;

use crate::support::command::{Ran, cg_attest};
use crate::support::corpus;
use crate::support::folder::Folder;
use crate::support::provenance::{MAIN, V1, WORKFLOW, github};
use crate::support::scene::Scene;

fn codes(platform: &Value) -> Vec<&str> {
    let findings = platform["findings"].as_array().expect("findings");
    findings.iter().map(|finding| finding["code"].as_str().expect("a code")).collect()
}

#[tokio::test]
async fn the_verified_sbom_is_compared_and_its_absence_is_no_success() {
    let scene = Scene::bare().await;
    let (name, trusting) = (scene.name(), scene.trusting());
    let run = |platform: &str, more: &[&str]| -> Ran {
        let args = ["check", &name, "--platform", platform, "-o", "json"];
        cg_attest(args.into_iter().chain(trusting.iter().map(String::as_str)).chain(more.iter().copied()))
    };
    let absent = run("linux/amd64", &[]);
    assert_eq!(absent.code, 1, "{}", absent.stderr);
    assert_eq!(absent.json()["platforms"][0]["notChecked"][0]["code"], "no-attestation");

    // The honest twin: what the layers hold, signed; the other platform gets the same document.
    let document = cg_attest(["sbom", &name, "--platform", "linux/amd64"]);
    assert_eq!(document.code, 0, "{}", document.stderr);
    for platform in ["linux/amd64", "linux/arm64"] {
        let signed =
            |about: cg_attest::testing::Statement| about.predicate("https://spdx.dev/Document", &document.stdout);
        scene.attach(scene.platform(platform), signed).await;
    }
    let honest = run("linux/amd64", &[]);
    assert_eq!(honest.code, 0, "{}{}", honest.stdout, honest.stderr);
    let report = honest.json();
    assert_eq!(codes(&report["platforms"][0]), [""; 0]);
    assert_eq!(report["verified"], true);
    assert!(report["platforms"][0]["compared"].to_string().contains("packages: sbom = layers"), "{report}");
    // Provenance and configuration are absent: said, and nothing that refuses.
    let whats: Vec<&Value> = report["platforms"][0]["notChecked"].as_array().expect("a list").iter().collect();
    assert_eq!(whats.iter().map(|one| &one["what"]).collect::<Vec<_>>(), ["slsa", "apko"]);

    let exchanged = run("linux/arm64", &[]);
    assert_eq!(exchanged.code, 1, "{}", exchanged.stdout);
    let report = exchanged.json();
    let found = codes(&report["platforms"][0]);
    assert!(found.contains(&"sbom-digest-differs") && found.contains(&"sbom-platform-differs"), "{found:?}");

    let rules = run("linux/amd64", &["--rules", "nonroot"]);
    assert_eq!((rules.code, codes(&rules.json()["platforms"][0])), (1, vec!["rule-nonroot"]));
    assert_eq!(run("linux/amd64", &["--rules", "made-up"]).code, 2);
    assert_eq!(cg_attest(["check", &name]).code, 2, "nothing says who is trusted");
}

#[tokio::test]
async fn an_image_that_cannot_be_looked_at_has_a_document_too() {
    let scene = Scene::bare().await;
    let (here, trusting) = (scene.name(), scene.trusting());
    let nowhere = format!("{here}-which-nobody-pushed");
    let run = |name: &str, platform: &str| {
        let args = ["check", name, "--platform", platform, "-o", "json"];
        let ran = cg_attest(args.into_iter().chain(trusting.iter().map(String::as_str)));
        let report = ran.json();
        assert_eq!(
            (report["kind"].as_str(), report["exitCode"].as_i64()),
            (Some("CheckReport"), Some(ran.code.into()))
        );
        assert_eq!(report["verified"], false);
        (ran.code, report["verdict"].clone(), report["error"]["code"].clone())
    };
    assert_eq!(run(&here, "linux/amd64"), (1, "refuse".into(), Value::Null), "there is no SBOM");
    assert_eq!(run(&here, "linux/s390x"), (1, "refuse".into(), "platform-absent".into()));
    assert_eq!(run(&nowhere, "linux/amd64"), (3, "undecided".into(), "image-not-found".into()));
}

#[tokio::test]
async fn a_document_is_compared_before_it_is_signed() {
    let database = "P:app\nV:1-r0\nA:x86_64\n\n";
    let layer = LayerBuilder::new().file("usr/lib/apk/db/installed", database).gzip();
    let image = ImageBuilder::new().layers([layer]).platforms(["linux/amd64".parse().expect("a platform")]);
    let folder = Folder::with(&[&image.build().upload]).await;
    let document = cg_attest(["sbom", &folder.name()]).stdout;
    let check = |text: &str| {
        let file = folder.file("app.spdx.json", text);
        cg_attest(["check", &folder.name(), "--sbom", file.to_str().expect("UTF-8")])
    };
    let honest = check(&document);
    assert_eq!(honest.code, 0, "{}{}", honest.stdout, honest.stderr);
    let lie = check(&document.replace("app@1-r0", "app@2-r0"));
    assert_eq!(lie.code, 1, "{}", lie.stderr);
    assert!(lie.stdout.contains("error[sbom-version-differs]: apk app: wanted 1-r0, found 2-r0"), "{}", lie.stdout);
    let broken = check("{}");
    assert_eq!(broken.code, 2, "{}", broken.stdout);
    assert!(broken.stderr.contains("sbom-invalid"), "{}", broken.stderr);
}

#[tokio::test]
async fn the_configuration_of_apko_in_the_image_has_to_be_that_of_the_image() {
    let check = async |version: &str, title: &str| {
        let file = format!(
            r#"{{"contents":{{"packages":["app={version}"]}},"archs":["amd64"],"annotations":{{"org.opencontainers.image.title":"{title}"}}}}"#
        );
        let database = "P:app\nV:1-r0\nA:x86_64\n\n";
        let layer = LayerBuilder::new().file("usr/lib/apk/db/installed", database).file("etc/apko.json", file).gzip();
        let image = ImageBuilder::new().layers([layer]).image_annotation("org.opencontainers.image.title", "app");
        let image = image.platforms(["linux/amd64".parse().expect("a platform")]).build();
        let folder = Folder::with(&[&image.upload]).await;
        let document = cg_attest(["sbom", &folder.name()]);
        assert_eq!(document.code, 0, "the file makes no list incomplete: {}", document.stderr);
        let sbom = folder.file("app.spdx.json", &document.stdout);
        let sbom = sbom.to_str().expect("UTF-8");
        let ran = cg_attest(["check", &folder.name(), "--sbom", sbom, "-o", "json"]);
        let report = ran.json();
        // Nobody signed the document, whatever comes of it.
        assert_eq!(report["verified"], false);
        let found = codes(&report["platforms"][0]).join(" ");
        assert!(report["platforms"][0]["compared"].to_string().contains("etc/apko.json = image"), "{report}");
        (ran.code, found)
    };
    assert_eq!(check("1-r0", "app").await, (0, String::new()));
    assert_eq!(check("2-r0", "app").await, (1, "apko-file-package-differs".to_owned()));
    assert_eq!(check("1-r0", "another").await, (1, "annotation-apko-differs".to_owned()));
}

#[tokio::test]
async fn provenance_is_compared_with_its_certificate_and_annotations_are_not() {
    let scene = Scene::bare().await;
    let source = "org.opencontainers.image.source";
    let image = ImageBuilder::new().image_annotation(source, "https://github.com/org/repo").tag("annotated").build();
    scene.push(&image.upload).await;
    let name = format!("{}:annotated", scene.name());
    let amd64 = image.platforms[0].1.clone();
    let document = cg_attest(["sbom", &name, "--platform", "linux/amd64"]);
    scene.attach(&amd64, |about| about.predicate("https://spdx.dev/Document", &document.stdout)).await;
    let predicate = github("org/repo", WORKFLOW, MAIN).to_string();
    scene.attach(&amd64, |about| about.predicate(V1, &predicate)).await;
    let trusting = scene.trusting();
    let args = ["check", &name, "--platform", "linux/amd64", "-o", "json"].into_iter();
    let ran = cg_attest(args.chain(trusting.iter().map(String::as_str)));
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let platform = ran.json()["platforms"][0].clone();
    let compared = platform["compared"].to_string();
    assert!(compared.contains("build: provenance = certificate"), "{platform}");
    assert!(compared.contains("source: annotation = provenance"), "{platform}");
    let skipped = platform["notCompared"].to_string();
    assert!(skipped.contains(source) && skipped.contains("which nothing makes the same"), "{platform}");
}

#[tokio::test]
async fn the_recorded_statements_of_postgres_are_silent_and_what_is_absent_is_said() {
    let Some(folder) = corpus::folder() else { return };
    let registry = Registry::start();
    corpus::push_postgres(&folder, registry.content(), &registry.repository("chainguard/postgres")).await;
    let image = format!("cgr.dev/chainguard/postgres@{}", corpus::POSTGRES);
    let mirror = format!("cgr.dev={}", registry.address());
    let args = ["check", &image, "--mirror", &mirror, "--trusted-root", "embedded", "--platform", "linux/arm64"];
    let ran = cg_attest(args.into_iter().chain(["--rules", "chainguard-annotations", "-o", "json"]));
    assert_eq!(ran.code, 3, "{}{}", ran.stdout, ran.stderr);
    let report = ran.json();
    let platform = &report["platforms"][0];
    assert_eq!(codes(platform), [""; 0]);
    assert_eq!(platform["compared"], serde_json::json!(["chainguard-annotations"]));
    let absent = platform["notChecked"].as_array().expect("a list");
    let said = |what: &str| absent.iter().find(|one| one["what"] == what).map(|one| one["code"].clone());
    assert_eq!(said("spdx"), Some("evidence-absent".into()));
    assert_eq!(said("slsa"), None, "it is there: {report}");
    assert!(said("layers").is_some(), "{report}");
}

#[test]
fn a_document_of_apko_agrees_with_its_image_and_not_with_the_other_platform() {
    let Some(corpus) = corpus::folder() else { return };
    // The document of `apko/base_image` ends in a comma too many and is no JSON.
    let layout = corpus.join("apko/golden");
    let (image, sbom) = (format!("oci:{}", layout.display()), layout.join("sboms/sbom-x86_64.spdx.json"));
    let sbom = sbom.to_str().expect("UTF-8");
    let ran = cg_attest(["check", &image, "--platform", "linux/amd64", "--sbom", sbom]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("compared: packages: sbom = layers"), "{}", ran.stdout);
    let ran = cg_attest(["check", &image, "--platform", "linux/arm64", "--sbom", sbom]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    for code in ["sbom-digest-differs", "sbom-platform-differs", "sbom-layers-differ", "sbom-architecture-differs"] {
        assert!(ran.stdout.contains(&format!("error[{code}]")), "{code}: {}", ran.stdout);
    }
}
