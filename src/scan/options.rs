//! How an image is read.

use std::num::NonZeroUsize;

use super::progress::{Progress, Unwatched};

/// How an image is read. What is found does not depend on it, but for the list of files.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Options<'a> {
    pub(super) threads: NonZeroUsize,
    pub(super) progress: &'a dyn Progress,
    pub(super) files: bool,
}

impl std::fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { threads, files, .. } = self;
        f.debug_struct("Options").field("threads", threads).field("files", files).finish_non_exhaustive()
    }
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { threads: NonZeroUsize::MIN, progress: &Unwatched, files: false }
    }
}

impl<'a> Options<'a> {
    /// One layer after the other, nobody is told, and files are not listed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With so many layers that are read at the same time.
    #[must_use]
    pub fn threads(self, threads: NonZeroUsize) -> Self {
        Self { threads, ..self }
    }

    /// Telling `progress` how far it is.
    #[must_use]
    pub fn progress(self, progress: &'a dyn Progress) -> Self {
        Self { progress, ..self }
    }

    /// With a list of all files and their checksums, which takes the time of two more
    /// hashes of every byte.
    #[must_use]
    pub fn files(self, files: bool) -> Self {
        Self { files, ..self }
    }
}
