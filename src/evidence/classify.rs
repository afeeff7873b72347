//! What a referrer manifest, a `.sig` or `.att` manifest or an index entry carries.

#[cfg(feature = "client")]
use std::collections::BTreeMap;

use super::OriginKind;
use super::annotations::{self, LEGACY_PREDICATE};
use crate::image::{Descriptor, Manifest, media};

/// cosign's annotation of the predicate type on a bundle referrer's manifest.
const BUNDLE_PREDICATE: &str = "dev.sigstore.bundle.predicateType";
/// BuildKit's annotation of the predicate type on a layer.
const BUILDKIT_PREDICATE: &str = "in-toto.io/predicate-type";

/// The predicate type that BuildKit's annotation claims of a layer with a statement.
#[cfg(feature = "client")]
pub(crate) fn unsigned_predicate(layer: &Descriptor) -> Option<&str> {
    layer.annotation(BUILDKIT_PREDICATE).filter(|_| layer.media_type == media::IN_TOTO)
}

/// One layer that is evidence.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Attached {
    /// The kind of place.
    pub kind: OriginKind,
    /// The layer.
    pub layer: Descriptor,
    /// The predicate type that an annotation claims.
    pub hint: Option<String>,
}

/// Whether a listed descriptor may carry evidence, by what the registry says
/// of it. When it says nothing, it may.
#[must_use]
pub fn is_evidence(descriptor: &Descriptor) -> bool {
    descriptor.artifact_type.as_deref().is_none_or(|artifact| {
        artifact.starts_with(media::BUNDLE_PREFIX)
            || matches!(artifact, media::COSIGN_SIGNATURE | media::IN_TOTO | media::DSSE | media::BUILDKIT)
            // A manifest without an artifact type is listed under its config's media type.
            || matches!(artifact, media::EMPTY | media::CONFIG)
    })
}

/// The predicate type that an annotation of a manifest or a layer claims.
#[cfg(feature = "client")]
pub(crate) fn hint(annotations: &BTreeMap<String, String>) -> Option<String> {
    let keys = [BUNDLE_PREDICATE, LEGACY_PREDICATE, BUILDKIT_PREDICATE];
    keys.iter().find_map(|key| annotations.get(*key)).cloned()
}

/// The layers of a manifest that are evidence. Recognised by artifact type,
/// configuration or layer type, because writers differ.
#[must_use]
pub fn classify_manifest(manifest: &Manifest) -> Vec<Attached> {
    let artifact = manifest.artifact_type();
    let annotated = |key: &str| manifest.annotations().get(key).cloned();
    let mut found = Vec::new();
    for layer in manifest.layers() {
        let layer_type = layer.media_type.as_str();
        let kind = if layer_type.starts_with(media::BUNDLE_PREFIX) {
            OriginKind::BundleReferrer
        } else if layer_type == media::SIMPLE_SIGNING {
            OriginKind::SignatureReferrer
        } else if layer_type == media::DSSE {
            OriginKind::LegacyAttestation
        } else if artifact.starts_with(media::BUNDLE_PREFIX) && manifest.layers().len() == 1 {
            OriginKind::BundleReferrer
        } else if artifact == media::COSIGN_SIGNATURE || manifest.config().media_type == media::COSIGN_SIGNATURE {
            OriginKind::SignatureReferrer
        } else if layer_type == media::IN_TOTO && layer.annotation(annotations::BUNDLE).is_some() {
            OriginKind::LegacyAttestation
        } else if layer_type == media::IN_TOTO {
            OriginKind::Buildkit
        } else {
            continue;
        };
        let on_layer = |key: &str| layer.annotation(key).map(str::to_owned);
        let hint =
            annotated(BUNDLE_PREDICATE).or_else(|| on_layer(LEGACY_PREDICATE)).or_else(|| on_layer(BUILDKIT_PREDICATE));
        found.push(Attached { kind, layer: layer.clone(), hint });
    }
    found
}
