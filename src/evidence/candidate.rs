//! One piece of evidence as it was found: where, of what kind, and its bytes.

use std::collections::BTreeMap;

use serde::Serialize;

use super::annotations;
use crate::check::{CheckName, Failure};
use crate::code::Code;
use crate::digest::{Digest, VerifiedBlob};
use crate::limits::Limits;
use crate::sigstore::Bundle;

/// Where a candidate was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Origin {
    /// The kind of place.
    pub kind: OriginKind,
    /// The place: a tag, or the digest of the manifest that carries it.
    pub location: String,
}

impl Origin {
    /// An origin.
    #[must_use]
    pub fn new(kind: OriginKind, location: impl Into<String>) -> Self {
        Self { kind, location: location.into() }
    }
}

/// The kinds of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum OriginKind {
    /// A Sigstore bundle attached as an OCI referrer.
    BundleReferrer,
    /// A simple-signing signature attached as an OCI 1.1 referrer.
    SignatureReferrer,
    /// A layer of the image at the `.sig` tag.
    LegacySignature,
    /// A layer of the image at the `.att` tag, or a DSSE layer of a referrer.
    LegacyAttestation,
    /// An attestation of BuildKit: not signed by anybody.
    Buildkit,
    /// A file.
    File,
}

impl OriginKind {
    /// The kebab-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BundleReferrer => "bundle-referrer",
            Self::SignatureReferrer => "signature-referrer",
            Self::LegacySignature => "legacy-signature",
            Self::LegacyAttestation => "legacy-attestation",
            Self::Buildkit => "buildkit",
            Self::File => "file",
        }
    }
}

/// Why something that is listed was not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unread {
    /// The reason.
    pub code: Code,
    /// What was tried and what was answered.
    pub detail: String,
}

impl Unread {
    /// A failure to read.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// One piece of evidence, listed for a target. Nothing of it is believed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Candidate {
    /// The target it is listed for, by its place in the list of targets.
    pub target: usize,
    /// Where it was found.
    pub origin: Origin,
    /// The digest of the bundle or layer.
    pub digest: Option<Digest>,
    /// The digest of the manifest that carries it.
    pub manifest_digest: Option<Digest>,
    /// The size of the bundle or layer, in bytes.
    pub size: u64,
    /// The predicate type that an annotation claims.
    pub hint: Option<String>,
    /// What was read.
    pub content: Content,
}

/// What was read of a candidate.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Content {
    /// Nothing yet: its annotations say that nothing asks for it.
    Skipped,
    /// Nothing: it could not be read.
    Failed(Unread),
    /// The listing is contradicted by what it lists.
    Rejected(Unread),
    /// A Sigstore bundle.
    Bundle(VerifiedBlob),
    /// A simple-signing document and the annotations beside it.
    SimpleSigning {
        /// The signed bytes.
        payload: VerifiedBlob,
        /// The layer's annotations.
        annotations: BTreeMap<String, String>,
    },
    /// A DSSE envelope and the annotations beside it.
    Envelope {
        /// The envelope, JSON.
        envelope: VerifiedBlob,
        /// The layer's annotations.
        annotations: BTreeMap<String, String>,
    },
    /// An unsigned attestation of BuildKit; the statement is not read.
    Unsigned,
}

impl Candidate {
    /// A bundle from a file or from memory, for the first target.
    #[must_use]
    pub fn bundle(blob: VerifiedBlob, origin: Origin) -> Self {
        Self {
            target: 0,
            origin,
            digest: Some(blob.digest().clone()),
            manifest_digest: None,
            size: blob.size(),
            hint: None,
            content: Content::Bundle(blob),
        }
    }

    /// A legacy signature from memory, for the first target: the simple-signing
    /// document of a `.sig` layer and the layer's annotations.
    #[must_use]
    pub fn simple_signing(payload: VerifiedBlob, annotations: BTreeMap<String, String>, origin: Origin) -> Self {
        let content = Content::SimpleSigning { payload: payload.clone(), annotations };
        Self { content, ..Self::bundle(payload, origin) }
    }

    /// A legacy attestation from memory, for the first target: the DSSE
    /// envelope of an `.att` layer and the layer's annotations.
    #[must_use]
    pub fn envelope(envelope: VerifiedBlob, annotations: BTreeMap<String, String>, origin: Origin) -> Self {
        let content = Content::Envelope { envelope: envelope.clone(), annotations };
        Self { content, ..Self::bundle(envelope, origin) }
    }

    /// As [`Content::to_bundle`].
    pub(crate) fn to_bundle(&self, limits: &Limits) -> Option<Result<(Bundle, Option<&VerifiedBlob>), Failure>> {
        self.content.to_bundle(limits)
    }

    /// Whether the log evidence of this kind of place may be a promise: the
    /// legacy layers have nothing else, and v0.1 bundle *files* were made so.
    pub(crate) fn may_be_promised(&self, bundle: &Bundle) -> bool {
        match self.origin.kind {
            OriginKind::LegacySignature | OriginKind::LegacyAttestation | OriginKind::SignatureReferrer => true,
            OriginKind::File => bundle.is_v01(),
            OriginKind::BundleReferrer | OriginKind::Buildkit => false,
        }
    }
}

impl Content {
    /// The evidence as a bundle, with the bytes that a message signature in it
    /// is over. `None` if there is nothing that could be verified.
    pub(crate) fn to_bundle(&self, limits: &Limits) -> Option<Result<(Bundle, Option<&VerifiedBlob>), Failure>> {
        match self {
            Self::Bundle(blob) => Some(Bundle::parse(blob.bytes(), limits).map(|bundle| (bundle, None))),
            Self::SimpleSigning { payload, annotations } => {
                let parts = annotations::simple_signing(annotations, limits);
                Some(parts.and_then(|parts| Bundle::from_legacy(parts, limits)).map(|bundle| (bundle, Some(payload))))
            }
            Self::Envelope { envelope, annotations } => {
                let parts = annotations::envelope(annotations, envelope.bytes(), limits);
                Some(parts.and_then(|parts| Bundle::from_legacy(parts, limits)).map(|bundle| (bundle, None)))
            }
            Self::Rejected(unread) => Some(Err(Failure::new(CheckName::Structure, unread.code, unread.detail.clone()))),
            Self::Skipped | Self::Failed(_) | Self::Unsigned => None,
        }
    }
}
