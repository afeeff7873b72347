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
    /// The provenance can be read, and says what the certificate says where the build type makes both the same.
    Provenance,
    /// The source is the one that the policy asks for.
    Source,
    /// Builder and build type are those that the policy asks for.
    Builder,
    /// The SLSA level that the policy asks for is shown.
    SlsaLevel,
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
        Self::Provenance,
        Self::Source,
        Self::Builder,
        Self::SlsaLevel,
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
            Self::Provenance => "provenance",
            Self::Source => "source",
            Self::Builder => "builder",
            Self::SlsaLevel => "slsa-level",
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
    /// What was wanted, where it is one text that was compared with another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<String>,
    /// What was found in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

impl Check {
    pub(crate) fn pass(name: CheckName, detail: Option<String>) -> Self {
        Self::of(name, Outcome::Pass, detail)
    }

    pub(crate) fn fail(failure: Failure) -> Self {
        let (wanted, found) = failure.compared.unzip();
        let code = Some(failure.code);
        Self { code, wanted, found, ..Self::of(failure.check, Outcome::Fail, Some(failure.detail)) }
    }

    pub(crate) fn not_run(name: CheckName) -> Self {
        Self::of(name, Outcome::NotRun, None)
    }

    pub(crate) fn waived(name: CheckName, detail: String) -> Self {
        Self::of(name, Outcome::Waived, Some(detail))
    }

    fn of(name: CheckName, outcome: Outcome, detail: Option<String>) -> Self {
        Self { name, outcome, code: None, detail, wanted: None, found: None }
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
    /// What was wanted and what was found, where each is one text.
    pub compared: Option<(String, String)>,
}

impl Failure {
    pub(crate) fn new(check: CheckName, code: Code, detail: impl Into<String>) -> Self {
        Self { check, code, detail: detail.into(), compared: None }
    }

    /// The same, with what was wanted and what was found in its place.
    pub(crate) fn comparing(self, wanted: &str, found: &str) -> Self {
        Self { compared: Some((wanted.to_owned(), found.to_owned())), ..self }
    }
}
