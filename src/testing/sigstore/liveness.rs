//! Every good form verifies, and every fault alone is refused, by the verifier
//! that this crate relies on: so the faults are what they say, and none of that
//! verifier's checks is dead.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{Bundle, DerPublicKey, Sha256Hash};
use sigstore_verify::{
    CertificateError, Error, PublicKeyVerificationPolicy, TimestampError, TransparencyLogError, VerificationPolicy,
    Verifier,
};

use crate::limits::Limits;

use super::{BundleVersion, Fault, Identity, Layer, Log, ManagedKey, Mint, VirtualSigstore};

const BLOB: &[u8] = b"hello";

/// Who refuses a fault, and with what.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    Parse,
    Structure,
    Time,
    Chain,
    Certificate,
    Sct,
    Entry,
    Promise,
    Proof,
    Checkpoint,
    Signature,
    Artifact,
    /// That verifier accepts it: a check that is ours to make.
    Ours,
}

fn refusal(error: &Error) -> Refusal {
    match error {
        Error::Bundle(_) | Error::InvalidBundle(_) | Error::UnsupportedBundle(_) => Refusal::Structure,
        Error::SignatureInvalid(_) => Refusal::Signature,
        Error::ArtifactMismatch(_) => Refusal::Artifact,
        Error::Timestamp(_) | Error::TransparencyLog(TransparencyLogError::IntegratedTime(_)) => Refusal::Time,
        Error::Certificate(CertificateError::ChainInvalid(_)) => Refusal::Chain,
        Error::Certificate(CertificateError::Sct(_)) => Refusal::Sct,
        Error::Certificate(_) => Refusal::Certificate,
        Error::TransparencyLog(TransparencyLogError::InclusionPromise(_)) => Refusal::Promise,
        Error::TransparencyLog(TransparencyLogError::InclusionProof(_)) => Refusal::Proof,
        Error::TransparencyLog(TransparencyLogError::Checkpoint(_)) => Refusal::Checkpoint,
        Error::TransparencyLog(_) => Refusal::Entry,
        other => panic!("unexpected: {other:?}"),
    }
}

/// The refusals that a fault may meet; the first where its own check is reached.
fn expected(fault: Fault) -> &'static [Refusal] {
    match fault {
        Fault::CertificateExpired
        | Fault::CertificateOfAnotherAuthority
        | Fault::CertificateOfRetiredAuthority
        | Fault::KeyUsageMissing
        | Fault::KeyUsageForeign => &[Refusal::Chain],
        // Only what the trust root says of an authority's window is looked at there (scenario D-01).
        Fault::CertificateOfLapsedAuthority => &[Refusal::Ours],
        Fault::SctMissing
        | Fault::SctListEmpty
        | Fault::SctByUnknownKey
        | Fault::SctByRetiredLog
        | Fault::SctOfAnotherCertificate => &[Refusal::Sct],
        Fault::NameExtensionTwice | Fault::IssuerMalformed => &[Refusal::Certificate],
        Fault::TwoNames | Fault::NameMissing | Fault::IssuersDiffer | Fault::IssuerExtensionTwice => &[Refusal::Ours],

        Fault::SignatureBad | Fault::SignatureOverPayload => &[Refusal::Signature],
        Fault::TwoSignatures | Fault::NoSignatures => &[Refusal::Parse],
        Fault::PayloadTypeForeign | Fault::StatementNotJson | Fault::SubjectsEmpty | Fault::PredicateTypeTwice => {
            &[Refusal::Structure]
        }
        Fault::StatementTypeUnknown => &[Refusal::Ours],
        Fault::MessageDigestOfAnotherArtifact => &[Refusal::Artifact],

        // A hashedrekord entry's hash is compared before the rest.
        Fault::EntryOfAnotherArtifact | Fault::EntryWithAnotherHash | Fault::SecondEntryOfAnotherArtifact => {
            &[Refusal::Entry, Refusal::Artifact]
        }
        Fault::EntryWithAnotherSignature | Fault::EntryWithMirroredSignature | Fault::EntryWithAnotherCertificate => {
            &[Refusal::Entry]
        }
        Fault::EntryByUnknownLog => &[Refusal::Promise, Refusal::Checkpoint],
        Fault::EntryByRetiredLog => &[Refusal::Promise],
        Fault::EntryTwice => &[Refusal::Ours],
        Fault::KindVersionDisagrees => &[Refusal::Entry, Refusal::Structure],
        Fault::KindVersionUnknown => &[Refusal::Parse],

        Fault::PromiseByUnknownKey | Fault::PromiseOfAnotherEntry | Fault::PromiseForAnotherTime => &[Refusal::Promise],
        Fault::ProofMissing | Fault::CheckpointMissing => &[Refusal::Structure],
        Fault::ProofOfAnotherEntry | Fault::ProofHashCorrupted => &[Refusal::Proof],
        Fault::CheckpointByUnknownKey | Fault::CheckpointOverRootHash | Fault::CheckpointKeyHintWrong => {
            &[Refusal::Checkpoint]
        }
        // Any trusted log's key is good enough for any entry's checkpoint there (scenario C-02).
        Fault::CheckpointByAnotherLog => &[Refusal::Ours],
        // Rekor v1 repeats the root in the proof; in v2 it is the checkpoint's alone.
        Fault::CheckpointOfAnotherTree => &[Refusal::Structure, Refusal::Proof],

        Fault::TimeMissing | Fault::IntegratedTimeInFuture => &[Refusal::Time],
        Fault::IntegratedTimeOutsideCertificate | Fault::TimestampOutsideCertificate => &[Refusal::Chain],
        Fault::TimestampOfAnotherSignature
        | Fault::TimestampByUntrustedAuthority
        | Fault::TimestampByAnotherKey
        | Fault::TimestampByForeignCertificate
        | Fault::TimestampOutsideAuthority => &[Refusal::Time],
        // Only a log's time is compared with the clock there.
        Fault::TimestampInFuture => &[Refusal::Ours],
    }
}

/// The four things that can be minted, each as the bundle that it is or becomes.
type Kind = (&'static str, fn(Mint<'_>) -> String, fn(Mint<'_>, Fault) -> bool);

const KINDS: &[Kind] = &[
    ("statement", |mint| mint.statement(&statement()), |mint, fault| mint.statement_can_have(fault)),
    ("blob", |mint| mint.blob(BLOB), |mint, fault| mint.blob_can_have(fault)),
    (".sig layer", |mint| bundle_of(&mint.legacy_signature(BLOB)), |mint, fault| mint.legacy_signature_can_have(fault)),
    (
        ".att layer",
        |mint| bundle_of(&mint.legacy_attestation(&statement())),
        |mint, fault| mint.legacy_attestation_can_have(fault),
    ),
];

fn statement() -> Vec<u8> {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": "hello", "digest": { "sha256": crate::digest::Digest::sha256(BLOB).hex() } }],
        "predicateType": "https://spdx.dev/Document",
        "predicate": { "spdxVersion": "SPDX-2.3" },
    });
    statement.to_string().into_bytes()
}

struct Bench {
    sigstore: VirtualSigstore,
    verifier: Verifier,
    identity: Identity,
    key: ManagedKey,
}

impl Bench {
    fn new() -> Self {
        let sigstore = VirtualSigstore::new();
        let root = TrustedRoot::from_json(&sigstore.trusted_root_json()).expect("a trust root");
        let verifier = Verifier::new(&root).expect("a usable trust root");
        Self { sigstore, verifier, identity: Identity::chainguard_images(), key: ManagedKey::new() }
    }

    /// Signer × log × version × timestamp, where that is evidence at all: Rekor
    /// v2 has no promise for version 0.1, nor a time of its own.
    fn forms(&self) -> Vec<(Log, BundleVersion, Mint<'_>)> {
        let mut forms = Vec::new();
        for signer in [self.sigstore.sign(&self.identity), self.sigstore.sign_with_key(&self.key)] {
            for log in [Log::RekorV1, Log::RekorV1Intoto] {
                for &version in BundleVersion::ALL {
                    let form = signer.log(log).version(version);
                    forms.extend([(log, version, form.timestamp(false)), (log, version, form.timestamp(true))]);
                }
            }
            for &version in &BundleVersion::ALL[1..] {
                forms.push((Log::RekorV2, version, signer.log(Log::RekorV2).version(version)));
            }
            for log in [Log::RekorV1, Log::RekorV2] {
                let form = signer.log(log).version(BundleVersion::V03);
                forms.extend([(log, BundleVersion::V03, form.cosigned()), (log, BundleVersion::V03, form.alone())]);
            }
        }
        forms
    }

    fn check(&self, bundle: &str) -> Refusal {
        let Ok(parsed) = Bundle::from_json(bundle) else { return Refusal::Parse };
        let digest = Sha256Hash::new(super::key::sha256(BLOB));
        let managed = bundle.contains(r#""publicKey":{"hint""#);
        let verified = if managed {
            let key = DerPublicKey::new(self.key.public_key_der().to_vec());
            self.verifier.verify(digest, &parsed, &PublicKeyVerificationPolicy::new(key))
        } else {
            self.verifier.verify(digest, &parsed, &VerificationPolicy::any_identity())
        };
        verified.map_or_else(|error| refusal(&error), |_| Refusal::Ours)
    }
}

#[test]
fn every_good_form_verifies_and_every_fault_is_refused_by_its_own_check() {
    let bench = Bench::new();
    let mut seen = std::collections::BTreeMap::new();
    for (log, version, mint) in bench.forms() {
        for (kind, make, can_have) in KINDS {
            // A layer has room for a promise only, and Rekor v2 makes none.
            if log == Log::RekorV2 && kind.ends_with("layer") {
                continue;
            }
            assert_eq!(bench.check(&make(mint)), Refusal::Ours, "a good {kind}: {mint:?}");
            // Between the versions in the middle only names differ.
            if matches!(version, BundleVersion::V02 | BundleVersion::V03OldSpelling) {
                continue;
            }
            for &fault in Fault::ALL.iter().filter(|fault| can_have(mint, **fault)) {
                let found = bench.check(&make(mint.fault(fault)));
                assert!(expected(fault).contains(&found), "{fault:?} of a {kind} is {found:?}: {mint:?}");
                *seen.entry(fault).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(seen.len(), Fault::ALL.len(), "each fault happens to some form");
}

#[test]
fn what_is_read_of_a_bundle_is_what_the_verifiers_own_types_read() {
    let bench = Bench::new();
    for (_, _, mint) in bench.forms() {
        for bundle in [mint.statement(&statement()), mint.blob(BLOB)] {
            let theirs = Bundle::from_json(&bundle).expect("a bundle").to_json().expect("JSON");
            let ours = crate::sigstore::Bundle::parse(bundle.as_bytes(), &Limits::default()).expect("a bundle");
            assert_eq!(ours.to_json(), Some(theirs), "{mint:?}");
        }
    }
}

/// What those types refuse is refused, but for one thing that Protobuf's JSON allows.
#[test]
fn what_the_verifiers_own_types_refuse_of_a_bundle_is_refused() {
    let bench = Bench::new();
    let good = bench.sigstore.sign(&bench.identity).statement(&statement());
    let both = |bundle: &str| {
        let ours = crate::sigstore::Bundle::parse(bundle.as_bytes(), &Limits::default());
        (Bundle::from_json(bundle).is_ok(), ours.is_ok())
    };
    assert_eq!(both(&good), (true, true));
    let json: Value = serde_json::from_str(&good).expect("JSON");
    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut json = json.clone();
        edit(&mut json);
        json.to_string()
    };
    let envelope = &json["dsseEnvelope"];
    for bad in [
        json!([json["mediaType"], json["verificationMaterial"], envelope, null]).to_string(),
        edited(&|b| b["mediaType"] = Value::Null),
        edited(&|b| b["verificationMaterial"] = Value::Null),
        edited(&|b| b["dsseEnvelope"] = Value::Null),
        edited(&|b| drop(b.as_object_mut().expect("an object").remove("dsseEnvelope"))),
        edited(&|b| b["dsseEnvelope"]["payload"] = "Y*==".into()),
        edited(&|b| b["dsseEnvelope"]["payload"] = Value::Null),
        edited(&|b| b["dsseEnvelope"]["payloadType"] = Value::Null),
        edited(&|b| b["dsseEnvelope"]["signatures"] = json!([])),
        edited(&|b| b["dsseEnvelope"]["signatures"] = json!({})),
        edited(&|b| b["dsseEnvelope"]["signatures"][0]["sig"] = "Y*==".into()),
        format!("{good}x"),
    ] {
        assert_eq!(both(&bad), (false, false), "{bad}");
    }
    // Ours alone: an array of an object's values, and two contents.
    let values = json!([envelope["payloadType"], envelope["payload"], envelope["signatures"]]);
    assert_eq!(both(&edited(&|b| b["dsseEnvelope"] = values.clone())), (true, false));
    assert_eq!(both(&edited(&|b| b["messageSignature"] = json!({ "signature": "MAA=" }))), (true, false));
    // Theirs alone: what is null is not there, wherever it stands.
    let first = good.replacen('{', r#"{"messageSignature":null,"#, 1);
    assert_eq!(both(&first), (false, true));
}

#[test]
fn the_first_entry_has_no_defaults_and_a_cosigned_checkpoint_has_three_signatures() {
    let bench = Bench::new();
    let mint = bench.sigstore.sign(&bench.identity).log(Log::RekorV2);
    let entry = |mint: Mint<'_>| {
        let bundle: Value = serde_json::from_str(&mint.blob(BLOB)).expect("JSON");
        bundle["verificationMaterial"]["tlogEntries"][0].clone()
    };
    let (usual, first) = (entry(mint), entry(mint.alone()));
    assert!(usual["logIndex"].is_string() && usual["inclusionProof"]["hashes"].is_array(), "{usual}");
    let proof = &first["inclusionProof"];
    assert!(first.get("logIndex").is_none() && proof.get("logIndex").is_none(), "{first}");
    assert!(proof.get("hashes").is_none() && proof["treeSize"] == "1", "{first}");
    for (entry, signers) in [(usual, vec!["log2026"]), (entry(mint.cosigned()), vec!["first", "log2026", "second"])] {
        let checkpoint = entry["inclusionProof"]["checkpoint"]["envelope"].as_str().expect("a checkpoint").to_owned();
        let lines = checkpoint.lines().filter_map(|line| line.strip_prefix("\u{2014} "));
        let names: Vec<_> = lines.map(|line| line.split(['.', '-']).next().unwrap_or_default().to_owned()).collect();
        assert_eq!(names, signers);
    }
}

#[test]
fn times_are_the_instances() {
    let bench = Bench::new();
    let later = "2026-05-01T00:00:00Z".parse().expect("a time");
    let sigstore = bench.sigstore.at(later);
    let json = sigstore.sign(&bench.identity).timestamp(true).blob(BLOB);
    let bundle = Bundle::from_json(&json).expect("a bundle");
    let verified = bench.verifier.verify(BLOB, &bundle, &VerificationPolicy::any_identity()).expect("a good bundle");
    let times: Vec<_> = verified.verified_timestamps().iter().map(ToString::to_string).collect();
    assert_eq!(times, ["2026-05-01T00:00:00Z", "2026-05-01T00:00:00Z"]);
    assert!(verified.sct_verified() && verified.tlog_verified() && verified.certificate_verified());
}

#[test]
fn instances_do_not_trust_each_other() {
    let (bench, other) = (Bench::new(), VirtualSigstore::new());
    assert_eq!(bench.check(&bench.sigstore.sign(&bench.identity).blob(BLOB)), Refusal::Ours);
    assert_eq!(bench.check(&other.sign(&bench.identity).blob(BLOB)), Refusal::Promise);
    assert_eq!(bench.check(&other.sign(&bench.identity).log(Log::RekorV2).blob(BLOB)), Refusal::Time);
    let json = bench.sigstore.sign(&bench.identity).log(Log::RekorV2).timestamp(true).blob(BLOB);
    let bundle = Bundle::from_json(&json).expect("a bundle");
    let root = TrustedRoot::from_json(&other.trusted_root_json()).expect("a trust root");
    let verifier = Verifier::new(&root).expect("a usable trust root");
    let error = verifier.verify(BLOB, &bundle, &VerificationPolicy::any_identity()).expect_err("a foreign bundle");
    assert!(matches!(error, Error::Timestamp(TimestampError::Invalid(_))), "{error}");
}

#[test]
fn names_and_claims_are_in_the_certificate() {
    let bench = Bench::new();
    let verified = |identity: &Identity| {
        let bundle = Bundle::from_json(&bench.sigstore.sign(identity).blob(BLOB)).expect("a bundle");
        let result = bench.verifier.verify(BLOB, &bundle, &VerificationPolicy::any_identity()).expect("a good bundle");
        result.certificate().expect("a certificate").clone()
    };
    let workflow = verified(&bench.identity);
    assert_eq!(
        workflow.identity.as_ref().map(sigstore_verify::SubjectAltName::as_str),
        Some("https://github.com/chainguard-images/images/.github/workflows/release.yaml@refs/heads/main")
    );
    assert_eq!(workflow.issuer.as_deref(), Some("https://token.actions.githubusercontent.com"));
    assert_eq!(workflow.ci_claims.deprecated_github.workflow_ref.as_deref(), Some("refs/heads/main"));
    assert_eq!(workflow.ci_claims.runner_environment.as_deref(), Some("github-hosted"));

    let person = verified(&Identity::email("alice@example.com", "https://accounts.example.com"));
    let email = sigstore_verify::SubjectAltName::Email("alice@example.com".to_owned());
    assert_eq!(person.identity, Some(email));
    assert_eq!(person.ci_claims.token_subject.as_deref(), Some("alice@example.com"));

    // The verifier reads no otherName; that it is there can be seen in the bytes.
    let username = Identity::username("alice!example.com", "https://accounts.example.com").without_claim(1);
    assert_eq!(verified(&username).identity, None);
    assert_eq!(verified(&username).issuer.as_deref(), Some("https://accounts.example.com"));
    let layer = bench.sigstore.sign(&username).legacy_signature(BLOB);
    let (_, der) = pem_rfc7468(&layer.annotations["dev.sigstore.cosign/certificate"]);
    assert!(der.windows(17).any(|window| window == b"alice!example.com"));
}

#[test]
#[should_panic(expected = "SctMissing cannot happen")]
fn a_fault_that_a_form_cannot_have_is_a_mistake_of_the_test() {
    let bench = Bench::new();
    assert!(bench.sigstore.sign(&bench.identity).blob_can_have(Fault::SctMissing));
    let mint = bench.sigstore.sign_with_key(&bench.key);
    assert!(!mint.blob_can_have(Fault::SctMissing));
    drop(mint.fault(Fault::SctMissing).blob(BLOB));
}

#[test]
fn what_nobody_vouches_for_in_time_is_no_evidence() {
    let bench = Bench::new();
    let mint = bench.sigstore.sign(&bench.identity);
    assert_eq!(bench.check(&mint.log(Log::None).timestamp(true).blob(BLOB)), Refusal::Structure);
    assert_eq!(bench.check(&mint.without_promise().blob(BLOB)), Refusal::Time);
    assert_eq!(bench.check(&mint.without_promise().timestamp(true).blob(BLOB)), Refusal::Ours);
    assert_eq!(bench.check(&mint.without_proof().blob(BLOB)), Refusal::Structure);
    assert_eq!(bench.check(&mint.without_proof().version(BundleVersion::V01).blob(BLOB)), Refusal::Ours);
    // The entry kind of the first attestations is one that the verifier does not know.
    assert_eq!(bench.check(&mint.log(Log::RekorV1FirstIntoto).statement(&statement())), Refusal::Parse);
}

/// A layer as the v0.1 bundle that says the same.
fn bundle_of(layer: &Layer) -> String {
    let annotation = |key: &str| layer.annotations.get(key);
    let mut material = json!({});
    match annotation("dev.sigstore.cosign/certificate") {
        Some(pem) => {
            let (label, der) = pem_rfc7468(pem);
            assert_eq!(label, "CERTIFICATE");
            material["x509CertificateChain"] = json!({ "certificates": [{ "rawBytes": BASE64_STANDARD.encode(der) }] });
        }
        None => material["publicKey"] = json!({ "hint": "" }),
    }
    let logged: Value = serde_json::from_str(&layer.annotations["dev.sigstore.cosign/bundle"]).expect("JSON");
    let payload = &logged["Payload"];
    let body = payload["body"].as_str().expect("a body");
    let decoded: Value = serde_json::from_slice(&BASE64_STANDARD.decode(body).expect("base64")).expect("JSON");
    let id = payload["logID"].as_str().expect("a log");
    let id: Vec<u8> = (0..32).map(|n| u8::from_str_radix(&id[2 * n..2 * n + 2], 16).expect("hex")).collect();
    material["tlogEntries"] = json!([{
        "logIndex": payload["logIndex"].to_string(),
        "logId": { "keyId": BASE64_STANDARD.encode(id) },
        "kindVersion": { "kind": decoded["kind"], "version": decoded["apiVersion"] },
        "integratedTime": payload["integratedTime"].to_string(),
        "inclusionPromise": { "signedEntryTimestamp": logged["SignedEntryTimestamp"] },
        "canonicalizedBody": body,
    }]);
    if let Some(stamp) = annotation("dev.sigstore.cosign/rfc3161timestamp") {
        let stamp: Value = serde_json::from_str(stamp).expect("JSON");
        let tokens = json!([{ "signedTimestamp": stamp["SignedRFC3161Timestamp"] }]);
        material["timestampVerificationData"] = json!({ "rfc3161Timestamps": tokens });
    }
    let mut bundle = json!({ "mediaType": BundleVersion::V01.media_type(), "verificationMaterial": material });
    if layer.media_type == crate::image::media::DSSE {
        bundle["dsseEnvelope"] = serde_json::from_slice(&layer.bytes).expect("an envelope");
    } else {
        bundle["messageSignature"] = json!({ "signature": layer.annotations["dev.cosignproject.cosign/signature"] });
    }
    bundle.to_string()
}

fn pem_rfc7468(text: &str) -> (String, Vec<u8>) {
    let mut lines = text.lines();
    let label = lines.next().and_then(|l| l.strip_prefix("-----BEGIN ")?.strip_suffix("-----")).expect("a label");
    let body: String = lines.take_while(|line| !line.starts_with('-')).collect();
    (label.to_owned(), BASE64_STANDARD.decode(body).expect("base64"))
}
