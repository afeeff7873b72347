//! Recorded evidence of many signers and tools: every row of
//! `expectations.jsonl`, then what the `SOURCES.md` files vouch for besides.

use std::sync::Arc;

use cg_attest::client::{Client, VerifyRequest};
use cg_attest::code::Code;
use cg_attest::digest::Digest;
use cg_attest::image::Reference;
use cg_attest::policy::{Pattern, Policy, Requirement};
use cg_attest::registry::Layout;
use cg_attest::report::Verdict;
use cg_attest::signer::IdentityKind;
use cg_attest::testing::{Identity, VirtualSigstore};
use serde_json::{Value, json};

use crate::support::corpus;
use crate::support::recorded::{GITHUB, PRODUCTION, Recorded, STAGING, Trusted, files, outcome, pem, text};

/// Where this crate does not do what a row expects, and why. A row that is
/// listed here and behaves as expected fails the test as well.
const EXCEPTIONS: &[(&str, Code, &str)] = &[
    (
        "sigstore-go/bundles/public-key-validity.sigstore.json",
        Code::TrustRoot,
        "the root is a timestamp authority alone; signatures by a key without a log are not verified",
    ),
    (
        "sigstore-js/fixtures/rekor-v2-prod-dsse-0.0.2.sigstore.json",
        Code::UnsupportedEvidence,
        "log entries of the kind dsse 0.0.2 are not verified, and the payload is text, about no file",
    ),
    (
        "sigstore-js/fixtures/v0.1-message-signature.sigstore.json",
        Code::TimeUntrusted,
        "a timestamp by an authority that the root does not name refuses the bundle, also beside a good promise",
    ),
    ("sigstore-js/fixtures/v0.1-public-key.sigstore.json", Code::TimeUntrusted, "as above"),
];

/// Why the invalid rows are refused, under the root that they are made for.
const INVALID: &[(&str, &str, Code)] = &[
    ("sigstore-python/assets/bundle_cve_2022_36056.txt.sigstore", STAGING, Code::LogMismatch),
    ("sigstore-python/assets/bundle_no_cert_v1.txt.sigstore", STAGING, Code::BundleInvalid),
    ("sigstore-python/assets/bundle_no_log_entry.txt.sigstore", PRODUCTION, Code::LogProof),
    ("sigstore-python/assets/bundle_v3_no_signed_time.txt.sigstore.json", PRODUCTION, Code::TimeMissing),
    // A test of parsers: its certificate and its proof are the word `test`.
    ("sigstore-rust/sigstore-types/cosign_v3_missing_fields.json", PRODUCTION, Code::BundleInvalid),
    // Signed as text; the type is refused before the signature is looked at.
    ("gh-cli/sigstoreBundle-invalid-signature.json", PRODUCTION, Code::DsseType),
    ("gh-cli/github_provenance_demo-0.0.12-py3-none-any-bundle-missing-cert.jsonl#0", GITHUB, Code::BundleInvalid),
    // What was changed in these two is base64 that no writer makes: its last bits are not zero.
    ("slsa-verifier/bundles/bundle/invalid-dsse-sig.intoto.sigstore", PRODUCTION, Code::BundleInvalid),
    ("slsa-verifier/bundles/bundle/invalid-set.intoto.sigstore", PRODUCTION, Code::BundleInvalid),
    // The entry is a day older than the certificate that it does not name.
    ("slsa-verifier/bundles/bundle/mismatch-tlog.intoto.sigstore", PRODUCTION, Code::TimeWindow),
    ("slsa-verifier/npm/provenance-npm-test-cli-v02-prega-invalidsigprov.tgz.json#1", PRODUCTION, Code::SigInvalid),
    ("slsa-verifier/npm/provenance-npm-test-cli-v02-prega-invalidsigpub.tgz.json#0", PRODUCTION, Code::SigInvalid),
    ("slsa-verifier/npm/provenance-npm-test-cli-v1-prega-invalidsigprov.tgz.json#1", PRODUCTION, Code::SigInvalid),
    ("slsa-verifier/npm/provenance-npm-test-cli-v1-prega-invalidsigpub.tgz.json#0", PRODUCTION, Code::SigInvalid),
    ("slsa-verifier/npm/supreme-googles-cli-v02-tag-invalidsigprov.tgz.json#1", PRODUCTION, Code::SigInvalid),
    ("slsa-verifier/npm/supreme-googles-cli-v02-tag-invalidsigpub.tgz.json#0", PRODUCTION, Code::SigInvalid),
];

/// Which keys the rows need that are signed with one, by the beginning of
/// their name: a PEM file, or npm's list of keys.
const KEYS: &[(&str, &str, &str)] = &[
    ("sigstore-go/bundle-publish.json", "sigstore-go/publish_key.pub", PRODUCTION),
    (
        "sigstore-go/bundles/public-key-validity.sigstore.json",
        "sigstore-go/public-keys/public-key-validity.pem",
        "sigstore-go/trusted-roots/public-key-validity.json",
    ),
    ("sigstore-js/fixtures/v0.1-public-key.sigstore.json", "sigstore-js/fixtures/public-key.pem", PRODUCTION),
    ("slsa-verifier/npm/", "sigstore-trust/prod/targets/registry.npmjs.org/keys.json", PRODUCTION),
];

/// One row: its bundle, and what it is about.
struct Row {
    name: String,
    row: Value,
    bundle: Vec<u8>,
    digest: Digest,
}

impl Row {
    fn of(recorded: &Recorded, row: Value) -> Self {
        let file = text(&row, "file");
        let place = |key: &str| row[key].as_u64().map(|n| usize::try_from(n).expect("a number"));
        let (name, bundle) = match (place("line"), place("attestation")) {
            (Some(n), _) => (format!("{file}#{n}"), recorded.lines(file)[n].to_string().into_bytes()),
            (None, Some(n)) => {
                let bundle = &recorded.json(file)["attestations"][n]["bundle"];
                (format!("{file}#{n}"), bundle.to_string().into_bytes())
            }
            (None, None) => (file.to_owned(), recorded.read(file)),
        };
        let subject = row["subjects"][0].as_object().and_then(|digests| digests.iter().next());
        let digest = match (row["artifact_sha256"].as_str(), subject) {
            (Some(hex), _) => format!("sha256:{hex}"),
            (None, Some((algorithm, hex))) => format!("{algorithm}:{}", hex.as_str().expect("a digest")),
            (None, None) => String::new(),
        };
        // What is signed is no statement, or one about `sha256:abc123`.
        let digest = digest.parse().unwrap_or_else(|_| Digest::sha256(b""));
        Self { name, digest, bundle, row }
    }

    /// Who the row says has signed; somebody, where nobody did.
    fn signer(&self) -> Trusted {
        let text = |key: &str| self.row[key].as_str().unwrap_or("nobody");
        Trusted::signer(text("identity"), text("issuer"))
    }

    fn key(&self, recorded: &Recorded) -> (Trusted, &'static str) {
        let (_, file, root) =
            KEYS.iter().find(|(name, ..)| self.name.starts_with(name)).unwrap_or_else(|| panic!("{}", self.name));
        if !file.ends_with(".json") {
            return (Trusted::Key { pem: String::from_utf8(recorded.read(file)).expect("PEM") }, root);
        }
        let bundle: Value = serde_json::from_slice(&self.bundle).expect("JSON");
        let hint = &bundle["verificationMaterial"]["publicKey"]["hint"];
        let keys = recorded.json(file);
        let keys = keys["keys"].as_array().expect("keys");
        let key = keys.iter().find(|key| key["keyId"] == *hint && key["keyUsage"] == "npm:attestations");
        (Trusted::Key { pem: pem(text(&key.expect("the key")["publicKey"], "rawBytes")) }, root)
    }
}

/// What a row has to come to, and what it comes to.
fn judged(recorded: &Recorded, row: &Row) -> (Result<(), Code>, Result<(), Code>) {
    let under = |root: &str, trusted: &Trusted| {
        recorded.bundle(&row.bundle, root, trusted, &row.digest).and_then(|assessed| outcome(&assessed))
    };
    let invalid = || {
        let (_, root, code) =
            INVALID.iter().find(|(name, ..)| *name == row.name).unwrap_or_else(|| panic!("{}", row.name));
        (*root, Err(*code))
    };
    match text(&row.row, "expect") {
        "valid" => {
            let root = text(&row.row, "trusted_root");
            let stranger = Trusted::signer("nobody@example.com", "https://example.com");
            assert!(under(root, &stranger).is_err(), "{}: a stranger's", row.name);
            (Ok(()), under(root, &row.signer()))
        }
        "invalid" | "implementation-defined" => {
            let (own, code) = invalid();
            for root in [PRODUCTION, STAGING, GITHUB] {
                assert!(under(root, &row.signer()).is_err(), "{} under {root}", row.name);
            }
            (code, under(own, &row.signer()))
        }
        "needs the key named in SOURCES.md" => {
            let (key, root) = row.key(recorded);
            assert_eq!(under(PRODUCTION, &row.signer()), Err(Code::KeyMismatch), "{}: without its key", row.name);
            (Ok(()), under(root, &key))
        }
        // npm's own signature is sound where the file's name says that the builder's is broken, and the reverse.
        "see SOURCES.md (key-signed publish attestation)" => {
            let (key, root) = row.key(recorded);
            let broken = row.name.contains("-invalidsigpub");
            (if broken { invalid().1 } else { Ok(()) }, under(root, &key))
        }
        other => panic!("{}: {other:?} is not an expectation that is known here", row.name),
    }
}

#[test]
fn every_expectation_holds_or_is_an_exception() {
    let Some(folder) = corpus::folder() else { return };
    let recorded = Recorded::new(folder);
    let rows: Vec<Row> = recorded.lines("expectations.jsonl").into_iter().map(|row| Row::of(&recorded, row)).collect();
    assert_eq!(rows.len(), 97);
    let mut wrong = Vec::new();
    for row in &rows {
        let (expected, actual) = judged(&recorded, row);
        let exception = EXCEPTIONS.iter().find(|(name, ..)| *name == row.name);
        let holds = exception.map_or(expected == actual, |(_, code, _)| expected.is_ok() && actual == Err(*code));
        if !holds {
            wrong.push(format!("{}: wanted {expected:?}, found {actual:?}, exception {exception:?}", row.name));
        }
    }
    let listed = EXCEPTIONS.iter().map(|(name, ..)| *name).chain(INVALID.iter().map(|(name, ..)| *name));
    wrong.extend(listed.filter(|name| !rows.iter().any(|row| row.name == *name)).map(|name| format!("{name}: no row")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn python_releases_are_accepted_for_their_release_manager_and_nobody_else() {
    let Some(folder) = corpus::folder() else { return };
    let recorded = Recorded::new(folder);
    let managers = recorded.json("cpython-releases/signing-identities.json");
    let managers = managers.as_array().expect("a list");
    let mut verified = 0;
    for name in files(&recorded.folder.join("cpython-releases"), ".json") {
        let of_release = |m: &&Value| name.strip_prefix(text(m, "Release")).is_some_and(|rest| rest.starts_with('.'));
        let Some(manager) = managers.iter().find(of_release) else { continue };
        let (identity, issuer) = (text(manager, "Release manager"), text(manager, "OIDC Issuer"));
        let releases = recorded.json(&format!("cpython-releases/{name}"));
        let releases = releases.as_array().expect("a list");
        for release in releases.iter().filter(|release| release["raw"]["sigstore"].is_object()) {
            let bundle = release["raw"]["sigstore"].to_string();
            let digest = corpus::digest(&format!("sha256:{}", text(release, "sha256")));
            let judge = |identity: &str, digest: &Digest| {
                let trusted = Trusted::signer(identity, issuer);
                outcome(&recorded.bundle(bundle.as_bytes(), PRODUCTION, &trusted, digest).expect("a root"))
            };
            assert_eq!(judge(identity, &digest), Ok(()), "{name}: {}", release["raw"]["url"]);
            assert_eq!(judge("hugo@python.example", &digest), Err(Code::IdentityMismatch));
            verified += 1;
        }
    }
    assert_eq!(verified, 98);
}

/// A PEP 740 attestation as the bundle that it was made from.
fn bundle_of_pep740(attestation: &Value) -> String {
    let (envelope, material) = (&attestation["envelope"], &attestation["verification_material"]);
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "certificate": { "rawBytes": material["certificate"] },
            "tlogEntries": material["transparency_entries"],
        },
        "dsseEnvelope": {
            "payloadType": "application/vnd.in-toto+json",
            "payload": envelope["statement"],
            "signatures": [{ "sig": envelope["signature"] }],
        },
    })
    .to_string()
}

#[test]
fn pypi_attestations_are_accepted_for_their_publisher() {
    let Some(folder) = corpus::folder() else { return };
    let recorded = Recorded::new(folder);
    let github = (
        "https://github.com/trailofbits/pypi-attestations/.github/workflows/release.yml@refs/tags/v0.0.19",
        "https://token.actions.githubusercontent.com",
    );
    let gitlab =
        ("https://gitlab.com/facutuesca/gitlab-oidc-project//.gitlab-ci.yml@refs/heads/main", "https://gitlab.com");
    let person = ("william@yossarian.net", "https://github.com/login/oauth");
    let one = "sha256:9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3";
    let two = "sha256:c1ca9b0d85df1606451098233018534497bf584362e10e4a8c21dfaea92c02a8";
    let three = "sha256:c4e92e9ecc828bef2aa7dba1de8ac983511f7532a0df11c770d39099a25cf201";
    for (file, root, (identity, issuer), digest) in [
        ("pypi_attestations-0.0.19.tar.gz.publish.attestation", PRODUCTION, github, one),
        ("pypi_attestations-0.0.19.tar.gz.slsa.attestation", PRODUCTION, github, one),
        ("gitlab_oidc_project-0.0.3.tar.gz.publish.attestation", PRODUCTION, gitlab, two),
        ("rfc8785-0.1.2-py3-none-any.whl.publish.attestation", STAGING, person, three),
    ] {
        let bundle = bundle_of_pep740(&recorded.json(&format!("pypi-attestations/{file}")));
        let judge = |root: &str, digest: &str| {
            let trusted = Trusted::signer(identity, issuer);
            outcome(&recorded.bundle(bundle.as_bytes(), root, &trusted, &corpus::digest(digest)).expect("a root"))
        };
        assert_eq!(judge(root, digest), Ok(()), "{file}");
        assert_eq!(judge(root, corpus::POSTGRES), Err(Code::SubjectMismatch), "{file}");
        assert!(judge(if root == STAGING { PRODUCTION } else { STAGING }, digest).is_err(), "{file}");
    }
}

#[tokio::test]
async fn saved_images_have_their_provenance() {
    let Some(folder) = corpus::folder() else { return };
    let recorded = Recorded::new(folder);
    let accepted = (Verdict::Accept, None);
    // Entries of the kind intoto 0.0.1 do not name the signature; they are listed and satisfy nothing.
    let unsupported = (Verdict::Refuse, Some(Code::UnsupportedEvidence));
    for (version, expected) in [
        ("v1.5.0", unsupported),
        ("v1.6.0", unsupported),
        ("v1.8.0", unsupported),
        ("v1.10.0", accepted),
        ("v2.1.0", accepted),
    ] {
        let folder = recorded.folder.join(format!("slsa-verifier/container-{version}"));
        let layout = Layout::open(folder.join("container_workflow_dispatch")).expect("a layout");
        let digest = std::fs::read_to_string(folder.join("container_workflow_dispatch.digest")).expect("a digest");
        let reference: Reference = format!("localhost/layout@{}", digest.trim_end()).parse().expect("a reference");
        let generator = format!(
            "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml@refs/tags/{version}"
        );
        let policy = |identity: &str, wanted: &str| {
            let exact = |text: &str| Pattern::exact(text).expect("a pattern");
            let requirement: Requirement = wanted.parse().expect("a requirement");
            let builder = Policy::builder().identity(exact(identity));
            let builder = builder.issuer(exact("https://token.actions.githubusercontent.com"));
            builder.require(requirement).build().expect("a policy")
        };
        let root = (*recorded.root(PRODUCTION).expect("a root")).clone();
        let client = Client::builder(Arc::new(layout), root).build();
        let stranger = (Verdict::Refuse, if expected == accepted { Some(Code::IdentityMismatch) } else { expected.1 });
        let asked = [(policy(&generator, "slsa"), expected), (policy(&format!("{generator}1"), "slsa"), stranger)];
        for (policy, expected) in asked {
            let report = client.verify(&VerifyRequest::new(reference.clone(), &policy, recorded.now())).await;
            let found = (report.verdict(), report.cells()[0].code);
            assert_eq!(found, expected, "{version}: {:#?}", report.cells());
        }
    }
}

#[test]
fn a_user_name_is_read_as_one() {
    // No recorded certificate has one: Fulcio gives them out for private issuers only.
    let sigstore = VirtualSigstore::new();
    let file = Digest::sha256(b"file");
    let name = "alice!example.com";
    let issuer = "https://issuer.example.com";
    let folder = tempfile::TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("root.json"), sigstore.trusted_root_json()).expect("a root is written");
    let recorded = Recorded::new(folder.path().to_owned());
    let assess = |signer: &Identity, trusted: &str| {
        let bundle = sigstore.sign(signer).blob(b"file");
        recorded.bundle(bundle.as_bytes(), "root.json", &Trusted::signer(trusted, issuer), &file).expect("a root")
    };
    let assessed = assess(&Identity::username(name, issuer), name);
    assert_eq!(outcome(&assessed), Ok(()));
    let identity = assessed.verified().expect("verified").signer().identity();
    assert_eq!((identity.value.as_str(), identity.kind), (name, IdentityKind::Username));
    let other = assess(&Identity::username("mallory!example.com", issuer), name);
    assert_eq!(outcome(&other), Err(Code::IdentityMismatch));
}
