//! Which signer, builder and build type together show which SLSA build level.
//!
//! A level is a property of a builder, and provenance is only as good as the
//! one who signed it. So a row of the table names both, and says who vouches
//! for the builder. Anything else shows level 1 at most. `docs/slsa-levels.md` is about this table.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::check::{CheckName, Failure};
use crate::code::Code;
use crate::signer::{IdentityKind, Signer};
use crate::statement::{BuildType, Provenance};

/// A SLSA build level, 1 to 3 (slsa.dev/spec/v1.0/levels).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SlsaLevel(u8);

/// A text that is no build level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no SLSA build level: wanted 1, 2 or 3")]
pub struct SlsaLevelError(String);

impl SlsaLevel {
    /// The number.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

impl FromStr for SlsaLevel {
    type Err = SlsaLevelError;

    fn from_str(text: &str) -> Result<Self, SlsaLevelError> {
        match text {
            "1" => Ok(Self(1)),
            "2" => Ok(Self(2)),
            "3" => Ok(Self(3)),
            other => Err(SlsaLevelError(other.chars().take(40).collect())),
        }
    }
}

impl fmt::Display for SlsaLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The level that provenance shows, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ShownLevel {
    /// The level; 0 where not even the first is shown.
    pub number: u8,
    /// What shows it.
    pub why: &'static str,
    /// The page that says that it does.
    pub source: &'static str,
}

impl fmt::Display for ShownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "level {}: {} ({})", self.number, self.why, self.source)
    }
}

/// One row: who signs, for which builder, and who says that this is worth the level.
struct Row {
    level: SlsaLevel,
    issuer: &'static str,
    /// Does the signer vouch for this builder?
    vouches: fn(&Signer, &Provenance) -> bool,
    what: &'static str,
    /// The page that says so.
    source: &'static str,
}

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const GENERATOR: &str = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/";

const TABLE: &[Row] = &[
    Row {
        level: SlsaLevel(3),
        issuer: GITHUB,
        vouches: by_generator,
        what: "slsa-github-generator, a released version",
        source: "https://github.com/slsa-framework/slsa-github-generator/blob/main/README.md",
    },
    Row {
        level: SlsaLevel(3),
        issuer: GITHUB,
        vouches: by_delegator,
        what: "a builder of slsa-github-generator through its delegator, released versions",
        source: "https://github.com/slsa-framework/slsa-github-generator/blob/main/BYOB.md",
    },
    // A reusable workflow may be worth level 3, and whether this one is nobody but its reader can say.
    Row {
        level: SlsaLevel(2),
        issuer: GITHUB,
        vouches: by_github,
        what: "GitHub's artifact attestations on GitHub's runners",
        source: "https://docs.github.com/en/actions/concepts/security/artifact-attestations",
    },
];

/// slsa.dev: provenance that names builder, build type and parameters is what level 1 asks for, whoever signs.
const FIRST: &str = "https://slsa.dev/spec/v1.0/levels#build-l1";

impl Provenance {
    /// The level that this provenance, signed by `signer`, shows.
    #[must_use]
    pub fn level(&self, signer: &Signer) -> ShownLevel {
        let of_signer = |row: &&Row| signer.issuer() == Some(row.issuer) && (row.vouches)(signer, self);
        let (number, why, source) = match TABLE.iter().find(of_signer) {
            Some(row) => (row.level.0, row.what, row.source),
            None if self.has_parameters && self.builder_id.is_some() && self.build_type.is_some() => {
                (1, "builder, build type and parameters are named", FIRST)
            }
            None => (0, "not all of builder, build type and parameters are named", FIRST),
        };
        ShownLevel { number, why, source }
    }
}

/// The row of a policy that asks for a level.
pub(super) fn level_row(wanted: SlsaLevel, signer: &Signer, provenance: &Provenance) -> Result<String, Failure> {
    let shown = provenance.level(signer);
    if shown.number >= wanted.0 {
        return Ok(shown.to_string());
    }
    let detail = format!("wanted level {wanted}, shown is {shown}");
    Err(Failure::new(CheckName::SlsaLevel, Code::LevelNotShown, detail))
}

/// A released version of a workflow of slsa-github-generator: branches are anybody's who can push.
fn released(identity: &str) -> Option<&str> {
    let (file, reference) = identity.strip_prefix(GENERATOR)?.split_once('@')?;
    let version = reference.strip_prefix("refs/tags/v")?;
    let numbers: Vec<&str> = version.split('.').collect();
    let number = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (numbers.len() == 3 && numbers.iter().all(number)).then_some(file)
}

fn name(signer: &Signer) -> Option<&str> {
    let identity = signer.identity();
    (identity.kind == IdentityKind::Uri).then_some(identity.value.as_str())
}

/// A runner of the caller's own can carry the label of GitHub's. Certificates before 2023 do not say which it was.
fn not_on_own_machines(signer: &Signer) -> bool {
    signer.build().runner.is_none_or(|runner| runner == "github-hosted")
}

/// The builder is the workflow that signed.
fn by_generator(signer: &Signer, provenance: &Provenance) -> bool {
    const FILES: &[&str] = &[
        "builder_go_slsa3.yml",
        "generator_generic_slsa3.yml",
        "generator_container_slsa3.yml",
        "builder_container-based_slsa3.yml",
    ];
    let file = name(signer).and_then(released);
    not_on_own_machines(signer)
        && matches!(provenance.kind, BuildType::SlsaGitHubGenerator | BuildType::ContainerBased)
        && file.is_some_and(|file| FILES.contains(&file))
        && provenance.builder_id.as_deref() == name(signer)
}

/// The delegator signed for a builder of the same project; what others build with it is their word.
fn by_delegator(signer: &Signer, provenance: &Provenance) -> bool {
    const DELEGATORS: &[&str] = &["delegator_generic_slsa3.yml", "delegator_lowperms-generic_slsa3.yml"];
    const BUILDERS: &[&str] =
        &["builder_maven_slsa3.yml", "builder_gradle_slsa3.yml", "builder_nodejs_slsa3.yml", "builder_bazel_slsa3.yml"];
    let delegator = name(signer).and_then(released);
    let builder = provenance.builder_id.as_deref().and_then(released);
    not_on_own_machines(signer)
        && provenance.kind == BuildType::SlsaGitHubDelegator
        && delegator.is_some_and(|file| DELEGATORS.contains(&file))
        && builder.is_some_and(|file| BUILDERS.contains(&file))
}

/// What the workflow says of itself is what GitHub says of it (the row `provenance`), on a machine of GitHub's.
fn by_github(signer: &Signer, provenance: &Provenance) -> bool {
    let claims = signer.build();
    let hosted = claims.runner.as_deref() == Some("github-hosted");
    let builder = provenance.builder_id.as_deref();
    let is_it = match provenance.kind {
        BuildType::GitHubWorkflow => builder.is_some() && builder == claims.builder.as_deref(),
        BuildType::GitHubRunner => builder == Some("https://github.com/actions/runner/github-hosted"),
        _ => false,
    };
    hosted && is_it
}
