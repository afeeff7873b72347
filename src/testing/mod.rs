//! Evidence for tests and demonstrations, feature `testing`: a virtual Sigstore
//! that can mint any artifact, right or wrong, and builders of small images to attach it to.
//!
//! Nothing here can make a verified value, skip a check or speak for a
//! production instance: what is minted is trusted only by who chooses the
//! virtual instance's own trust root.

mod image;
mod sigstore;
mod statement;
mod upload;

pub use image::{BuildKit, Image, ImageBuilder};
pub use sigstore::{BundleVersion, Fault, Identity, Layer, Log, ManagedKey, Mint, SubjectName, VirtualSigstore};
pub use statement::{Statement, simple_signing};
pub use upload::Upload;
