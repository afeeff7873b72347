//! `tree`: everything that is attached, and what could not be read.

use std::collections::BTreeMap;

use cg_attest::testing::{BuildKit, Identity, Image, ImageBuilder, Statement, Upload, VirtualSigstore, simple_signing};
use serde_json::Value;

use crate::support::command::{Ran, cg_attest};
use crate::support::corpus;
use crate::support::folder::Folder;

/// The drawing without digests and sizes, which differ from run to run: names and notes.
fn shape(ran: &Ran) -> Vec<String> {
    let is_digest = |word: &str| word.len() == 12 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let is_size = |word: &str| word.ends_with(" B") || word.ends_with("kB");
    let line = |line: &str| {
        let rest = line.trim_start_matches(['│', '├', '└', '─', ' ']);
        let branches = &line[..line.len() - rest.len()];
        let words = rest.split("  ").map(str::trim).filter(|word| !word.is_empty());
        let words: Vec<&str> = words.filter(|word| !is_digest(word) && !is_size(word)).collect();
        format!("{branches}{}", words.join(" | "))
    };
    ran.stdout.lines().skip(1).map(line).collect()
}

fn foreign(subject: &cg_attest::image::Descriptor, artifact_type: &str) -> Upload {
    Upload::referrer(subject, artifact_type, "text/plain", b"hello", &BTreeMap::new())
}

fn attached(image: &Image) -> Vec<Upload> {
    let (sigstore, signer) = (VirtualSigstore::new(), Identity::chainguard_images());
    let amd64 = &image.platforms[0].1;
    let payload = simple_signing("registry.example/app", &image.index.digest);
    let statement = Statement::about(&amd64.digest).spdx();
    let slsa = Statement::about(&amd64.digest).version_0_1().slsa();
    let scan = foreign(amd64, "application/example.scan");
    let of_scan = foreign(&scan.descriptor().expect("a manifest"), "application/example.signature");
    vec![
        image.upload.clone(),
        Upload::signatures(&image.index, &[sigstore.sign(&signer).legacy_signature(&payload)]),
        Upload::bundle(amd64, &sigstore.sign(&signer).statement(&statement)),
        Upload::attestations(amd64, &[sigstore.sign(&signer).legacy_attestation(&slsa)]),
        scan,
        of_scan,
    ]
}

async fn folder(uploads: &[Upload]) -> Folder {
    Folder::with(&uploads.iter().collect::<Vec<_>>()).await
}

#[tokio::test]
async fn everything_that_is_attached_is_drawn() {
    let image = ImageBuilder::new().buildkit(BuildKit::Image).build();
    let folder = folder(&attached(&image)).await;
    let ran = cg_attest(["tree", &folder.name()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        shape(&ran),
        [
            "├─ .sig tag",
            "│  └─ cosign signature",
            "├─ linux/amd64",
            "│  ├─ .att tag",
            "│  │  └─ slsa | DSSE envelope",
            "│  ├─ application/example.scan",
            "│  │  └─ application/example.signature",
            "│  └─ spdx | Sigstore bundle",
            "├─ linux/arm64 | nothing attached",
            "├─ unknown/unknown | unsigned, about linux/amd64",
            "│  ├─ spdx | in-toto statement",
            "│  └─ slsa | in-toto statement",
            "└─ unknown/unknown | unsigned, about linux/arm64",
            "   ├─ spdx | in-toto statement",
            "   └─ slsa | in-toto statement",
        ],
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.lines().skip(1).all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    assert!(ran.stderr.contains("Nothing here is verified"), "{ran:?}");

    let document = cg_attest(["tree", &folder.name(), "-o", "json"]).json();
    assert_eq!((&document["verified"], &document["complete"]), (&Value::Bool(false), &Value::Bool(true)));
    let root = &document["root"];
    assert_eq!(root["digest"], image.index.digest.to_string());
    let amd64 = root["children"].as_array().expect("children").iter().find(|c| c["platform"] == "linux/amd64");
    let mut children = amd64.expect("the platform")["children"].as_array().expect("children").iter();
    let bundle = children.rfind(|c| c["kind"] == "referrer").expect("the bundle");
    assert_eq!(bundle["predicateType"], "https://spdx.dev/Document");
    assert_eq!(bundle["annotations"]["dev.sigstore.bundle.content"], "dsse-envelope");
    assert_eq!(bundle["layers"][0]["mediaType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
}

#[tokio::test]
async fn an_artifact_that_is_both_entry_and_referrer_is_opened_once() {
    let image = ImageBuilder::new().buildkit(BuildKit::Artifact).build();
    let folder = folder(std::slice::from_ref(&image.upload)).await;
    let ran = cg_attest(["tree", &folder.name(), "--platform", "linux/arm64"]);
    assert_eq!(
        shape(&ran),
        [
            "├─ linux/arm64",
            "│  └─ BuildKit attestations | also elsewhere here",
            "└─ unknown/unknown | unsigned, about linux/arm64",
            "   ├─ spdx | in-toto statement",
            "   └─ slsa | in-toto statement",
        ],
        "{}",
        ran.stdout
    );
}

#[tokio::test]
async fn depth_counts_levels_of_referrers() {
    let image = ImageBuilder::new().build();
    let folder = folder(&attached(&image)).await;
    let lines = |depth: &str| shape(&cg_attest(["tree", &folder.name(), "--depth", depth]));
    assert_eq!(lines("0"), ["├─ linux/amd64", "└─ linux/arm64"]);
    let (one, two) = (lines("1"), lines("2"));
    assert!(one.iter().any(|line| line.contains("example.scan")), "{one:?}");
    assert!(!one.iter().any(|line| line.contains("example.signature")), "{one:?}");
    assert!(two.iter().any(|line| line.contains("example.signature")), "{two:?}");
}

#[tokio::test]
async fn a_listing_that_fails_is_never_an_empty_one() {
    let image = ImageBuilder::new().build();
    let uploads = attached(&image);
    let signatures = uploads[1].descriptor().expect("the image at the tag").digest;
    let folder = folder(&uploads).await;
    let whole = cg_attest(["tree", &folder.name()]);
    assert_eq!(whole.code, 0, "{whole:?}");

    folder.lose(&signatures);
    let ran = cg_attest(["tree", &folder.name()]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(shape(&ran).contains(&"├─ ! the .sig tag could not be listed (evidence-absent)".to_owned()), "{ran:?}");
    assert!(!ran.stdout.lines().next().is_some_and(|line| line.contains("nothing attached")), "{ran:?}");
    assert!(ran.stderr.contains(&format!("not read: {}", image.index.digest)), "{ran:?}");
    let document = cg_attest(["tree", &folder.name(), "-o", "json"]).json();
    assert_eq!(document["complete"], false);
    assert_eq!(document["root"]["failedListings"][0]["kind"], "signature-tag");
    assert_eq!(document["root"]["failedListings"][0]["code"], "evidence-absent");
}

#[tokio::test]
async fn a_referrer_that_is_listed_and_absent_is_not_read() {
    let image = ImageBuilder::new().build();
    let scan = foreign(&image.index, "application/example.scan");
    let list = Upload::fallback_tag(&image.index, &[&scan]);
    let whole = folder(&[image.upload.clone(), scan.clone(), list.clone()]).await;
    assert_eq!(cg_attest(["tree", &whole.name()]).code, 0);

    let partial = folder(&[image.upload.clone(), list]).await;
    let ran = cg_attest(["tree", &partial.name()]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(shape(&ran)[0].starts_with("├─ application/example.scan | not read (evidence-absent)"), "{ran:?}");
}

#[tokio::test]
async fn a_referrer_that_refers_elsewhere_is_shown_as_such() {
    let image = ImageBuilder::new().build();
    let other = foreign(&image.platforms[0].1, "application/example.scan");
    let list = Upload::fallback_tag(&image.index, &[&other]);
    let ran =
        cg_attest(["tree", &folder(&[image.upload.clone(), other, list]).await.name(), "--platform", "linux/arm64"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(shape(&ran)[0].ends_with("not what it is listed as (referrer-mismatch)"), "{ran:?}");
}

#[tokio::test]
async fn a_platform_that_is_not_listed_is_exit_1() {
    let image = ImageBuilder::new().build();
    let folder = folder(std::slice::from_ref(&image.upload)).await;
    assert_eq!(cg_attest(["tree", &folder.name(), "--platform", "linux/arm64"]).code, 0);
    let ran = cg_attest(["tree", &folder.name(), "--platform", "linux/s390x"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("does not list linux/s390x (platform-absent)"), "{ran:?}");
    let ran = cg_attest(["tree", &format!("{}:absent", folder.name())]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("image-not-found"), "{ran:?}");
}

#[tokio::test]
async fn text_of_strangers_cannot_act_on_the_terminal() {
    let image = ImageBuilder::new().build();
    let scan = foreign(&image.index, "application/x\u{1b}[2J\nfake line");
    let ran = cg_attest(["tree", &folder(&[image.upload.clone(), scan]).await.name()]);
    assert!(ran.stdout.contains("application/x\\u{1b}[2J\\nfake line"), "{ran:?}");
    assert!(!ran.stdout.contains('\u{1b}'), "{ran:?}");
}

#[tokio::test]
async fn the_recorded_postgres_image_is_drawn() {
    let Some(recorded) = corpus::folder() else { return };
    let folder = Folder::new();
    corpus::push_postgres(&recorded, folder.layout(), folder.repository()).await;
    let ran = cg_attest(["tree", &format!("{}@{}", folder.name(), corpus::POSTGRES)]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        shape(&ran),
        [
            "├─ .sig tag",
            "│  └─ cosign signature",
            "├─ linux/amd64 | nothing attached",
            "└─ linux/arm64",
            "   └─ .att tag",
            "      ├─ spdx | DSSE envelope",
            "      ├─ slsa | DSSE envelope",
            "      └─ apko | DSSE envelope",
        ],
        "{}",
        ran.stdout
    );
}

#[test]
fn a_child_that_its_index_refers_to_is_no_endless_loop() {
    let Some(recorded) = corpus::folder() else { return };
    let layout = recorded.join("regclient/testrepo");
    let ran = cg_attest(["tree", &format!("oci:{}:child", layout.display()), "--depth", "9"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(shape(&ran), ["└─ application/example.loop"]);
}
