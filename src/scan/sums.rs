//! Checksums of files, where somebody wants to list these.

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// The checksums of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) sha1: [u8; 20],
    pub(super) sha256: [u8; 32],
}

/// A file of which not everything has passed.
#[derive(Debug, Default)]
pub(super) struct Summing {
    sha1: Sha1,
    sha256: Sha256,
}

impl Summing {
    /// A file that begins so.
    pub(super) fn of(head: &[u8]) -> Self {
        let mut this = Self::default();
        this.update(head);
        this
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.sha1.update(bytes);
        self.sha256.update(bytes);
    }

    pub(super) fn finish(self) -> Sums {
        Sums { sha1: self.sha1.finalize().into(), sha256: self.sha256.finalize().into() }
    }
}
