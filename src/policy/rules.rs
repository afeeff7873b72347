//! The policy itself, and what it says of one signer.

use crate::check::{CheckName, Failure};
use crate::code::Code;
use crate::image::Platform;
use crate::limits::Limits;
use crate::policy::{Matched, Pattern, ProvenanceRow, ProvenanceRules, Requirement, Wanted};
use crate::signer::{Claim, IdentityKind, Signer};
use crate::sigstore::PublicKey;
use crate::statement::{Family, Statement};

/// Who is trusted to have signed, and what has to be attached.
///
/// There is no default and no empty policy: [`Policy::builder`] refuses to
/// build one (scenarios A-08, F-01).
///
/// ```compile_fail
/// let anything_goes = cg_attest::policy::Policy::default();
/// ```
#[derive(Debug, Clone)]
pub struct Policy {
    pub(super) name: String,
    pub(super) signers: Signers,
    pub(super) claims: Vec<(Claim, String)>,
    pub(super) requirements: Vec<Requirement>,
    pub(super) platforms: Vec<Platform>,
    pub(super) log_evidence: LogEvidence,
    pub(super) provenance: ProvenanceRules,
}

#[derive(Debug, Clone)]
pub(super) enum Signers {
    Keyless { identities: Vec<Pattern>, issuers: Vec<Pattern> },
    Key { key: PublicKey },
}

/// What has to show that the transparency log has the entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LogEvidence {
    /// A proof in a bundle from a registry; a promise where the format has
    /// nothing better (legacy layers and v0.1 bundle files).
    #[default]
    Format,
    /// A proof, everywhere.
    Proof,
}

impl Policy {
    /// What the report calls the policy.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The requirements, at least one.
    #[must_use]
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Whether an SBOM has to agree with the layers, so that these have to be read.
    #[must_use]
    pub fn asks_for_layers(&self) -> bool {
        self.requirements.iter().any(|requirement| *requirement.wanted() == Wanted::Layers)
    }

    /// The platforms that the index has to list.
    #[must_use]
    pub fn required_platforms(&self) -> &[Platform] {
        &self.platforms
    }

    /// What has to show that the log has the entry.
    #[must_use]
    pub fn log_evidence(&self) -> LogEvidence {
        self.log_evidence
    }

    /// The managed key, if the policy names one.
    pub(crate) fn key(&self) -> Option<&PublicKey> {
        match &self.signers {
            Signers::Key { key } => Some(key),
            Signers::Keyless { .. } => None,
        }
    }

    /// Whether the policy trusts the signer's name.
    pub(crate) fn check_identity(&self, signer: &Signer) -> Result<String, Failure> {
        let fail = |code, detail| Failure::new(CheckName::Identity, code, detail);
        let found = signer.identity();
        match &self.signers {
            // That the key made the signature was verified with the key itself.
            Signers::Key { key } if *signer == Signer::of_key(key.der()) => Ok("the key of the policy".to_owned()),
            Signers::Key { .. } => Err(fail(Code::KeyMismatch, "signed with another key".to_owned())),
            Signers::Keyless { .. } if found.kind == IdentityKind::Key => {
                Err(fail(Code::KeyMismatch, "signed with a key, and the policy names identities".to_owned()))
            }
            Signers::Keyless { identities, .. } => {
                // The same text as a URI and as a user name are two names (scenario F-12).
                let right_kind = |pattern: &&Pattern| {
                    pattern.kind() != "exact" || pattern.text().contains("://") == (found.kind == IdentityKind::Uri)
                };
                any_of(identities.iter().filter(right_kind), &found.value).map_err(|part| match part {
                    Some(pattern) => fail(Code::PatternNotAnchored, not_anchored(pattern, &found.value)),
                    None => fail(Code::IdentityMismatch, mismatch(identities, &found.value)),
                })
            }
        }
    }

    /// Whether the policy trusts the issuer to vouch for names.
    pub(crate) fn check_issuer(&self, signer: &Signer) -> Result<String, Failure> {
        let fail = |code, detail| Failure::new(CheckName::Issuer, code, detail);
        let Signers::Keyless { issuers, .. } = &self.signers else { return Ok("a key has no issuer".to_owned()) };
        let Some(found) = signer.issuer() else {
            return Err(fail(Code::IssuerMismatch, "the certificate names no issuer".to_owned()));
        };
        any_of(issuers.iter(), found).map_err(|part| match part {
            Some(pattern) => fail(Code::PatternNotAnchored, not_anchored(pattern, found)),
            None => fail(Code::IssuerMismatch, mismatch(issuers, found)),
        })
    }

    /// Whether the certificate has the claims that are asked for; `None` if none are.
    pub(crate) fn check_claims(&self, signer: &Signer) -> Option<Result<String, Failure>> {
        if self.claims.is_empty() {
            return None;
        }
        for (claim, wanted) in &self.claims {
            let found = signer.claims().get(*claim);
            if found != Some(wanted) {
                let found = found.unwrap_or("no such claim");
                let detail = format!("{claim}: wanted {wanted}, found {found}");
                return Some(Err(Failure::new(CheckName::Claims, Code::ClaimMismatch, detail)));
            }
        }
        Some(Ok(format!("{} as asked for", self.claims.len())))
    }

    /// What the provenance has to say.
    #[must_use]
    pub fn provenance_rules(&self) -> &ProvenanceRules {
        &self.provenance
    }

    /// The rows of what the provenance has to say; none for a statement of another type, or if nothing is asked.
    pub(crate) fn check_provenance(
        &self,
        signer: &Signer,
        statement: &Statement,
        limits: &Limits,
    ) -> Vec<ProvenanceRow> {
        if Family::name_of(statement.predicate_type()) != Some("slsa") {
            return Vec::new();
        }
        self.provenance.check(signer, statement, limits)
    }

    /// What the policy trusts, for messages: names, or "a key".
    #[must_use]
    pub fn trusted_names(&self) -> Vec<String> {
        match &self.signers {
            Signers::Keyless { identities, .. } => identities.iter().map(ToString::to_string).collect(),
            Signers::Key { key } => vec![format!("key {}", Signer::of_key(key.der()).identity().value)],
        }
    }

    /// The issuers that the policy trusts, for messages; none for a key.
    #[must_use]
    pub fn trusted_issuers(&self) -> Vec<String> {
        match &self.signers {
            Signers::Keyless { issuers, .. } => issuers.iter().map(ToString::to_string).collect(),
            Signers::Key { .. } => Vec::new(),
        }
    }
}

/// The first pattern that matches in full, else one that matches in part.
fn any_of<'a>(patterns: impl Iterator<Item = &'a Pattern>, name: &str) -> Result<String, Option<&'a Pattern>> {
    let mut part = None;
    for pattern in patterns {
        match pattern.matches(name) {
            Matched::Whole => return Ok(name.to_owned()),
            Matched::Part => part = part.or(Some(pattern)),
            Matched::No => {}
        }
    }
    Err(part)
}

fn mismatch(wanted: &[Pattern], found: &str) -> String {
    let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    format!("wanted {}, found {found}", wanted.join(" or "))
}

fn not_anchored(pattern: &Pattern, found: &str) -> String {
    let anchored = pattern.anchored_around(found).unwrap_or_default();
    format!("{} matches only a part of {found}; if all of it is meant, the pattern is {anchored}", pattern.text())
}
