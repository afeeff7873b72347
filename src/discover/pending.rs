//! What is listed, and how much of it has been read.

use super::list::unread;
use crate::evidence::{Candidate, Content, OriginKind};
use crate::image::Descriptor;
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
    /// The referrer's manifest, for [`open`](super::open).
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
