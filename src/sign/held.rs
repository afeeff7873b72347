//! Evidence that holds, whoever signed it, in whatever form it was found.

use crate::check::{CheckName, Failure, Outcome};
use crate::code::Code;
use crate::digest::Digest;
use crate::evidence::Candidate;
use crate::limits::Limits;
use crate::policy::{Pattern, Policy, Requirement};
use crate::signer::Signer;
use crate::statement::{COSIGN_SIGN, Statement};
use crate::time::Timestamp;
use crate::trust::TrustRoot;
use crate::verify::{Assessor, VerifiedBundle};

use super::{Draft, SignError};

/// A piece of evidence that passed every check but those of a policy. Only
/// [`Held::check`] makes one.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    subject: Digest,
    bundle: VerifiedBundle,
    statement: Option<Statement>,
}

impl Held {
    /// Checks a candidate with a policy of exactly the signer whom its
    /// certificate names: so every row is checked as it is for whoever
    /// verifies the image later.
    pub(crate) fn check(
        candidate: &Candidate,
        subject: &Digest,
        key: Option<&str>,
        trust: &TrustRoot,
        now: Timestamp,
        limits: &Limits,
    ) -> Result<Self, SignError> {
        let structure = |code, detail| SignError::Unverified(Failure::new(CheckName::Structure, code, detail));
        let parsed = candidate.to_bundle(limits).ok_or_else(|| structure(Code::BundleInvalid, "there is nothing"))?;
        let (parsed, _) = parsed.map_err(SignError::Unverified)?;
        let policy = policy_for(parsed.leaf(), key).map_err(SignError::Unverified)?;
        let assessed = Assessor::new(&policy, trust, now, limits).assess(candidate, subject);
        // What it is asked for by type or age is not the question here.
        let asked = |name| matches!(name, CheckName::Predicate | CheckName::Age);
        if let Some(row) = assessed.checks().iter().find(|row| row.outcome == Outcome::Fail && !asked(row.name)) {
            let detail = row.detail.clone().unwrap_or_default();
            return Err(SignError::Unverified(Failure::new(row.name, row.code.unwrap_or(Code::Internal), detail)));
        }
        let (bundle, statement) = match (assessed.signature(), assessed.attestation()) {
            (Some(signature), _) => (signature.bundle(), signature.statement()),
            (None, Some(attestation)) => (attestation.statement().bundle(), Some(attestation.statement())),
            (None, None) => return Err(structure(Code::Internal, "not every check ran")),
        };
        let statement = statement.map(|statement| statement.statement().clone());
        Ok(Self { subject: subject.clone(), bundle: bundle.clone(), statement })
    }

    pub(crate) fn subject(&self) -> &Digest {
        &self.subject
    }

    pub(crate) fn bundle(&self) -> &VerifiedBundle {
        &self.bundle
    }

    /// None where a manifest or a simple-signing document is signed.
    pub(crate) fn statement(&self) -> Option<&Statement> {
        self.statement.as_ref()
    }

    pub(crate) fn predicate_type(&self) -> Option<&str> {
        self.statement().map(Statement::predicate_type)
    }

    /// The same type about the same digest by the same name from the same
    /// issuer. The certificate may be another one, because each run has its own.
    pub(crate) fn is_same_kind(&self, other: &Self) -> bool {
        let signer =
            |held: &Self| (held.bundle.signer().identity().clone(), held.bundle.signer().issuer().map(str::to_owned));
        self.subject == other.subject
            && self.predicate_type() == other.predicate_type()
            && signer(self) == signer(other)
    }

    /// Whether it is of the type that `draft` has, about the same digest, whoever
    /// signed it. A simple-signing document is of the type of a signature.
    pub(crate) fn is_like(&self, draft: &Draft) -> bool {
        self.subject == *draft.subject() && self.predicate_type().unwrap_or(COSIGN_SIGN) == draft.predicate_type()
    }

    /// Whether it says what `draft` would say, whoever signed it.
    pub(crate) fn says(&self, draft: &Draft) -> bool {
        self.is_like(draft) && self.statement().is_none_or(|statement| statement.predicate() == draft.predicate())
    }

    /// Whether it says what `draft` would say, had `signer` signed it.
    pub(crate) fn says_what(&self, draft: &Draft, signer: &Signer) -> bool {
        let who = |signer: &Signer| (signer.identity().clone(), signer.issuer().map(str::to_owned));
        self.says(draft) && who(self.bundle.signer()) == who(signer)
    }

    /// The same kind with the same predicate bytes.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        let predicate = |held: &Self| held.statement().map(|statement| statement.predicate().to_owned());
        self.is_same_kind(other) && predicate(self) == predicate(other)
    }
}

/// A policy that trusts exactly the signer whom the certificate names, or the key.
fn policy_for(leaf: Option<&[u8]>, key: Option<&str>) -> Result<Policy, Failure> {
    let signer = |detail: String| Failure::new(CheckName::Signer, Code::SignerInvalid, detail);
    let builder = Policy::builder().name("signed").require(Requirement::signature());
    let builder = match (leaf, key) {
        (None, Some(key)) => builder.key(key),
        (None, None) => {
            let detail = "signed with a key, and none is given to verify it with";
            return Err(Failure::new(CheckName::Certificate, Code::KeyMismatch, detail));
        }
        (Some(_), Some(_)) => {
            let detail = "signed with a certificate, and a key is given to verify it with";
            return Err(Failure::new(CheckName::Certificate, Code::KeyMismatch, detail));
        }
        (Some(leaf), None) => {
            let named = Signer::of_certificate(leaf).map_err(|e| signer(e.to_string()))?;
            let issuer = named.issuer().ok_or_else(|| signer("the certificate names no issuer".to_owned()))?;
            let exact = |text: &str| Pattern::exact(text).map_err(|e| signer(e.to_string()));
            builder.identity(exact(&named.identity().value)?).issuer(exact(issuer)?)
        }
    };
    builder.build().map_err(|error| Failure::new(CheckName::Signer, error.code(), error.to_string()))
}
