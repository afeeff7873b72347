//! Provenance as a value.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::{BuildType, Field};
use crate::code::Code;
use crate::time::Timestamp;

/// Provenance of any version that is read: who built, from what, how and when.
///
/// It is the word of whoever signed it. What the certificate says besides is
/// compared by the policy, and only where the build type makes both the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Provenance {
    /// The version of the document.
    pub version: SlsaVersion,
    /// The URI of the build type.
    pub build_type: Option<String>,
    /// What is known of that type.
    #[serde(rename = "buildTypeName")]
    pub kind: BuildType,
    /// Who built, a URI; `None` also where it is written as the empty text, as `BuildKit` does.
    pub builder_id: Option<String>,
    /// From what.
    pub source: Source,
    /// The run of the build, in the builder's own form.
    pub invocation_id: Option<String>,
    /// When the build began.
    pub started_on: Option<Timestamp>,
    /// When it ended.
    pub finished_on: Option<Timestamp>,
    /// Whether the document says what the build was asked to do: external
    /// parameters in v1, a configuration source or parameters in v0.2.
    pub has_parameters: bool,
    /// Everything that the build fetched, as far as it is complete.
    pub dependencies: Vec<Dependency>,
}

/// The version of a provenance document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum SlsaVersion {
    /// `https://slsa.dev/provenance/v0.1`.
    #[serde(rename = "v0.1")]
    V01,
    /// `https://slsa.dev/provenance/v0.2`.
    #[serde(rename = "v0.2")]
    V02,
    /// `https://slsa.dev/provenance/v1`.
    #[serde(rename = "v1")]
    V1,
}

/// What was built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Source {
    /// The repository, as written.
    pub repository: Stated,
    /// The branch or tag, `refs/…`.
    #[serde(rename = "ref")]
    pub reference: Stated,
    /// The commit, in hex; with `-dirty` behind it where files were changed.
    pub commit: Stated,
    /// The file that describes the build.
    pub entry_point: Stated,
}

/// How a field stands in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stated {
    /// It is there.
    Value(String),
    /// The build type defines it, and the document does not have it.
    Absent,
    /// The build type does not define it.
    NotComparable,
}

/// An artifact that the build fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Dependency {
    /// Where it came from.
    pub uri: Option<String>,
    /// What the builder calls it.
    pub name: Option<String>,
    /// Its digests by algorithm, as written.
    pub digest: BTreeMap<String, String>,
}

/// Why a predicate is not provenance that can be judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProvenanceError {
    /// Not JSON of the wanted shape, or ambiguous.
    #[error("not SLSA provenance: {0}")]
    Malformed(String),
    /// Another predicate type.
    #[error("{0:?} is no version of SLSA provenance that is read")]
    Version(String),
    /// More dependencies than the limits allow.
    #[error("the provenance has {0} dependencies, the limit is {1}")]
    TooMany(usize, usize),
}

impl ProvenanceError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::TooMany(..) => Code::Limit,
            _ => Code::ProvenanceInvalid,
        }
    }
}

impl Provenance {
    /// How a field stands.
    #[must_use]
    pub fn field(&self, field: Field) -> Stated {
        let plain = |text: &Option<String>| text.clone().map_or(Stated::Absent, Stated::Value);
        match field {
            Field::SourceRepository => self.source.repository.clone(),
            Field::SourceRef => self.source.reference.clone(),
            Field::SourceCommit => self.source.commit.clone(),
            Field::EntryPoint => self.source.entry_point.clone(),
            Field::Invocation => plain(&self.invocation_id),
            Field::Builder => plain(&self.builder_id),
        }
    }
}

impl Stated {
    /// The text, if there is one.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Value(text) => Some(text),
            Self::Absent | Self::NotComparable => None,
        }
    }

    pub(super) fn of(text: Option<String>) -> Self {
        text.filter(|text| !text.is_empty()).map_or(Self::Absent, Self::Value)
    }
}

impl Serialize for Stated {
    /// The text, or `null`; nothing is made up for what is not comparable.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl SlsaVersion {
    /// The version of a predicate type.
    pub(super) fn of(predicate_type: &str) -> Option<Self> {
        match predicate_type {
            "https://slsa.dev/provenance/v0.1" => Some(Self::V01),
            "https://slsa.dev/provenance/v0.2" => Some(Self::V02),
            "https://slsa.dev/provenance/v1" => Some(Self::V1),
            _ => None,
        }
    }
}
