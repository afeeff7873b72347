//! How far reading an image is, for whoever shows it.

use crate::digest::Digest;

/// Is told what is read of an image while it is read, from several tasks at once.
/// What it does with that changes nothing of what is found; it should not take long.
pub trait Progress: Send + Sync {
    /// A layer of so many bytes is about to be read, perhaps a second time.
    fn begin(&self, layer: &Digest, bytes: u64);

    /// So many more bytes of the layer have arrived.
    fn arrived(&self, layer: &Digest, bytes: u64);

    /// The layer was read, and so many packages were found in it, hidden ones included.
    fn end(&self, layer: &Digest, packages: usize);
}

/// Nobody looks.
pub(super) struct Unwatched;

impl Progress for Unwatched {
    fn begin(&self, _: &Digest, _: u64) {}
    fn arrived(&self, _: &Digest, _: u64) {}
    fn end(&self, _: &Digest, _: usize) {}
}
