//! What a document says besides what is in the image.

use crate::image::Repository;
use crate::time::Timestamp;

/// What a document says that the image does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// When the document was made; without it, when the image was, and else the
    /// beginning of 1970. Never the clock: the same image has the same document.
    pub created: Option<Timestamp>,
    /// The repository that the image is known by, for its package URL.
    pub repository: Option<Repository>,
}

impl Options {
    /// Neither a time nor a name.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With the time of the document (`SOURCE_DATE_EPOCH`).
    #[must_use]
    pub fn created(self, created: Option<Timestamp>) -> Self {
        Self { created, ..self }
    }

    /// With the repository of the image.
    #[must_use]
    pub fn repository(self, repository: Option<Repository>) -> Self {
        Self { repository, ..self }
    }
}
