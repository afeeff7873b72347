//! What an image is: references, descriptors, indexes, manifests, configurations, platforms.
//!
//! Values come only from bytes whose digest was checked
//! ([`VerifiedBlob`](crate::digest::VerifiedBlob)), and a document that can be
//! read in two ways is refused.

mod configuration;
mod descriptor;
mod manifest;
mod platform;
mod reference;

pub use configuration::{Configuration, ConfigurationError, Process};
pub use descriptor::{Descriptor, media};
pub use manifest::{ImageDocument, Index, Manifest, ManifestError};
pub use platform::{Platform, PlatformError};
pub use reference::{ImageName, PinnedReference, Reference, ReferenceError, Repository};
