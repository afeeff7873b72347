//! The outcome: every cell, every candidate, and a verdict with three values.

mod document;
mod outcome;
mod verified_image;

pub use document::Document;
pub use outcome::{Report, Stats, Unresolved, Verdict, Warning};
pub use verified_image::{NotAccepted, VerifiedImage};
