//! The outcome: every cell, every candidate, and a verdict with three values.

mod base;
mod blob;
mod document;
mod outcome;
mod verified_image;

pub use base::{BaseRecord, BaseSource};
pub use blob::BlobReport;
pub use document::{BlobDocument, Document};
pub use outcome::{Report, Stats, Unresolved, Verdict, Warning};
pub use verified_image::{NotAccepted, VerifiedImage};

pub(crate) use base::BASE;
