//! Why something was not attached.

use crate::code::Code;
use crate::digest::Digest;
use crate::evidence::Unread;
use crate::image::ManifestError;
use crate::registry::{Problem, RegistryError};
use crate::sign::SignError;

/// Why something was not attached. Whatever is named here, nothing is reported
/// as attached that was not read back and verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// The image is not there, or no longer.
    #[error("{0} is not in the registry")]
    NotFound(String),
    /// The image cannot be read as one.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The registry could not be read or written.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The registry takes images and no artifacts.
    #[error("the registry takes no artifact manifests ({0}); attach with `--signature-format legacy`")]
    RejectsArtifact(RegistryError),
    /// The registry takes nothing.
    #[error("the registry is read-only ({0})")]
    ReadOnly(RegistryError),
    /// What was pushed is larger than the registry takes.
    #[error("the registry finds it too large ({0})")]
    TooLarge(RegistryError),
    /// A tag that must be written anew may not be.
    #[error("the registry does not let the tag be written again ({0})")]
    Immutable(RegistryError),
    /// The repository, or what the manifest refers to, went away meanwhile.
    #[error("the registry no longer has what this refers to ({0})")]
    Gone(RegistryError),
    /// What is already attached could not be read, so nobody knows whether this is there.
    #[error("what is attached cannot be read: {}", .0.detail)]
    Unread(Unread),
    /// A bundle that is about none of the image's digests.
    #[error("{what} is about neither the image nor one of its platforms")]
    Foreign {
        /// The bundle.
        what: String,
    },
    /// A bundle that does not hold.
    #[error(transparent)]
    Bundle(#[from] SignError),
    /// At the tag for lists of referrers is something else.
    #[error("at the tag that lists the referrers of {subject} is something that must not be overwritten: {detail}")]
    TagTaken {
        /// The subject.
        subject: Digest,
        /// What is there.
        detail: String,
    },
    /// Other writers keep undoing what is written.
    #[error("other writers keep overwriting the tag {tag}")]
    Contended {
        /// The tag.
        tag: String,
    },
    /// The registry took it and does not list it.
    #[error("the registry took {manifest} and does not list it for {subject}")]
    NotListed {
        /// The manifest.
        manifest: Digest,
        /// The subject.
        subject: Digest,
    },
    /// What was written could not be read back as it was written.
    #[error("{manifest} was written and what is read back does not hold")]
    NotReadBack {
        /// The manifest.
        manifest: Digest,
    },
    /// A bundle that has no legacy form.
    #[error("it cannot be written in the legacy format: {0}")]
    NoLegacyForm(&'static str),
    /// It failed half-way.
    #[error("{source}; {done} of {wanted} are attached, and running the same again writes what is missing")]
    Partial {
        /// How many are attached.
        done: usize,
        /// How many were to be.
        wanted: usize,
        /// Why the others are not.
        source: Box<AttachError>,
    },
}

/// What was being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Blob,
    /// A manifest by its digest, with `subject` and `artifactType`.
    Artifact,
    /// A manifest or index at a tag that may exist.
    Tag,
}

impl AttachError {
    /// What a refusal to write means.
    pub(super) fn write(error: RegistryError, part: Part) -> Self {
        // Harbor answers 412, ECR 400, others 409; all of them say the word.
        let immutable = error.detail().to_ascii_lowercase().contains("immutable");
        match (error.status(), part) {
            (Some(405), _) => Self::ReadOnly(error),
            (Some(413), _) => Self::TooLarge(error),
            (Some(409 | 412), Part::Tag) => Self::Immutable(error),
            (Some(400 | 403), Part::Tag) if immutable => Self::Immutable(error),
            (Some(404), _) => Self::Gone(error),
            (Some(400 | 406 | 415 | 422), Part::Artifact) if error.problem() == Problem::Rejected => {
                Self::RejectsArtifact(error)
            }
            _ => Self::Registry(error),
        }
    }

    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NotFound(_) | Self::Gone(_) => Code::ImageNotFound,
            Self::Manifest(error) => error.code(),
            Self::Registry(error) => error.code(),
            Self::RejectsArtifact(_) => Code::RegistryRejectsArtifact,
            Self::ReadOnly(_) => Code::RegistryReadOnly,
            Self::TooLarge(_) => Code::ManifestTooLarge,
            Self::Immutable(_) => Code::TagImmutable,
            Self::Unread(unread) => unread.code,
            Self::Foreign { .. } => Code::SubjectMismatch,
            Self::Bundle(error) => error.code(),
            Self::TagTaken { .. } => Code::RegistryProtocol,
            Self::Contended { .. } => Code::IndexContended,
            Self::NotListed { .. } => Code::NotListed,
            Self::NotReadBack { .. } => Code::NotReadBack,
            Self::NoLegacyForm(_) => Code::NoLegacyForm,
            Self::Partial { source, .. } => source.code(),
        }
    }

    /// Whether another run may succeed without anything being changed.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self.code(),
            Code::RegistryUnavailable | Code::RegistryRateLimited | Code::IndexContended | Code::NotListed
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_to_write_has_its_own_code() {
        let code = |problem, status: u16, detail: &str, part| {
            AttachError::write(RegistryError::new(problem, "PUT x", detail).with_status(status), part).code()
        };
        use Problem::{Denied, Rejected, Unavailable};
        assert_eq!(code(Rejected, 400, "MANIFEST_INVALID", Part::Artifact), Code::RegistryRejectsArtifact);
        assert_eq!(code(Rejected, 400, "MANIFEST_INVALID", Part::Tag), Code::RegistryProtocol);
        assert_eq!(code(Rejected, 400, "the tag is immutable", Part::Tag), Code::TagImmutable);
        assert_eq!(code(Rejected, 409, "", Part::Tag), Code::TagImmutable);
        assert_eq!(code(Rejected, 413, "", Part::Artifact), Code::ManifestTooLarge);
        assert_eq!(code(Rejected, 405, "", Part::Blob), Code::RegistryReadOnly);
        assert_eq!(code(Rejected, 404, "", Part::Artifact), Code::ImageNotFound);
        assert_eq!(code(Denied, 403, "", Part::Artifact), Code::RegistryDenied);
        assert_eq!(code(Unavailable, 503, "", Part::Artifact), Code::RegistryUnavailable);
    }
}
