//! The recorded real files. Under CI a missing corpus is a failure, not a skip.

use std::path::PathBuf;

use cg_attest::digest::{Digest, VerifiedBlob};
use cg_attest::image::{ImageName, Repository, media};
use cg_attest::limits::Limits;
use cg_attest::registry::{Context, Push};
use serde_json::{Value, json};

/// The corpus' folder, `None` if the test has to be skipped.
pub(crate) fn folder() -> Option<PathBuf> {
    match std::env::var_os("CG_ATTEST_CORPUS") {
        Some(folder) => Some(PathBuf::from(folder)),
        None if std::env::var_os("CI").is_some() => panic!("CG_ATTEST_CORPUS is not set, and CI has to run this test"),
        None => {
            #[expect(clippy::print_stderr, reason = "a test that does not run has to say so")]
            {
                eprintln!("skipped: CG_ATTEST_CORPUS is not set, see scripts/test");
            }
            None
        }
    }
}

pub(crate) fn json(path: &std::path::Path) -> Value {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The digest of the recorded index of `cgr.dev/chainguard/postgres`.
pub(crate) const POSTGRES: &str = "sha256:3dc629a917612f1630c6f8e7a17f23a42cbd5917b9b3080972b70b1583daff34";

/// Stores the recorded image as the registry served it: index, arm64 manifest,
/// its `.att` manifest with the one layer that was recorded, and the `.sig`
/// manifest rebuilt from the recorded payload and bundle. amd64 and two
/// attestation blobs were not recorded.
pub(crate) async fn push_postgres(folder: &std::path::Path, to: &dyn Push, repository: &Repository) {
    let folder = folder.join("chainguard/postgres-18.4-2026");
    let read =
        |name: &str| VerifiedBlob::of(std::fs::read(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}")));
    let context = Context::new(Limits::default());
    let index = read("index-manifest.json");
    assert_eq!(index.digest().to_string(), POSTGRES);
    let arm64 = read("arm64-manifest.json");
    let manifest = async |name: ImageName, media_type: &str, blob: &VerifiedBlob| {
        to.push_manifest(&context, repository, &name, media_type, blob).await.expect("a manifest is stored");
    };
    manifest(ImageName::Digest(arm64.digest().clone()), media::MANIFEST, &arm64).await;
    manifest(ImageName::Tag("latest".to_owned()), media::INDEX, &index).await;

    for name in ["slsa-attestation-envelope.json", "attestation-config.json", "index-signature-payload.json"] {
        to.push_blob(&context, repository, &read(name)).await.expect("a blob is stored");
    }
    let att = read("attestation-manifest.json");
    manifest(ImageName::Tag(arm64.digest().tag(".att")), media::MANIFEST, &att).await;

    let config = VerifiedBlob::of(b"{}".to_vec());
    to.push_blob(&context, repository, &config).await.expect("a blob is stored");
    let payload = read("index-signature-payload.json");
    let bundle = json(&folder.join("index-signature.sigstore.json"));
    let sig = legacy_signature_manifest(&payload, &config, &bundle);
    manifest(ImageName::Tag(index.digest().tag(".sig")), media::MANIFEST, &sig).await;
}

/// The `.sig` manifest that has the same signature as a bundle.
pub(crate) fn legacy_signature_manifest(payload: &VerifiedBlob, config: &VerifiedBlob, bundle: &Value) -> VerifiedBlob {
    let entry = &bundle["verificationMaterial"]["tlogEntries"][0];
    let number = |value: &Value| value.as_str().expect("a number as text").parse::<u64>().expect("a number");
    let log_id = entry["logId"]["keyId"].as_str().expect("a key id");
    let annotation = json!({
        "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        "Payload": {
            "body": entry["canonicalizedBody"],
            "integratedTime": number(&entry["integratedTime"]),
            "logIndex": number(&entry["logIndex"]),
            "logID": hex(&base64(log_id)),
        },
    });
    let der = bundle["verificationMaterial"]["certificate"]["rawBytes"].as_str().expect("a certificate");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media::MANIFEST,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config.digest(), "size": config.size() },
        "layers": [{
            "mediaType": media::SIMPLE_SIGNING,
            "digest": payload.digest(),
            "size": payload.size(),
            "annotations": {
                "dev.cosignproject.cosign/signature": bundle["messageSignature"]["signature"],
                "dev.sigstore.cosign/bundle": annotation.to_string(),
                "dev.sigstore.cosign/certificate": format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", wrapped(der)),
            },
        }],
    });
    VerifiedBlob::of(manifest.to_string().into_bytes())
}

fn wrapped(base64: &str) -> String {
    let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ascii")).collect();
    lines.join("\n")
}

pub(crate) fn base64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub(crate) fn digest(text: &str) -> Digest {
    text.parse().expect("a digest")
}
