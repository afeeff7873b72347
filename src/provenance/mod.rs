//! Facts of a build → SLSA provenance v1, of this project's own build type
//! (`docs/build-type.md`).
//!
//! The environment of a build comes as a function, files come as bytes, and
//! equal facts give equal bytes. What is written is what the build says of
//! itself: who signs it decides what that is worth.
//!
//! ```
//! use cg_attest::provenance::{Build, Ci};
//!
//! let variable = |name: &str| match name {
//!     "GITHUB_ACTIONS" => Some("true".to_owned()),
//!     "GITHUB_SERVER_URL" => Some("https://github.com".to_owned()),
//!     "GITHUB_REPOSITORY" => Some("org/app".to_owned()),
//!     "GITHUB_REF" => Some("refs/heads/main".to_owned()),
//!     "GITHUB_SHA" => Some("da283c26829d46c2d2883de5ff98bee672428696".to_owned()),
//!     "GITHUB_WORKFLOW_REF" => Some("org/app/.github/workflows/release.yaml@refs/heads/main".to_owned()),
//!     "GITHUB_RUN_ID" => Some("17".to_owned()),
//!     "GITHUB_RUN_ATTEMPT" => Some("1".to_owned()),
//!     _ => None,
//! };
//! let ci = Ci::detect(variable).expect("one of the four");
//! let predicate = Build::of_environment(ci, variable)?.predicate()?;
//! assert!(predicate.contains(r#""gitCommit": "da283c26829d46c2d2883de5ff98bee672428696""#));
//! # Ok::<(), cg_attest::provenance::BuildError>(())
//! ```

mod apko;
mod build;
mod buildkit;
mod document;
mod environment;
mod error;
#[cfg(test)]
mod tests;

pub use build::{Build, PREDICATE_TYPE, statement};
pub use environment::{Ci, CiError};
pub use error::BuildError;
