//! What is attached to an image, and to what is attached: evidence or not.
//!
//! Nothing of it is read further than the manifests, and nothing is verified:
//! it is for people who want to see what there is.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::digest::Digest;
use crate::evidence::{ListingKind, Unread, hint};
use crate::image::{Descriptor, Manifest, Platform};

/// An image and everything attached to it. Nothing of it is verified.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Tree {
    /// What the image is called.
    pub reference: String,
    /// Where its bytes came from, if that is another name.
    pub source: Option<String>,
    /// Platforms that were asked for and that the image does not list.
    pub absent: Vec<Platform>,
    /// The index or manifest that the reference names.
    pub root: Node,
}

/// One manifest or index of the tree.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Node {
    /// What it is to the node above.
    pub kind: NodeKind,
    /// The platform that the index gives it.
    #[serde(serialize_with = "as_text")]
    pub platform: Option<Platform>,
    /// The tag it was found at, for the legacy layout.
    pub tag: Option<String>,
    /// What BuildKit's annotation says that it is about.
    pub about: Option<Digest>,
    /// The digest.
    pub digest: Digest,
    /// The media type.
    pub media_type: String,
    /// The artifact type.
    pub artifact_type: Option<String>,
    /// The predicate type that an annotation claims.
    pub predicate_type: Option<String>,
    /// The size of the manifest, in bytes.
    pub size: u64,
    /// The annotations.
    pub annotations: BTreeMap<String, String>,
    /// What is in it; empty for images, whose layers are files.
    pub layers: Vec<Layer>,
    /// Why the manifest could not be read.
    pub unread: Option<Unread>,
    /// How the manifest contradicts the listing that names it.
    pub rejected: Option<Unread>,
    /// Whether what refers to it was asked for.
    pub below: Below,
    /// The places where something may be attached to it and that could not be read.
    pub failed_listings: Vec<FailedListing>,
    /// What is attached to it; for an index, also what it lists.
    pub children: Vec<Node>,
}

/// What a node is to the one above it. The order is that of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NodeKind {
    /// The index that the reference names.
    Index,
    /// The one manifest that the reference names.
    Image,
    /// The image at the tag `sha256-<hex>.sig`.
    SignatureTag,
    /// The image at the tag `sha256-<hex>.att`.
    AttestationTag,
    /// It refers to the node above.
    Referrer,
    /// The image of a platform, listed by the index above.
    Platform,
    /// Listed by the index above, and not the image of a platform.
    Entry,
}

/// Whether something further down was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Below {
    /// It was: what is not among the children is not there, or failed.
    Listed,
    /// It was not, because this is as deep as was asked for.
    NotListed,
    /// It was, at another place of this tree where the same digest stands.
    Elsewhere,
}

/// A layer of a manifest that carries evidence or another artifact.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Layer {
    /// The digest.
    pub digest: Digest,
    /// The media type.
    pub media_type: String,
    /// The predicate type that an annotation claims.
    pub predicate_type: Option<String>,
    /// The size, in bytes.
    pub size: u64,
    /// The annotations.
    pub annotations: BTreeMap<String, String>,
}

/// A place where something may be attached, and that could not be read.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct FailedListing {
    /// The place.
    pub kind: ListingKind,
    /// Why.
    #[serde(flatten)]
    pub failure: Unread,
}

fn as_text<S: Serializer>(platform: &Option<Platform>, serializer: S) -> Result<S::Ok, S::Error> {
    match platform {
        Some(platform) => serializer.collect_str(platform),
        None => serializer.serialize_none(),
    }
}

impl Tree {
    /// Whether everything that was asked for could be read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.root.failures().is_empty()
    }
}

impl Node {
    pub(super) fn new(kind: NodeKind, descriptor: &Descriptor) -> Self {
        Self {
            kind,
            platform: descriptor.platform.clone(),
            tag: None,
            about: None,
            digest: descriptor.digest.clone(),
            media_type: descriptor.media_type.clone(),
            artifact_type: descriptor.artifact_type.clone(),
            predicate_type: hint(&descriptor.annotations),
            size: descriptor.size,
            annotations: descriptor.annotations.clone(),
            layers: Vec::new(),
            unread: None,
            rejected: None,
            below: Below::NotListed,
            failed_listings: Vec::new(),
            children: Vec::new(),
        }
    }

    /// An entry of an index that is not the image of a platform.
    pub(super) fn entry(descriptor: &Descriptor) -> Self {
        let about = descriptor.annotation("vnd.docker.reference.digest").and_then(|text| text.parse().ok());
        Self { about, ..Self::new(NodeKind::Entry, descriptor) }
    }

    /// What the manifest says besides its descriptor, which may be all that a listing has.
    pub(super) fn with_manifest(&mut self, manifest: &Manifest) {
        self.artifact_type = Some(manifest.artifact_type().to_owned());
        let own = manifest.annotations().iter().map(|(key, value)| (key.clone(), value.clone()));
        self.annotations.extend(own);
        self.predicate_type = hint(&self.annotations);
        let layer = |layer: &Descriptor| Layer {
            digest: layer.digest.clone(),
            media_type: layer.media_type.clone(),
            predicate_type: hint(&layer.annotations),
            size: layer.size,
            annotations: layer.annotations.clone(),
        };
        self.layers = manifest.layers().iter().map(layer).collect();
    }

    /// Everything in and under this node that could not be read, with the node where.
    #[must_use]
    pub fn failures(&self) -> Vec<(&Self, &Unread)> {
        let own = self.unread.iter().chain(self.failed_listings.iter().map(|failed| &failed.failure));
        let own = own.map(|failure| (self, failure));
        own.chain(self.children.iter().flat_map(Self::failures)).collect()
    }
}
