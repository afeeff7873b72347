//! The policy itself. One that names nobody, or requires nothing, cannot be built.

use crate::check::{CheckName, Failure};
use crate::code::Code;
use crate::image::Platform;
use crate::limits::Limits;
use crate::policy::{Level, Matched, Pattern, PatternError, ProvenanceRow, ProvenanceRules, Requirement, Wanted};
use crate::signer::{Claim, IdentityKind, Signer};
use crate::sigstore::PublicKey;
use crate::statement::{Family, PredicateType, Statement};

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

/// Collects the parts of a policy.
#[derive(Debug, Clone, Default)]
pub struct PolicyBuilder {
    name: Option<String>,
    identities: Vec<Pattern>,
    issuers: Vec<Pattern>,
    keys: Vec<String>,
    claims: Vec<(Claim, String)>,
    requirements: Vec<Requirement>,
    platforms: Vec<Platform>,
    log_evidence: LogEvidence,
    provenance: ProvenanceRules,
}

/// Why a policy cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Neither an identity nor a key is named.
    #[error("the policy names no signer: an identity with its issuer, or a key")]
    NoSigner,
    /// An identity without an issuer: everybody's issuer could vouch for it.
    #[error("an identity needs the issuer that vouches for it")]
    NoIssuer,
    /// An issuer without an identity: everybody whom it vouches for would be trusted.
    #[error("an issuer alone trusts everybody whom it vouches for; name the identity")]
    NoIdentity,
    /// A key beside identities or claims, or several keys (scenario F-14).
    #[error("a key cannot be combined with {0}")]
    KeyAnd(&'static str),
    /// The key is not a public key that can be verified with.
    #[error("the key cannot be used: {0}")]
    Key(String),
    /// Nothing is required.
    #[error("the policy requires nothing")]
    NoRequirement,
    /// Two requirements for the same thing.
    #[error("{0:?} is required twice")]
    Twice(String),
    /// A pattern that cannot be used.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A UIDP that is not lower-case hex digits joined by slashes.
    #[error("{0:?} is not a UIDP: wanted lower-case hex digits joined by slashes")]
    Uidp(String),
    /// `sbom=layers` with something that it does not have.
    #[error("`sbom=layers` {0}")]
    Layers(&'static str),
    /// A claim that is asked for twice with different values, or empty.
    #[error("the claim {0} {1}")]
    Claim(&'static str, &'static str),
    /// A source that cannot be compared.
    #[error("{1:?} is not a {0} of a source: wanted {2}")]
    Source(&'static str, String, &'static str),
}

impl PolicyError {
    /// The reason code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NoSigner | Self::NoIssuer | Self::NoIdentity => Code::PolicyMissing,
            _ => Code::PolicyInvalid,
        }
    }
}

impl PolicyBuilder {
    /// What the report calls the policy.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Trusts a signer that matches; several are alternatives.
    #[must_use]
    pub fn identity(mut self, pattern: Pattern) -> Self {
        self.identities.push(pattern);
        self
    }

    /// Trusts an OIDC issuer to vouch for the identities; several are alternatives.
    #[must_use]
    pub fn issuer(mut self, pattern: Pattern) -> Self {
        self.issuers.push(pattern);
        self
    }

    /// Trusts a managed key, PEM, instead of identities.
    #[must_use]
    pub fn key(mut self, pem: &str) -> Self {
        self.keys.push(pem.to_owned());
        self
    }

    /// Requires a claim of the certificate to have this value; all of them have to hold.
    #[must_use]
    pub fn claim(mut self, claim: Claim, value: &str) -> Self {
        self.claims.push((claim, value.to_owned()));
        self
    }

    /// Requires something to be attached; all of them have to hold.
    #[must_use]
    pub fn require(mut self, requirement: Requirement) -> Self {
        self.requirements.push(requirement);
        self
    }

    /// Requires the index to list a platform.
    #[must_use]
    pub fn require_platform(mut self, platform: Platform) -> Self {
        self.platforms.push(platform);
        self
    }

    /// What has to show that the log has the entry.
    #[must_use]
    pub fn log_evidence(mut self, evidence: LogEvidence) -> Self {
        self.log_evidence = evidence;
        self
    }

    /// What the provenance has to say. Provenance is then required, also where no requirement says so.
    #[must_use]
    pub fn provenance(mut self, rules: ProvenanceRules) -> Self {
        self.provenance = rules;
        self
    }

    /// Builds the policy.
    ///
    /// # Errors
    /// When it names no signer, requires nothing or contradicts itself.
    pub fn build(mut self) -> Result<Policy, PolicyError> {
        let signers = self.signers()?;
        let asked = |r: &Requirement| Family::SLSA.iter().any(|uri| r.wanted().is_met_by(uri));
        if !self.provenance.is_empty() && !self.requirements.iter().any(asked) {
            self.requirements.push(Requirement::slsa());
        }
        if let Some(place) = self.requirements.iter().position(|r| *r.wanted() == Wanted::Layers) {
            let layers = &self.requirements[place];
            if layers.level() != Level::Platform {
                return Err(PolicyError::Layers("is about the images of platforms; an index has no layers"));
            }
            if layers.max_age().is_some() {
                return Err(PolicyError::Layers("has no age; the SBOM has one"));
            }
            if !self.requirements.iter().any(Requirement::is_spdx) {
                self.requirements.insert(place, Requirement::attestation(PredicateType::spdx()));
            }
        }
        if self.requirements.is_empty() {
            return Err(PolicyError::NoRequirement);
        }
        for (n, requirement) in self.requirements.iter().enumerate() {
            if self.requirements[..n].iter().any(|other| other.wanted() == requirement.wanted()) {
                return Err(PolicyError::Twice(requirement.name()));
            }
        }
        for (n, (claim, value)) in self.claims.iter().enumerate() {
            if value.is_empty() {
                return Err(PolicyError::Claim(claim.name(), "is asked to be empty"));
            }
            if self.claims[..n].iter().any(|(other, _)| other == claim) {
                return Err(PolicyError::Claim(claim.name(), "is asked for twice"));
            }
        }
        Ok(Policy {
            name: self.name.unwrap_or_else(|| "flags".to_owned()),
            signers,
            claims: self.claims,
            requirements: self.requirements,
            platforms: self.platforms,
            log_evidence: self.log_evidence,
            provenance: self.provenance,
        })
    }

    fn signers(&self) -> Result<Signers, PolicyError> {
        match (self.keys.as_slice(), self.identities.is_empty(), self.issuers.is_empty()) {
            ([], true, true) => Err(PolicyError::NoSigner),
            ([], true, false) => Err(PolicyError::NoIdentity),
            ([], false, true) => Err(PolicyError::NoIssuer),
            ([], false, false) => {
                Ok(Signers::Keyless { identities: self.identities.clone(), issuers: self.issuers.clone() })
            }
            // Anybody can have an old signature timestamped anew; only a certificate's lifetime bounds that.
            ([_], ..) if self.requirements.iter().any(|r| r.max_age().is_some()) => {
                Err(PolicyError::KeyAnd("a maximum age: nothing says when a key was used first"))
            }
            ([_], ..) if !self.claims.is_empty() => Err(PolicyError::KeyAnd("claims, which only certificates have")),
            ([pem], true, true) => {
                let key = PublicKey::from_pem(pem).map_err(|e| PolicyError::Key(e.0))?;
                Ok(Signers::Key { key })
            }
            ([_], ..) => Err(PolicyError::KeyAnd("an identity or an issuer")),
            (..) => Err(PolicyError::KeyAnd("another key")),
        }
    }
}

impl Policy {
    /// Begins a policy.
    #[must_use]
    pub fn builder() -> PolicyBuilder {
        PolicyBuilder::default()
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Pattern {
        Pattern::exact(text).expect("a pattern")
    }

    #[test]
    fn a_policy_names_a_signer_and_requires_something() {
        let good = Policy::builder().identity(exact("me@example.org")).issuer(exact("https://issuer.example"));
        let good = good.require(Requirement::signature());
        assert!(good.clone().build().is_ok());
        let error = |builder: PolicyBuilder| builder.build().map(|_| ()).expect_err("incomplete");
        assert_eq!(error(Policy::builder().require(Requirement::signature())), PolicyError::NoSigner);
        let only_identity = Policy::builder().identity(exact("me")).require(Requirement::signature());
        assert_eq!(error(only_identity), PolicyError::NoIssuer);
        let only_issuer = Policy::builder().issuer(exact("https://i")).require(Requirement::signature());
        assert_eq!(error(only_issuer), PolicyError::NoIdentity);
        let nothing = Policy::builder().identity(exact("me")).issuer(exact("https://i"));
        assert_eq!(error(nothing), PolicyError::NoRequirement);
        assert_eq!(error(good.clone().require(Requirement::signature())), PolicyError::Twice("signature".to_owned()));
        assert!(matches!(error(good.key("x")), PolicyError::KeyAnd(_)));
    }
}
