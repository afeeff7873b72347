//! What is required: who may have signed, what must be attached, and where.

mod agreement;
mod builder;
mod document;
mod level;
mod pattern;
mod preset;
mod provenance;
mod requirement;
mod rules;

pub use agreement::{Agreement, FieldAgreement};
pub use builder::{PolicyBuilder, PolicyError};
pub use level::{ShownLevel, SlsaLevel, SlsaLevelError};
pub use pattern::{Matched, Pattern, PatternError};
pub use preset::Preset;
pub use provenance::ProvenanceRules;
pub use requirement::{Level, LevelError, Requirement, RequirementError, Wanted};
pub use rules::{LogEvidence, Policy};

pub(crate) use document::PolicyDocument;
pub(crate) use provenance::ProvenanceRow;
