//! The checks of one candidate, by name and in order.

use std::fmt;

use serde::Serialize;

use crate::code::Code;

/// One check. The order is the order in which they are shown; the first seven
/// are the verifier's, the others ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CheckName {
    /// The bundle is well-formed and of a form that can be verified.
    Structure,
    /// A trusted source says when the signature was made.
    Time,
    /// The certificate leads to a trusted authority, at every verified time.
    Certificate,
    /// The certificate is in a certificate transparency log.
    Sct,
    /// The log included the entry, or promised to.
    Log,
    /// The log entry describes this signature, this certificate, this artifact.
    LogEntry,
    /// The signature is over these bytes.
    Signature,
    /// The certificate names exactly one signer.
    Signer,
    /// The policy trusts this identity.
    Identity,
    /// The policy trusts this issuer of identities.
    Issuer,
    /// The certificate has the claims that the policy asks for.
    Claims,
    /// Inclusion is proven, not only promised, where the policy asks for it.
    LogEvidence,
    /// What was signed is about the digest asked for.
    Subject,
    /// What was signed is of a type that the policy asks for.
    Predicate,
    /// The signature is recent enough.
    Age,
}

impl CheckName {
    /// Every check, in order.
    pub const ALL: &'static [Self] = &[
        Self::Structure,
        Self::Time,
        Self::Certificate,
        Self::Sct,
        Self::Log,
        Self::LogEntry,
        Self::Signature,
        Self::Signer,
        Self::Identity,
        Self::Issuer,
        Self::Claims,
        Self::LogEvidence,
        Self::Subject,
        Self::Predicate,
        Self::Age,
    ];

    /// The kebab-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Time => "time",
            Self::Certificate => "certificate",
            Self::Sct => "sct",
            Self::Log => "log",
            Self::LogEntry => "log-entry",
            Self::Signature => "signature",
            Self::Signer => "signer",
            Self::Identity => "identity",
            Self::Issuer => "issuer",
            Self::Claims => "claims",
            Self::LogEvidence => "log-evidence",
            Self::Subject => "subject",
            Self::Predicate => "predicate",
            Self::Age => "age",
        }
    }

    /// Whether the check is one of the verifier's, which stops at its first failure.
    #[must_use]
    pub fn is_verifiers(self) -> bool {
        self <= Self::Signature
    }
}

impl fmt::Display for CheckName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// It ran and held.
    Pass,
    /// It ran and did not hold.
    Fail,
    /// It did not run, because an earlier one failed or nothing asked for it.
    NotRun,
    /// The trust root's profile does not have what it would check.
    Waived,
}

/// One row of a candidate's report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// Which check.
    pub name: CheckName,
    /// How it ended.
    #[serde(rename = "result")]
    pub outcome: Outcome,
    /// Why it failed.
    pub code: Option<Code>,
    /// What was wanted and found, for people.
    pub detail: Option<String>,
}

impl Check {
    pub(crate) fn pass(name: CheckName, detail: Option<String>) -> Self {
        Self { name, outcome: Outcome::Pass, code: None, detail }
    }

    pub(crate) fn fail(failure: Failure) -> Self {
        Self { name: failure.check, outcome: Outcome::Fail, code: Some(failure.code), detail: Some(failure.detail) }
    }

    pub(crate) fn not_run(name: CheckName) -> Self {
        Self { name, outcome: Outcome::NotRun, code: None, detail: None }
    }

    pub(crate) fn waived(name: CheckName, detail: String) -> Self {
        Self { name, outcome: Outcome::Waived, code: None, detail: Some(detail) }
    }
}

/// A check that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{check}: {detail}")]
#[non_exhaustive]
pub struct Failure {
    /// Which check.
    pub check: CheckName,
    /// Why.
    pub code: Code,
    /// What was wanted and found.
    pub detail: String,
}

impl Failure {
    pub(crate) fn new(check: CheckName, code: Code, detail: impl Into<String>) -> Self {
        Self { check, code, detail: detail.into() }
    }
}
