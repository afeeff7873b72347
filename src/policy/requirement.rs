//! One requirement: what has to be attached, where, and how recent.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::statement::{COSIGN_SIGN, PredicateType, PredicateTypeError};

/// The name of [`Wanted::Layers`].
const LAYERS: &str = "sbom=layers";

/// What has to be attached.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wanted {
    /// A signature of the image itself: a simple-signing document, cosign's
    /// sign statement, or a signature over the manifest. No other attestation is one (scenario G-02).
    Signature,
    /// An attestation.
    Attestation(PredicateType),
    /// That the SBOM which satisfies its own requirement says of each platform what
    /// is in its layers. Whoever verifies has to read these (`audit::read_layers`,
    /// feature `scan`); until then it is undecided.
    Layers,
}

/// Which digest the evidence has to be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Level {
    /// The index.
    Index,
    /// Each platform.
    Platform,
    /// Each platform, or the index for it.
    Either,
}

/// Something that has to be attached, at a level, and where asked for recent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    wanted: Wanted,
    level: Level,
    max_age: Option<Duration>,
}

impl Requirement {
    /// A signature: of the index that was named, or of the platforms that were picked from it.
    #[must_use]
    pub fn signature() -> Self {
        Self { wanted: Wanted::Signature, level: Level::Either, max_age: None }
    }

    /// An attestation. SBOMs are wanted for each platform, because an index
    /// has no packages; others are accepted at either level.
    #[must_use]
    pub fn attestation(predicate: PredicateType) -> Self {
        let sbom = predicate.is_family("spdx")
            || predicate.is_family("cyclonedx")
            || predicate.matches("https://spdx.dev/Document")
            || predicate.matches("https://cyclonedx.org/bom");
        let level = if sbom { Level::Platform } else { Level::Either };
        Self { wanted: Wanted::Attestation(predicate), level, max_age: None }
    }

    /// SLSA provenance of any version, at either level.
    #[must_use]
    pub fn slsa() -> Self {
        Self { wanted: Wanted::Attestation(PredicateType::slsa()), level: Level::Either, max_age: None }
    }

    /// An SPDX SBOM of each platform that agrees with its layers: `sbom=layers`. The
    /// SBOM itself is then required too.
    #[must_use]
    pub fn layers() -> Self {
        Self { wanted: Wanted::Layers, level: Level::Platform, max_age: None }
    }

    /// Whether it wants an SPDX document.
    pub(crate) fn is_spdx(&self) -> bool {
        matches!(&self.wanted, Wanted::Attestation(predicate) if predicate.is_spdx())
    }

    /// The same at another level.
    #[must_use]
    pub fn at(self, level: Level) -> Self {
        Self { level, ..self }
    }

    /// The same, satisfied only by evidence whose newest verified time is at most this old.
    #[must_use]
    pub fn within(self, max_age: Duration) -> Self {
        Self { max_age: Some(max_age), ..self }
    }

    /// What is wanted.
    #[must_use]
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Where.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// How old it may be.
    #[must_use]
    pub fn max_age(&self) -> Option<Duration> {
        self.max_age
    }

    /// The name used for it in policies, reports and columns: `signature`, `spdx`, a URI.
    #[must_use]
    pub fn name(&self) -> String {
        self.wanted.to_string()
    }
}

impl Wanted {
    /// Whether a statement with this predicate type is what is wanted.
    #[must_use]
    pub fn is_met_by(&self, predicate_type: &str) -> bool {
        match self {
            Self::Signature => predicate_type == COSIGN_SIGN,
            Self::Attestation(predicate) => predicate.matches(predicate_type),
            // Nobody attests it: it is seen.
            Self::Layers => false,
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature => f.write_str("signature"),
            Self::Attestation(predicate) => predicate.fmt(f),
            Self::Layers => f.write_str(LAYERS),
        }
    }
}

impl Level {
    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Platform => "platform",
            Self::Either => "either",
        }
    }
}

/// A text that is no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a level: wanted index, platform or either")]
pub struct LevelError(String);

/// A text that is no requirement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; `signature` for the signature of the image")]
pub struct RequirementError(PredicateTypeError);

impl FromStr for Level {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, LevelError> {
        match text {
            "index" => Ok(Self::Index),
            "platform" => Ok(Self::Platform),
            "either" => Ok(Self::Either),
            other => Err(LevelError(other.chars().take(40).collect())),
        }
    }
}

impl FromStr for Requirement {
    type Err = RequirementError;

    fn from_str(text: &str) -> Result<Self, RequirementError> {
        if text == "signature" || text == COSIGN_SIGN {
            return Ok(Self::signature());
        }
        if text == LAYERS {
            return Ok(Self::layers());
        }
        text.parse().map(Self::attestation).map_err(RequirementError)
    }
}
