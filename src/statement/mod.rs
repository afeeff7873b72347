//! What is signed: in-toto statements, simple-signing documents, the types of predicates, SLSA provenance, and what apko says.

mod apko;
mod document;
mod predicate_type;
mod simple_signing;
mod slsa;
mod write;

pub use apko::{ApkoConfiguration, ApkoError, apko_installed};
pub use document::{PAYLOAD_TYPE, Statement, StatementError, Subject};
pub use predicate_type::{COSIGN_SIGN, Family, PredicateType, PredicateTypeError};
pub use simple_signing::SimpleSigning;
pub use slsa::{BuildType, Dependency, Field, Provenance, ProvenanceError, SlsaVersion, Source, Stated};

pub(crate) use predicate_type::SLSA_1;
#[cfg(feature = "sign")]
pub(crate) use predicate_type::{CYCLONEDX, SLSA_0_2, SPDX_2, SPDX_3};
pub(crate) use slsa::canonical_repository;
pub(crate) use write::written;
