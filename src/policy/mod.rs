//! What is required: who may have signed, what must be attached, and where.

mod document;
mod pattern;
mod preset;
mod requirement;
mod rules;

pub use pattern::{Matched, Pattern, PatternError};
pub use preset::Preset;
pub use requirement::{Level, Requirement, Wanted};
pub use rules::{LogEvidence, Policy, PolicyBuilder, PolicyError};

pub(crate) use document::PolicyDocument;
