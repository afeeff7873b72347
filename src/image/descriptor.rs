//! Content descriptors, and the media types this crate knows.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde::{Deserialize, Serialize};

use super::Platform;
use super::platform::WirePlatform;
use crate::digest::{Digest, VerifiedBlob};
use crate::json::{Object, unique_map_or_null};

/// Media types and artifact types.
pub mod media {
    /// OCI image index.
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// OCI image manifest.
    pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// Docker manifest list.
    pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// Docker image manifest, schema 2.
    pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    /// The configuration of an image; what a manifest without an artifact type is listed under.
    pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
    /// The empty descriptor's media type (OCI image specification 1.1).
    pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
    /// Sigstore bundle v0.3 as a media type and artifact type.
    pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
    /// What every spelling of the bundle media type begins with.
    pub const BUNDLE_PREFIX: &str = "application/vnd.dev.sigstore.bundle";
    /// Layer of a legacy `.sig` image: the signed simple-signing document.
    pub const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
    /// Artifact type of a simple-signing signature attached as a referrer.
    pub const COSIGN_SIGNATURE: &str = "application/vnd.dev.cosign.artifact.sig.v1+json";
    /// Layer of a legacy `.att` image: a DSSE envelope.
    pub const DSSE: &str = "application/vnd.dsse.envelope.v1+json";
    /// An in-toto statement: BuildKit's unsigned layers, and cosign's older attestation referrers.
    pub const IN_TOTO: &str = "application/vnd.in-toto+json";
    /// Artifact type of BuildKit's attestation manifests.
    pub const BUILDKIT: &str = "application/vnd.docker.attestation.manifest.v1+json";

    /// What a client sends as `Accept` when it asks for a manifest.
    pub const ACCEPT: &[&str] = &[INDEX, MANIFEST, DOCKER_INDEX, DOCKER_MANIFEST];

    /// Whether this is an index or manifest list.
    #[must_use]
    pub fn is_index(media_type: &str) -> bool {
        matches!(media_type, INDEX | DOCKER_INDEX)
    }

    /// Whether this is an image manifest.
    #[must_use]
    pub fn is_manifest(media_type: &str) -> bool {
        matches!(media_type, MANIFEST | DOCKER_MANIFEST)
    }
}

/// A content descriptor (OCI image specification, descriptor): what something
/// is called, how long it is and what it is.
///
/// Annotations and artifact type are hints of whoever wrote the descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "Object<WireDescriptor>", into = "WireDescriptor")]
#[non_exhaustive]
pub struct Descriptor {
    /// The media type of the content.
    pub media_type: String,
    /// The digest of the content.
    pub digest: Digest,
    /// The size of the content, in bytes.
    pub size: u64,
    /// What the content is, where the media type does not say it.
    pub artifact_type: Option<String>,
    /// Annotations, empty if there are none.
    pub annotations: BTreeMap<String, String>,
    /// The platform, inside an index.
    pub platform: Option<Platform>,
    /// The content itself, if it was embedded *and* has this size and digest.
    data: Option<VerifiedBlob>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDescriptor {
    media_type: String,
    digest: Digest,
    size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    #[serde(default, deserialize_with = "unique_map_or_null", skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    platform: Option<WirePlatform>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    data: Option<String>,
}

impl From<Object<WireDescriptor>> for Descriptor {
    fn from(Object(wire): Object<WireDescriptor>) -> Self {
        // An embedded copy is only an optimisation: one that is not exactly
        // the content named is dropped and the blob is fetched.
        let data = wire.data.and_then(|text| base64::prelude::BASE64_STANDARD.decode(text).ok());
        let data = data.and_then(|bytes| VerifiedBlob::check(bytes, &wire.digest, Some(wire.size)).ok());
        // A platform that cannot be written down is as good as none: the entry
        // is then listed, and matches no platform that anybody asks for.
        let platform = wire.platform.and_then(|platform| platform.try_into().ok());
        Self {
            media_type: wire.media_type,
            digest: wire.digest,
            size: wire.size,
            artifact_type: wire.artifact_type.filter(|t| !t.is_empty()),
            annotations: wire.annotations,
            platform,
            data,
        }
    }
}

impl From<Descriptor> for WireDescriptor {
    fn from(descriptor: Descriptor) -> Self {
        Self {
            media_type: descriptor.media_type,
            digest: descriptor.digest,
            size: descriptor.size,
            artifact_type: descriptor.artifact_type,
            annotations: descriptor.annotations,
            platform: descriptor.platform.as_ref().map(WirePlatform::from),
            data: None,
        }
    }
}

impl Descriptor {
    /// A descriptor with nothing but the three fields that every one has.
    #[must_use]
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.into(),
            digest,
            size,
            artifact_type: None,
            annotations: BTreeMap::new(),
            platform: None,
            data: None,
        }
    }

    /// The descriptor of `blob`.
    #[must_use]
    pub fn of(media_type: impl Into<String>, blob: &VerifiedBlob) -> Self {
        Self::new(media_type, blob.digest().clone(), blob.size())
    }

    /// The embedded content, present only where it has this size and digest.
    #[must_use]
    pub fn embedded(&self) -> Option<&VerifiedBlob> {
        self.data.as_ref()
    }

    /// The value of an annotation.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).map(String::as_str)
    }
}
