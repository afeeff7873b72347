//! The manifest that attaches a bundle (cosign's bundle specification; OCI
//! image specification 1.1, guidelines for artifact usage).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::digest::VerifiedBlob;
use crate::image::{Descriptor, media};
use crate::sign::SignedBundle;

/// The content of the empty descriptor (OCI image specification 1.1).
pub(super) fn empty_config() -> VerifiedBlob {
    VerifiedBlob::of(b"{}".to_vec())
}

/// Members in the order in which cosign writes them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    schema_version: u8,
    media_type: &'static str,
    config: Descriptor,
    layers: [Descriptor; 1],
    annotations: BTreeMap<&'static str, String>,
    subject: &'a Descriptor,
    artifact_type: &'static str,
}

/// A bundle's manifest and its entry in a list of referrers. It depends on the
/// bundle and the subject and on nothing else, the time of day least of all:
/// attaching twice gives the same digest.
pub(super) fn referrer(bundle: &SignedBundle, subject: &Descriptor) -> (VerifiedBlob, Descriptor) {
    let mut annotations = BTreeMap::from([("dev.sigstore.bundle.content", bundle.content_kind().as_str().to_owned())]);
    if let Some(predicate_type) = bundle.predicate_type() {
        annotations.insert("dev.sigstore.bundle.predicateType", predicate_type.to_owned());
    }
    if let Some(time) = bundle.time() {
        annotations.insert("org.opencontainers.image.created", time.to_string());
    }
    // One type for both spellings of the bundle's own: some registries refuse types with `;`.
    let wire = Wire {
        schema_version: 2,
        media_type: media::MANIFEST,
        config: Descriptor::of(media::EMPTY, &empty_config()),
        layers: [Descriptor::of(media::BUNDLE, bundle.blob())],
        annotations: annotations.clone(),
        subject,
        artifact_type: media::BUNDLE,
    };
    let bytes = serde_json::to_vec(&wire).expect("strings, numbers and maps with text keys are JSON");
    let manifest = VerifiedBlob::of(bytes);
    let mut entry = Descriptor::of(media::MANIFEST, &manifest);
    entry.artifact_type = Some(media::BUNDLE.to_owned());
    entry.annotations = annotations.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    (manifest, entry)
}
