//! Puts a policy together. One that names nobody, or requires nothing, cannot be built.

use super::rules::{LogEvidence, Policy, Signers};
use crate::code::Code;
use crate::image::Platform;
use crate::policy::{Level, Pattern, PatternError, ProvenanceRules, Requirement, Wanted};
use crate::signer::Claim;
use crate::sigstore::PublicKey;
use crate::statement::{Family, PredicateType};

impl Policy {
    /// Begins a policy.
    #[must_use]
    pub fn builder() -> PolicyBuilder {
        PolicyBuilder::default()
    }
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
