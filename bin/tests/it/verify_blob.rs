//! `verify-blob`: every refusal beside what is accepted, one change apart.

use std::path::PathBuf;

use cg_attest::digest::{Algorithm, Digest};
use cg_attest::testing::{BundleVersion, Fault, Identity, ManagedKey, Statement, VirtualSigstore};
use tempfile::TempDir;

use crate::support::command::{Ran, cg_attest, cg_attest_with};
use crate::support::corpus;

const NAME: &str = "alice@example.com";
const ISSUER: &str = "https://accounts.example.com";
const FILE: &str = "hello, file";

/// A folder with a file, a bundle for it and the trust root of who signed.
struct Desk {
    folder: TempDir,
    sigstore: VirtualSigstore,
    alice: Identity,
}

impl Desk {
    fn new() -> Self {
        let desk = Self {
            folder: TempDir::new().expect("a folder"),
            sigstore: VirtualSigstore::new(),
            alice: Identity::email(NAME, ISSUER),
        };
        desk.put("file.txt", FILE);
        desk.put("root.json", &desk.sigstore.trusted_root_json());
        let json = desk.sigstore.sign(&desk.alice).blob(FILE.as_bytes());
        desk.bundle(&json)
    }

    fn bundle(self, json: &str) -> Self {
        self.put("bundle.json", json);
        self
    }

    fn statement(self, statement: &[u8]) -> Self {
        let json = self.sigstore.sign(&self.alice).statement(statement);
        self.bundle(&json)
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file is written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn arguments(&self, file: &str, more: &[&str]) -> Vec<String> {
        let path = |name: &str| self.path(name).display().to_string();
        let mut arguments = vec!["verify-blob".to_owned(), file.to_owned()];
        arguments.extend(["--bundle".to_owned(), path("bundle.json"), "--trusted-root".to_owned(), path("root.json")]);
        arguments.extend(more.iter().map(|text| (*text).to_owned()));
        arguments
    }

    fn run(&self, more: &[&str]) -> Ran {
        cg_attest(self.arguments(&self.path("file.txt").display().to_string(), more))
    }

    /// As [`Desk::run`], trusting Alice.
    fn trusting_alice(&self, more: &[&str]) -> Ran {
        self.run(&[&["--identity", NAME, "--issuer", ISSUER], more].concat())
    }
}

/// The exit code, and the state and code of the only cell.
fn outcome(ran: &Ran) -> (i32, String, String) {
    let report = ran.json();
    assert_eq!((&report["kind"], &report["exitCode"]), (&"BlobVerificationReport".into(), &ran.code.into()));
    let cells = report["cells"].as_array().expect("cells");
    assert_eq!(cells.len(), 1, "{cells:?}");
    let text = |key: &str| cells[0][key].as_str().unwrap_or("-").to_owned();
    (ran.code, text("state"), text("code"))
}

fn refused(state: &str, code: &str) -> (i32, String, String) {
    (1, state.to_owned(), code.to_owned())
}

fn accepted() -> (i32, String, String) {
    (0, "ok".to_owned(), "-".to_owned())
}

#[test]
fn a_signed_file_is_accepted_by_name_by_digest_and_from_stdin() {
    let desk = Desk::new();
    let digest = Digest::sha256(FILE.as_bytes());
    let ran = desk.trusting_alice(&[]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let [header, signer, time] = lines.as_slice() else { panic!("{}{}", ran.stdout, ran.stderr) };
    assert!(
        header.ends_with(&format!("file.txt @sha256:{}…   policy from flags   signature   ACCEPTED", digest.short()))
    );
    assert!(signer.starts_with("signed by alice@example.com, ") && signer.ends_with(", proven)"), "{signer}");
    assert_eq!(*time, "signed at 2026-03-02T12:00:00Z, according to the transparency log");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));

    let trusted = ["--identity", NAME, "--issuer", ISSUER, "-o", "json"];
    assert_eq!(outcome(&cg_attest(desk.arguments(&digest.to_string(), &trusted))), accepted());
    assert_eq!(outcome(&cg_attest_with(desk.arguments("-", &trusted), &[], FILE)), accepted());
    let other = refused("elsewhere", "subject-mismatch");
    assert_eq!(outcome(&cg_attest_with(desk.arguments("-", &trusted), &[], "another")), other);
    let another = Digest::sha256(b"another").to_string();
    assert_eq!(outcome(&cg_attest(desk.arguments(&another, &trusted))), other);
}

#[test]
fn the_document_says_what_was_verified() {
    let report = Desk::new().trusting_alice(&["-o", "json"]).json();
    assert_eq!((&report["apiVersion"], &report["verdict"]), (&"cg-attest/v1".into(), &"accept".into()));
    assert_eq!(report["file"]["digest"], Digest::sha256(FILE.as_bytes()).to_string());
    let candidate = &report["candidates"][0];
    assert_eq!(candidate["origin"]["kind"], "file");
    assert_eq!((&candidate["signer"]["identity"], &candidate["signer"]["issuer"]), (&NAME.into(), &ISSUER.into()));
    assert_eq!(candidate["logs"][0]["evidence"], "proof");
    assert_eq!(candidate["verifiedTimes"][0]["time"], "2026-03-02T12:00:00Z");
}

#[test]
fn one_change_of_the_policy_refuses() {
    let desk = Desk::new();
    let run = |arguments: &[&str]| outcome(&desk.run(&[arguments, &["-o", "json"]].concat()));
    let by_alice = ["--identity", NAME, "--issuer", ISSUER];
    assert_eq!(run(&by_alice), accepted());
    let wrong = |code: &str| refused("wrong-signer", code);
    assert_eq!(run(&["--identity", "bob@example.com", "--issuer", ISSUER]), wrong("identity-mismatch"));
    assert_eq!(run(&["--identity", NAME, "--issuer", "https://example.com"]), wrong("issuer-mismatch"));
    assert_eq!(run(&["--identity-regexp", "alice", "--issuer", ISSUER]), wrong("pattern-not-anchored"));
    let with = |more: &[&str]| run(&[&by_alice[..], more].concat());
    assert_eq!(with(&["--claim", "buildTrigger=push"]), wrong("claim-mismatch"));
    assert_eq!(with(&["--max-age", "36500d"]), accepted());
    assert_eq!(with(&["--max-age", "1s"]), refused("stale", "stale"));
    let key = desk.path("key.pub").display().to_string();
    desk.put("key.pub", &ManagedKey::new().public_key_pem());
    assert_eq!(run(&["--key", &key]), wrong("key-mismatch"));
}

#[test]
fn a_key_is_trusted_instead_of_an_identity() {
    let desk = Desk::new();
    let (key, another) = (ManagedKey::new(), ManagedKey::new());
    let json = desk.sigstore.sign_with_key(&key).blob(FILE.as_bytes());
    let desk = desk.bundle(&json);
    desk.put("key.pub", &key.public_key_pem());
    desk.put("another.pub", &another.public_key_pem());
    let run = |name: &str| outcome(&desk.run(&["--key", &desk.path(name).display().to_string(), "-o", "json"]));
    assert_eq!(run("key.pub"), accepted());
    assert_eq!(run("another.pub"), refused("invalid", "sig-invalid"));
    assert_eq!(outcome(&desk.trusting_alice(&["-o", "json"])), refused("wrong-signer", "key-mismatch"));
}

#[test]
fn an_attestation_has_to_be_asked_for_by_its_type() {
    let digest = Digest::sha256(FILE.as_bytes());
    let desk = Desk::new().statement(&Statement::about(&digest).spdx());
    assert_eq!(outcome(&desk.trusting_alice(&["--type", "spdx", "-o", "json"])), accepted());
    assert_eq!(outcome(&desk.trusting_alice(&["--require", "https://spdx.dev/Document", "-o", "json"])), accepted());
    let other = refused("missing", "predicate-mismatch");
    assert_eq!(outcome(&desk.trusting_alice(&["--type", "slsa", "-o", "json"])), other);
    assert_eq!(outcome(&desk.trusting_alice(&["-o", "json"])), other);
    let ran = desk.trusting_alice(&[]);
    let reason = "\
signature: missing (predicate-mismatch)
  wanted signature
  found  https://spdx.dev/Document
  → the bundle holds an attestation about the file; `--type spdx` accepts it
";
    assert!(ran.stdout.ends_with(reason), "{}", ran.stdout);
    // A type without a short name, and a file that is signed and not attested.
    let desk = desk.statement(&Statement::about(&digest).predicate("https://example.com/scan/v1", "{}"));
    assert!(desk.trusting_alice(&[]).stdout.contains("`--type https://example.com/scan/v1` accepts it"));
    assert_eq!(outcome(&desk.trusting_alice(&["--type", "https://example.com/scan/v1", "-o", "json"])), accepted());
    let ran = Desk::new().trusting_alice(&["--type", "spdx"]);
    assert!(ran.code == 1 && ran.stdout.contains("leave out --type to accept it"), "{}", ran.stdout);
}

#[test]
fn a_statement_may_name_the_file_by_sha512_alone() {
    let long = Digest::compute(Algorithm::Sha512, FILE.as_bytes());
    let desk = Desk::new().statement(&Statement::about(&long).slsa());
    assert_eq!(outcome(&desk.trusting_alice(&["--type", "slsa", "-o", "json"])), accepted());
    let another = Digest::compute(Algorithm::Sha512, b"another");
    let desk = desk.statement(&Statement::about(&another).slsa());
    let other = refused("elsewhere", "subject-mismatch");
    assert_eq!(outcome(&desk.trusting_alice(&["--type", "slsa", "-o", "json"])), other);
}

#[test]
fn a_promise_is_enough_in_a_v01_file_unless_proof_is_asked_for() {
    let desk = Desk::new();
    let promised = desk.sigstore.sign(&desk.alice).version(BundleVersion::V01).without_proof().blob(FILE.as_bytes());
    let desk = desk.bundle(&promised);
    assert_eq!(outcome(&desk.trusting_alice(&["-o", "json"])), accepted());
    assert!(desk.trusting_alice(&[]).stdout.contains(", promised)"));
    let proof = desk.trusting_alice(&["--log-evidence", "proof", "-o", "json"]);
    assert_eq!(outcome(&proof), refused("invalid", "log-promise-only"));
    let cut = desk.sigstore.sign(&desk.alice).fault(Fault::ProofMissing).blob(FILE.as_bytes());
    assert_eq!(outcome(&desk.bundle(&cut).trusting_alice(&["-o", "json"])), refused("invalid", "log-proof"));
}

#[test]
fn broken_evidence_is_refused_and_evidence_over_a_limit_is_undecided() {
    let desk = Desk::new();
    let bad = desk.sigstore.sign(&desk.alice).fault(Fault::SignatureBad).blob(FILE.as_bytes());
    let good = desk.sigstore.sign(&desk.alice).blob(FILE.as_bytes());
    let desk = desk.bundle(&bad);
    assert_eq!(outcome(&desk.trusting_alice(&["-o", "json"])), refused("invalid", "sig-invalid"));
    let desk = desk.bundle("{}");
    assert_eq!(outcome(&desk.trusting_alice(&["-o", "json"])), refused("invalid", "bundle-invalid"));

    let mut many: serde_json::Value = serde_json::from_str(&good).expect("JSON");
    let entry = many["verificationMaterial"]["tlogEntries"][0].clone();
    many["verificationMaterial"]["tlogEntries"] = vec![entry; 9].into();
    let desk = desk.bundle(&many.to_string());
    let (code, state, reason) = outcome(&desk.trusting_alice(&["-o", "json"]));
    assert_eq!((code, state.as_str(), reason.as_str()), (3, "undecided", "limit"));

    // No certificate at all is not a signature by a key.
    let mut bare: serde_json::Value = serde_json::from_str(&good).expect("JSON");
    bare["verificationMaterial"].as_object_mut().expect("an object").remove("certificate");
    bare["verificationMaterial"]["x509CertificateChain"] = serde_json::json!({ "certificates": [] });
    let desk = desk.bundle(&bare.to_string());
    assert_eq!(outcome(&desk.trusting_alice(&["-o", "json"])), refused("invalid", "bundle-invalid"));
}

#[test]
fn what_cannot_be_asked_is_exit_2_and_prints_no_report() {
    let desk = Desk::new();
    let trusted = ["--identity", NAME, "--issuer", ISSUER];
    let refused = |file: &str, more: &[&str], reason: &str| {
        let ran = cg_attest(desk.arguments(file, more));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{file} {more:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(reason), "{file} {more:?}: {}", ran.stderr);
    };
    let file = desk.path("file.txt").display().to_string();
    refused(&file, &[], "error[policy-missing]: nothing says who is trusted to sign this file");
    refused(&file, &["--identity", NAME], "policy-missing");
    let with = |more: &[&'static str]| [&trusted[..], more].concat();
    refused(&file, &with(&["--type", "spdx,slsa"]), "name one type");
    refused(&file, &with(&["--level", "index"]), "a file has no platforms");
    refused(&file, &with(&["--require-platform", "linux/amd64"]), "a file has no platforms");
    refused("sha256:abc", &trusted, "error[reference-invalid]");
    refused("absent.txt", &trusted, "error[file-unreadable]");
    std::fs::remove_file(desk.path("bundle.json")).expect("it was there");
    refused(&file, &trusted, "error[file-unreadable]");
}

#[test]
fn the_seeds_of_the_fuzz_targets_are_genuine() {
    // What never verifies would teach the fuzzer nothing about what follows.
    let fuzz = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let path = |name: &str| fuzz.join(name).display().to_string();
    let run = |seed: &str, file: &str, wanted: &str| {
        let (bundle, root) = (path(&format!("seeds/bundle/{seed}")), path("trusted_root.json"));
        let arguments = ["verify-blob", file, "--bundle", &bundle, "--trusted-root", &root, "--type", wanted];
        let more = ["--preset", "chainguard-public", "-o", "json"];
        outcome(&cg_attest_with([&arguments[..], &more].concat(), &[], "a file"))
    };
    let image = Digest::sha256(b"an image").to_string();
    for (seed, file, wanted) in [
        ("blob-v0.1", "-", "signature"),
        ("blob-rekor-v2", "-", "signature"),
        ("dsse-v0.2-intoto", image.as_str(), "signature"),
        ("dsse-v0.3", &image, "slsa"),
    ] {
        assert_eq!(run(seed, file, wanted), accepted(), "{seed}");
    }
    assert_eq!(run("key", "-", "signature"), refused("wrong-signer", "key-mismatch"));
}

#[test]
fn a_recorded_attestation_is_accepted_for_its_platform_and_for_no_other() {
    let Some(folder) = corpus::folder() else { return };
    let bundle = folder.join("chainguard/postgres-18.4-2026/slsa-provenance.sigstore.json").display().to_string();
    let run = |digest: &str, more: &[&str]| {
        let arguments = ["verify-blob", digest, "--bundle", &bundle, "--preset", "chainguard-public", "-o", "json"];
        outcome(&cg_attest([&arguments[..], more].concat()))
    };
    let arm64 = "sha256:c455ec159d05d99ee031d471b8692668562fed8e8c9c37be5e0dbdbee8e5f7b8";
    assert_eq!(run(arm64, &["--type", "slsa"]), accepted());
    assert_eq!(run(arm64, &[]), refused("missing", "predicate-mismatch"));
    assert_eq!(run(corpus::POSTGRES, &["--type", "slsa"]), refused("elsewhere", "subject-mismatch"));
}
