//! `get`: what is printed was verified, and is printed as it was signed.

use std::collections::BTreeMap;

use cg_attest::digest::Digest;
use cg_attest::image::{Descriptor, media};
use cg_attest::testing::{
    Answer, Fault, Identity, Image, ImageBuilder, Layer, ManagedKey, Mint, RegistryFault, Statement, Upload,
    VirtualSigstore,
};
use serde_json::{Value, json};

use crate::support::command::{Ran, cg_attest};
use crate::support::corpus;
use crate::support::folder::Folder;
use crate::support::scene::Scene;

const NAME: &str = "https://github.com/chainguard-images/images/.github/workflows/release.yaml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";
const SCAN: &str = "https://example.com/scan/v1";

/// An image, a Sigstore to sign with, and what is to be attached.
struct Draft {
    sigstore: VirtualSigstore,
    signer: Identity,
    image: Image,
    uploads: Vec<Upload>,
}

/// A draft that was put into a folder.
struct Stage {
    folder: Folder,
    root: String,
}

impl Draft {
    fn new() -> Self {
        let image = ImageBuilder::new().build();
        let uploads = vec![image.upload.clone()];
        Self { sigstore: VirtualSigstore::new(), signer: Identity::chainguard_images(), image, uploads }
    }

    fn mint(&self) -> Mint<'_> {
        self.sigstore.sign(&self.signer)
    }

    fn amd64(&self) -> Descriptor {
        self.image.platforms[0].1.clone()
    }

    fn arm64(&self) -> Descriptor {
        self.image.platforms[1].1.clone()
    }

    fn attach(mut self, subject: &Descriptor, bundle: &str) -> Self {
        self.uploads.push(Upload::bundle(subject, bundle));
        self
    }

    fn layer(mut self, subject: &Descriptor, layer: &Layer) -> Self {
        self.uploads.push(Upload::attestations(subject, std::slice::from_ref(layer)));
        self
    }

    async fn stage(&self) -> Stage {
        let folder = Folder::with(&self.uploads.iter().collect::<Vec<_>>()).await;
        let root = folder.file("trusted_root.json", &self.sigstore.trusted_root_json());
        Stage { folder, root: root.display().to_string() }
    }
}

impl Stage {
    /// Runs `get` with the policy that names the signer, for these further arguments.
    fn get(&self, arguments: &[&str]) -> Ran {
        self.get_by(NAME, arguments)
    }

    fn get_by(&self, name: &str, arguments: &[&str]) -> Ran {
        let image = self.folder.name();
        let policy = ["get", &image, "--trusted-root", &self.root, "--identity", name, "--issuer", ISSUER];
        cg_attest([&policy[..], arguments].concat())
    }

    fn get_unverified(&self, arguments: &[&str]) -> Ran {
        cg_attest([&["get", &self.folder.name(), "--unverified"][..], arguments].concat())
    }
}

/// A statement with a predicate that no serializer would write like this.
fn scan(subject: &Descriptor, found: &str) -> Vec<u8> {
    Statement::about(&subject.digest).predicate(SCAN, &predicate(found))
}

fn predicate(found: &str) -> String {
    format!("{{\n  \"score\" : 1.10,\n  \"found\" : \"{found}\"\n}}")
}

const AMD64: &[&str] = &["--type", SCAN, "--platform", "linux/amd64"];

#[tokio::test]
async fn every_form_is_printed_as_it_was_signed() {
    let draft = Draft::new();
    let amd64 = draft.amd64();
    let statement = scan(&amd64, "nothing");
    let bundle = draft.mint().statement(&statement);
    let stage = draft.attach(&amd64, &bundle).stage().await;
    let form = |form: &str| {
        let ran = stage.get(&[AMD64, &["-o", form]].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.stderr.contains("linux/amd64: verified, signed by chainguard-images/images"), "{ran:?}");
        ran.stdout
    };
    assert_eq!(form("predicate"), predicate("nothing"));
    assert_eq!(form("statement").as_bytes(), statement);
    assert_eq!(form("bundle"), bundle);
    let envelope = form("envelope");
    assert!(bundle.contains(&envelope), "{envelope}");
    let parsed: Value = serde_json::from_str(&envelope).expect("JSON");
    assert_eq!(corpus::base64(parsed["payload"].as_str().expect("a payload")), statement);
}

#[tokio::test]
async fn several_platforms_are_one_line_each() {
    let draft = Draft::new();
    let (amd64, arm64) = (draft.amd64(), draft.arm64());
    let bundles = [scan(&amd64, "one"), scan(&arm64, "two")].map(|statement| draft.mint().statement(&statement));
    let stage = draft.attach(&amd64, &bundles[0]).attach(&arm64, &bundles[1]).stage().await;
    let ran = stage.get(&["--type", SCAN]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let line = |platform: &str, digest: &Digest, found: &str| {
        let predicate = predicate(found).replace('\n', " ");
        format!(r#"{{"platform":"{platform}","digest":"{digest}","predicateType":"{SCAN}","predicate":{predicate}}}"#)
            + "\n"
    };
    let lines = line("linux/amd64", &amd64.digest, "one") + &line("linux/arm64", &arm64.digest, "two");
    assert_eq!(ran.stdout, lines);
    let bundle: Value = serde_json::from_str(&bundles[1]).expect("JSON");
    let ran = stage.get(&["--type", SCAN, "-o", "bundle"]);
    let second: Value = serde_json::from_str(ran.stdout.lines().nth(1).expect("two lines")).expect("JSON");
    assert_eq!((&second["platform"], &second["bundle"]), (&json!("linux/arm64"), &bundle));
}

#[tokio::test]
async fn a_legacy_layer_is_an_envelope_and_becomes_a_bundle() {
    let draft = Draft::new();
    let amd64 = draft.amd64();
    let layer = draft.mint().legacy_attestation(&scan(&amd64, "nothing"));
    let stage = draft.layer(&amd64, &layer).stage().await;
    let ran = stage.get(&[AMD64, &["-o", "envelope"]].concat());
    assert_eq!((ran.code, ran.stdout.as_bytes()), (0, layer.bytes.as_slice()), "{ran:?}");
    let bundle = stage.get(&[AMD64, &["-o", "bundle"]].concat()).stdout;
    let path = stage.folder.file("bundle.json", &bundle).display().to_string();
    let document = cg_attest(["inspect", "--bundle", &path, "-o", "json"]).json();
    let decoded = &document["evidence"][0]["bundle"];
    assert_eq!(decoded["mediaType"], "application/vnd.dev.sigstore.bundle+json;version=0.1");
    assert_eq!(
        (&decoded["certificate"]["identity"], &decoded["logEntries"][0]["promise"]),
        (&json!(NAME), &json!(true))
    );
}

#[tokio::test]
async fn what_is_refused_is_not_printed() {
    for fault in [None, Some(Fault::SignatureBad), Some(Fault::CheckpointByUnknownKey)] {
        let draft = Draft::new();
        let amd64 = draft.amd64();
        let mint = fault.map_or(draft.mint(), |fault| draft.mint().fault(fault));
        let bundle = mint.statement(&scan(&amd64, "nothing"));
        let stage = draft.attach(&amd64, &bundle).stage().await;
        let ran = stage.get(AMD64);
        if fault.is_none() {
            assert_eq!((ran.code, ran.stdout.is_empty()), (0, false), "{ran:?}");
            let other = stage.get_by("https://github.com/evil/evil", AMD64);
            assert_eq!((other.code, other.stdout.as_str()), (1, ""), "{other:?}");
            assert!(other.stderr.contains("(identity-mismatch)"), "{other:?}");
            continue;
        }
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
        assert!(ran.stderr.contains("REFUSED") && ran.stderr.contains("invalid"), "{ran:?}");
        let ran = stage.get_unverified(AMD64);
        assert_eq!((ran.code, ran.stdout), (0, predicate("nothing")), "{}", ran.stderr);
        assert!(ran.stderr.starts_with("UNVERIFIED: "), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn one_platform_of_two_is_not_enough() {
    let draft = Draft::new();
    let amd64 = draft.amd64();
    let bundle = draft.mint().statement(&scan(&amd64, "nothing"));
    let stage = draft.attach(&amd64, &bundle).stage().await;
    let ran = stage.get(&["--type", SCAN]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    assert!(ran.stderr.contains("linux/arm64 × ") && ran.stderr.contains("(no-attestation)"), "{ran:?}");
    // Without a policy, there is something to show, and something missing.
    let ran = stage.get_unverified(&["--type", SCAN]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (1, 1), "{ran:?}");
    assert!(ran.stderr.contains(&format!("linux/arm64: no {SCAN} attestation (no-attestation)")), "{ran:?}");
    assert_eq!(stage.get_unverified(AMD64).code, 0);
}

#[tokio::test]
async fn what_cannot_be_read_is_undecided() {
    let draft = Draft::new();
    let amd64 = draft.amd64();
    let bundle = draft.mint().statement(&scan(&amd64, "nothing"));
    let stage = draft.attach(&amd64, &bundle).stage().await;
    assert_eq!(stage.get(AMD64).code, 0);
    stage.folder.lose(&Digest::sha256(bundle.as_bytes()));
    for ran in [stage.get(AMD64), stage.get_unverified(AMD64)] {
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{ran:?}");
        assert!(ran.stderr.contains("(evidence-absent)"), "{ran:?}");
    }
}

#[tokio::test]
async fn an_attestation_of_another_platform_is_not_this_ones() {
    let draft = Draft::new();
    let (amd64, arm64) = (draft.amd64(), draft.arm64());
    let bundle = draft.mint().statement(&scan(&arm64, "nothing"));
    let stage = draft.attach(&amd64, &bundle).stage().await;
    let ran = stage.get(AMD64);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    assert!(ran.stderr.contains("elsewhere (subject-mismatch)"), "{ran:?}");
    let ran = stage.get_unverified(AMD64);
    assert_eq!((ran.code, ran.stdout), (0, predicate("nothing")), "{}", ran.stderr);
    let note = format!("it is about {}, not {} (subject-mismatch)", arm64.digest, amd64.digest);
    assert!(ran.stderr.contains(&note), "{}", ran.stderr);
}

#[tokio::test]
async fn the_newest_of_several_is_printed() {
    let draft = Draft::new();
    let amd64 = draft.amd64();
    let later = draft.sigstore.at("2026-03-05T12:00:00Z".parse().expect("a time"));
    let new = later.sign(&draft.signer).statement(&scan(&amd64, "new"));
    let old = draft.mint().statement(&scan(&amd64, "old"));
    let stage = draft.attach(&amd64, &new).attach(&amd64, &old).stage().await;
    let ran = stage.get(AMD64);
    assert_eq!((ran.code, ran.stdout), (0, predicate("new")), "{}", ran.stderr);
    assert!(ran.stderr.contains("linux/amd64: 2 attestations satisfy the policy; the newest, of 2026-03-05T12:00:00Z"));
    let ran = stage.get_unverified(AMD64);
    assert_eq!(ran.stdout, predicate("new"));
    assert!(ran.stderr.contains("linux/amd64: 2 are attached"), "{}", ran.stderr);
}

#[tokio::test]
async fn an_index_stands_in_for_its_platforms_where_that_is_allowed() {
    let draft = Draft::new();
    let index = draft.image.index.clone();
    let statements = [Statement::about(&index.digest).slsa(), Statement::about(&index.digest).spdx()];
    let bundles = statements.map(|statement| draft.mint().statement(&statement));
    let stage = draft.attach(&index, &bundles[0]).attach(&index, &bundles[1]).stage().await;
    for ran in [stage.get(&["--type", "slsa"]), stage.get_unverified(&["--type", "slsa"])] {
        assert_eq!(ran.code, 0, "{ran:?}");
        let lines: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let about: Vec<_> = lines.iter().map(|line| (&line["platform"], &line["digest"])).collect();
        let digest = json!(index.digest);
        assert_eq!(about, [(&json!("linux/amd64"), &digest), (&json!("linux/arm64"), &digest)]);
    }
    // An SBOM of the index lists the packages of no platform.
    for ran in [stage.get(&["--type", "spdx"]), stage.get_unverified(&["--type", "spdx"])] {
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    }
    let ran = stage.get(&["--type", "spdx", "--level", "index"]);
    assert!(ran.stdout.starts_with(r#"{"SPDXID":"#), "{ran:?}");
}

#[tokio::test]
async fn types_are_understood_in_cosigns_spelling_and_annotations_are_not_believed() {
    let draft = Draft::new();
    let amd64 = draft.amd64();
    let bundle = draft.mint().statement(&Statement::about(&amd64.digest).spdx());
    let mut draft = draft;
    let lie = BTreeMap::from([("dev.sigstore.bundle.predicateType", SCAN.to_owned())]);
    draft.uploads.push(Upload::referrer(&amd64, media::BUNDLE, media::BUNDLE, bundle.as_bytes(), &lie));
    let stage = draft.stage().await;
    let platform = ["--platform", "linux/amd64"];
    for name in ["spdx", "spdxjson", "https://spdx.dev/Document"] {
        for ran in [
            stage.get(&[&["--type", name][..], &platform].concat()),
            stage.get_unverified(&[&["--type", name][..], &platform].concat()),
        ] {
            assert_eq!(ran.code, 0, "{name}: {ran:?}");
            assert!(ran.stdout.starts_with(r#"{"SPDXID":"#), "{name}: {ran:?}");
        }
    }
    for name in ["slsaprovenance", "https://spdx.dev/Document/", SCAN] {
        let ran = stage.get(&[&["--type", name][..], &platform].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{name}: {ran:?}");
    }
}

#[tokio::test]
async fn a_managed_key_is_a_policy_too() {
    let draft = Draft::new();
    let (amd64, key) = (draft.amd64(), ManagedKey::new());
    let bundle = draft.sigstore.sign_with_key(&key).statement(&scan(&amd64, "nothing"));
    let stage = draft.attach(&amd64, &bundle).stage().await;
    for (pem, status) in [(key.public_key_pem(), 0), (ManagedKey::new().public_key_pem(), 1)] {
        let path = stage.folder.file("key.pem", &pem).display().to_string();
        let image = stage.folder.name();
        let arguments = ["get", &image, "--trusted-root", &stage.root, "--key", &path];
        let ran = cg_attest([&arguments[..], AMD64].concat());
        assert_eq!((ran.code, ran.stdout.is_empty()), (status, status != 0), "{ran:?}");
    }
}

#[test]
fn contradictions_are_found_before_anything_is_read() {
    let absent = "oci:/does/not/exist";
    for (arguments, text) in [
        (&["--type", "signature"][..], "is not a predicate type"),
        (&["--type", "https://sigstore.dev/cosign/sign/v1"], "there is no predicate"),
        (&["--type", "spdx", "--require", "slsa"], "cannot be used with"),
        (&["--type", "spdx", "--unverified", "--identity", "x"], "cannot be used with"),
        (&[], "--type <TYPE>"),
    ] {
        let ran = cg_attest([&["get", absent][..], arguments].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(text), "{text}: {ran:?}");
    }
}

#[tokio::test]
async fn without_a_policy_it_says_how_to_get_one() {
    let stage = Draft::new().stage().await;
    let ran = cg_attest(["get", &stage.folder.name(), "--type", "spdx"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    for text in ["error[policy-missing]", "cg-attest inspect", "--unverified prints without verifying"] {
        assert!(ran.stderr.contains(text), "{text}: {ran:?}");
    }
}

#[tokio::test]
async fn the_provenance_of_the_recorded_postgres_image_is_printed() {
    let Some(recorded) = corpus::folder() else { return };
    let folder = Folder::new();
    corpus::push_postgres(&recorded, folder.layout(), folder.repository()).await;
    let name = format!("{}@{}", folder.name(), corpus::POSTGRES);
    let arm64 = ["--platform", "linux/arm64", "--preset", "chainguard-public"];
    let envelope = corpus::json(&recorded.join("chainguard/postgres-18.4-2026/slsa-attestation-envelope.json"));
    let signed = corpus::base64(envelope["payload"].as_str().expect("a payload"));
    let ran = cg_attest([&["get", &name, "--type", "slsa", "-o", "statement"][..], &arm64].concat());
    assert_eq!((ran.code, ran.stdout.as_bytes()), (0, signed.as_slice()), "{}", ran.stderr);
    // The SBOM is listed, and was not recorded.
    let ran = cg_attest([&["get", &name, "--type", "spdx"][..], &arm64].concat());
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{ran:?}");
}

#[tokio::test]
async fn from_a_registry_a_refused_listing_is_doubt_and_no_absence() {
    let scene = Scene::complete().await;
    let name = scene.name();
    let what = ["get", &name, "--type", "spdx", "--platform", "linux/arm64"].map(str::to_owned).to_vec();
    let verified = [what.clone(), scene.trusting()].concat();
    let unverified = [what, vec!["--unverified".to_owned()]].concat();
    for arguments in [&verified, &unverified] {
        let ran = cg_attest(arguments);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.stdout.starts_with(r#"{"SPDXID":"#), "{ran:?}");
    }
    // The warning of a satisfied requirement, and the doubt of another.
    scene.registry.fault(RegistryFault::on(".att").answer(Answer::status(403)));
    let ran = cg_attest(&verified);
    assert_eq!((ran.code, ran.stdout.is_empty()), (0, false), "{ran:?}");
    assert!(ran.stderr.contains("warning[listing-incomplete]"), "{ran:?}");
    scene.registry.fault(RegistryFault::on("/referrers/").answer(Answer::status(403)));
    for arguments in [&verified, &unverified] {
        let ran = cg_attest(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{ran:?}");
        assert!(ran.stderr.contains("(registry-denied)"), "{ran:?}");
    }
}
