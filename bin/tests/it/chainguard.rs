//! Chainguard's signatures of 2022 and 2023, in cosign's older storage.

use std::collections::BTreeMap;
use std::sync::Arc;

use cg_attest::check::{CheckName, Outcome};
use cg_attest::client::{Client, VerifyRequest};
use cg_attest::code::Code;
use cg_attest::digest::{Digest, VerifiedBlob};
use cg_attest::image::{ImageName, Reference, media};
use cg_attest::limits::Limits;
use cg_attest::registry::{Context, Memory, Push as _};
use cg_attest::report::{Report, Verdict};
use serde_json::{Map, Value, json};

use crate::support::corpus;
use crate::support::recorded::{PRODUCTION, Recorded, Trusted, decoded, files, outcome, text};

const PRINTED: &str = "chainguard/cosign-verify-2022-2023";
const DECOMPOSED: &str = "chainguard/decomposed-2022-2023";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// The annotations that the layer had: cosign prints the log's bundle, whose
/// entry holds the signature and the certificate.
fn annotations(record: &Value) -> BTreeMap<String, String> {
    let bundle = &record["cosign_verify_entry"]["optional"]["Bundle"];
    let entry: Value = serde_json::from_slice(&decoded(&bundle["Payload"]["body"])).expect("a log entry");
    let signature = &entry["spec"]["signature"];
    let certificate = decoded(&signature["publicKey"]["content"]);
    BTreeMap::from([
        ("dev.cosignproject.cosign/signature".to_owned(), text(signature, "content").to_owned()),
        ("dev.sigstore.cosign/certificate".to_owned(), String::from_utf8(certificate).expect("PEM")),
        ("dev.sigstore.cosign/bundle".to_owned(), bundle.to_string()),
    ])
}

/// The payload as the printed claims have it: what cosign adds from the
/// certificate left out, keys sorted, no blanks.
fn printed_payload(record: &Value) -> String {
    let entry = &record["cosign_verify_entry"];
    let added = |key: &str| {
        matches!(key, "Bundle" | "Issuer" | "Subject")
            || key.starts_with("1.3.6.1.4.1.57264.")
            || key.starts_with("githubWorkflow")
    };
    let optional = entry["optional"].as_object().expect("an object");
    let optional: Map<String, Value> =
        optional.iter().filter(|(key, _)| !added(key)).map(|(key, value)| (key.clone(), value.clone())).collect();
    json!({ "critical": entry["critical"], "optional": optional }).to_string()
}

fn trusted(record: &Value) -> Trusted {
    Trusted::signer(text(record, "certificate_san"), text(record, "certificate_issuer"))
}

fn digest(record: &Value) -> Digest {
    corpus::digest(text(record, "manifest_digest"))
}

fn records(recorded: &Recorded) -> Vec<Value> {
    let names = files(&recorded.folder.join(PRINTED), ".jsonl");
    let names = names.iter().filter(|name| !name.starts_with("relabelled"));
    names.flat_map(|name| recorded.lines(&format!("{PRINTED}/{name}"))).collect()
}

#[test]
fn all_1044_signatures_are_accepted_for_their_own_signer_and_image() {
    let Some(folder) = corpus::folder() else { return };
    let recorded = Recorded::new(folder);
    let records = records(&recorded);
    assert_eq!(records.len(), 1044);
    for record in &records {
        let payload = text(record, "payload");
        assert_eq!(printed_payload(record), payload);
        let assessed = recorded.layer(payload, annotations(record), &trusted(record), &digest(record));
        assert_eq!(outcome(&assessed), Ok(()), "{}: {:#?}", record["source"], assessed.checks());
        let signature = assessed.signature().expect("a signature");
        assert_eq!(signature.subject(), &digest(record));
        let bundle = signature.bundle();
        assert_eq!(bundle.signer().identity().value, text(record, "certificate_san"));
        assert_eq!(bundle.times()[0].time.unix(), record["integrated_time"].as_i64().expect("a time"));
        assert_eq!(bundle.logs()[0].index, record["log_index"].to_string());
        assert!(!bundle.is_proven());
    }
}

#[test]
fn one_change_of_a_signature_is_refused_for_its_own_reason() {
    let Some(folder) = corpus::folder() else { return };
    let recorded = Recorded::new(folder);
    // One of each image is enough: they differ in their certificates.
    let names = files(&recorded.folder.join(PRINTED), ".jsonl");
    let firsts = names.iter().filter(|name| !name.starts_with("relabelled"));
    let firsts: Vec<Value> = firsts.map(|name| recorded.lines(&format!("{PRINTED}/{name}")).remove(0)).collect();
    for (n, record) in firsts.iter().enumerate() {
        let other = &firsts[(n + 1) % firsts.len()];
        let payload = text(record, "payload");
        let (alice, image, notes) = (trusted(record), digest(record), annotations(record));
        let judge = |payload: &str, notes: &BTreeMap<String, String>, trusted: &Trusted, image: &Digest| {
            outcome(&recorded.layer(payload, notes.clone(), trusted, image))
        };
        assert_eq!(judge(payload, &notes, &alice, &image), Ok(()));
        assert_eq!(judge(payload, &notes, &alice, &digest(other)), Err(Code::SubjectMismatch));
        let prefix = Trusted::signer(&text(record, "certificate_san")[..40], ISSUER);
        assert_eq!(judge(payload, &notes, &prefix, &image), Err(Code::IdentityMismatch));
        let issuer = Trusted::signer(text(record, "certificate_san"), "https://accounts.google.com");
        assert_eq!(judge(payload, &notes, &issuer, &image), Err(Code::IssuerMismatch));
        // The payload of one image with the genuine signature of another.
        assert_eq!(judge(payload, &annotations(other), &trusted(other), &image), Err(Code::SigInvalid));
        let mixed = |key: &str| {
            let mut notes = notes.clone();
            notes.insert(key.to_owned(), annotations(other)[key].clone());
            judge(payload, &notes, &alice, &image)
        };
        assert_eq!(mixed("dev.sigstore.cosign/bundle"), Err(Code::TimeWindow));
        assert_eq!(mixed("dev.sigstore.cosign/certificate"), Err(Code::TimeWindow));
        assert_eq!(mixed("dev.cosignproject.cosign/signature"), Err(Code::SigInvalid));
        let without = |key: &str| {
            let mut notes = notes.clone();
            notes.remove(key);
            judge(payload, &notes, &alice, &image)
        };
        assert_eq!(without("dev.sigstore.cosign/bundle"), Err(Code::LogProof));
        assert_eq!(without("dev.sigstore.cosign/certificate"), Err(Code::KeyMismatch));
        assert_eq!(without("dev.cosignproject.cosign/signature"), Err(Code::BundleInvalid));
    }
}

#[test]
fn claims_that_were_changed_after_signing_are_refused() {
    let Some(folder) = corpus::folder() else { return };
    let recorded = Recorded::new(folder);
    let records = recorded.lines(&format!("{PRINTED}/relabelled-negatives.jsonl"));
    assert_eq!(records.len(), 7);
    for record in &records {
        let judge =
            |payload: &str| outcome(&recorded.layer(payload, annotations(record), &trusted(record), &digest(record)));
        // The payload does not hash to what was signed; certificate, log entry and promise are genuine.
        assert_eq!(judge(&printed_payload(record)), Err(Code::SigInvalid));
        assert_eq!(judge(text(record, "original_payload_if_undone")), Ok(()));
    }
}

/// Through the client: an image of one manifest, whose `.sig` tag has the rebuilt manifest.
async fn verify(recorded: &Recorded, name: &str, tag: &Digest, signer: &Trusted) -> Report {
    let folder = format!("{DECOMPOSED}/{name}");
    let sig = VerifiedBlob::of(recorded.read(&format!("{folder}/derived-sig-manifest.json")));
    let memory = Memory::new();
    let context = Context::new(Limits::default());
    // The image itself was not recorded, so another takes its place.
    let image = VerifiedBlob::of(image().into_bytes());
    let reference: Reference = format!("cgr.dev/chainguard/{name}@{}", image.digest()).parse().expect("a reference");
    let repository = reference.repository();
    for file in ["payload.json", "derived-sig-config.json"] {
        let blob = VerifiedBlob::of(recorded.read(&format!("{folder}/{file}")));
        memory.push_blob(&context, repository, &blob).await.expect("a blob is stored");
    }
    for (name, blob) in [(ImageName::Digest(image.digest().clone()), &image), (ImageName::Tag(tag.tag(".sig")), &sig)] {
        memory.push_manifest(&context, repository, &name, media::MANIFEST, blob).await.expect("a manifest is stored");
    }
    let root = (*recorded.root(PRODUCTION).expect("a root")).clone();
    let policy = signer.policy();
    let client = Client::builder(Arc::new(memory), root).build();
    client.verify(&VerifyRequest::new(reference, &policy, recorded.now())).await
}

fn image() -> String {
    let config = Digest::sha256(b"{}");
    json!({
        "schemaVersion": 2,
        "mediaType": media::MANIFEST,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 2 },
        "layers": [],
    })
    .to_string()
}

#[tokio::test]
async fn rebuilt_manifests_are_read_through_the_client() {
    let Some(folder) = corpus::folder() else { return };
    let recorded = Recorded::new(folder);
    let image = Digest::sha256(image().as_bytes());
    let mut names = files(&recorded.folder.join(DECOMPOSED), "");
    names.retain(|name| name != "SOURCES.md");
    assert_eq!(names.len(), 8);
    let records = records(&recorded);
    for name in &names {
        let payload = recorded.json(&format!("{DECOMPOSED}/{name}/payload.json"));
        let signed = text(&payload["critical"]["image"], "docker-manifest-digest");
        let record = records.iter().find(|record| text(record, "manifest_digest") == signed).expect("its record");
        // The signature is genuine and is about the image that was not recorded:
        // every row passes but the subject's, and the nearest candidate says so.
        let report = verify(&recorded, name, &image, &trusted(record)).await;
        assert_eq!(report.verdict(), Verdict::Refuse);
        let [cell] = report.cells() else { panic!("one cell") };
        assert_eq!((cell.code, cell.found.as_deref()), (Some(Code::SubjectMismatch), Some(signed)), "{name}");
        let [candidate] = report.candidates() else { panic!("one candidate") };
        let failed = candidate.checks().iter().filter(|check| check.outcome == Outcome::Fail);
        assert_eq!(failed.map(|check| check.name).collect::<Vec<_>>(), [CheckName::Subject]);
        let signer = candidate.verified().expect("verified").signer();
        assert_eq!(signer.identity().value, text(record, "certificate_san"));
        // At the tag of the image that it signs, nothing looks for it.
        let report = verify(&recorded, name, &corpus::digest(signed), &trusted(record)).await;
        assert_eq!((report.verdict(), report.cells()[0].code), (Verdict::Refuse, Some(Code::NoSignature)));
    }
}
