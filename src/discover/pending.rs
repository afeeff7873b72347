//! What is listed, and how much of it has been read.

use super::failure::unread;
use crate::evidence::{Attached, Candidate, Content, Origin, OriginKind, hint};
use crate::image::{Descriptor, Manifest};
use crate::registry::RegistryError;

/// One piece of evidence that is listed.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a list of these lives for one flight of requests")]
#[non_exhaustive]
pub enum Listed {
    /// Nothing more has to be read: it is unsigned, contradicted, or could not be read.
    Done(Candidate),
    /// Something has to be read.
    Pending(Pending),
}

impl Listed {
    /// A referrer as the listing has it: what is in its manifest is not known yet.
    pub(super) fn referrer(target: usize, descriptor: Descriptor) -> Self {
        let candidate = Candidate {
            target,
            origin: Origin::new(OriginKind::BundleReferrer, descriptor.digest.to_string()),
            digest: None,
            manifest_digest: Some(descriptor.digest.clone()),
            size: descriptor.size,
            hint: hint(&descriptor.annotations),
            content: Content::Skipped,
        };
        Self::Pending(Pending { candidate, next: Next::Manifest(descriptor) })
    }

    /// A layer of a manifest that was read.
    pub(super) fn layer(
        target: usize,
        kind: OriginKind,
        location: &str,
        manifest: &Manifest,
        attached: Attached,
    ) -> Self {
        let mut candidate = Candidate {
            target,
            origin: Origin::new(kind, location),
            digest: Some(attached.layer.digest.clone()),
            manifest_digest: Some(manifest.blob().digest().clone()),
            size: attached.layer.size,
            hint: attached.hint,
            content: Content::Skipped,
        };
        if kind == OriginKind::Buildkit {
            candidate.content = Content::Unsigned;
            return Self::Done(candidate);
        }
        Self::Pending(Pending { candidate, next: Next::Layer(attached.layer, kind) })
    }

    pub(super) fn candidate(&self) -> &Candidate {
        match self {
            Self::Done(candidate) => candidate,
            Self::Pending(pending) => &pending.candidate,
        }
    }
}

/// Something listed that is not read yet: a referrer, of which only the
/// listing's descriptor is known, or a layer of a manifest that was read.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Pending {
    /// What will be the candidate, with nothing read. Of a referrer whose
    /// manifest is not read, kind and size are those of the manifest.
    pub candidate: Candidate,
    pub(super) next: Next,
}

/// What has to be read next.
#[derive(Debug, Clone)]
pub(super) enum Next {
    /// The referrer's manifest, for [`Discovered::open`](super::Discovered::open).
    Manifest(Descriptor),
    /// The layer, for [`read`](super::read).
    Layer(Descriptor, OriginKind),
}

impl Pending {
    /// The candidate as it stands while nothing asks for it.
    #[must_use]
    pub fn skip(&self) -> Candidate {
        self.candidate.clone()
    }

    /// The candidate, unread because of `error`.
    #[must_use]
    pub fn failed(&self, error: &RegistryError) -> Candidate {
        with(&self.candidate, Content::Failed(unread(error)))
    }
}

/// The candidate with what was read.
pub(super) fn with(candidate: &Candidate, content: Content) -> Candidate {
    Candidate { content, ..candidate.clone() }
}
