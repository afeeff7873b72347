//! The outcome: every cell, every candidate, and a verdict with three values.

mod blob;
mod document;
mod outcome;
mod verified_image;

pub use blob::BlobReport;
pub use document::{BlobDocument, Document};
pub use outcome::{Report, Stats, Unresolved, Verdict, Warning};
pub use verified_image::{NotAccepted, VerifiedImage};
