//! One cell of the matrix: a target and a requirement.

use serde::Serialize;

use crate::check::{Check, CheckName};
use crate::code::Code;
use crate::digest::Digest;

/// How a requirement stands for a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum State {
    /// One candidate satisfies it alone.
    Ok,
    /// The index, which lists this digest, is satisfied for it.
    ViaIndex,
    /// Only the index has it, and that does not count here.
    OnIndex,
    /// Everything was read and nothing of the kind is attached.
    Missing,
    /// What is attached here is about another digest.
    Elsewhere,
    /// It is genuine, and by a signer whom the policy does not trust.
    WrongSigner,
    /// It is genuine, and says something else than the policy asks for.
    Mismatch,
    /// It does not verify.
    Invalid,
    /// It is older than the policy allows.
    Stale,
    /// Only an unsigned attestation is attached.
    Unsigned,
    /// Something that could satisfy it could not be read.
    Undecided,
}

impl State {
    /// The kebab-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ViaIndex => "via-index",
            Self::OnIndex => "on-index",
            Self::Missing => "missing",
            Self::Elsewhere => "elsewhere",
            Self::WrongSigner => "wrong-signer",
            Self::Mismatch => "mismatch",
            Self::Invalid => "invalid",
            Self::Stale => "stale",
            Self::Unsigned => "unsigned",
            Self::Undecided => "undecided",
        }
    }

    /// Whether the requirement is satisfied.
    #[must_use]
    pub fn is_satisfied(self) -> bool {
        matches!(self, Self::Ok | Self::ViaIndex)
    }

    /// The state that a failed row stands for.
    pub(super) fn of_row(check: &Check) -> Self {
        match check.name {
            CheckName::Signer | CheckName::Identity | CheckName::Issuer | CheckName::Claims => Self::WrongSigner,
            CheckName::Subject => Self::Elsewhere,
            CheckName::Age => Self::Stale,
            CheckName::Source | CheckName::Builder | CheckName::SlsaLevel => Self::Mismatch,
            CheckName::Provenance if check.code == Some(Code::ProvenanceMismatch) => Self::Mismatch,
            CheckName::Certificate if check.code == Some(Code::KeyMismatch) => Self::WrongSigner,
            _ => Self::Invalid,
        }
    }
}

/// A target and a requirement, and how they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Cell {
    /// The target: `index`, `image`, a platform, or `file`.
    pub target: String,
    /// Its digest; none for a platform that the index does not list.
    pub digest: Option<Digest>,
    /// The requirement's name.
    pub requirement: String,
    /// How it stands.
    pub state: State,
    /// The reason, where it is not satisfied.
    pub code: Option<Code>,
    /// The reason in words, where it is not satisfied.
    pub message: Option<String>,
    /// What the nearest candidate should have had.
    pub wanted: Vec<String>,
    /// What the nearest candidate has.
    pub found: Option<String>,
    /// The candidates that satisfy it, or else the nearest one, by their place in the report.
    pub candidates: Vec<usize>,
}
