//! SLSA provenance, versions 0.1, 0.2 and 1, in one typed view.

mod build_type;
mod git;
mod provenance;
mod read;
mod wire;
#[cfg(test)]
mod tests;

pub use build_type::{BuildType, Field};
pub use provenance::{Dependency, Provenance, ProvenanceError, SlsaVersion, Source, Stated};

pub(crate) use git::canonical_repository;
