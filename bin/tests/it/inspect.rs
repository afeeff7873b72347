//! `inspect`: evidence decoded, whether it is genuine or not, and marked as unverified.

use std::collections::BTreeMap;

use cg_attest::image::media;
use cg_attest::testing::{
    Answer, BuildKit, Fault, Identity, Image, ImageBuilder, Log, ManagedKey, RegistryFault, Statement, SubjectName,
    Upload, VirtualSigstore, simple_signing,
};
use serde_json::{Value, json};

use crate::support::command::cg_attest;
use crate::support::corpus;
use crate::support::folder::Folder;
use crate::support::scene::Scene;

const RELEASE: &str = "https://github.com/chainguard-images/images/.github/workflows/release.yaml@refs/heads/main";
const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn image() -> Image {
    ImageBuilder::new().build()
}

/// An index with a bundle by `identity`, signed as `mint` says.
async fn signed(identity: &Identity, fault: Option<Fault>) -> (Folder, Image) {
    let (sigstore, image) = (VirtualSigstore::new(), image());
    let statement = Statement::about(&image.index.digest).named("registry.example/app").signature();
    let mint = sigstore.sign(identity).log(Log::RekorV2);
    let mint = match fault {
        Some(fault) => mint.fault(fault),
        None => mint,
    };
    let bundle = Upload::bundle(&image.index, &mint.statement(&statement));
    (Folder::with(&[&image.upload, &bundle]).await, image)
}

fn evidence(document: &Value) -> &Value {
    let evidence = document["evidence"].as_array().expect("a list");
    assert_eq!(evidence.len(), 1, "{document:#}");
    &evidence[0]
}

#[tokio::test]
async fn a_bundle_is_decoded_and_marked_as_unverified() {
    let (folder, image) = signed(&Identity::chainguard_images(), None).await;
    let ran = cg_attest(["inspect", &folder.name(), "-o", "json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let document = ran.json();
    assert_eq!((&document["verified"], &document["complete"]), (&json!(false), &json!(true)));
    let evidence = evidence(&document);
    assert_eq!(evidence["verified"], false);
    assert_eq!((&evidence["target"], &evidence["reading"]), (&json!("index"), &json!("decoded")));
    assert_eq!(evidence["origin"]["kind"], "bundle-referrer");
    let bundle = &evidence["bundle"];
    let certificate = &bundle["certificate"];
    assert_eq!((&certificate["identity"], &certificate["issuer"]), (&json!(RELEASE), &json!(GITHUB)));
    assert_eq!(
        (&certificate["identityKind"], &certificate["claims"]["buildTrigger"]),
        (&json!("uri"), &json!("schedule"))
    );
    assert_eq!(certificate["notBefore"], "2026-03-02T11:59:55Z");
    assert_eq!(certificate["sha256"].as_str().map(str::len), Some(64));
    let entry = &bundle["logEntries"][0];
    assert_eq!((&entry["kind"], &entry["proof"]), (&json!("hashedrekord 0.0.2"), &json!(true)));
    assert_eq!((&entry["promise"], &entry["integratedTime"]), (&json!(false), &json!(null)));
    assert_eq!(bundle["timestamps"], json!([{ "time": "2026-03-02T12:00:00Z" }]));
    assert_eq!(bundle["content"]["kind"], "statement");
    assert_eq!(bundle["content"]["statementType"], "https://in-toto.io/Statement/v1");
    assert_eq!(bundle["content"]["predicateType"], "https://sigstore.dev/cosign/sign/v1");
    assert_eq!(bundle["content"]["predicateSize"], 2);
    let subject = json!([{ "name": "registry.example/app", "digests": { "sha256": image.index.digest.hex() } }]);
    assert_eq!(bundle["content"]["subjects"], subject);
    let signer = json!([{ "identity": RELEASE, "issuer": GITHUB, "key": false, "signed": { "signature": 1 } }]);
    assert_eq!(document["signers"], signer);
}

#[tokio::test]
async fn the_text_warns_first_and_ends_with_a_command_to_copy() {
    let (folder, _) = signed(&Identity::chainguard_images(), None).await;
    let ran = cg_attest(["inspect", &folder.name()]);
    assert!(ran.stdout.starts_with("UNVERIFIED: nothing below was checked."), "{ran:?}");
    for line in ["    about        this digest, as registry.example/app\n", "    timestamp    2026-03-02T12:00:00Z\n"] {
        assert!(ran.stdout.contains(line), "{line}: {}", ran.stdout);
    }
    let command =
        format!("  cg-attest verify {} \\\n    --identity '{RELEASE}' \\\n    --issuer '{GITHUB}'\n", folder.name());
    assert!(ran.stdout.ends_with(&command), "{}", ran.stdout);
}

#[tokio::test]
async fn what_does_not_verify_is_shown_all_the_same() {
    for fault in [Fault::SignatureBad, Fault::CheckpointByUnknownKey, Fault::CertificateOfAnotherAuthority] {
        let (folder, _) = signed(&Identity::chainguard_images(), Some(fault)).await;
        let document = cg_attest(["inspect", &folder.name(), "-o", "json"]).json();
        let evidence = evidence(&document);
        assert_eq!((&evidence["reading"], &evidence["verified"]), (&json!("decoded"), &json!(false)), "{fault:?}");
        assert_eq!(evidence["bundle"]["certificate"]["identity"], RELEASE);
    }
}

#[tokio::test]
async fn legacy_layers_and_keys_are_decoded() {
    let (sigstore, image, key) = (VirtualSigstore::new(), image(), ManagedKey::new());
    let arm64 = &image.platforms[1].1;
    let payload = simple_signing("registry.example/app", &image.index.digest);
    let signature = sigstore.sign_with_key(&key).legacy_signature(&payload);
    let email = Identity::email("alice@example.com", "https://accounts.example.com");
    let slsa = sigstore.sign(&email).legacy_attestation(&Statement::about(&arm64.digest).slsa());
    let uploads =
        [&image.upload, &Upload::signatures(&image.index, &[signature]), &Upload::attestations(arm64, &[slsa])];
    let folder = Folder::with(&uploads).await;
    let ran = cg_attest(["inspect", &folder.name()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for text in [
        "signature  legacy-signature",
        "key hint     none",
        "  # 1 signature\n  cg-attest verify",
        "--key FILE\n",
        "slsa  legacy-attestation",
        "identity     alice@example.com (e-mail)",
        "hashedrekord 0.0.1, 2026-03-02T12:00:00Z, promise only",
        "--identity alice@example.com \\\n    --issuer 'https://accounts.example.com'",
    ] {
        assert!(ran.stdout.contains(text), "{text}: {}", ran.stdout);
    }
    let document = cg_attest(["inspect", &folder.name(), "-o", "json", "--platform", "linux/amd64"]).json();
    let bundle = &evidence(&document)["bundle"];
    assert_eq!((&bundle["certificate"], &bundle["content"]["kind"]), (&json!(null), &json!("simple-signing")));
    assert_eq!(bundle["content"]["dockerReference"], "registry.example/app");
    assert_eq!(bundle["content"]["digest"], image.index.digest.to_string());
}

#[tokio::test]
async fn a_certificate_without_one_clear_name_names_no_signer() {
    let dns = Identity::new(SubjectName::Dns("example.com".to_owned()), GITHUB);
    for (identity, fault) in [(dns, None), (Identity::chainguard_images(), Some(Fault::TwoNames))] {
        let (folder, _) = signed(&identity, fault).await;
        let ran = cg_attest(["inspect", &folder.name()]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.stdout.contains("    certificate  the certificate"), "{}", ran.stdout);
        assert!(!ran.stdout.contains("--identity"), "{}", ran.stdout);
        let document = cg_attest(["inspect", &folder.name(), "-o", "json"]).json();
        assert_eq!(document["signers"], json!([]));
        assert!(evidence(&document)["bundle"]["certificateProblem"].is_string());
    }
}

#[tokio::test]
async fn a_hostile_name_can_neither_leave_its_quotes_nor_act_on_the_terminal() {
    let (folder, _) = signed(&Identity::uri("https://a/'; touch x #", GITHUB), None).await;
    let ran = cg_attest(["inspect", &folder.name()]);
    assert!(ran.stdout.contains(r"--identity 'https://a/'\''; touch x #' \"), "{}", ran.stdout);
    let (folder, _) = signed(&Identity::uri("https://a/\u{1b}[8m\nfake", GITHUB), None).await;
    let ran = cg_attest(["inspect", &folder.name()]);
    assert!(ran.stdout.contains("identity     https://a/\\u{1b}[8m\\nfake\n"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("--identity") && !ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
}

#[tokio::test]
async fn what_cannot_be_read_is_exit_3_and_garbage_is_shown_as_such() {
    let image = image();
    let bytes = b"{\"mediaType\":\"application/vnd.dev.sigstore.bundle.v0.3+json\"}";
    let garbage = Upload::referrer(&image.index, media::BUNDLE, media::BUNDLE, bytes, &BTreeMap::new());
    let folder = Folder::with(&[&image.upload, &garbage]).await;
    let ran = cg_attest(["inspect", &folder.name(), "-o", "json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let document = ran.json();
    let found = evidence(&document);
    assert_eq!((&found["reading"], &found["problem"]["code"]), (&json!("invalid"), &json!("bundle-invalid")));

    folder.lose(&cg_attest::digest::Digest::sha256(bytes));
    let ran = cg_attest(["inspect", &folder.name(), "-o", "json"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let document = ran.json();
    let found = evidence(&document);
    assert_eq!((&found["reading"], &found["problem"]["code"]), (&json!("unread"), &json!("evidence-absent")));
    assert_eq!(document["complete"], false);
}

#[tokio::test]
async fn evidence_over_a_limit_is_not_read_and_not_called_invalid() {
    let (sigstore, image) = (VirtualSigstore::new(), image());
    let statement = Statement::about(&image.index.digest).signature();
    let good = sigstore.sign(&Identity::chainguard_images()).statement(&statement);
    for (entries, code, reading) in [(8, 0, "decoded"), (9, 3, "unread")] {
        let mut bundle: Value = serde_json::from_str(&good).expect("JSON");
        let list = bundle["verificationMaterial"]["tlogEntries"].as_array_mut().expect("entries");
        for index in 1..entries {
            let mut entry = list[0].clone();
            entry["logIndex"] = index.to_string().into();
            list.push(entry);
        }
        let bundle = bundle.to_string();
        let folder = Folder::with(&[&image.upload, &Upload::bundle(&image.index, &bundle)]).await;
        let ran = cg_attest(["inspect", &folder.name(), "-o", "json"]);
        let document = ran.json();
        let found = evidence(&document);
        assert_eq!((ran.code, found["reading"].as_str()), (code, Some(reading)), "{document:#}");
        let file = folder.file("bundle.json", &bundle).display().to_string();
        let ran = cg_attest(["inspect", "--bundle", &file]);
        assert_eq!((ran.code, ran.stderr.contains("error[limit]")), (code, code == 3), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn nothing_attached_is_exit_1_and_an_unsigned_attestation_is_something() {
    let ran = cg_attest(["inspect", &Folder::with(&[&image().upload]).await.name()]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(ran.stdout.matches("  nothing is attached\n").count(), 3, "{}", ran.stdout);
    let unsigned = ImageBuilder::new().buildkit(BuildKit::Image).build();
    let ran = cg_attest(["inspect", &Folder::with(&[&unsigned.upload]).await.name()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("    unsigned     nobody signed it"), "{}", ran.stdout);
}

#[tokio::test]
async fn a_bundle_file_is_decoded() {
    let (sigstore, folder) = (VirtualSigstore::new(), Folder::new());
    let bundle = sigstore.sign(&Identity::chainguard_images()).blob(b"hello");
    let path = folder.file("good.json", &bundle);
    let ran = cg_attest(["inspect", "--bundle", &path.display().to_string(), "-o", "json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let document = ran.json();
    let content = json!({ "kind": "message", "digest": cg_attest::digest::Digest::sha256(b"hello") });
    assert_eq!(evidence(&document)["bundle"]["content"], content);
    assert_eq!((&document["verified"], &document["digest"]), (&json!(false), &json!(null)));

    let text = cg_attest(["inspect", "--bundle", &path.display().to_string()]).stdout;
    let command = format!("  cg-attest verify-blob FILE --bundle {} \\\n    --identity '{RELEASE}'", path.display());
    assert!(text.contains(&command), "{text}");

    let path = folder.file("bad.json", &bundle.replace("bundle.v0.3", "bundle.v9.9"));
    let ran = cg_attest(["inspect", "--bundle", &path.display().to_string()]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    assert!(ran.stderr.starts_with("error[unsupported-evidence]"), "{ran:?}");
    assert_eq!(cg_attest(["inspect", "--bundle", "/does/not/exist"]).code, 2);
    assert_eq!(cg_attest(["inspect"]).code, 2);
}

#[tokio::test]
async fn the_recorded_postgres_image_is_decoded() {
    let Some(recorded) = corpus::folder() else { return };
    let folder = Folder::new();
    corpus::push_postgres(&recorded, folder.layout(), folder.repository()).await;
    let name = format!("{}@{}", folder.name(), corpus::POSTGRES);
    let ran = cg_attest(["inspect", &name, "-o", "json"]);
    // Two attestations were not recorded.
    assert_eq!(ran.code, 3, "{ran:?}");
    let document = ran.json();
    let signed = json!({ "signature": 1, "slsa": 1 });
    let signer = json!([{ "identity": RELEASE, "issuer": GITHUB, "key": false, "signed": signed }]);
    assert_eq!(document["signers"], signer);
}

/// The last command that a text offers, as arguments.
fn offered(text: &str) -> Vec<String> {
    let command = text.rsplit("\n  cg-attest ").next().expect("a command");
    command.replace("\\\n", "").split_whitespace().map(|word| word.trim_matches('\'').to_owned()).collect()
}

#[tokio::test]
async fn the_command_that_is_offered_is_accepted() {
    let scene = Scene::complete().await;
    let ran = cg_attest(["inspect", &scene.name()]);
    assert!(ran.stdout.contains("  # 1 signature, 2 slsa, 2 spdx\n"), "{}", ran.stdout);
    let root = ["--trusted-root".to_owned(), scene.root()];
    let verified = cg_attest([&offered(&ran.stdout)[..], &root].concat());
    assert_eq!(verified.code, 0, "{verified:?}");

    // Where no signature is attached, the attestations that are have to be named.
    let scene = Scene::bare().await;
    for (_, descriptor) in &scene.image.platforms {
        scene.attach(descriptor, Statement::spdx).await;
    }
    let ran = cg_attest(["inspect", &scene.name()]);
    let root = ["--trusted-root".to_owned(), scene.root()];
    let verified = cg_attest([&offered(&ran.stdout)[..], &root].concat());
    assert_eq!(verified.code, 0, "{}\n{verified:?}", ran.stdout);
}

#[tokio::test]
async fn a_name_with_a_preset_needs_no_flags() {
    let scene = Scene::complete().await;
    let mirror = format!("cgr.dev/chainguard={}/org", scene.registry.address());
    let arguments = ["inspect", "cgr.dev/chainguard/app", "--mirror", &mirror];
    let ran = cg_attest(arguments);
    assert_eq!(ran.code, 0, "{ran:?}");
    let text =
        "The preset chainguard-public names the signer of this image:\n\n  cg-attest verify cgr.dev/chainguard/app\n";
    assert!(ran.stdout.contains(text), "{}", ran.stdout);
    let document = cg_attest([&arguments[..], &["-o", "json"]].concat()).json();
    assert_eq!(document["preset"], "chainguard-public");
}

#[tokio::test]
async fn a_refused_listing_is_exit_3() {
    let scene = Scene::complete().await;
    assert_eq!(cg_attest(["inspect", &scene.name()]).code, 0);
    scene.registry.fault(RegistryFault::on(".att").answer(Answer::status(403)));
    for command in ["inspect", "tree"] {
        let ran = cg_attest([command, &scene.name()]);
        assert_eq!(ran.code, 3, "{ran:?}");
        assert!(ran.stdout.contains("! the .att tag could not be listed"), "{}", ran.stdout);
    }
}
