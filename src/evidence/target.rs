//! What evidence is looked for, and in which places.

use std::fmt;

use serde::{Serialize, Serializer};

use super::Unread;
use crate::digest::Digest;
use crate::image::Platform;

/// One digest that evidence may be about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// What the digest is in the image.
    pub name: TargetName,
    /// The digest.
    pub digest: Digest,
}

impl Target {
    /// A target.
    #[must_use]
    pub fn new(name: TargetName, digest: Digest) -> Self {
        Self { name, digest }
    }

    /// The platform that an index says it is for.
    #[must_use]
    pub fn platform(&self) -> Option<&Platform> {
        if let TargetName::Platform(platform) = &self.name { Some(platform) } else { None }
    }
}

/// What a target is in its image. The order is that of the report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TargetName {
    /// The index that the reference names.
    Index,
    /// The one manifest that the reference names; no index says its platform.
    Image,
    /// The manifest of a platform.
    Platform(Platform),
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index => f.write_str("index"),
            Self::Image => f.write_str("image"),
            Self::Platform(platform) => platform.fmt(f),
        }
    }
}

impl Serialize for TargetName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A place where a target's evidence may be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ListingKind {
    /// The referrers API, or the fallback tag where the API is absent.
    Referrers,
    /// The legacy tag `sha256-<hex>.sig`.
    SignatureTag,
    /// The legacy tag `sha256-<hex>.att`.
    AttestationTag,
}

impl fmt::Display for ListingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Referrers => "referrers",
            Self::SignatureTag => "the .sig tag",
            Self::AttestationTag => "the .att tag",
        })
    }
}

/// How one place of one target was read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listing {
    /// The target, by its place in the list of targets.
    pub target: usize,
    /// The place.
    pub kind: ListingKind,
    /// Why it could not be read; `None` when it was, also when it is empty.
    pub failure: Option<Unread>,
}

impl Listing {
    /// A place that was read whole, or why not.
    #[must_use]
    pub fn new(target: usize, kind: ListingKind, failure: Option<Unread>) -> Self {
        Self { target, kind, failure }
    }
}
