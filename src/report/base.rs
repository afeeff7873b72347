//! What is known of the base of a platform, for the report.

use std::fmt;

use serde::Serialize;

use super::Verdict;
use crate::digest::Digest;
use crate::policy::PolicyDocument;

/// The name of the requirement in cells and in the matrix.
pub(crate) const BASE: &str = "base";

/// Who says what an image is built on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum BaseSource {
    /// The user.
    Reference,
    /// Provenance that the image's policy accepts.
    Provenance,
    /// An annotation of the image: a hint.
    Annotation,
}

impl fmt::Display for BaseSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reference => "as asked",
            Self::Provenance => "by its provenance",
            Self::Annotation => "by an annotation, a hint",
        })
    }
}

/// What one platform is built on, and under which policy that was verified.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct BaseRecord {
    /// The platform, or `image`.
    pub target: String,
    /// The base, `NAME@DIGEST`.
    pub image: String,
    /// Who says so.
    pub source: BaseSource,
    /// What became of the base under its own policy.
    pub verdict: Verdict,
    /// The base's image for this platform, if it was accepted.
    pub digest: Option<Digest>,
    /// How many layers it has, all of which have to be the first ones.
    pub layers: Option<usize>,
    pub(crate) policy: PolicyDocument,
}

impl BaseRecord {
    /// The name of the policy that the base was verified under.
    #[must_use]
    pub fn policy_name(&self) -> &str {
        self.policy.name()
    }
}
