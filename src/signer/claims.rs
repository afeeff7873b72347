//! The claims that Fulcio writes into a certificate (Fulcio, `docs/oid-info.md`).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// Number under 1.3.6.1.4.1.57264.1, name, and whether the value is a bare string.
///
/// 1 to 6 are the deprecated ones whose value is not wrapped in DER. 7 is the
/// SAN's own, and 1 and 8 both name the issuer.
const CLAIMS: &[(u32, &str, bool)] = &[
    (1, "issuerV1", true),
    (2, "githubWorkflowTrigger", true),
    (3, "githubWorkflowSHA", true),
    (4, "githubWorkflowName", true),
    (5, "githubWorkflowRepository", true),
    (6, "githubWorkflowRef", true),
    (8, "issuer", false),
    (9, "buildSignerURI", false),
    (10, "buildSignerDigest", false),
    (11, "runnerEnvironment", false),
    (12, "sourceRepositoryURI", false),
    (13, "sourceRepositoryDigest", false),
    (14, "sourceRepositoryRef", false),
    (15, "sourceRepositoryIdentifier", false),
    (16, "sourceRepositoryOwnerURI", false),
    (17, "sourceRepositoryOwnerIdentifier", false),
    (18, "buildConfigURI", false),
    (19, "buildConfigDigest", false),
    (20, "buildTrigger", false),
    (21, "runInvocationURI", false),
    (22, "sourceRepositoryVisibilityAtSigning", false),
    (23, "deploymentEnvironment", false),
    (24, "tokenSubject", false),
];

/// A claim by its Fulcio extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    number: u32,
}

/// A text that names no claim.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no claim of a Fulcio certificate: wanted one of {names}, or its OID", names = Claim::names().join(", "))]
pub struct UnknownClaim(String);

impl Claim {
    pub(super) const ISSUER_V1: Self = Self { number: 1 };
    pub(super) const GITHUB_SHA: Self = Self { number: 3 };
    pub(super) const GITHUB_REPOSITORY: Self = Self { number: 5 };
    pub(super) const GITHUB_REF: Self = Self { number: 6 };
    pub(super) const ISSUER: Self = Self { number: 8 };
    pub(super) const BUILD_SIGNER: Self = Self { number: 9 };
    pub(super) const RUNNER_ENVIRONMENT: Self = Self { number: 11 };
    pub(super) const SOURCE_REPOSITORY: Self = Self { number: 12 };
    pub(super) const SOURCE_DIGEST: Self = Self { number: 13 };
    pub(super) const SOURCE_REF: Self = Self { number: 14 };
    pub(super) const BUILD_CONFIG: Self = Self { number: 18 };
    pub(super) const RUN_INVOCATION: Self = Self { number: 21 };

    /// The names of all claims.
    #[must_use]
    pub fn names() -> Vec<&'static str> {
        CLAIMS.iter().map(|(_, name, _)| *name).collect()
    }

    /// The claim of the extension `1.3.6.1.4.1.57264.1.<number>`.
    pub(super) fn of_extension(number: u32) -> Option<Self> {
        CLAIMS.iter().any(|(n, ..)| *n == number).then_some(Self { number })
    }

    fn row(self) -> (u32, &'static str, bool) {
        let found = CLAIMS.iter().find(|(n, ..)| *n == self.number);
        found.copied().expect("a claim is only made of a row of the table")
    }

    /// The name, in the spelling of the other Sigstore clients.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The object identifier of the extension.
    #[must_use]
    pub fn oid(self) -> String {
        format!("1.3.6.1.4.1.57264.1.{}", self.number)
    }

    /// Whether the extension's value is the text itself, without DER around it.
    pub(super) fn is_raw(self) -> bool {
        self.row().2
    }
}

impl FromStr for Claim {
    type Err = UnknownClaim;

    fn from_str(text: &str) -> Result<Self, UnknownClaim> {
        let named = |(n, name, _): &&(u32, &str, bool)| {
            name.eq_ignore_ascii_case(text) || text.strip_prefix("1.3.6.1.4.1.57264.1.") == Some(&n.to_string())
        };
        let found = CLAIMS.iter().find(named).map(|(number, ..)| Self { number: *number });
        found.ok_or_else(|| UnknownClaim(text.chars().take(80).collect()))
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The claims of one certificate, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Claims(BTreeMap<&'static str, String>);

impl Claims {
    /// The value of a claim.
    #[must_use]
    pub fn get(&self, claim: Claim) -> Option<&str> {
        self.0.get(claim.name()).map(String::as_str)
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Adds a claim; false if it was there already.
    pub(super) fn insert(&mut self, claim: Claim, value: String) -> bool {
        self.0.insert(claim.name(), value).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_named_or_numbered() {
        let named: Claim = "buildTrigger".parse().expect("a claim");
        let numbered: Claim = "1.3.6.1.4.1.57264.1.20".parse().expect("a claim");
        assert_eq!(named, numbered);
        assert_eq!(named.oid(), "1.3.6.1.4.1.57264.1.20");
        assert!("1.3.6.1.4.1.57264.1.2".parse::<Claim>().is_ok_and(|c| c.name() == "githubWorkflowTrigger"));
        assert!("1.3.6.1.4.1.57264.1.7".parse::<Claim>().is_err());
        assert!("trigger".parse::<Claim>().is_err());
    }
}
